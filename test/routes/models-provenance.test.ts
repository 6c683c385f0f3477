import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ModelDetail } from '../../contracts/models.ts';
import { STATED_FIELDS, type StatedField } from '../../contracts/provenance.ts';
import type { SyncRun } from '../../contracts/sync.ts';
import { DATABASES } from '../support/databases.ts';
import { during, problemIn, problemOf, startSynced, type Served } from '../support/synced.ts';

interface Answer {
  data: ModelDetail;
  meta: { catalogVersion: number };
  timestamp: string;
}

describe.each(DATABASES)('GET /v1/models/{creator}/{slug}?include=provenance on $name', ({ create }) => {
  let served: Served & { run: SyncRun };
  beforeAll(async () => {
    served = await startSynced(create);
  });
  afterAll(() => served.close());

  const path = (name: string) => `/v1/models/${name}?include=provenance`;
  const get = (name: string) => served.app.json<Answer>(path(name));
  const said = async (name: string, field: StatedField) =>
    (await get(name)).data.provenance?.find((one) => one.field === field)?.statements ?? [];

  test('200: the model as without it, and its provenance', async () => {
    const plain = await (await served.app.get('/v1/models/openai/gpt-5-mini')).text();
    const { data, ...rest } = await get('openai/gpt-5-mini');
    const { provenance, ...model } = data;
    expect(JSON.stringify({ data: model, ...rest })).toBe(plain);
    expect(plain).not.toContain('provenance');
    const fields = provenance?.map(({ field }) => field) ?? [];
    expect(fields).toEqual(STATED_FIELDS.filter((field) => fields.includes(field)));
    expect(fields.length).toBeGreaterThan(20);
  });

  test('200: who says what, in which raw form, when last seen to change, and which is published', async () => {
    const { data } = await get('openai/gpt-5-mini');
    const cutoff = data.provenance?.find(({ field }) => field === 'knowledgeCutoff');
    expect(cutoff?.because).toBe('The maker announces it; sellers copy or round it.');
    expect(data.knowledgeCutoff).toBe('2024-05-30');
    const observedAt = data.records[0]?.updatedAt;
    expect(during(served.run, observedAt)).toBe(true);
    const statement = { source: 'models.dev', attribution: null, value: '2024-05-30', observedAt };
    const raw = [{ path: 'knowledge', value: '2024-05-30', unit: null }];
    expect(cutoff?.statements).toStrictEqual([
      { ...statement, id: 'models.json/openai/gpt-5-mini', trust: 'metadata', raw, chosen: true },
      { ...statement, id: 'openai/gpt-5-mini', trust: 'own', raw, chosen: false },
      {
        ...statement,
        source: 'openrouter',
        id: 'openai/gpt-5-mini',
        trust: 'openrouter',
        value: '2024-05-31',
        raw: [{ path: 'knowledge_cutoff', value: '2024-05-31', unit: null }],
        chosen: false,
      },
      { ...statement, id: 'azure/gpt-5-mini', trust: 'host', raw, chosen: false },
    ]);
  });

  test('200: a price per token and the same price per million', async () => {
    const statements = await said('meta/llama-3.3-70b-instruct', 'pricing.input');
    expect(statements.map(({ source, value, raw, chosen }) => [source, value, raw, chosen])).toEqual([
      ['openrouter', 0.1, [{ path: 'pricing.prompt', value: '0.0000001', unit: 'USD per token' }], true],
      ['models.dev', 0.1, [{ path: 'cost.input', value: 0.1, unit: 'USD per 1M tokens' }], false],
    ]);
  });

  test('200: by an alias, of the model that it names', async () => {
    expect(await get('meta-llama/Llama-3.3-70B-Instruct')).toEqual(await get('meta/llama-3.3-70b-instruct'));
    expect(await said('deepseek-ai/DeepSeek-V3.2', 'license')).toMatchObject([
      {
        source: 'huggingface',
        id: 'deepseek-ai/DeepSeek-V3.2',
        value: 'mit',
        raw: [{ value: ['license:mit'] }],
      },
    ]);
  });

  test.each([
    'include=',
    'include=everything',
    'include=provenance,offers',
    'include=Provenance',
    'includes=provenance',
  ])('400: %s', async (query) => {
    const problem = await problemIn(await served.app.get(`/v1/models/openai/gpt-5-mini?${query}`));
    expect(problem).toMatchObject({ status: 400, code: 'BAD_REQUEST', errors: [{}] });
    expect(problem.errors[0]?.path).toMatch(/^includes?/);
  });

  test('404: no such model', async () => {
    expect((await served.app.get(path('no/such-model'))).status).toBe(404);
  });

  test('tRPC answers the same', async () => {
    const input = { creator: 'openai', slug: 'gpt-5-mini', include: ['provenance' as const] };
    expect(await served.stranger.models.get.query(input)).toEqual(await get('openai/gpt-5-mini'));
    const wrong = { ...input, include: ['offers' as never] };
    expect(await problemOf(served.stranger.models.get.query(wrong))).toMatchObject({ code: 'BAD_REQUEST' });
  });
});

describe.each(DATABASES)('provenance where Artificial Analysis is withheld, on $name', ({ create }) => {
  test('200: nothing of what it said, whoever relays it', async () => {
    const served = await startSynced(create, { environment: { ARTIFICIAL_ANALYSIS_PUBLISH: 'off' } });
    try {
      for (const name of ['openai/gpt-5-mini', 'openai/gpt-5.4', 'anthropic/claude-sonnet-4-5']) {
        const response = await served.app.get(`/v1/models/${name}?include=provenance`);
        const body = await response.text();
        expect(response.status).toBe(200);
        expect(body).toContain('"provenance":[');
        expect(body).not.toMatch(/artificial.?analysis|intelligence_index|agentic_index/i);
      }
      const measured = '/v1/models/deepseek/deepseek-v3.2-reasoning?include=provenance';
      expect((await served.app.get(measured)).status).toBe(404);
    } finally {
      await served.close();
    }
  });
});
