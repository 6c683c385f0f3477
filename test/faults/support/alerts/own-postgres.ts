import { execFile } from 'node:child_process';
import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import type { Finish } from '../../../support/process.ts';
import { startPostgres, type OwnPostgres } from '../../../support/postgres.ts';

const run = promisify(execFile);

/** A server of Postgres that can be stopped, and started again as it was. */
export interface StoppablePostgres extends OwnPostgres {
  halt(): Promise<void>;
  resume(): Promise<void>;
}

/** Runs a statement on a database, and answers with its rows. */
export async function ask<Row extends pg.QueryResultRow>(url: string, statement: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Row>(statement)).rows;
  } finally {
    await client.end();
  }
}

/** Starts a server of its own. */
export async function startStoppable(
  finish: Finish,
  settings: Record<string, string> = {},
): Promise<StoppablePostgres> {
  const server = await startPostgres({ settings });
  finish(() => server.stop());
  const [row] = await ask<{ data: string }>(server.url, `select current_setting('data_directory') as data`);
  const data = row?.data ?? '';
  const [pid = ''] = readFileSync(join(data, 'postmaster.pid'), 'utf8').split('\n');
  const control = join(dirname(readlinkSync(`/proc/${pid}/exe`)), 'pg_ctl');
  const { uid, gid } = statSync(data);
  const command = (...args: string[]) =>
    run(control, ['-D', data, '-w', '-l', join(data, 'restarted.log'), ...args], { uid, gid, cwd: data });
  let halted = false;
  let restarted = false;
  finish(async () => {
    if (restarted && !halted) await command('-m', 'immediate', 'stop');
  });
  return {
    ...server,
    async halt() {
      await command('-m', 'fast', 'stop');
      halted = true;
    },
    // With the options that it ran with before, which pg_ctl remembers.
    async resume() {
      await command('restart');
      [halted, restarted] = [false, true];
    },
  };
}
