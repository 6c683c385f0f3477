import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Status } from '../../contracts/system.ts';
import { DATABASES } from '../support/databases.ts';
import {
  ADMIN,
  ended,
  fail,
  hold,
  problemIn,
  startServed,
  timeless,
  type Served,
} from '../support/synced.ts';

interface Answer {
  data: Status;
  meta: { catalogVersion: number };
  timestamp: string;
}

/** The next full hour whose number is even, in UTC. */
function nextEvenHour(): string {
  const next = new Date();
  next.setUTCHours(next.getUTCHours() + 2 - (next.getUTCHours() % 2), 0, 0, 0);
  return next.toISOString();
}

describe.each(DATABASES)('GET /v1/status on $name', ({ create }) => {
  let served: Served;
  beforeAll(async () => {
    served = await startServed(create, { environment: { SYNC_CRON: '0 */2 * * *' } });
  });
  afterAll(() => served.close());

  const get = () => served.app.json<Answer>('/v1/status');

  test('200: before the first sync', async () => {
    const [earliest, before] = [nextEvenHour(), Date.now()];
    const answer = await get();
    expect(Object.keys(answer)).toEqual(['data', 'meta', 'timestamp']);
    expect(Date.parse(answer.timestamp)).toBeGreaterThanOrEqual(before);
    expect(answer.meta).toStrictEqual({ catalogVersion: 0 });
    expect(answer.data).toStrictEqual({
      catalogVersion: 0,
      models: 0,
      lastSync: null,
      runningSync: null,
      nextSyncAt: expect.any(String),
    });
    // The hour may have passed meanwhile.
    expect([earliest, nextEvenHour()]).toContain(answer.data.nextSyncAt);
  });

  test('200: last sync, its duration, models', async () => {
    const { id, status, message, startedAt, completedAt, durationMs } = await served.app.sync();
    const { data, meta } = await get();
    expect(meta).toStrictEqual({ catalogVersion: 1 });
    expect(data).toMatchObject({ catalogVersion: 1, models: 14, runningSync: null });
    expect(data.lastSync).toStrictEqual({ id, status, message, startedAt, completedAt, durationMs });
    expect(data.lastSync).toMatchObject({
      status: 'completed',
      message: 'Successfully synced from all sources',
    });
    expect(durationMs).toBe(Date.parse(String(completedAt)) - Date.parse(startedAt));
  });

  test('200: the run that is under way, beside the last one that ended', async () => {
    const { lastSync } = (await get()).data;
    const release = hold(served.upstream, (path) => path.startsWith('/openrouter/'));
    const response = await fetch(`${served.app.url}/v1/admin/sync`, { method: 'POST', headers: ADMIN });
    const { data: started } = (await response.json()) as { data: { id: string; startedAt: string } };
    const { data } = await get();
    expect(data.runningSync).toStrictEqual({ id: started.id, startedAt: started.startedAt });
    expect(data.lastSync).toEqual(lastSync);
    release();
    await ended(served.app, started.id);
    const { data: after } = await get();
    expect(after).toMatchObject({
      runningSync: null,
      lastSync: { id: started.id },
      models: 14,
      catalogVersion: 1,
    });
  });

  test('200: a run that did not complete', async () => {
    const mend = fail(served.upstream, 500, (path) => path.startsWith('/modelsdev/'));
    const { id, message } = await served.app.sync();
    mend();
    expect(message).toMatch(/^Synced .+; models\.dev failed \(http: .+ answered 500/);
    expect((await get()).data).toMatchObject({ models: 14, lastSync: { id, status: 'partial', message } });
  });

  test('400: a parameter that there is not', async () => {
    const problem = await problemIn(await served.app.get('/v1/status?verbose=true'));
    expect(problem).toMatchObject({ status: 400, code: 'BAD_REQUEST', errors: [{ path: 'verbose' }] });
  });

  test('tRPC answers the same', async () => {
    expect(timeless(await served.stranger.status.get.query())).toEqual(timeless(await get()));
  });
});

test('GET /v1/status, 200: no next sync where there is no schedule', async () => {
  const served = await startServed(DATABASES[0].create, { environment: { SYNC_CRON: 'off' } });
  const { data } = await served.app.json<Answer>('/v1/status');
  expect(data.nextSyncAt).toBeNull();
  await served.close();
});
