import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Conflict } from '../../contracts/conflicts.ts';
import type { ListMeta } from '../../contracts/common.ts';
import type { SyncRun } from '../../contracts/sync.ts';
import { DATABASES } from '../support/databases.ts';
import { committedAt, during, problemIn, problemOf, startSynced, type Served } from '../support/synced.ts';
import type { UpstreamContent } from '../support/upstream.ts';

interface Page {
  data: Conflict[];
  meta: ListMeta;
  timestamp: string;
}

interface Catalog {
  openrouter: { models: Record<string, { cost: { input: number } }> };
}

/** models.dev is late about a price of OpenRouter's, and Artificial Analysis saw a model come out a month later. */
function arrange(content: UpstreamContent): void {
  const offer = (content.modelsDevApi as Catalog).openrouter.models['anthropic/claude-sonnet-4.5'];
  if (offer) offer.cost = { ...offer.cost, input: 4 };
  content.artificialAnalysis = content.artificialAnalysis.map((row) =>
    'name' in row && String(row.name).startsWith('GPT-5 mini') ? { ...row, release_date: '2025-09-07' } : row,
  );
}

const CUTOFF = 'openai/gpt-5-mini knowledgeCutoff 1';
const RELEASE = 'openai/gpt-5-mini releaseDate 31';
const PRICE = 'anthropic/claude-sonnet-4-5 pricing.input 0.25';
const MEASURED = [
  'meta/llama-3.3-70b-instruct limits.output 0.875',
  'anthropic/claude-sonnet-4-5 limits.context 0.8',
  'openai/gpt-oss-120b limits.output 0.5',
  PRICE,
  'meta/llama-3.3-70b-instruct limits.context 0.0234375',
];
const OTHERS = [
  'anthropic/claude-sonnet-4-5 capabilities.reasoning null',
  'openai/gpt-5-mini modalities.input null',
  'openai/gpt-5.4 capabilities.reasoning null',
  'openai/gpt-5.4 capabilities.structured_outputs null',
  'openai/gpt-5.4 modalities.input null',
  'openai/gpt-oss-120b capabilities.reasoning null',
  'openai/gpt-oss-120b capabilities.structured_outputs null',
];
const ALL = [RELEASE, CUTOFF, ...MEASURED, ...OTHERS];
const inShort = (data: Conflict[]) => data.map(({ modelId, field, size }) => `${modelId} ${field} ${size}`);

describe.each(DATABASES)('GET /v1/conflicts on $name', ({ create }) => {
  let served: Served & { run: SyncRun };
  beforeAll(async () => {
    served = await startSynced(create, { arrange });
  });
  afterAll(() => served.close());

  const list = (query = '') => served.app.json<Page>(`/v1/conflicts?${query}`);

  test('200: the largest first, those without a size last, in the envelope of lists, as of the commit', async () => {
    const page = await list();
    expect(Object.keys(page)).toEqual(['data', 'meta', 'timestamp']);
    expect(page.meta).toStrictEqual({ total: 14, limit: 20, offset: 0, nextCursor: null, catalogVersion: 1 });
    expect(page.timestamp).toBe(await committedAt(served.app));
    expect(inShort(page.data)).toEqual(ALL);
    for (const conflict of page.data) {
      expect(Object.keys(conflict).toSorted()).toEqual(Object.keys(Conflict.shape).toSorted());
      expect(conflict.statements.map(({ chosen }) => chosen)).toEqual([true, false]);
      expect(new Set(conflict.statements.map(({ source }) => source)).size).toBe(2);
    }
  });

  test('200: of a price, the offer and what each catalogue says of it in its own unit', async () => {
    const { data } = await list('field=pricing.input');
    const observedAt = data[0]?.statements[0]?.observedAt;
    expect(data).toStrictEqual([
      {
        modelId: 'anthropic/claude-sonnet-4-5',
        field: 'pricing.input',
        offer: { provider: 'openrouter', providerModelId: 'anthropic/claude-sonnet-4.5' },
        size: 0.25,
        sizeUnit: 'ratio',
        statements: [
          {
            source: 'openrouter',
            id: 'anthropic/claude-sonnet-4.5',
            trust: 'openrouter',
            attribution: null,
            value: 3,
            raw: [{ path: 'pricing.prompt', value: '0.000003', unit: 'USD per token' }],
            observedAt,
            chosen: true,
          },
          {
            source: 'models.dev',
            id: 'openrouter/anthropic/claude-sonnet-4.5',
            trust: 'host',
            attribution: null,
            value: 4,
            raw: [{ path: 'cost.input', value: 4, unit: 'USD per 1M tokens' }],
            observedAt,
            chosen: false,
          },
        ],
      },
    ]);
  });

  const filters: [query: string, found: string[]][] = [
    ['field=limits.output', MEASURED.filter((one) => one.includes('limits.output'))],
    ['field=license', []],
    ['source=artificialanalysis', [RELEASE]],
    ['source=openrouter&field=knowledgeCutoff', [CUTOFF]],
    ['source=router', []],
    ['source=%25', []],
    ['model=openai/gpt-5-mini', [RELEASE, CUTOFF, 'openai/gpt-5-mini modalities.input null']],
    ['model=Azure/GPT-5-mini&minSize=0', [RELEASE, CUTOFF]],
    ['model=meta-llama%2Fllama-3.3-70b-instruct&minSize=0.5', MEASURED.slice(0, 1)],
    ['model=no/such-model', []],
    ['model=nothing', []],
    ['creator=Meta-Llama', MEASURED.filter((one) => one.startsWith('meta/'))],
    ['creator=nobody', []],
    ['minSize=0.8', [RELEASE, CUTOFF, ...MEASURED.slice(0, 2)]],
    ['minSize=31', [RELEASE]],
    ['minSize=31.5', []],
    ['limit=2&offset=1', ALL.slice(1, 3)],
    ['offset=14', []],
  ];
  test.each(filters)('200: %s', async (query, found) => {
    expect(inShort((await list(query)).data)).toEqual(found);
  });

  test('200: totals are of what matches, on all pages', async () => {
    expect((await list('creator=openai&limit=1&offset=2')).meta).toMatchObject({
      total: 9,
      limit: 1,
      offset: 2,
    });
  });

  const refused = [
    'limit=0',
    'field=name',
    'minSize=-1',
    'minSize=x',
    'source=',
    'model=',
    'sort=size',
    'cursor=x',
  ];
  test.each(refused)('400: %s', async (query) => {
    const [path] = query.split('=');
    const problem = await problemIn(await served.app.get(`/v1/conflicts?${query}`));
    expect(problem).toMatchObject({ status: 400, code: 'BAD_REQUEST', errors: [{ path }] });
  });

  test('tRPC answers the same', async () => {
    const { conflicts } = served.stranger;
    expect(await conflicts.list.query()).toEqual(await list());
    const input = { creator: 'openai', minSize: 0.5, limit: 2 };
    expect(await conflicts.list.query(input)).toEqual(await list('creator=openai&minSize=0.5&limit=2'));
    const problem = await problemIn(await served.app.get('/v1/conflicts?limit=101'));
    expect(await problemOf(conflicts.list.query({ limit: 101 }))).toEqual(problem);
  });

  test('200: a conflict that is settled is gone with the next sync, and a new one is there', async () => {
    const { content } = served.upstream;
    content.openrouter = content.openrouter.map((row) =>
      'id' in row && row.id === 'openai/gpt-5-mini'
        ? { ...row, knowledge_cutoff: '2024-05', context_length: 200_000 }
        : row,
    );
    const run = await served.app.sync();
    expect(run.catalogVersion).toBe(2);
    const found = await vi.waitUntil(async () => {
      const page = await list('model=openai/gpt-5-mini&minSize=0');
      return page.meta.catalogVersion === 2 && page.data;
    }, 10_000);
    expect(inShort(found)).toEqual([RELEASE, 'openai/gpt-5-mini limits.context 0.5']);
    const [before, now] = found[1]?.statements ?? [];
    expect(before).toMatchObject({ source: 'models.dev', value: 400_000, chosen: true });
    expect(now).toMatchObject({ source: 'openrouter', value: 200_000, chosen: false });
    expect([during(served.run, before?.observedAt), during(run, now?.observedAt)]).toEqual([true, true]);
  });
});

describe.each(DATABASES)('conflicts where Artificial Analysis is withheld, on $name', ({ create }) => {
  test('200: those that are left without what it said', async () => {
    const served = await startSynced(create, {
      arrange,
      environment: { ARTIFICIAL_ANALYSIS_PUBLISH: 'off' },
    });
    try {
      const page = await served.app.json<Page>('/v1/conflicts?limit=100');
      expect(inShort(page.data)).toEqual(ALL.slice(1));
      expect(page.meta.total).toBe(13);
      expect(JSON.stringify(page)).not.toMatch(/artificial.?analysis/i);
      expect((await served.app.json<Page>('/v1/conflicts?source=artificialanalysis')).data).toEqual([]);
    } finally {
      await served.close();
    }
  });
});
