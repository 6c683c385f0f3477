import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import { OpsError } from '../command.ts';
import { programEnvironment } from '../config.ts';
import { libpqOf, type Address } from './address.ts';

const SAID_MAX = 2_000;
/** A program that is told to end tells the server to stop, and waits for its answer. */
const KILL_MS = 5_000;

/** A program of PostgreSQL's client: which, on which database, and what else it is told. */
export interface Program {
  name: 'pg_dump' | 'pg_restore';
  address: Address;
  args: string[];
  signal: AbortSignal;
}

/** Runs a program of PostgreSQL's client until it has ended well; `read` takes what it prints. Its arguments hold no password. */
export async function runProgram(
  { name, address, args, signal }: Program,
  read: (stdout: Readable) => Promise<void>,
): Promise<void> {
  const { url, password } = await libpqOf(address);
  const secret: Record<string, string> = password === '' ? {} : { PGPASSWORD: password };
  const child = spawn(name, [...args, `--dbname=${url}`], {
    env: programEnvironment({ ...secret, LC_ALL: 'C' }),
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-SAID_MAX)));
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  const closed = new Promise((resolve) => void child.once('close', resolve));
  try {
    await Promise.all([ended, read(child.stdout)]);
  } catch (error) {
    child.kill();
    if (error instanceof Error && 'syscall' in error && error.syscall === `spawn ${name}`)
      throw new OpsError(
        `${name} is not installed: install PostgreSQL's client programs (on Debian the package postgresql-client), of the ` +
          "server's version or later",
        { cause: error },
      );
    await Promise.race([closed, setTimeout(KILL_MS, undefined, { ref: false })]);
    child.kill('SIGKILL');
    throw error;
  }
  const [code, signalled] = await ended;
  if (code !== 0) throw new OpsError(`${name} ${signalled ?? `exited with ${code}`}: ${wordsOf(said)}`);
}

/** What a program said last, in one line. */
function wordsOf(said: string): string {
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  return lines.slice(-3).join('; ') || 'it said nothing';
}
