import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ListMeta } from '../../contracts/common.ts';
import type { ModelDetail } from '../../contracts/models.ts';
import type { Offer } from '../../contracts/offers.ts';
import type { SyncRun } from '../../contracts/sync.ts';
import { DATABASES } from '../support/databases.ts';
import { committedAt, problemIn, problemOf, startSynced, type Served } from '../support/synced.ts';
import type { UpstreamContent } from '../support/upstream.ts';

interface Page {
  data: Offer[];
  meta: ListMeta & { modelId: string };
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

describe.each(DATABASES)('GET /v1/models/{creator}/{slug}/offers on $name', ({ create }) => {
  let served: Served & { run: SyncRun };
  beforeAll(async () => {
    served = await startSynced(create, { arrange });
  });
  afterAll(() => served.close());

  const list = (name: string, query = '') => served.app.json<Page>(`/v1/models/${name}/offers?${query}`);
  const namesOf = async (query: string) =>
    (await list('openai/gpt-oss-120b', query)).data.map(
      ({ provider, providerModelId }) => `${provider} ${providerModelId}`,
    );

  test('200: offers by provider and id in the envelope of lists, as of the commit', async () => {
    const page = await list('openai/gpt-oss-120b');
    expect(Object.keys(page)).toEqual(['data', 'meta', 'timestamp']);
    expect(page.meta).toStrictEqual({
      total: 3,
      limit: 20,
      offset: 0,
      nextCursor: null,
      catalogVersion: 1,
      modelId: 'openai/gpt-oss-120b',
    });
    expect(page.timestamp).toBe(await committedAt(served.app));
    expect(await namesOf('')).toEqual([
      'groq openai/gpt-oss-120b',
      'openrouter openai/gpt-oss-120b',
      'openrouter openai/gpt-oss-120b:free',
    ]);
  });

  test('200: the offers that the model itself shows', async () => {
    for (const name of ['openai/gpt-oss-120b', 'openai/gpt-5-mini', 'openai/whisper-large-v3']) {
      const { data } = await served.app.json<{ data: ModelDetail }>(`/v1/models/${name}`);
      const { data: offers, meta } = await list(name);
      expect(offers).toEqual(data.offers);
      expect(meta.total).toBe(data.offers.length);
    }
  });

  const aliases: [name: string, id: string][] = [
    ['OpenAI/GPT-OSS-120b', 'openai/gpt-oss-120b'],
    ['meta-llama/Llama-3.3-70B-Instruct', 'meta/llama-3.3-70b-instruct'],
    ['azure/gpt-5-mini', 'openai/gpt-5-mini'],
    ['groq/openai%2Fgpt-oss-120b', 'openai/gpt-oss-120b'],
    ['~anthropic/claude-sonnet-latest', 'anthropic/claude-sonnet-latest:openrouter'],
  ];
  test.each(aliases)('200: %s answers for %s, and says so', async (name, id) => {
    expect((await list(name)).meta.modelId).toBe(id);
    expect(await list(name)).toEqual(await list(id));
  });

  const filters: [query: string, found: string[]][] = [
    ['provider=groq', ['groq openai/gpt-oss-120b']],
    ['provider=Groq', ['groq openai/gpt-oss-120b']],
    ['provider=nobody', []],
    ['status=free', ['openrouter openai/gpt-oss-120b:free']],
    ['status=known&provider=openrouter', ['openrouter openai/gpt-oss-120b']],
    ['status=dynamic', []],
    ['limit=1&offset=1', ['openrouter openai/gpt-oss-120b']],
    ['offset=3', []],
  ];
  test.each(filters)('200: %s', async (query, found) => {
    expect(await namesOf(query)).toEqual(found);
  });

  test('200: totals are of what matches, on all pages', async () => {
    const { meta } = await list('openai/gpt-oss-120b', 'provider=openrouter&limit=1&offset=1');
    expect(meta).toMatchObject({ total: 2, limit: 1, offset: 1 });
  });

  const refused = ['limit=0', 'offset=-1', 'status=cheap', 'provider=', 'sort=price', 'cursor=x'];
  test.each(refused)('400: %s', async (query) => {
    const response = await served.app.get(`/v1/models/openai/gpt-5-mini/offers?${query}`);
    const [path] = query.split('=');
    expect(await problemIn(response)).toMatchObject({ status: 400, code: 'BAD_REQUEST', errors: [{ path }] });
  });

  test('404: no such model', async () => {
    const problem = await problemIn(await served.app.get('/v1/models/no/such-model/offers'));
    expect(problem).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    expect(problem.detail).toContain('"no/such-model"');
  });

  test('tRPC answers the same', async () => {
    const { offers } = served.stranger.models;
    const input = { creator: 'openai', slug: 'gpt-oss-120b', status: 'known', limit: 1 } as const;
    expect(await offers.query(input)).toEqual(await list('openai/gpt-oss-120b', 'status=known&limit=1'));
    const problem = await problemIn(await served.app.get('/v1/models/no/such-model/offers'));
    expect(await problemOf(offers.query({ creator: 'no', slug: 'such-model' }))).toEqual(problem);
  });
});
