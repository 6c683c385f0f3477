import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ListMeta } from '../../contracts/common.ts';
import type { Provider } from '../../contracts/providers.ts';
import type { SyncRun } from '../../contracts/sync.ts';
import { DATABASES } from '../support/databases.ts';
import { committedAt, problemIn, problemOf, startSynced, type Served } from '../support/synced.ts';
import type { UpstreamContent } from '../support/upstream.ts';

interface Page {
  data: Provider[];
  meta: ListMeta;
  timestamp: string;
}

/** OpenRouter sells one model twice: free of charge as before, and for money. */
function arrange(content: UpstreamContent): void {
  const id = 'openai/gpt-oss-120b';
  content.openrouter = [
    ...content.openrouter,
    { ...content.openrouter[0], id, canonical_slug: id, name: 'OpenAI: gpt-oss-120b' },
  ];
}

describe.each(DATABASES)('GET /v1/providers on $name', ({ create }) => {
  let served: Served & { run: SyncRun };
  beforeAll(async () => {
    served = await startSynced(create, { arrange });
  });
  afterAll(() => served.close());

  const list = (query = '') => served.app.json<Page>(`/v1/providers?${query}`);

  test('200: providers by id in the envelope of lists, as of the commit', async () => {
    const page = await list();
    expect(Object.keys(page)).toEqual(['data', 'meta', 'timestamp']);
    expect(page.meta).toStrictEqual({ total: 5, limit: 20, offset: 0, nextCursor: null, catalogVersion: 1 });
    expect(page.timestamp).toBe(await committedAt(served.app));
    expect(page.data.map(({ id }) => id)).toEqual(['anthropic', 'azure', 'groq', 'openai', 'openrouter']);
  });

  test('200: what is known of a provider', async () => {
    const { data } = await list();
    expect(data.find(({ id }) => id === 'azure')).toStrictEqual({
      id: 'azure',
      name: 'Azure',
      docUrl: 'https://learn.microsoft.com/azure/ai-foundry/foundry-models',
      apiUrl: null,
      npmPackage: '@ai-sdk/azure',
      environment: ['AZURE_RESOURCE_NAME', 'AZURE_API_KEY'],
      models: 2,
      offers: 2,
      sources: [{ id: 'models.dev', asOf: null }],
    });
    expect(data.find(({ id }) => id === 'openrouter')).toMatchObject({
      apiUrl: 'https://openrouter.ai/api/v1',
      sources: [
        { id: 'models.dev', asOf: null },
        { id: 'openrouter', asOf: null },
      ],
    });
  });

  test('200: counts of models and offers, as the models themselves say', async () => {
    const { data } = await list();
    expect(Object.fromEntries(data.map(({ id, models, offers }) => [id, [models, offers]]))).toEqual({
      anthropic: [2, 2],
      azure: [2, 2],
      groq: [3, 3],
      openai: [2, 2],
      openrouter: [8, 9],
    });
    for (const { id, models } of data) {
      const { meta } = await served.app.json<Page>(`/v1/models?provider=${id}`);
      expect([id, meta.total]).toEqual([id, models]);
    }
  });

  test('200: pages by offset, empty past the end', async () => {
    const { data: all } = await list();
    const { data, meta } = await list('limit=2&offset=3');
    expect(data).toEqual(all.slice(3));
    expect(meta).toStrictEqual({ total: 5, limit: 2, offset: 3, nextCursor: null, catalogVersion: 1 });
    expect((await list('limit=1&offset=1')).data).toEqual(all.slice(1, 2));
    expect(await list('limit=100&offset=5')).toMatchObject({ data: [], meta: { total: 5, offset: 5 } });
    expect((await list('offset=10000')).data).toEqual([]);
  });

  const refused = ['limit=0', 'limit=101', 'offset=10001', 'offset=-1', 'cursor=x', 'sort=name'];
  test.each(refused)('400: %s', async (query) => {
    const response = await served.app.get(`/v1/providers?${query}`);
    const [path] = query.split('=');
    expect(await problemIn(response)).toMatchObject({ status: 400, code: 'BAD_REQUEST', errors: [{ path }] });
  });

  test('tRPC answers the same', async () => {
    const { providers } = served.stranger;
    expect(await providers.list.query()).toEqual(await list());
    expect(await providers.list.query({ limit: 2, offset: 1 })).toEqual(await list('limit=2&offset=1'));
    const problem = await problemIn(await served.app.get('/v1/providers?limit=101'));
    expect(await problemOf(providers.list.query({ limit: 101 }))).toEqual(problem);
  });
});
