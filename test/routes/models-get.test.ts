import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ModelDetail } from '../../contracts/models.ts';
import type { SyncRun } from '../../contracts/sync.ts';
import { DATABASES } from '../support/databases.ts';
import {
  committedAt,
  during,
  problemIn,
  problemOf,
  startSynced,
  syncUntilDelisted,
  type Served,
} from '../support/synced.ts';
import type { UpstreamContent } from '../support/upstream.ts';

interface Answer {
  data: ModelDetail;
  meta: { catalogVersion: number };
  timestamp: string;
}

/** A model that is nowhere to be had but free of charge, and that its only seller is about to drop. */
function arrange(content: UpstreamContent): void {
  const id = 'x-ai/grok-4-fast:free';
  const pricing = { prompt: '0', completion: '0' };
  const row = {
    ...content.openrouter[0],
    id,
    canonical_slug: id,
    name: 'xAI: Grok 4 Fast (free)',
    pricing,
    expiration_date: '2031-05-31',
  };
  content.openrouter = [...content.openrouter, row];
}

describe.each(DATABASES)('GET /v1/models/{creator}/{slug} on $name', ({ create }) => {
  let served: Served & { run: SyncRun };
  beforeAll(async () => {
    served = await startSynced(create, { arrange });
  });
  afterAll(() => served.close());

  const get = (name: string) => served.app.json<Answer>(`/v1/models/${name}`);
  const model = async (name: string) => (await get(name)).data;

  test('200: a model in the envelope of single answers, as of the commit', async () => {
    const answer = await get('openai/gpt-5-mini');
    expect(Object.keys(answer)).toEqual(['data', 'meta', 'timestamp']);
    expect(answer.meta).toStrictEqual({ catalogVersion: 1 });
    expect(answer.timestamp).toBe(await committedAt(served.app));
    expect(Object.keys(answer.data).toSorted()).toEqual(
      Object.keys(ModelDetail.omit({ provenance: true }).shape).toSorted(),
    );
    expect(answer.data).toMatchObject({
      id: 'openai/gpt-5-mini',
      kind: 'model',
      name: 'GPT-5 Mini',
      creator: 'openai',
      creatorName: 'OpenAI',
      limits: { context: 400_000, input: 272_000, output: 128_000 },
      knowledgeCutoff: '2024-05-30',
      stage: null,
      lifecycle: { status: 'active', date: null, successor: null, source: null },
      providers: ['azure', 'openai', 'openrouter'],
    });
    expect(during(served.run, answer.data.firstSeenAt)).toBe(true);
    expect(answer.data.updatedAt).toBe(answer.data.firstSeenAt);
  });

  test('200: what the list says of the model, and its offers and records', async () => {
    const { offers, records, ...listed } = await model('meta/llama-3.3-70b-instruct');
    const list = await served.app.json<{ data: object[] }>('/v1/models?creator=meta&search=70b-instruct');
    expect(list.data).toEqual([listed]);
    expect([offers.length, records.length]).toEqual([2, 6]);
  });

  const names: [name: string, id: string][] = [
    ['OpenAI/GPT-5-Mini', 'openai/gpt-5-mini'],
    ['meta-llama/Llama-3.3-70B-Instruct', 'meta/llama-3.3-70b-instruct'],
    ['META-LLAMA/llama-3.3-70b-instruct', 'meta/llama-3.3-70b-instruct'],
    ['deepseek-ai/DeepSeek-V3.2', 'deepseek/deepseek-v3.2'],
    ['facebook/llama-3.3-70b-instruct', 'meta/llama-3.3-70b-instruct'],
    ['groq/llama-3.3-70b-versatile', 'meta/llama-3.3-70b-instruct'],
    ['anthropic/claude-sonnet-4.5', 'anthropic/claude-sonnet-4-5'],
    ['azure/gpt-5-mini', 'openai/gpt-5-mini'],
    ['Azure/Phi-4-mini', 'microsoft/phi-4-mini'],
    ['Groq/Whisper-Large-v3', 'unknown/groq-whisper-large-v3'],
    ['openai/gpt-oss-120b:free', 'openai/gpt-oss-120b'],
    ['openai/gpt-oss-120b%3Afree', 'openai/gpt-oss-120b'],
    ['groq/openai%2Fgpt-oss-120b', 'openai/gpt-oss-120b'],
    ['~anthropic/claude-sonnet-latest', 'anthropic/claude-sonnet-latest:openrouter'],
  ];
  test.each(names)('200: %s is %s', async (name, id) => {
    expect((await model(name)).id).toBe(id);
  });

  test('200: a rolling name is an entry of its own and says what it points to', async () => {
    const rolling = await model('anthropic/claude-sonnet-latest:openrouter');
    expect(rolling).toMatchObject({
      kind: 'rolling',
      target: 'anthropic/claude-sonnet-4-5',
      since: rolling.firstSeenAt,
      offers: [{ provider: 'openrouter', providerModelId: '~anthropic/claude-sonnet-latest' }],
    });
    expect(await model('anthropic/claude-sonnet-4-5')).toMatchObject({
      kind: 'model',
      target: null,
      since: null,
    });
  });

  test('200: offers with prices and the records behind them', async () => {
    const { pricing, offers, records, firstSeenAt } = await model('openai/gpt-5-mini');
    const headline = { status: 'known', provider: 'openai', input: 0.25, output: 2, cacheRead: 0.025 };
    expect(pricing).toMatchObject(headline);
    const said = offers.map(({ provider, providerModelId, pricing, sources }) => {
      const { status, input, cacheRead, perSearch } = pricing;
      return [provider, providerModelId, status, input, cacheRead, perSearch, sources.map(({ id }) => id)];
    });
    expect(said).toEqual([
      ['azure', 'gpt-5-mini', 'known', 0.25, 0.03, null, ['models.dev']],
      ['openai', 'gpt-5-mini', 'known', 0.25, 0.025, null, ['models.dev']],
      ['openrouter', 'openai/gpt-5-mini', 'known', 0.25, 0.025, 0.01, ['openrouter']],
    ]);
    const rest = { asOf: null, firstSeenAt, updatedAt: firstSeenAt };
    expect(records.filter(({ source }) => source !== 'artificialanalysis')).toStrictEqual([
      { source: 'models.dev', id: 'azure/gpt-5-mini', ...rest },
      { source: 'models.dev', id: 'models.json/openai/gpt-5-mini', ...rest },
      { source: 'models.dev', id: 'openai/gpt-5-mini', ...rest },
      { source: 'openrouter', id: 'openai/gpt-5-mini', ...rest },
    ]);
  });

  test('200: tiers by length and by time of day, and modes at their own price', async () => {
    const { pricing, offers } = await model('openai/gpt-5.4');
    const long = {
      aboveInputTokens: 272_000,
      utcStart: null,
      utcEnd: null,
      input: 5,
      output: 22.5,
      cacheRead: 0.5,
      cacheWrite: null,
    };
    expect(pricing.tiers).toEqual([expect.objectContaining(long)]);
    expect(offers.map(({ provider, modes }) => [provider, modes.map(({ name }) => name)])).toEqual([
      ['openai', ['fast']],
      ['openrouter', []],
    ]);
    expect(offers[0]?.modes[0]?.pricing).toMatchObject({
      status: 'known',
      input: 5.5,
      output: 33,
      cacheRead: 0.55,
      tiers: [],
    });
    const byTime = (await model('deepseek/deepseek-v3.2')).pricing;
    const night = { aboveInputTokens: null, utcStart: '16:30', utcEnd: '00:30', input: 0.14, output: 0.21 };
    expect(byTime).toMatchObject({ input: 0.28, output: 0.42, cacheRead: 0.028, tiers: [night] });
    expect([byTime.discount, pricing.discount]).toEqual([0, null]);
  });

  test('200: where models and their offers stand in their lives', async () => {
    const deprecated = { status: 'deprecated', date: null, successor: null, source: 'models.dev' };
    const since = await committedAt(served.app);
    const old = await model('anthropic/claude-3-opus-20240229');
    expect([old.lifecycle, old.offers[0]?.lifecycle]).toEqual([
      { ...deprecated, since },
      { ...deprecated, since },
    ]);
    const dropped = await model('x-ai/grok-4-fast');
    expect(dropped.lifecycle).toEqual({ status: 'active', date: null, successor: null, source: null });
    expect(dropped.offers[0]?.lifecycle).toEqual({
      status: 'retiring',
      date: '2031-05-31',
      successor: null,
      source: 'openrouter',
      since,
    });
  });

  test('200: prices that are free, dynamic or unknown are told apart', async () => {
    const free = await model('xai/grok-4-fast');
    expect(free.pricing).toMatchObject({ status: 'free', provider: 'openrouter', input: 0, output: 0 });
    const both = await model('openai/gpt-oss-120b');
    expect(both.pricing).toMatchObject({ status: 'known', provider: 'groq', input: 0.15 });
    expect(both.offers.map(({ provider, pricing }) => [provider, pricing.status, pricing.input])).toEqual([
      ['groq', 'known', 0.15],
      ['openrouter', 'free', 0],
    ]);
    const dynamic = { status: 'dynamic', input: null, output: null };
    expect(await model('openrouter/auto')).toMatchObject({
      kind: 'router',
      pricing: dynamic,
      offers: [{ pricing: dynamic }],
    });
    const unknown = { status: 'unknown', input: null, output: null };
    for (const name of ['azure/phi-4-mini', 'groq/whisper-large-v3']) {
      expect(await model(name)).toMatchObject({ pricing: unknown, offers: [{ pricing: unknown }] });
    }
    const notOffered = { pricing: { ...unknown, provider: null }, offers: [], providers: [] };
    expect(await model('openai/whisper-large-v3')).toMatchObject(notOffered);
  });

  test('200: measured values with whom to credit', async () => {
    const { benchmarks, attributions } = await model('openai/gpt-5-mini');
    const attribution = { name: 'Artificial Analysis', url: 'https://artificialanalysis.ai' };
    const index = benchmarks.filter(({ name }) => name === 'artificial_analysis_intelligence_index');
    expect(
      index.map(({ value, effort, indexVersion, source }) => [value, effort, indexVersion, source]),
    ).toEqual([
      [40.6, 'high', '4.1', 'artificialanalysis'],
      [20.9, 'minimal', '4.1', 'artificialanalysis'],
    ]);
    for (const row of index) expect(row.attribution).toEqual(attribution);
    expect(attributions).toEqual([{ ...attribution, fields: ['benchmarks'] }]);
  });

  test('400: a name that is too long', async () => {
    const problem = await problemIn(await served.app.get(`/v1/models/openai/${'x'.repeat(301)}`));
    expect(problem).toMatchObject({ code: 'BAD_REQUEST', errors: [{ path: 'slug' }] });
  });

  test.each(['no/such-model', 'openai/gpt-5', 'openai/%25', 'gpt-5-mini/openai'])('404: %s', async (name) => {
    const response = await served.app.get(`/v1/models/${name}`);
    expect(response.status).toBe(404);
    expect(await problemIn(response)).toStrictEqual({
      type: 'about:blank',
      title: 'Nothing is here',
      status: 404,
      detail: `No model is known as "${decodeURIComponent(name)}": ask GET /v1/resolve?id=... what it may mean, or look for its id with GET /v1/models?search=...`,
      code: 'NOT_FOUND',
      errors: [],
    });
  });

  test('tRPC answers the same', async () => {
    const { models } = served.stranger;
    const input = { creator: 'meta-llama', slug: 'Llama-3.3-70B-Instruct' };
    expect(await models.get.query(input)).toEqual(await get('meta/llama-3.3-70b-instruct'));
    const problem = await problemIn(await served.app.get('/v1/models/no/such-model'));
    expect(await problemOf(models.get.query({ creator: 'no', slug: 'such-model' }))).toEqual(problem);
    expect(await problemOf(models.get.query({ creator: '', slug: 'x' }))).toMatchObject({
      code: 'BAD_REQUEST',
      errors: [{ path: 'creator' }],
    });
  });

  test('200: a model that no source lists any more is delisted, and keeps its names', async () => {
    served.upstream.content.huggingface = served.upstream.content.huggingface.slice(0, -1);
    const run = await syncUntilDelisted(served.app);
    expect(run.catalogVersion).toBe(2);
    const gone = await vi.waitUntil(async () => {
      const answer = await get('Meadow-Lab/brook-7b-GGUF');
      return answer.meta.catalogVersion === 2 && answer;
    }, 10_000);
    expect(gone.data).toMatchObject({
      id: 'meadow-lab/brook-7b',
      lifecycle: {
        status: 'delisted',
        date: gone.data.updatedAt.slice(0, 10),
        successor: null,
        source: null,
      },
      providers: [],
      sources: [],
      offers: [],
      records: [],
    });
    expect(during(served.run, gone.data.firstSeenAt)).toBe(true);
    expect(during(run, gone.data.updatedAt)).toBe(true);
    expect((await served.app.json<{ data: object[] }>('/v1/models?search=brook')).data).toEqual([]);
  });
});
