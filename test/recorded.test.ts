import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Conflict } from '../contracts/conflicts.ts';
import type { Model, ModelDetail } from '../contracts/models.ts';
import { STATED_FIELDS, type StatedField } from '../contracts/provenance.ts';
import type { Resolution } from '../contracts/resolve.ts';
import type { SyncRun } from '../contracts/sync.ts';
import { knownCreator } from '../sync/identity.ts';
import { startApp, type TestApp } from './support/app.ts';
import { DATABASES, type TestDatabase } from './support/databases.ts';
import { hasPayloads, readPayload, recordedContent } from './support/payloads.ts';
import { AA_KEY, startUpstream, type FakeUpstream } from './support/upstream.ts';
import { FACTS } from './truth.ts';

type ModelsDev = Record<string, { models: Record<string, unknown> }>;

/** An answer with what differs from sync to sync made alike: ids of runs, times, durations. */
function withoutTimes(body: string): string {
  return body
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g, (time) => (time < '2026-07-04' ? time : '(time)'))
    .replace(/sync_[0-9a-z]+/g, '(run)')
    .replace(/"durationMs":\d+/g, '"durationMs":0');
}

describe.skipIf(!hasPayloads)('the recorded set of 2026-07-02', () => {
  let upstream: FakeUpstream;
  const apps: TestApp[] = [];
  const databases: TestDatabase[] = [];
  const runs: SyncRun[] = [];
  let ids: string[] = [];

  beforeAll(async () => {
    upstream = await startUpstream();
    Object.assign(upstream.content, recordedContent());
    for (const { create } of DATABASES) {
      const database = await create();
      databases.push(database);
      const app = await startApp({
        ...upstream.urls,
        ARTIFICIAL_ANALYSIS_API_KEY: AA_KEY,
        DATABASE_URL: database.url,
      });
      apps.push(app);
      runs.push(await app.sync());
    }
    ids = await allIds(apps[0] as TestApp);
  });

  afterAll(async () => {
    await Promise.all(apps.map((app) => app.stop()));
    await Promise.all(databases.map((database) => database.drop()));
    await upstream?.close();
  });

  async function allIds(app: TestApp): Promise<string[]> {
    const found: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const page: { data: Model[]; meta: { nextCursor: string | null } } = await app.json(
        `/v1/models?limit=100${query}`,
      );
      found.push(...page.data.map(({ id }) => id));
      cursor = page.meta.nextCursor;
    }
    return found;
  }

  test('is synced whole on both databases', () => {
    for (const run of runs) {
      expect(run).toMatchObject({
        status: 'completed',
        message: 'Successfully synced from all sources',
        catalogVersion: 1,
      });
      expect(run.totalStored).toBe(ids.length);
      const fetched = Object.fromEntries(run.sources.map(({ source, fetched }) => [source, fetched]));
      expect(fetched).toEqual({
        'models.dev': 5276 + 231,
        openrouter: 338,
        huggingface: 1000,
        artificialanalysis: 550,
      });
    }
  });

  test('every entry is a record or a counted, explained rejection', async () => {
    const modelsDev = Object.entries(readPayload('modelsdev/2026-07-02.api.json.gz') as ModelsDev).flatMap(
      ([provider, { models }]) => Object.keys(models).map((id) => `${provider}/${id}`),
    );
    expect(modelsDev).toHaveLength(5276);
    for (const [index, app] of apps.entries()) {
      const outcomes = new Map((runs[index] as SyncRun).sources.map((outcome) => [outcome.source, outcome]));
      for (const { fetched, parsed, rejected, rejections } of outcomes.values()) {
        expect(parsed + rejected).toBe(fetched);
        expect(rejections.reduce((sum, { count }) => sum + count, 0)).toBe(rejected);
        for (const { reason, samples } of rejections)
          expect([reason !== '', samples.length > 0]).toEqual([true, true]);
      }
      const stored = await app.database.read.selectFrom('records').select(['source', 'id']).execute();
      const storedIds = Map.groupBy(stored, ({ source }) => source);
      const known = new Set((storedIds.get('models.dev') ?? []).map(({ id }) => id));
      const missing = modelsDev.filter((id) => !known.has(id));
      expect(missing).toHaveLength(outcomes.get('models.dev')?.rejected ?? 0);
      expect(storedIds.get('openrouter')).toHaveLength(338 - (outcomes.get('openrouter')?.rejected ?? 0));
    }
  });

  test(
    'every model can be fetched back by its id, byte for byte alike from both databases',
    { timeout: 300_000 },
    async () => {
      const [sqlite, postgres] = apps as [TestApp, TestApp];
      const different: string[] = [];
      for (const id of ids) {
        const [left, right] = await Promise.all([
          sqlite.get(`/v1/models/${id}`),
          postgres.get(`/v1/models/${id}`),
        ]);
        const [a, b] = [await left.text(), await right.text()];
        const detail = JSON.parse(a) as { data?: ModelDetail };
        if (left.status !== 200 || detail.data?.id !== id || withoutTimes(a) !== withoutTimes(b))
          different.push(id);
      }
      expect(different).toEqual([]);
    },
  );

  test('every other request is answered byte for byte alike from both databases', async () => {
    const sorts = ['id', 'name', 'releaseDate', 'context', 'inputPrice', 'outputPrice', 'downloads'];
    const paths = [
      ...sorts.flatMap((sort) => [
        `/v1/models?sort=${sort}&limit=100`,
        `/v1/models?sort=-${sort}&limit=100&offset=1000`,
      ]),
      '/v1/models?search=gpt-4o&limit=50',
      '/v1/models?search=Claude%20sonnet&sort=-releaseDate',
      '/v1/models?search=%25',
      '/v1/models?search=_',
      '/v1/models?search=%5C',
      '/v1/models?provider=azure&creator=openai&sort=-inputPrice',
      '/v1/models?creator=qwen&limit=100',
      '/v1/providers?limit=100',
      '/v1/providers?limit=100&offset=100',
      '/v1/models/meta-llama/llama-3.3-70b-instruct',
      '/v1/models/no/such-model',
      '/v1/models/meta-llama/llama-3.3-70b-instruct/offers?limit=100',
      '/v1/models/openai/gpt-oss-120b/offers?status=known&limit=5&offset=5',
      '/v1/models/no/such-model/offers',
      '/v1/models/openai/gpt-5.4?include=provenance',
      '/v1/models/anthropic/claude-sonnet-4-5?include=provenance',
      '/v1/models/openai/gpt-oss-120b?include=provenance',
      '/v1/models/openrouter/auto?include=provenance',
      '/v1/models/openai/gpt-5.4?include=everything',
      ...[0, 100, 200, 300, 400, 500].map((offset) => `/v1/conflicts?limit=100&offset=${offset}`),
      '/v1/conflicts?source=artificialanalysis&minSize=30',
      '/v1/conflicts?creator=qwen&field=pricing.input',
      '/v1/conflicts?model=openai/gpt-4',
      '/v1/models?limit=0',
      ...[
        'openai/gpt-4o',
        'meta-llama/llama-3.3-70b-instruct',
        'deepseek-chat',
        'deepseek/deepseek-chat',
        'deepseek-chat&source=nano-gpt',
        '~anthropic/claude-sonnet-latest',
        'us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0',
        'groq/llama-3.3-70b-versatile-fp8',
        'Claude%20Sonnet%204.5',
        'glm-4.6-fp8',
        'gpt-9-mini',
        'qwen9-max',
        'Llama%209%2070B',
        'nothing-like-it',
        'gpt-4o&source=nowhere',
      ].map((query) => `/v1/resolve?id=${query}`),
    ];
    const [sqlite, postgres] = apps as [TestApp, TestApp];
    const headers = { 'x-request-id': 'parity' };
    for (const path of paths) {
      const [left, right] = await Promise.all([sqlite.get(path, headers), postgres.get(path, headers)]);
      expect(right.status, path).toBe(left.status);
      expect(withoutTimes(await right.text()), path).toBe(withoutTimes(await left.text()));
    }
  });

  test(
    "every source's and every provider's own id resolves to the model that its record stands behind",
    { timeout: 300_000 },
    async () => {
      for (const app of apps) {
        const { read } = app.database;
        const records = await read.selectFrom('records').select(['source', 'id', 'model_id']).execute();
        const offers = await read
          .selectFrom('offers')
          .select(['provider', 'provider_model_id', 'model_id'])
          .execute();
        const asked = [
          ...records.map(({ source, id, model_id: model }) => ({ source, id, model })),
          ...offers.map(({ provider, provider_model_id: id, model_id: model }) => ({
            source: provider,
            id,
            model,
          })),
        ];
        const wrong: string[] = [];
        for (let at = 0; at < asked.length; at += 80) {
          const batch = asked.slice(at, at + 80);
          const response = await fetch(`${app.url}/v1/resolve`, {
            method: 'POST',
            headers: { 'content-type': 'application/json' },
            body: JSON.stringify({ ids: batch.map(({ source, id }) => ({ id, source })) }),
          });
          const { data } = (await response.json()) as { data: Resolution[] };
          for (const [index, { source, id, model }] of batch.entries()) {
            const found = data[index]?.model?.id;
            if (found !== model) wrong.push(`${source} ${id}: ${model}, not ${found}`);
          }
        }
        expect(asked.length).toBeGreaterThan(12_000);
        expect(wrong).toEqual([]);
      }
    },
  );

  test('pages by cursor neither skip nor repeat a model, in any order', async () => {
    expect(new Set(ids).size).toBe(ids.length);
    for (const app of apps) {
      for (const sort of ['-releaseDate', 'inputPrice', '-downloads', 'name', '-id']) {
        const found: string[] = [];
        let cursor: string | null = '';
        while (cursor !== null) {
          const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
          const page: { data: Model[]; meta: { nextCursor: string | null } } = await app.json(
            `/v1/models?limit=100&creator=openai&sort=${sort}${query}`,
          );
          found.push(...page.data.map(({ id }) => id));
          cursor = page.meta.nextCursor;
        }
        expect(found.toSorted(), sort).toEqual(ids.filter((id) => id.startsWith('openai/')));
      }
    }
  });

  test(
    'every field that is published of a model has a source that it was taken from',
    { timeout: 300_000 },
    async () => {
      const [app] = apps as [TestApp, TestApp];
      const untold: string[] = [];
      for (const id of ids) {
        const { data } = await app.json<{ data: ModelDetail }>(`/v1/models/${id}?include=provenance`);
        const told = new Map(data.provenance?.map(({ field, statements }) => [field, statements]));
        for (const field of STATED_FIELDS) {
          const value = statedValue(data, field);
          if (value === null) continue;
          const chosen = (told.get(field) ?? []).filter((statement) => statement.chosen);
          const same = PUT_TOGETHER.has(field) || JSON.stringify(chosen[0]?.value) === JSON.stringify(value);
          if (chosen.length === 0 || !same) untold.push(`${id} ${field} ${JSON.stringify(value)}`);
        }
      }
      expect(untold).toEqual([]);
    },
  );

  test('conflicts are between sources, about values that differ, and hold what they say themselves', async () => {
    const [app] = apps as [TestApp, TestApp];
    const all: Conflict[] = [];
    for (let total = 1; all.length < total;) {
      const page = await app.json<{ data: Conflict[]; meta: { total: number } }>(
        `/v1/conflicts?limit=100&offset=${all.length}`,
      );
      total = page.meta.total;
      expect(page.data.length).toBeGreaterThan(0);
      all.push(...page.data);
    }
    const sizes = all.map(({ size }) => size ?? -1);
    expect(sizes).toEqual(sizes.toSorted((a, b) => b - a));
    for (const { modelId, field, offer, statements } of all) {
      const what = `${modelId} ${field}`;
      expect(field.startsWith('pricing.'), what).toBe(offer !== null);
      expect(new Set(statements.map(({ source }) => source)).size, what).toBe(statements.length);
      expect(new Set(statements.map(({ value }) => JSON.stringify(value))).size, what).toBeGreaterThan(1);
      expect(statements.map(({ chosen }) => chosen).filter(Boolean), what).toHaveLength(1);
      for (const { source, raw } of statements)
        if (source !== 'huggingface' || field !== 'openWeights') expect(raw, what).not.toEqual([]);
    }
  });

  // Read by hand from the recorded answers.
  const conflicts: [model: string, field: string, size: number, ...said: unknown[][]][] = [
    [
      'openai/gpt-4',
      'knowledgeCutoff',
      791,
      ['models.dev', '2023-11', null],
      ['openrouter', '2021-09-30', null],
    ],
    [
      'openai/gpt-4',
      'limits.context',
      1 / 8192,
      ['models.dev', 8192, 'tokens'],
      ['openrouter', 8191, 'tokens'],
    ],
    [
      'anthropic/claude-sonnet-4-5',
      'limits.context',
      0.8,
      ['models.dev', 200_000, 'tokens'],
      ['openrouter', 1_000_000, 'tokens'],
    ],
    [
      'perplexity/sonar',
      'releaseDate',
      386,
      ['models.dev', '2024-01-01', null],
      ['artificialanalysis', '2025-01-21', null],
    ],
    [
      'moonshotai/kimi-k2-thinking',
      'pricing.cacheRead',
      0.75,
      ['openrouter', '0.00000015', 'USD per token'],
      ['models.dev', 0.6, 'USD per 1M tokens'],
    ],
    [
      'minimax/minimax-m2',
      'pricing.output',
      0.02 / 1.02,
      ['openrouter', '0.00000102', 'USD per token'],
      ['models.dev', 1, 'USD per 1M tokens'],
    ],
  ];
  test.each(conflicts)('sources disagree on %s %s by %d', async (model, field, size, ...said) => {
    for (const app of apps) {
      const { data } = await app.json<{ data: Conflict[] }>(`/v1/conflicts?model=${model}&field=${field}`);
      expect(data[0]?.size).toBeCloseTo(size, 12);
      const found = data[0]?.statements.map(({ source, raw }) => [source, raw[0]?.value, raw[0]?.unit]);
      expect(found).toEqual(said);
    }
  });

  test.each(FACTS)('$model $offer.provider $field', async ({ model, offer, field, expected, read }) => {
    for (const app of apps) {
      const { data } = await app.json<{ data: ModelDetail }>(`/v1/models/${model}`);
      expect(valueOf(data, offer, field), read).toEqual(expected);
    }
  });

  test('an unchanged re-sync writes no model row and does not raise the version', async () => {
    for (const app of apps) {
      const { read } = app.database;
      const rows = () =>
        read
          .selectFrom('models')
          .select(['id', 'updated_at', 'refreshed_at', 'hash'])
          .orderBy('id')
          .execute();
      const before = await rows();
      // Without validators, every source is fetched and compared whole.
      await app.database.write.updateTable('sources').set({ validators: '{}' }).execute();
      const run = await app.sync();
      expect(run).toMatchObject({
        status: 'completed',
        catalogVersion: 1,
        totalFetched: 7395,
        totalStored: ids.length,
      });
      expect(await rows()).toEqual(before);
    }
  });
});

/** Fields that are put together of what several entries say, or spelled our way. */
const PUT_TOGETHER = new Set<StatedField>([
  'target',
  'lifecycle.successor',
  'parameters',
  'baseModels',
  'languages',
  'links',
  'benchmarks',
]);

/** What is published of a field that sources state; null: nothing, or what no source has to say. */
function statedValue(model: ModelDetail, field: StatedField): unknown {
  // Names of known creators are those of a reviewed table; without a word of a source a model is active, its price unknown.
  if (field === 'creatorName' && knownCreator(model.creator) !== undefined) return null;
  if (field === 'lifecycle.status' && model.lifecycle.status === 'active') return null;
  if (field === 'pricing.status' && model.offers.length === 0) return null;
  if (field.startsWith('capabilities.')) {
    return model.capabilities.includes(field.slice('capabilities.'.length)) ? true : null;
  }
  const value = field
    .split('.')
    .reduce<unknown>((inner, key) => (inner as Record<string, unknown> | null)?.[key], model);
  return value === undefined || (Array.isArray(value) && value.length === 0) ? null : value;
}

function valueOf(
  model: ModelDetail,
  offer: { provider: string; providerModelId: string } | null,
  field: string,
): unknown {
  if (field.startsWith('benchmark:')) {
    const [, name, source] = field.split(':');
    return model.benchmarks.find((row) => row.name === name && row.source === source)?.value;
  }
  const start: unknown =
    offer === null
      ? model
      : model.offers.find(
          (row) => row.provider === offer.provider && row.providerModelId === offer.providerModelId,
        );
  return field
    .split('.')
    .reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], start);
}
