import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ListMeta } from '../../contracts/common.ts';
import { SourceOutcome, SyncRun } from '../../contracts/sync.ts';
import { DATABASES } from '../support/databases.ts';
import { rowsOf } from '../support/many.ts';
import {
  ADMIN,
  ended,
  fail,
  hold,
  problemIn,
  problemOf,
  startServed,
  timeless,
  type Served,
} from '../support/synced.ts';

const PATH = '/v1/admin/sync/history';

interface Page {
  data: SyncRun[];
  meta: ListMeta;
  timestamp: string;
}

describe.each(DATABASES)('GET /v1/admin/sync/history on $name', ({ create }) => {
  let served: Served;
  /** Oldest first. */
  const runs: SyncRun[] = [];
  beforeAll(async () => {
    served = await startServed(create);
  });
  afterAll(() => served.close());

  const list = (query = '') => served.app.json<Page>(`${PATH}?${query}`, ADMIN);
  const bySource = ({ sources }: SyncRun) =>
    Object.fromEntries(sources.map((outcome) => [outcome.source, outcome]));

  test('200: an empty page before the first run', async () => {
    const page = await list();
    expect(Object.keys(page)).toEqual(['data', 'meta', 'timestamp']);
    expect(page.data).toEqual([]);
    expect(page.meta).toStrictEqual({ total: 0, limit: 20, offset: 0, nextCursor: null, catalogVersion: 0 });
  });

  test('200: a run that completed, with what each source brought', async () => {
    runs.push(await served.app.sync());
    const before = Date.now();
    const { data, meta, timestamp } = await list();
    expect(Date.parse(timestamp)).toBeGreaterThanOrEqual(before);
    expect(meta).toStrictEqual({ total: 1, limit: 20, offset: 0, nextCursor: null, catalogVersion: 1 });
    const [run] = data as [SyncRun];
    expect(run).toStrictEqual({
      id: expect.stringMatching(/^sync_/),
      status: 'completed',
      message: 'Successfully synced from all sources',
      trigger: 'api',
      startedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      completedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      durationMs: Date.parse(String(run.completedAt)) - Date.parse(run.startedAt),
      totalFetched: 35,
      totalStored: 14,
      catalogVersion: 1,
      forced: false,
      sources: expect.any(Array),
    });
    expect(Object.keys(run)).toEqual(Object.keys(SyncRun.shape));
    const good = { status: 'ok', rejected: 0, rejections: [], warnings: [], httpStatus: 200, error: null };
    expect(bySource(run)).toMatchObject({
      'models.dev': { ...good, fetched: 16, parsed: 16, requests: 2 },
      openrouter: { ...good, fetched: 8, parsed: 8, requests: 1 },
      huggingface: { ...good, fetched: 6, parsed: 6, requests: 1 },
      artificialanalysis: { ...good, fetched: 5, parsed: 5, requests: 1 },
    });
    for (const outcome of run.sources) {
      expect(Object.keys(outcome).toSorted()).toEqual(Object.keys(SourceOutcome.shape).toSorted());
      expect(outcome.bytes).toBeGreaterThan(1_000);
    }
  });

  test('200: newest first, each with its own outcomes', async () => {
    const { content } = served.upstream;
    const more = rowsOf(content, 'openrouter', 20);
    content.openrouter = [...content.openrouter, ...more, { id: 'odd-lab/nameless' }];
    const mend = fail(served.upstream, 401, (path) => path.startsWith('/artificialanalysis/'));
    runs.push(await served.app.sync());
    mend();
    runs.push(await served.app.sync());
    const { data, meta } = await list();
    expect(meta.total).toBe(3);
    expect(data).toEqual(runs.toReversed());
    const [mended, partial] = data as [SyncRun, SyncRun];
    expect(partial).toMatchObject({
      status: 'partial',
      totalFetched: 51,
      totalStored: 34,
      catalogVersion: 2,
    });
    expect(partial.message).toMatch(/^Synced .+; artificialanalysis failed \(auth: .+ answered 401/);
    expect(bySource(partial)).toMatchObject({
      'models.dev': { status: 'not_modified', fetched: 16, httpStatus: 304 },
      openrouter: {
        status: 'ok',
        fetched: 29,
        parsed: 28,
        rejected: 1,
        rejections: [{ count: 1, samples: [expect.stringContaining('odd-lab/nameless')] }],
      },
      artificialanalysis: { status: 'failed', fetched: 0, httpStatus: 401, error: { class: 'auth' } },
    });
    expect(mended).toMatchObject({ status: 'completed', message: 'Successfully synced from all sources' });
  });

  test('200: a run that is under way', async () => {
    const release = hold(served.upstream, () => true);
    const { data: started } = await served.client.admin.sync.start.mutate();
    const [run, ...others] = (await list()).data;
    expect(run).toStrictEqual({
      ...started,
      message: 'Under way',
      trigger: 'api',
      completedAt: null,
      durationMs: null,
      totalFetched: 0,
      totalStored: 0,
      catalogVersion: null,
      forced: false,
      sources: [],
    });
    expect(others).toEqual(runs.toReversed());
    release();
    runs.push(await ended(served.app, started.id));
    expect((await list('limit=1')).data).toEqual(runs.slice(-1));
  });

  test('200: pages by offset, empty past the end', async () => {
    const newest = runs.toReversed();
    const { data, meta } = await list('limit=2&offset=1');
    expect(data).toEqual(newest.slice(1, 3));
    expect(meta).toStrictEqual({ total: 4, limit: 2, offset: 1, nextCursor: null, catalogVersion: 2 });
    expect(await list('limit=100&offset=4')).toMatchObject({ data: [], meta: { total: 4, offset: 4 } });
  });

  test.each(['limit=0', 'limit=101', 'offset=10001', 'status=failed'])('400: %s', async (query) => {
    const [path] = query.split('=');
    const problem = await problemIn(await served.app.get(`${PATH}?${query}`, ADMIN));
    expect(problem).toMatchObject({ status: 400, code: 'BAD_REQUEST', errors: [{ path }] });
  });

  test.each([{}, { 'x-admin': 'True' }])('401: %o', async (headers) => {
    const response = await served.app.get(PATH, headers);
    expect(await problemIn(response)).toMatchObject({ status: 401, code: 'UNAUTHORIZED' });
  });

  test('tRPC answers the same, to admins alone', async () => {
    const { history } = served.client.admin.sync;
    expect(timeless(await history.query())).toEqual(timeless(await list()));
    expect(timeless(await history.query({ limit: 1, offset: 1 }))).toEqual(
      timeless(await list('limit=1&offset=1')),
    );
    const unauthorized = await problemIn(await served.app.get(PATH));
    expect(await problemOf(served.stranger.admin.sync.history.query())).toEqual(unauthorized);
    const invalid = await problemIn(await served.app.get(`${PATH}?limit=0`, ADMIN));
    expect(await problemOf(history.query({ limit: 0 }))).toEqual(invalid);
  });
});
