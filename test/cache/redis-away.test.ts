import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startApp, type TestApp } from '../support/app.ts';
import { DATABASES, type TestDatabase } from '../support/databases.ts';
import { freePort } from '../support/ports.ts';
import { OwnRedis } from '../support/redis.ts';
import { has } from '../support/tools.ts';
import { startUpstream, type FakeUpstream } from '../support/upstream.ts';

async function eventually<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (const giveUpAt = Date.now() + 10_000; ;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > giveUpAt) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** GETs a path; how it was answered, and how long that took. */
async function timed(app: TestApp, path: string) {
  const started = performance.now();
  const response = await app.get(path);
  const body = await response.text();
  const cache = response.headers.get('cache-status');
  return { status: response.status, cache, body, ms: performance.now() - started };
}

const LIST = '/v1/models?limit=5';

describe.skipIf(!has('redis-server') && !process.env.CI)('without its Redis, the service', () => {
  let upstream: FakeUpstream;
  let database: TestDatabase;
  let redis: OwnRedis;
  let body: string;
  const apps: TestApp[] = [];

  const start = async (environment: Record<string, string> = {}) => {
    const app = await startApp({
      ...upstream.urls,
      DATABASE_URL: database.url,
      REDIS_URL: redis.url,
      ...environment,
    });
    apps.push(app);
    return app;
  };
  const healthIs = (app: TestApp, status: string) =>
    eventually(async () => {
      const response = await app.get('/health');
      expect([response.status, (await response.json()) as object]).toMatchObject([200, { status }]);
    });
  const isHit = (app: TestApp) =>
    eventually(async () => {
      expect(await timed(app, LIST)).toMatchObject({ status: 200, cache: 'effect-models; hit', body });
    });

  beforeAll(async () => {
    upstream = await startUpstream();
    database = await DATABASES[0].create();
    const app = await startApp({ ...upstream.urls, DATABASE_URL: database.url });
    await app.sync();
    ({ body } = await timed(app, LIST));
    await app.stop();
  });

  afterAll(async () => {
    await database?.drop();
    await upstream?.close();
  });

  beforeEach(async () => {
    redis = new OwnRedis(await freePort());
  });

  afterEach(async () => {
    redis.thaw();
    for (const app of apps.splice(0)) await app.stop();
    await redis.remove();
  });

  test('answers from the database while it is down, and uses it again when it is back', async () => {
    await redis.start();
    const app = await start();
    await isHit(app);
    await healthIs(app, 'ok');

    await redis.kill();
    const answers = [];
    for (let times = 0; times < 30; times++) answers.push(await timed(app, LIST));
    expect(answers.map((answer) => ({ ...answer, ms: 0 }))).toEqual(
      answers.map(() => ({ status: 200, cache: 'effect-models; fwd=bypass', body, ms: 0 })),
    );
    expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(2_000);
    await healthIs(app, 'degraded');
    expect(app.log.filter(({ msg }) => String(msg).startsWith('Redis is away'))).toHaveLength(1);

    await redis.start();
    await isHit(app);
    await healthIs(app, 'ok');
  });

  test('answers while it hangs, and uses it again when it goes on', async () => {
    await redis.start();
    const app = await start({ RATE_LIMIT_PER_MINUTE: '100000' });
    await isHit(app);

    redis.freeze();
    const first = await timed(app, LIST);
    expect(first).toMatchObject({ status: 200, body });
    expect(first.ms).toBeLessThan(1_500);
    const next = [];
    for (const giveUpAt = Date.now() + 4_000; Date.now() < giveUpAt;) {
      next.push(await timed(app, LIST));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(new Set(next.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(next.map(({ cache }) => cache))).toEqual(new Set(['effect-models; fwd=bypass']));
    expect(Math.max(...next.map(({ ms }) => ms))).toBeLessThan(1_000);
    await healthIs(app, 'degraded');

    redis.thaw();
    await isHit(app);
    await healthIs(app, 'ok');
  });

  test('answers many requests at once while it hangs', async () => {
    await redis.start();
    const app = await start({ RATE_LIMIT_PER_MINUTE: '100000' });
    await isHit(app);
    redis.freeze();
    const paths = Array.from({ length: 50 }, (_, at) => `/v1/models?limit=${1 + (at % 10)}`);
    const answers = await Promise.all(paths.map((path) => timed(app, path)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(2_000);
  });

  test('starts, and finds it later', async () => {
    const app = await start();
    const answer = await timed(app, LIST);
    expect(answer).toMatchObject({ status: 200, cache: 'effect-models; fwd=bypass', body });
    expect(answer.ms).toBeLessThan(2_000);
    await healthIs(app, 'degraded');

    await redis.start();
    await isHit(app);
    await healthIs(app, 'ok');
  });

  test('syncs', async () => {
    const empty = await DATABASES[0].create();
    const app = await start({ DATABASE_URL: empty.url });
    expect(await app.sync()).toMatchObject({ status: 'completed', catalogVersion: 1 });
    expect((await timed(app, '/v1/models/openai/gpt-5-mini')).status).toBe(200);
    await app.stop();
    apps.pop();
    await empty.drop();
  });

  test('still holds an address to its requests a minute', async () => {
    await redis.start();
    const app = await start({ RATE_LIMIT_PER_MINUTE: '5' });
    await redis.kill();
    await healthIs(app, 'degraded');
    const statuses = [];
    for (let times = 0; times < 8; times++) statuses.push((await timed(app, LIST)).status);
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429, 429]);
  });

  test('counts from its start where it was never there', async () => {
    const app = await start({ RATE_LIMIT_PER_MINUTE: '3' });
    const answers = [];
    for (let times = 0; times < 5; times++) answers.push(await timed(app, LIST));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429, 429]);
    expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(2_000);
  });
});
