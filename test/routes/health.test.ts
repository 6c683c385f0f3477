import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import type { Health } from '../../contracts/system.ts';
import { DATABASES } from '../support/databases.ts';
import { fail, problemIn, problemOf, startServed, timeless, type Served } from '../support/synced.ts';

const PATHS = ['/health', '/health/live', '/health/ready'];

describe.each(DATABASES)('GET /health on $name', ({ create }) => {
  let served: Served;
  beforeAll(async () => {
    served = await startServed(create);
  });
  afterAll(() => served.close());

  const get = (path = '/health') => served.app.get(path);
  const health = () => served.app.json<Health>('/health');

  test.each(PATHS)('200: %s says status, timestamp and version, and no more', async (path) => {
    const before = Date.now();
    const response = await get(path);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8');
    expect(response.headers.get('cache-control')).toBe('no-store');
    const body = (await response.json()) as Health;
    expect(body).toStrictEqual({ status: 'ok', timestamp: expect.any(String), version: packageJson.version });
    expect(Object.keys(body)).toEqual(['status', 'timestamp', 'version']);
    expect(body.timestamp).toBe(new Date(body.timestamp).toISOString());
    expect(Date.parse(body.timestamp)).toBeGreaterThanOrEqual(before);
  });

  test('200: degraded after two runs that did not complete, until one does', async () => {
    await served.app.sync();
    const mend = fail(served.upstream, 500, (path) => path.startsWith('/huggingface/'));
    expect((await served.app.sync()).status).toBe('partial');
    // Long enough for the service to have looked again.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect((await health()).status).toBe('ok');
    expect((await served.app.sync()).status).toBe('partial');
    await vi.waitFor(async () => expect((await health()).status).toBe('degraded'), 10_000);
    expect((await served.stranger.health.get.query()).status).toBe('degraded');
    for (const path of ['/health/live', '/health/ready']) {
      expect(await served.app.json(path)).toMatchObject({ status: 'ok' });
    }
    mend();
    expect((await served.app.sync()).status).toBe('completed');
    await vi.waitFor(async () => expect((await health()).status).toBe('ok'), 10_000);
  });

  test('400: a parameter that there is not', async () => {
    expect(await problemIn(await get('/health?full=true'))).toMatchObject({
      status: 400,
      errors: [{ path: 'full' }],
    });
  });

  test('tRPC answers the same', async () => {
    const { get: whole, live, ready } = served.stranger.health;
    const answers = await Promise.all([whole.query(), live.query(), ready.query()]);
    const bodies = await Promise.all(PATHS.map((path) => served.app.json<Health>(path)));
    expect(answers.map(timeless)).toEqual(bodies.map(timeless));
  });
});

test('GET /health on Postgres, 503: a problem that says when to come back, while the database is away', async () => {
  const served = await startServed(DATABASES[1].create);
  const get = (path: string) => served.app.get(path);
  expect((await get('/health')).status).toBe(200);
  await served.database.drop();
  const response = await vi.waitUntil(
    async () => {
      const answer = await get('/health');
      return answer.status !== 200 && answer;
    },
    { timeout: 10_000 },
  );
  expect(response.status).toBe(503);
  expect(response.headers.get('retry-after')).toBe('5');
  const problem = await problemIn(response);
  expect(problem).toStrictEqual({
    type: 'about:blank',
    title: 'The service is not available right now',
    status: 503,
    detail: 'The database can not be reached: see the log of the service.',
    code: 'SERVICE_UNAVAILABLE',
    errors: [],
  });
  expect(await problemOf(served.stranger.health.get.query())).toEqual(problem);
  expect(await problemIn(await get('/health/ready'))).toEqual(problem);
  expect((await get('/health/live')).status).toBe(200);
  await served.close();
});
