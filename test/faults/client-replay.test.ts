import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Problem } from '../../contracts/errors.ts';
import type { SyncRun } from '../../contracts/sync.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { DATABASES } from '../support/databases.ts';
import { ADMIN, ended, hold, startSynced, type Served } from '../support/synced.ts';
import { AA_KEY } from '../support/upstream.ts';
import { postJson } from './support/operations.ts';

const PATH = '/v1/admin/sync';

interface Started {
  data: Pick<SyncRun, 'id'>;
}
type BatchItem = { result: { data: Started } } | { error: { data: Problem } };

describe.each(DATABASES)('a replayed call of an admin on $name', ({ create }) => {
  let served: Served;
  let replica: TestApp;
  beforeAll(async () => {
    served = await startSynced(create);
    replica = await startApp({
      ...served.upstream.urls,
      ARTIFICIAL_ANALYSIS_API_KEY: AA_KEY,
      DATABASE_URL: served.database.url,
    });
  });
  afterAll(async () => {
    await replica.stop();
    await served.close();
  });

  const running = async () => {
    const { data } = await served.app.json<{ data: SyncRun[] }>(`${PATH}/history?limit=100`, ADMIN);
    return data.filter(({ status }) => status === 'running').map(({ id }) => id);
  };
  const post = ({ url }: TestApp, query = '') => {
    const headers = { ...ADMIN, 'x-request-id': 'the-same-again' };
    return fetch(`${url}${PATH}${query}`, { method: 'POST', headers });
  };

  test('C29 of twenty alike on two instances one starts a run, and 19 are told which', async () => {
    const release = hold(served.upstream, () => true);
    const apps = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? served.app : replica));
    const answers = await Promise.all(
      apps.map((app, index) => post(app, index % 3 === 0 ? '?force=true' : '')),
    );
    const [started, ...others] = answers.toSorted((a, b) => a.status - b.status);
    expect([started?.status, ...others.map(({ status }) => status)]).toEqual([
      202,
      ...Array<number>(19).fill(409),
    ]);
    if (started === undefined) throw new Error('Nothing was answered');
    const { id } = ((await started.json()) as Started).data;
    for (const answer of others) {
      expect(answer.headers.get('location')).toBe(`${PATH}/${id}`);
      expect(answer.headers.get('cache-control')).toBe('no-store');
      expect(await answer.json()).toMatchObject({ status: 409, code: 'CONFLICT', runId: id });
    }
    expect(await running()).toEqual([id]);
    for (const app of [served.app, replica]) {
      expect((await post(app)).status).toBe(409);
      const { data } = await app.json<{ data: SyncRun }>(`${PATH}/${id}`, ADMIN);
      expect(data.status).toBe('running');
    }
    release();
    expect((await ended(served.app, id)).status).toBe('completed');
    const again = await post(replica);
    expect(again.status).toBe(202);
    const next = ((await again.json()) as Started).data.id;
    expect(next).not.toBe(id);
    await ended(replica, next);
  });

  test('C29a of ten in one tRPC batch one starts a run, and nine are told which', async () => {
    const release = hold(served.upstream, () => true);
    const names = Array<string>(10).fill('admin.sync.start').join(',');
    const body = JSON.stringify(Object.fromEntries(Array.from({ length: 10 }, (_, index) => [index, {}])));
    const answer = await postJson(`${served.app.url}/trpc/${names}?batch=1`, body);
    expect(answer.status).toBe(207);
    const items = (await answer.json()) as BatchItem[];
    const ids = items.flatMap((item) => ('result' in item ? [item.result.data.data.id] : []));
    const problems = items.flatMap((item) => ('error' in item ? [item.error.data] : []));
    expect(ids).toHaveLength(1);
    expect(problems.map(({ status, runId }) => [status, runId])).toEqual(
      Array.from({ length: 9 }, () => [409, ids[0]]),
    );
    expect(await running()).toEqual(ids);
    release();
    expect((await ended(served.app, ids[0] ?? '')).status).toBe('completed');
  });
});
