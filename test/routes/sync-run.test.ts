import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SyncRun } from '../../contracts/sync.ts';
import { DATABASES } from '../support/databases.ts';
import {
  ADMIN,
  ended,
  hold,
  problemIn,
  problemOf,
  startSynced,
  timeless,
  type Served,
} from '../support/synced.ts';

interface Answer {
  data: SyncRun;
  meta: { catalogVersion: number };
  timestamp: string;
}

describe.each(DATABASES)('GET /v1/admin/sync/{id} on $name', ({ create }) => {
  let served: Served & { run: SyncRun };
  beforeAll(async () => {
    served = await startSynced(create);
  });
  afterAll(() => served.close());

  const ask = (id: string, headers: Record<string, string> = ADMIN) =>
    served.app.get(`/v1/admin/sync/${id}`, headers);
  const get = async (id: string) => (await (await ask(id)).json()) as Answer;

  test('200: a run that has ended, as the history has it', async () => {
    const before = Date.now();
    const answer = await get(served.run.id);
    expect(Object.keys(answer)).toEqual(['data', 'meta', 'timestamp']);
    expect(answer.meta).toStrictEqual({ catalogVersion: 1 });
    expect(Date.parse(answer.timestamp)).toBeGreaterThanOrEqual(before);
    const { data } = await served.app.json<{ data: SyncRun[] }>('/v1/admin/sync/history', ADMIN);
    expect([answer.data]).toEqual(data);
    expect(answer.data).toMatchObject({
      id: served.run.id,
      status: 'completed',
      totalFetched: 35,
      totalStored: 14,
    });
    expect(answer.data.sources.map(({ source, status }) => [source, status]).toSorted()).toEqual([
      ['artificialanalysis', 'ok'],
      ['huggingface', 'ok'],
      ['models.dev', 'ok'],
      ['openrouter', 'ok'],
    ]);
  });

  test('200: a run that is under way, then the same run when it has ended', async () => {
    const release = hold(served.upstream, (path) => path.startsWith('/modelsdev/'));
    const { data: started } = await served.client.admin.sync.start.mutate();
    const answered = async () => (await get(started.id)).data.sources.map(({ source }) => source).toSorted();
    await expect.poll(answered).toEqual(['artificialanalysis', 'huggingface', 'openrouter']);
    expect((await get(started.id)).data).toMatchObject({ ...started, completedAt: null, durationMs: null });
    expect((await get(served.run.id)).data).toEqual(served.run);
    release();
    expect(await ended(served.app, started.id)).toMatchObject({ id: started.id, status: 'completed' });
  });

  test('401: without the header, and with a wrong one, whether there is such a run or not', async () => {
    for (const id of [served.run.id, 'sync_none']) {
      for (const headers of [{}, { 'x-admin': 'wrong' }]) {
        const response = await ask(id, headers);
        expect(await problemIn(response)).toMatchObject({ status: 401, code: 'UNAUTHORIZED' });
      }
    }
  });

  test.each(['sync_none', 'start', 'HISTORY', '%25'])('404: %s', async (id) => {
    const response = await ask(id);
    expect(response.status).toBe(404);
    expect(await problemIn(response)).toStrictEqual({
      type: 'about:blank',
      title: 'Nothing is here',
      status: 404,
      detail: `There is no run "${decodeURIComponent(id)}": GET /v1/admin/sync/history lists them.`,
      code: 'NOT_FOUND',
      errors: [],
    });
  });

  test('404: the id in other case', async () => {
    expect((await ask(served.run.id.toUpperCase())).status).toBe(404);
  });

  test('400: an id that is too long, and a parameter that there is not', async () => {
    expect(await problemIn(await ask('x'.repeat(101)))).toMatchObject({
      status: 400,
      errors: [{ path: 'id' }],
    });
    expect(await problemIn(await ask(`${served.run.id}?full=true`))).toMatchObject({
      status: 400,
      errors: [{ path: 'full' }],
    });
  });

  test('tRPC answers the same, to admins alone', async () => {
    const { id } = served.run;
    const { get: run } = served.client.admin.sync;
    expect(timeless(await run.query({ id }))).toEqual(timeless(await get(id)));
    expect(await problemOf(run.query({ id: 'sync_none' }))).toEqual(await problemIn(await ask('sync_none')));
    const unauthorized = await problemIn(await ask(id, {}));
    expect(await problemOf(served.stranger.admin.sync.get.query({ id }))).toEqual(unauthorized);
  });
});
