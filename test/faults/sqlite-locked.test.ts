import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createSyncStore } from '../../server/db/sync-store.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { DATABASES } from '../support/databases.ts';
import { startReaders } from '../support/readers.ts';
import { ADMIN, ended, hold, problemIn, startSynced, type Served } from '../support/synced.ts';
import { holdFile, watchLoop } from './support/sqlite.ts';

const FROZEN_MS = 1_000;
const ANSWER_MS = 2_000;

let served: Served;
beforeAll(async () => {
  served = await startSynced(DATABASES[0].create);
});
afterAll(async () => {
  expect(served.app.log.filter(({ level }) => Number(level) >= 60)).toEqual([]);
  await served.close();
});

/** Tells of an incident. */
function tell({ url }: Pick<TestApp, 'url'>): Promise<Response> {
  const body = JSON.stringify({ title: 'Slow', severity: 3, message: 'Lists take longer.' });
  const headers = { ...ADMIN, 'content-type': 'application/json' };
  return fetch(`${url}/v1/admin/incidents`, { method: 'POST', headers, body });
}

const startSync = ({ url }: Pick<TestApp, 'url'>) =>
  fetch(`${url}/v1/admin/sync`, { method: 'POST', headers: ADMIN });

/** Asks, and answers with the answer and how long it took. */
async function timed(ask: () => Promise<Response>): Promise<{ response: Response; ms: number }> {
  const began = performance.now();
  const response = await ask();
  return { response, ms: performance.now() - began };
}

describe.each(['begin immediate', 'begin exclusive'])('another process holds the file by `%s`', (begin) => {
  test('P19a what writes waits where that is short, and what reads is answered', async () => {
    const { app, database } = served;
    const holder = await holdFile(database.url, begin);
    const readers = startReaders([app.url]);
    const loop = watchLoop();
    let isHeld = true;
    const told = tell(app).then((response) => ({ response, isHeld }));
    await sleep(500);
    isHeld = false;
    await holder.release();
    const { response, isHeld: wasHeld } = await told;
    expect([response.status, wasHeld]).toEqual([200, false]);
    expect(loop.stop()).toBeLessThan(FROZEN_MS);
    expect((await readers.stop()).violations).toEqual([]);
  });

  test('P19a what writes is 503 where that is long, many at once too, and all is well when it is over', async () => {
    const { app, database } = served;
    const holder = await holdFile(database.url, begin, "update catalog set committed_at = 'torn'");
    const readers = startReaders([app.url]);
    const loop = watchLoop();
    const calls = Array.from({ length: 12 }, (_, at) => timed(() => (at % 2 ? tell(app) : startSync(app))));
    for (const { response, ms } of await Promise.all(calls)) {
      expect([response.status, response.headers.get('retry-after')]).toEqual([
        503,
        expect.stringMatching(/^\d+$/),
      ]);
      expect(await problemIn(response)).toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
      expect(ms).toBeLessThan(ANSWER_MS);
    }
    expect((await app.get('/health')).status).toBe(200);
    expect(loop.stop()).toBeLessThan(FROZEN_MS);
    // What it had written is not committed, and its lock ends with it.
    await holder.kill();
    expect((await tell(app)).status).toBe(200);
    expect(await app.sync()).toMatchObject({ status: 'completed' });
    expect((await readers.stop()).violations).toEqual([]);
  });
});

test('P19a a run that is to be stored waits for the file', async () => {
  const { app, database, upstream } = served;
  const release = hold(upstream, (path) => path.endsWith('/api.json'));
  const { data } = (await (await startSync(app)).json()) as { data: { id: string } };
  const holder = await holdFile(database.url, 'begin immediate');
  const loop = watchLoop();
  release();
  await sleep(2_000);
  expect(await app.json(`/v1/admin/sync/${data.id}`, ADMIN)).toMatchObject({ data: { status: 'running' } });
  expect(loop.stop()).toBeLessThan(FROZEN_MS);
  await holder.release();
  expect(await ended(app, data.id)).toMatchObject({ status: 'completed' });
});

test('P19a a run whose process has died is marked when the file is free again, and health does not suffer', async () => {
  const { app, database } = served;
  const id = 'sync_dead';
  const store = createSyncStore(app.database, { leaseMs: 1_500 });
  await store.beginRun({ id, trigger: 'api', forced: false });
  const holder = await holdFile(database.url, 'begin immediate');
  const loop = watchLoop();
  for (let look = 0; look < 6; look += 1) {
    await sleep(500);
    expect((await app.get('/health')).status).toBe(200);
  }
  expect(loop.stop()).toBeLessThan(FROZEN_MS);
  await holder.release();
  await expect
    .poll(() => app.json(`/v1/admin/sync/${id}`, ADMIN), { timeout: 5_000 })
    .toMatchObject({ data: { status: 'interrupted' } });
});

/** A service on the same file, that samples itself all the time. */
async function startBeside({ url } = served.database): Promise<TestApp> {
  const app = await startApp(
    { ...served.upstream.urls, DATABASE_URL: url },
    { times: { sampler: { lookEveryMs: 20, writeEveryMs: 50 } } },
  );
  onTestFinished(() => app.stop());
  return app;
}

test('P19a what the service sees of itself waits for the file', async () => {
  const app = await startBeside();
  const sampled = async () => {
    const { checks } = await app.database.read
      .selectFrom('samples')
      .select(({ fn }) => fn.sum<number>('checks').as('checks'))
      .executeTakeFirstOrThrow();
    return checks;
  };
  await expect.poll(sampled).toBeGreaterThan(0);
  const holder = await holdFile(served.database.url, 'begin immediate');
  const before = await sampled();
  const loop = watchLoop();
  await sleep(1_500);
  expect(await sampled()).toBe(before);
  expect(loop.stop()).toBeLessThan(FROZEN_MS);
  await holder.release();
  await expect.poll(sampled).toBeGreaterThan(before);
});

test('P19a a service starts and reads while the file is held', async () => {
  const holder = await holdFile(served.database.url, 'begin exclusive');
  const app = await startBeside();
  expect((await app.get('/v1/models?limit=2')).status).toBe(200);
  await holder.release();
  expect((await tell(app)).status).toBe(200);
});

test.each([
  ['whose schema is to be made', ['begin exclusive']],
  ['which nobody else may even read', ['pragma locking_mode = exclusive', 'begin exclusive']],
])(
  'P19a a service starts on a file that is held, %s, and is ready when it is free',
  async (_, statements) => {
    const own = await DATABASES[0].create();
    onTestFinished(own.drop);
    const holder = await holdFile(own.url, ...statements);
    const loop = watchLoop();
    let isReady = false;
    const starting = startBeside(own).then((app) => {
      isReady = true;
      return app;
    });
    await sleep(1_500);
    expect(isReady).toBe(false);
    expect(loop.stop()).toBeLessThan(FROZEN_MS);
    await holder.release();
    expect(await (await starting).sync()).toMatchObject({ status: 'completed' });
  },
);
