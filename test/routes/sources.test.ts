import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ListMeta } from '../../contracts/common.ts';
import type { Source } from '../../contracts/sync.ts';
import { DATABASES } from '../support/databases.ts';
import { during, fail, problemIn, problemOf, startServed, timeless, type Served } from '../support/synced.ts';

interface Page {
  data: Source[];
  meta: ListMeta;
  timestamp: string;
}

describe.each(DATABASES)('GET /v1/sources on $name', ({ create }) => {
  let served: Served;
  beforeAll(async () => {
    served = await startServed(create, { environment: { ARTIFICIAL_ANALYSIS_API_KEY: '' } });
  });
  afterAll(() => served.close());

  const list = (query = '') => served.app.json<Page>(`/v1/sources?${query}`);
  const source = async (id: string) => (await list()).data.find((row) => row.id === id);

  test('200: the sources before the first sync', async () => {
    const page = await list();
    expect(Object.keys(page)).toEqual(['data', 'meta', 'timestamp']);
    expect(page.meta).toStrictEqual({ total: 4, limit: 20, offset: 0, nextCursor: null, catalogVersion: 0 });
    const { urls } = served.upstream;
    const unknown = {
      status: null,
      records: 0,
      lastGoodAt: null,
      asOf: null,
      attribution: null,
      error: null,
    };
    expect(page.data).toStrictEqual([
      { ...unknown, id: 'models.dev', name: 'models.dev', url: urls.MODELS_DEV_URL, apiKeyVariable: null },
      {
        ...unknown,
        id: 'openrouter',
        name: 'OpenRouter',
        url: urls.OPENROUTER_URL,
        apiKeyVariable: 'OPENROUTER_API_KEY',
      },
      {
        ...unknown,
        id: 'huggingface',
        name: 'Hugging Face',
        url: urls.HUGGINGFACE_URL,
        apiKeyVariable: 'HF_TOKEN',
      },
      {
        ...unknown,
        id: 'artificialanalysis',
        name: 'Artificial Analysis',
        url: urls.ARTIFICIAL_ANALYSIS_URL,
        apiKeyVariable: 'ARTIFICIAL_ANALYSIS_API_KEY',
        attribution: { name: 'Artificial Analysis', url: 'https://artificialanalysis.ai' },
      },
    ]);
  });

  test('200: how each fared, disabled without its key', async () => {
    const run = await served.app.sync();
    expect(run.status).toBe('completed');
    const before = Date.now();
    const { data, meta, timestamp } = await list();
    expect(Date.parse(timestamp)).toBeGreaterThanOrEqual(before);
    expect(meta.catalogVersion).toBe(1);
    const good = { status: 'ok', lastGoodAt: data[0]?.lastGoodAt, error: null };
    expect(during(run, good.lastGoodAt)).toBe(true);
    expect(data).toMatchObject([
      { id: 'models.dev', records: 16, ...good },
      { id: 'openrouter', records: 8, ...good },
      { id: 'huggingface', records: 6, ...good },
      { id: 'artificialanalysis', records: 0, status: 'disabled', lastGoodAt: null, error: null },
    ]);
  });

  test('200: a source that fails says why, and keeps its records and the time of its last good answer', async () => {
    const { lastGoodAt } = (await source('huggingface')) ?? {};
    const mend = fail(served.upstream, 502, (path) => path.startsWith('/huggingface/'));
    const run = await served.app.sync();
    expect(run.status).toBe('partial');
    expect(await source('huggingface')).toMatchObject({
      status: 'failed',
      records: 6,
      lastGoodAt,
      error: { class: 'http', message: expect.stringContaining('answered 502') },
    });
    const unchanged = await source('openrouter');
    expect(unchanged).toMatchObject({ status: 'not_modified', records: 8, error: null });
    expect(during(run, unchanged?.lastGoodAt)).toBe(true);
    mend();
    const next = await served.app.sync();
    const mended = await source('huggingface');
    expect(mended).toMatchObject({ status: 'ok', error: null });
    expect(during(next, mended?.lastGoodAt)).toBe(true);
  });

  const failures: [error: string, status: number][] = [
    ['auth', 401],
    ['rate_limited', 429],
    ['http', 404],
  ];
  test.each(failures)('200: %s, where the source answers %i', async (error, status) => {
    const mend = fail(served.upstream, status, (path) => path.startsWith('/openrouter/'));
    await served.app.sync();
    mend();
    expect(await source('openrouter')).toMatchObject({ status: 'failed', error: { class: error } });
  });

  test('200: pages by offset, empty past the end', async () => {
    const { data: all } = await list();
    const { data, meta } = await list('limit=2&offset=1');
    expect(data).toEqual(all.slice(1, 3));
    expect(meta).toStrictEqual({ total: 4, limit: 2, offset: 1, nextCursor: null, catalogVersion: 1 });
    expect(await list('offset=4')).toMatchObject({ data: [], meta: { total: 4, offset: 4 } });
  });

  test.each(['limit=0', 'limit=101', 'offset=10001', 'status=ok'])('400: %s', async (query) => {
    const [path] = query.split('=');
    const problem = await problemIn(await served.app.get(`/v1/sources?${query}`));
    expect(problem).toMatchObject({ status: 400, code: 'BAD_REQUEST', errors: [{ path }] });
  });

  test('tRPC answers the same', async () => {
    const { sources } = served.stranger;
    expect(timeless(await sources.list.query())).toEqual(timeless(await list()));
    const page = timeless(await sources.list.query({ limit: 1, offset: 2 }));
    expect(page).toEqual(timeless(await list('limit=1&offset=2')));
    const problem = await problemIn(await served.app.get('/v1/sources?limit=0'));
    expect(await problemOf(sources.list.query({ limit: 0 }))).toEqual(problem);
  });
});
