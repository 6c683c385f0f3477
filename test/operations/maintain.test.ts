import { statSync } from 'node:fs';
import { CompiledQuery } from 'kysely';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { sqlitePath } from '../../server/db/orm.ts';
import { DATABASES } from '../support/databases.ts';
import { holdRows, rowsOf } from '../support/many.ts';
import { runOps } from '../support/ops.ts';
import { startSynced, type Served } from '../support/synced.ts';

const [SQLITE, POSTGRES] = DATABASES;
/** Rows of a table that a test bloats, and every how manieth stays. */
const JUNK = 100_000;
const STAYS = 20;

function start(kind: (typeof DATABASES)[number]): Promise<Served> {
  return startSynced(kind.create, {
    arrange: (content) => holdRows(content, 'openrouter', rowsOf(content, 'openrouter', 300)),
  });
}
const lastMaintenance = ({ app }: Served) =>
  app.database.read
    .selectFrom('operations')
    .selectAll()
    .where('kind', '=', 'maintain')
    .orderBy('started_at', 'desc')
    .executeTakeFirstOrThrow();

describe('maintain on Postgres', () => {
  let served: Served;
  let client: pg.Client;
  beforeAll(async () => {
    served = await start(POSTGRES);
    client = new pg.Client({ connectionString: served.database.url });
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await served.close();
  });
  const maintain = () => runOps(['maintain'], { DATABASE_URL: served.database.url });
  /** The lines of a report between two titles, the last one to the end. */
  const sectionOf = (text: string, title: RegExp) =>
    text.split('\n\n').find((section) => title.test(section)) ?? '';

  test('dead rows go, while the service answers', async () => {
    // Every row is dead twice over.
    for (const figure of [1, 2]) await client.query('update models set downloads = $1', [figure]);
    await client.query('select pg_stat_force_next_flush()').catch(() => {});
    const dead = async () =>
      Number(
        (await client.query(`select n_dead_tup from pg_stat_user_tables where relname = 'models'`)).rows[0]
          ?.n_dead_tup,
      );
    await expect.poll(dead).toBeGreaterThan(300);
    const { code, stdout } = await maintain();
    expect(code).toBe(0);
    const row = stdout.split('\n').find((line) => line.startsWith('models '));
    const [before, after] = (row ?? '').split(/ +/).slice(-2).map(Number);
    expect(before).toBeGreaterThan(300);
    expect(after).toBe(0);
    expect(await dead()).toBe(0);
    const analyzed = await client.query(
      `select last_analyze, last_vacuum from pg_stat_user_tables where relname = 'models'`,
    );
    expect(analyzed.rows).toEqual([
      { last_analyze: expect.any(Date) as Date, last_vacuum: expect.any(Date) as Date },
    ]);
    expect((await served.app.get('/v1/models?limit=1')).status).toBe(200);
    expect(await lastMaintenance(served)).toMatchObject({ status: 'completed' });
  });

  test('dead rows that an open transaction needs are told of, with who holds them', async () => {
    const holder = new pg.Client({ connectionString: served.database.url, application_name: 'somebody' });
    await holder.connect();
    onTestFinished(() => holder.end());
    await holder.query('begin isolation level repeatable read');
    await holder.query('select 1');
    await client.query('update models set downloads = 3');
    const { stdout } = await maintain();
    expect(stdout).toMatch(
      /^\d+ dead rows are still needed by the oldest transaction: somebody \d+, open for /m,
    );
  });

  describe('with indexes that nobody uses, and with bloat', () => {
    beforeAll(async () => {
      await client.query(`
        create table junk (id int primary key, used text, unused text);
        create index junk_used on junk (used);
        create index junk_unused on junk (unused);
        insert into junk select number, md5(number::text), md5((number * 7)::text) from generate_series(1, ${JUNK}) as number;
        delete from junk where id % ${STAYS} <> 0;
        analyze junk`);
      await client.query(`set enable_seqscan = off`);
      await client.query(`select from junk where used = 'x'`);
      // A session tells of what it has used with its next query after a second, or when it is asked to.
      const isUsed = async () => {
        await client.query('select pg_stat_force_next_flush()').catch(() => {});
        const { rows } = await client.query(
          `select idx_scan from pg_stat_user_indexes where indexrelname = 'junk_used'`,
        );
        expect(Number(rows[0]?.idx_scan)).toBeGreaterThan(0);
      };
      await vi.waitFor(isUsed, { timeout: 5_000 });
    });
    afterAll(() => client.query('drop table junk'));

    test.for(['estimated from statistics', 'measured by pgstattuple'])(
      'both are reported, %s',
      async (method, { skip }) => {
        if (method.startsWith('measured')) {
          const { rows } = await client.query(
            `select from pg_available_extensions where name = 'pgstattuple'`,
          );
          skip(rows.length === 0, 'The Postgres that comes as an npm package brings no extensions.');
          await client.query('create extension pgstattuple');
        }
        const { code, stdout } = await maintain();
        expect(code).toBe(0);
        const unused = sectionOf(stdout, /^Indexes that no query has used since /);
        expect(unused).toMatch(/^junk_unused +junk +[\d.]+ MB$/m);
        expect(unused).not.toMatch(/junk_used|_pkey/);
        const bloated = sectionOf(stdout, /^Bloated/);
        expect(bloated).toContain(method);
        for (const name of ['junk_unused +index', 'junk_used +index', 'junk_pkey +index'])
          expect(bloated).toMatch(new RegExp(`^${name} +[\\d.]+ MB +[\\d.]+ MB$`, 'm'));
        // What a sync wrote once is not bloated.
        expect(bloated).not.toMatch(/^(models|offers|records)/m);
      },
    );

    test('what is written anew is reported no more', async () => {
      await client.query('reindex index junk_unused');
      const { stdout } = await maintain();
      expect(sectionOf(stdout, /^Bloated/)).not.toContain('junk_unused');
    });
  });

  test('by a role that does not own the tables is refused, with the role that does', async () => {
    const role = `em_maintain_test_${process.pid}`;
    await client.query(
      `create role ${role} login password 'x'; grant select on all tables in schema public to ${role}`,
    );
    onTestFinished(async () => void (await client.query(`drop owned by ${role}; drop role ${role}`)));
    const url = new URL(served.database.url);
    const owner = url.username;
    url.username = role;
    url.password = 'x';
    const { code, stderr } = await runOps(['maintain'], { DATABASE_URL: url.href });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      new RegExp(`maintain failed: table \\w+ may be vacuumed by its owner alone: use the role ${owner} `),
    );
  });
});

describe('maintain on SQLite', () => {
  let served: Served;
  beforeAll(async () => {
    served = await start(SQLITE);
  });
  afterAll(() => served.close());
  const maintain = () => runOps(['maintain'], { DATABASE_URL: served.database.url });

  test('the file shrinks, its log is emptied, and the service goes on', async () => {
    const path = sqlitePath(served.database.url);
    await served.app.database.write.deleteFrom('records').execute();
    // What is in the log alone is not in the file yet.
    await served.app.database.write.executeQuery(CompiledQuery.raw('pragma wal_checkpoint(passive)'));
    const before = statSync(path).size;
    const { code, stdout } = await maintain();
    expect(code).toBe(0);
    expect(stdout).toMatch(/^free pages +[\d.]+ kB +0 B$/m);
    expect(stdout).toMatch(/^write-ahead log +[\d.]+ \wB +0 B$/m);
    expect(stdout).toMatch(/^models +[\d.]+ kB/m);
    expect(stdout).toContain('SQLite does not count how often an index is used.');
    expect(statSync(path).size).toBeLessThan(before);
    expect(await lastMaintenance(served)).toMatchObject({ status: 'completed' });
    expect((await served.app.get('/v1/models?offset=3')).status).toBe(200);
    expect((await served.app.sync('?force=true')).status).toBe('completed');
  });

  test('while another process writes it waits', async () => {
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const holding = served.app.database.write.transaction().execute(async (transaction) => {
      await transaction.deleteFrom('leases').execute();
      await held;
    });
    setTimeout(release, 1_500);
    expect(await maintain()).toMatchObject({ code: 0 });
    await holding;
  });
});
