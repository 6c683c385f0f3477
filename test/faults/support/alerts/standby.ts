import { execFile } from 'node:child_process';
import { chownSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ask, type OwnPostgres } from '../../../support/postgres.ts';
import { freePort } from '../../../support/ports.ts';
import type { Finish } from '../../../support/process.ts';
import { startProgram } from './program.ts';

const run = promisify(execFile);

/** A replica that follows a server. */
export interface Standby {
  url: string;
  port: number;
  /** Makes it a server of its own, which takes writes. */
  promote(): Promise<void>;
  kill(): Promise<void>;
}

/** Copies a server, and follows it from then on. */
export async function startStandby(primary: OwnPostgres, finish: Finish): Promise<Standby> {
  const [row] = await ask<{ data: string }>(primary.url, `select current_setting('data_directory') as data`);
  const [pid = ''] = readFileSync(join(row?.data ?? '', 'postmaster.pid'), 'utf8').split('\n');
  const binaries = dirname(readlinkSync(`/proc/${pid}/exe`));
  const { uid, gid } = statSync(row?.data ?? '');
  const folder = mkdtempSync(join(tmpdir(), 'effect-models-standby-'));
  finish(() => rmSync(folder, { recursive: true, force: true }));
  chownSync(folder, uid, gid);
  const data = join(folder, 'data');
  const copy = ['-D', data, '-R', '-X', 'stream', '-c', 'fast', '-d', primary.url];
  await run(join(binaries, 'pg_basebackup'), copy, { uid, gid, cwd: folder });
  const port = await freePort();
  const options = ['listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`, 'fsync=off'];
  const server = startProgram(
    join(binaries, 'postgres'),
    ['-D', data, '-p', String(port), ...options.flatMap((option) => ['-c', option])],
    { finish, cwd: folder, uid, gid },
  );
  const url = new URL(primary.url);
  url.port = String(port);
  for (;;) {
    if ((await ask(url.href, 'select 1').catch(() => [])).length > 0) break;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  const promote = async () => {
    await run(join(binaries, 'pg_ctl'), ['-D', data, '-w', 'promote'], { uid, gid, cwd: folder });
  };
  return { url: url.href, port, promote, kill: server.kill };
}
