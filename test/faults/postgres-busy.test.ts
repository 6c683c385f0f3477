import pg from 'pg';
import { describe, expect, onTestFinished, test } from 'vitest';
import { LIMITS } from '../../server/db/orm.ts';
import type { TestApp } from '../support/app.ts';
import {
  ask,
  BUSY,
  expectNoPoison,
  expectWithin,
  hold,
  POST,
  serve,
  type Serving,
  uncached,
  untilServed,
  useScene,
  waiting,
} from './support/postgres-scene.ts';

const KEPT = '/v1/models?limit=7';

/** What the log says of requests that could not be answered. */
const reasons = ({ log }: TestApp): string[] =>
  log.flatMap(({ level, err }) => (Number(level) === 40 && err ? [(err as Error).message] : []));

describe('Postgres that has more to do than it can', () => {
  const scene = useScene({ max_connections: '40', superuser_reserved_connections: '3' });

  test('P8 slow queries take every connection: others are refused soon, and what needs none is served', async () => {
    const serving = await serve(scene);
    const { app } = serving;
    const kept = await app.get(KEPT);
    const etag = kept.headers.get('etag') ?? '';
    const release = await hold(serving, 'models', 'everybody');
    const holding = Array.from({ length: LIMITS.read.max }, () => ask(app.url, uncached()));
    await waiting(serving, 'read', LIMITS.read.max);

    const excess = Array.from({ length: 20 }, () => ask(app.url, uncached()));
    const others = [
      ask(app.url, '/v1/models?limit=none'),
      ask(app.url, '/v1/admin/sync', { method: 'POST' }),
      ask(app.url, '/v1/nothing'),
      ask(app.url, KEPT),
      ask(app.url, KEPT, { headers: { 'if-none-match': etag } }),
      ask(app.url, '/health/live'),
      ask(app.url, '/health'),
      ask(app.url, '/health/ready'),
      ask(app.url, '/openapi.json'),
    ];
    const statuses = (await Promise.all(others)).map(({ status }) => status);
    expect(statuses).toEqual([400, 401, 404, 200, 304, 200, 200, 200, 200]);
    expect((await ask(app.url, KEPT)).cache).toContain('hit');
    const refused = await Promise.all(excess);
    for (const answer of refused) expect(answer).toMatchObject(BUSY);
    expectWithin(LIMITS.read.waitMs + 400, refused);
    expect(new Set(reasons(app))).toContain('timeout exceeded when trying to connect');

    // What an admin changes has connections of its own.
    expect(await ask(app.url, '/v1/admin/sync', POST)).toMatchObject({ status: 202 });
    await release();
    expectWithin(2_000, await Promise.all(holding));
    await untilServed(app.url);
    await expectNoPoison(app.url);
  });

  /** Asks more at once than there are connections for, and then for what is left of them. */
  async function expectFull(app: TestApp, reason: RegExp): Promise<void> {
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask(app.url, uncached())));
    const refused = answers.filter(({ status }) => status !== 200);
    expect(refused.length).toBeGreaterThan(0);
    for (const answer of refused) expect(answer).toMatchObject(BUSY);
    expectWithin(2_000, answers);
    expect(reasons(app)).toContainEqual(expect.stringMatching(reason));
  }

  test('P9 every connection of the server is taken: 503, and the log says so', async () => {
    const { app } = await serve(scene);
    const others: pg.Client[] = [];
    const giveBack = () => Promise.all(others.splice(0).map((client) => client.end()));
    onTestFinished(async () => void (await giveBack()));
    for (;;) {
      const client = new pg.Client({ connectionString: scene.server.url });
      if (
        !(await client.connect().then(
          () => others.push(client),
          () => false,
        ))
      )
        break;
    }
    expect(others.length).toBeGreaterThan(5);
    await expectFull(app, /^(sorry, too many clients already|remaining connection slots are reserved)/);
    await giveBack();
    await untilServed(app.url);
    await expectNoPoison(app.url);
  });

  test('P9a a role has all connections that it may have: 503, and the log says so', async () => {
    const { app, run } = await serve(scene);
    await run('alter role em_app connection limit 4');
    const lift = () => run('alter role em_app connection limit -1');
    onTestFinished(async () => void (await lift()));
    await expectFull(app, /^too many connections for role "em_app"/);
    await lift();
    await untilServed(app.url);
    await expectNoPoison(app.url);
  });

  /** Makes whatever reads all models take so long, as if an index were missing. */
  async function slowDown({ run }: Serving, seconds: number): Promise<() => Promise<void>> {
    const [row] = await run('select count(*)::int as models from models');
    await run(`
      create function slowly(id text) returns boolean volatile language plpgsql as
        'begin perform pg_sleep(${seconds / Number(row?.models)}); return true; end';
      alter table models rename to models_indexed;
      create view models as select * from models_indexed where slowly(id);
      grant select on models to em_app;
    `);
    return async () => {
      await run('drop view models; alter table models_indexed rename to models; drop function slowly');
    };
  }

  test('P14 a query is slow: 503 when it has taken too long, the server stops it, and the log says so', async () => {
    const serving = await serve(scene);
    const { app } = serving;
    const restore = await slowDown(serving, 10);
    const answer = await ask(app.url, uncached());
    expect(answer).toMatchObject(BUSY);
    expect(answer.ms).toBeGreaterThan(LIMITS.read.queryMs ?? 0);
    expectWithin(2_000, [answer]);
    expect(scene.server.log()).toContain('canceling statement due to statement timeout');
    expect(reasons(app)).toContain('canceling statement due to statement timeout');
    expect(app.log).toContainEqual(
      expect.objectContaining({
        level: 40,
        operation: 'models.list',
        side: 'read',
        msg: expect.stringMatching(/^slow query of models\.list: \d{4,} ms$/),
      }),
    );
    // Nothing of it is left behind on the server.
    expect(
      await serving.run(`select 1 from pg_stat_activity where state = 'active' and query ~ 'slow[l]y'`),
    ).toEqual([]);
    await restore();
    await expectNoPoison(app.url);
  });

  test('P14a several queries are slow, none of them too slow: all of them together may take no longer than one answer', async () => {
    const serving = await serve(scene);
    const restore = await slowDown(serving, 1.2);
    const answers = await Promise.all([ask(serving.app.url, uncached()), ask(serving.app.url, uncached())]);
    for (const answer of answers) expect(answer).toMatchObject(BUSY);
    expectWithin(2_000, answers);
    expect(reasons(serving.app)).toContain('The database was not done within 1800 ms');
    await restore();
    await expectNoPoison(serving.app.url);
  });
});
