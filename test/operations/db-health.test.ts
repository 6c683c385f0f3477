import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CompiledQuery } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { startStandby } from '../faults/support/alerts/standby.ts';
import { ownFolder, within } from '../support/backups.ts';
import { DATABASES } from '../support/databases.ts';
import { runOps } from '../support/ops.ts';
import { installedBinaries, startPostgres, type OwnPostgres } from '../support/postgres.ts';
import { startSynced, type Served } from '../support/synced.ts';
import { has } from '../support/tools.ts';

type Report = Record<string, Record<string, unknown>[]> & { attention: string[] };

const [SQLITE, POSTGRES] = DATABASES;
const ROLES = fileURLToPath(new URL('../../ops/sql/roles.sql', import.meta.url));

const show = (url: string, ...args: string[]) => runOps(['db-health', ...args], { DATABASE_URL: url });
async function report(url: string, ...args: string[]): Promise<Report> {
  const { code, stdout, stderr } = await show(url, '--json', ...args);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout) as Report;
}

async function connectTo(url: string, name = 'somebody'): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, application_name: name });
  client.on('error', () => {});
  await client.connect();
  onTestFinished(() => client.end());
  return client;
}

describe('db-health on Postgres', () => {
  let served: Served;
  beforeAll(async () => {
    served = await startSynced(POSTGRES.create);
  });
  afterAll(() => served.close());

  test('shows tables, indexes and connections as people read them', async () => {
    const { code, stdout } = await show(served.database.url);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}server +database +size +connections +max connections/m);
    expect(stdout).toMatch(/^ {2}models +\d+ +\d+ +[\d.]+ kB +[\d.]+ kB/m);
    expect(stdout).toMatch(/^ {2}models_pkey +models +\d+ +[\d.]+ kB +unique$/m);
    expect(stdout).toMatch(/^ {2}effect-models read +\w+ +\w+ +\w+ +\d+$/m);
    expect(stdout).toMatch(/^Queries that have been running for 5 min 0 s\n {2}None\.$/m);
    expect(stdout).toMatch(/^Statements by time\n {2}\S/m);
    expect(stdout).toContain('\nNothing needs attention.\n');
  });

  test('shows what has been running for long, open for long, and what waits for whom', async () => {
    const { url } = served.database;
    const [runs, holds, waits] = [await connectTo(url), await connectTo(url), await connectTo(url)];
    const running = runs.query('select pg_sleep(60)').catch(() => {});
    await holds.query('begin; lock table sources in access exclusive mode');
    const waiting = waits.query('select count(*) from sources').catch(() => {});
    const pidOf = (client: pg.Client) => (client as unknown as { processID: number }).processID;
    await setTimeout(1_200);
    const health = await report(url, '--long', '1');
    const { tables, longQueries, openTransactions, waiting: blocked, attention } = health;
    // Its size can not be read for now, and that holds up nothing else.
    expect(tables).toEqual([]);
    expect((await show(url)).stdout).toMatch(/^Tables\n {2}Unknown: a table is locked exclusively\./m);
    expect(longQueries).toContainEqual(
      expect.objectContaining({
        pid: pidOf(runs),
        application: 'somebody',
        query: 'select pg_sleep(60)',
      }),
    );
    expect(openTransactions).toContainEqual(
      expect.objectContaining({ pid: pidOf(holds), state: 'idle in transaction' }),
    );
    expect(blocked).toContainEqual(
      expect.objectContaining({ pid: pidOf(waits), blockedBy: String(pidOf(holds)) }),
    );
    expect(attention).toContainEqual(
      expect.stringMatching(/^Query \d+ has been running for .*pg_cancel_backend/),
    );
    await holds.query('rollback');
    const boss = await connectTo(url);
    await boss.query('select pg_cancel_backend($1)', [pidOf(runs)]);
    await Promise.all([running, waiting]);
  });

  test('says what is near its limit', async () => {
    const { code, stdout } = await runOps(['db-health'], {
      DATABASE_URL: served.database.url,
      STORAGE_LIMIT_GB: '0.001',
    });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^Look at:\n {2}The database has [\d.]+ MB of 1\.0 MB\.$/m);
  });

  test('says what it is about where the server is away, and changes nothing', async () => {
    const { code, stdout, stderr } = await show('postgres://em@127.0.0.1:1/catalog');
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(/^db-health failed: the database 127\.0\.0\.1:1\/catalog can not be used/);
  });

  test.each([['--long', 'x'], ['--other']])('%s is refused with how it is used', async (...args) => {
    const { code, stderr } = await show(served.database.url, ...args);
    expect(code).toBe(64);
    expect(stderr).toContain('Usage: npm run ops -- db-health [--json] [--long <seconds>]');
  });
});

describe.skipIf(installedBinaries() === null)(
  'db-health on a server of its own (needs an installed Postgres)',
  () => {
    let server: OwnPostgres;
    beforeAll(async () => {
      server = await startPostgres({ settings: { shared_preload_libraries: 'pg_stat_statements' } });
    });
    afterAll(() => server.stop());

    test('shows the statements that take the most time', async () => {
      const client = await connectTo(server.url);
      await client.query('create extension pg_stat_statements');
      await client.query('select pg_sleep(0.3)');
      const { slowStatements } = await report(server.url);
      expect(slowStatements?.[0]).toMatchObject({ calls: 1, query: 'select pg_sleep($1)' });
      expect(Number(slowStatements?.[0]?.mean)).toBeGreaterThan(290);
    });

    test.skipIf(!has('psql'))('answers the roles that may only look, and those of the service', async () => {
      const { url } = await server.create();
      await within(url, (database) => database.migrate());
      const passwords = { EM_APP_PASSWORD: 'app-0815', EM_READONLY_PASSWORD: 'readonly-0815' };
      execFileSync('psql', [url, '-qv', 'ON_ERROR_STOP=1', '-f', ROLES], {
        env: { PATH: process.env.PATH, ...passwords },
        stdio: ['ignore', 'ignore', 'inherit'],
      });
      const own = await connectTo(url);
      for (const isCounted of [false, true]) {
        if (isCounted) await own.query('create extension pg_stat_statements');
        for (const role of ['app', 'readonly']) {
          const as = new URL(url);
          [as.username, as.password] = [`em_${role}`, `${role}-0815`];
          const { database, tables, slowStatements } = await report(as.href);
          expect(Number(database?.[0]?.size)).toBeGreaterThan(0);
          expect(tables).toContainEqual(expect.objectContaining({ table: 'models' }));
          expect((slowStatements ?? []).length > 0).toBe(isCounted);
        }
      }
      await own.query('revoke select on pg_stat_statements from public');
      const as = new URL(url);
      [as.username, as.password] = ['em_readonly', 'readonly-0815'];
      expect((await show(as.href)).stdout).toMatch(
        /^Statements by time\n {2}Unknown: .* closed to this role/m,
      );
    });

    test('does not need the server to have loaded what counts statements', async () => {
      const other = await startPostgres();
      onTestFinished(other.stop);
      await (await connectTo(other.url)).query('create extension pg_stat_statements');
      expect(await report(other.url)).toMatchObject({ slowStatements: [] });
    });

    test('shows how far a replica is behind, and on the replica itself too', async () => {
      const replica = await startStandby(server, (work) => onTestFinished(work));
      const client = await connectTo(server.url);
      await client.query('create table copied (a int); insert into copied values (1)');
      await expect
        .poll(async () => (await report(server.url)).replicas, { timeout: 10_000 })
        .toMatchObject([{ replica: 'walreceiver', state: 'streaming', lag: 0, lagBytes: 0 }]);

      const standby = await connectTo(replica.url);
      const boss = await connectTo(replica.url);
      await boss.query('select pg_wal_replay_pause()');
      await client.query('insert into copied select * from generate_series(1, 10000)');
      await expect
        .poll(async () => Number((await report(server.url)).replicas?.[0]?.lagBytes), { timeout: 10_000 })
        .toBeGreaterThan(100_000);
      expect((await standby.query('select * from copied')).rows).toEqual([{ a: 1 }]);
      const { database } = await report(replica.url);
      expect(Number(database?.[0]?.behindPrimary)).toBeGreaterThan(0);
    });
  },
);

describe('db-health on SQLite', () => {
  let served: Served;
  beforeAll(async () => {
    served = await startSynced(SQLITE.create);
  });
  afterAll(() => served.close());

  test('shows sizes, the log, and that the file is whole', async () => {
    const { code, stdout } = await show(served.database.url);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^ {2}SQLite [\d.]+ +[\d.]+ [kM]B +[\d.]+ [kM]?B +[\d.]+ [kM]?B +wal +ok$/m);
    expect(stdout).toMatch(/^ {2}models +[\d.]+ kB/m);
    expect(await report(served.database.url)).toMatchObject({
      database: [{ check: 'ok', journal: 'wal' }],
      faults: [],
      attention: [],
    });
  });

  test('tells of a file that is damaged', async () => {
    const path = join(ownFolder(), 'damaged.db');
    await served.app.database.write.executeQuery(CompiledQuery.raw(`vacuum into '${path}'`));
    const bytes = readFileSync(path);
    bytes.fill(0x5a, 3 * 4_096 + 8, 12 * 4_096);
    writeFileSync(path, bytes);
    const { faults, attention } = await report(`file:${path}`);
    expect(faults).not.toEqual([]);
    expect(attention).toContain('The file is damaged: restore the newest backup (`npm run ops -- restore`).');
  });

  test('does not make a file that is not there', async () => {
    const path = join(ownFolder(), 'missing.db');
    const { code, stderr } = await show(`file:${path}`);
    expect(code).toBe(1);
    expect(stderr).toContain(`there is no database at ${path}`);
  });
});
