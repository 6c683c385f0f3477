import { describe, expect, test } from 'vitest';
import { openRouter } from '../../../sync/sources/openrouter.ts';
import { readAll, serve } from './served.ts';

const row = {
  id: 'acme/nova-1',
  canonical_slug: 'acme/nova-1-20250805',
  hugging_face_id: '',
  name: 'Acme AI: Nova 1',
  created: 1_754_352_000,
  description: 'A model.',
  context_length: 400_000,
  architecture: {
    modality: 'text+file->text',
    input_modalities: ['text', 'file'],
    output_modalities: ['text'],
    tokenizer: 'GPT',
    instruct_type: null,
  },
  pricing: { prompt: '0.00000125', completion: '0.00001' },
  top_provider: { context_length: 272_000, max_completion_tokens: 128_000, is_moderated: true },
  per_request_limits: null,
  supported_parameters: ['reasoning', 'tools'],
  default_parameters: {},
  knowledge_cutoff: '2025-01-31',
  expiration_date: null,
};
const PAGE = '/base/models?output_modalities=all';

const readRows = (...data: unknown[]) => readAll(openRouter, { [PAGE]: { body: { data } } });
async function readOne(entry: object) {
  const { records, rejections } = await readRows({ ...row, ...entry });
  return { record: records[0], offer: records[0]?.offer, rejections };
}

describe('a model', () => {
  test('is read in full', async () => {
    const { records, providers } = await readRows(row);
    expect(records[0]).toMatchObject({
      source: 'openrouter',
      id: 'acme/nova-1',
      type: 'offer',
      kind: 'model',
      target: null,
      naming: {
        creator: 'acme',
        model: 'nova-1',
        canonical: 'acme/nova-1-20250805',
        provider: 'openrouter',
        family: null,
      },
      facts: {
        name: 'Nova 1',
        creatorName: 'Acme AI',
        description: 'A model.',
        inputModalities: ['text', 'file'],
        outputModalities: ['text'],
        capabilities: { reasoning: true, structured_outputs: false, tools: true },
        parameters: ['reasoning', 'tools'],
        reasoning: null,
        limits: { context: 400_000, input: null, output: 128_000 },
        openWeights: null,
        tokenizer: 'GPT',
        links: [],
        releaseDate: null,
        knowledgeCutoff: '2025-01-31',
        benchmarks: [],
      },
      offer: {
        provider: 'openrouter',
        providerModelId: 'acme/nova-1',
        limits: { context: 272_000, input: null, output: 128_000 },
        parameters: ['reasoning', 'tools'],
        pricing: { status: 'known', prices: { input: 1_250_000_000, output: 10_000_000_000 } },
        moderated: true,
        listedAt: '2025-08-05T00:00:00.000Z',
        stage: null,
        lifecycle: null,
      },
    });
    expect(providers.map(({ id }) => id)).toEqual(['openrouter']);
  });

  test.each([
    ['acme/nova-1:free', 'acme', 'nova-1', 'model'],
    ['acme/nova-1:batch', 'acme', 'nova-1', 'model'],
    ['acme/nova-1:thinking', 'acme', 'nova-1', 'model'],
    ['acme/nova-1:exacto', 'acme', 'nova-1', 'model'],
    ['acme/nova-1:0', 'acme', 'nova-1:0', 'model'],
    ['~acme/nova-latest', 'acme', 'nova-latest', 'rolling'],
    ['acme/nova-chat-latest', 'acme', 'nova-chat-latest', 'rolling'],
    ['openrouter/auto', 'openrouter', 'auto', 'router'],
    ['switchpoint/router', 'switchpoint', 'router', 'router'],
    ['nova-1', null, 'nova-1', 'model'],
  ])('called %s is %s %s, a %s', async (id, creator, model, kind) => {
    const { record } = await readOne({ id });
    expect(record).toMatchObject({ id, kind, naming: { creator, model }, offer: { providerModelId: id } });
  });

  test.each([
    ['Router', 'router'],
    ['Other', 'model'],
  ])('under the own name of OpenRouter with tokenizer %s is a %s', async (tokenizer, kind) => {
    const architecture = { ...row.architecture, tokenizer };
    expect((await readOne({ id: 'openrouter/owl-alpha', architecture })).record?.kind).toBe(kind);
  });

  test('that redirects has its target', async () => {
    const alias_target = { name: 'Acme: Nova 1', slug: 'acme/nova-1' };
    expect((await readOne({ id: '~acme/nova-latest', alias_target })).record).toMatchObject({
      kind: 'rolling',
      target: 'acme/nova-1',
    });
  });

  test.each([
    ['acme/nova-1', 'Nova 1', null, 'Nova 1'],
    ['acme/nova-1:free', 'Acme: Nova 1 (free)', 'Acme', 'Nova 1'],
    ['acme/nova-1:batch', 'Nova 1 (batch)', null, 'Nova 1'],
    ['acme/nova-1', 'Acme: Nova 1 (free)', 'Acme', 'Nova 1 (free)'],
    ['acme/nova-1', ': Nova', null, ': Nova'],
    ['acme/nova-1', 'Nova: ', null, 'Nova:'],
    ['acme/nova-1', 'Nova  1\u0007', null, 'Nova 1'],
  ])('%s named "%s" is by %s and called "%s"', async (id, given, creatorName, name) => {
    expect((await readOne({ id, name: given })).record?.facts).toMatchObject({ creatorName, name });
  });

  test.each([
    ['acme/nova-1:free', 'Acme: Nova 1', 'free'],
    ['acme/nova-1', 'Acme: Nova 1 (free)', 'free'],
    ['openrouter/free', 'Free Models Router', 'free'],
    ['acme/lyria', 'Acme: Lyria', 'unknown'],
  ])('%s, "%s", with zeros for prices is %s', async (id, name, status) => {
    const { offer } = await readOne({ id, name, pricing: { prompt: '0', completion: '0' } });
    expect(offer?.pricing.status).toBe(status);
  });

  test.each([
    ['2026-08-10', { status: 'retiring', date: '2026-08-10', successor: null }],
    ['2098-12-31', null],
    ['soon', null],
    [null, null],
  ])('with expiration date %s', async (expiration_date, lifecycle) => {
    const { record, offer } = await readOne({ expiration_date });
    expect(offer?.lifecycle).toEqual(lifecycle);
    expect(record?.facts.lifecycle).toBeNull();
    const own = await readOne({ id: 'openrouter/owl-alpha', expiration_date });
    expect(own.record?.facts.lifecycle).toEqual(lifecycle);
  });

  test.each([
    [
      'Note: This model is being deprecated. Recommended replacement is the newer [Ministral 8B](/mistral/ministral-8b)',
      'mistral/ministral-8b',
    ],
    [
      'This model has been deprecated by Google in favor of the (paid Preview model)[google/gemini-2.5-pro-preview]\n \nGemini.',
      'google/gemini-2.5-pro-preview',
    ],
    ['Fast. This model is deprecated in favour of [Nova 2](/models/acme/nova-2:free).', 'acme/nova-2:free'],
    ['Fast.\nThis model is deprecated. It is like [Nova 2](/acme/nova-2).', null],
    [
      'This model is being deprecated. Recommended replacement is [a page](https://acme.example/nova-2).',
      null,
    ],
  ])('described as "%s" is deprecated, for %s', async (description, successor) => {
    const { record, offer } = await readOne({ description });
    const deprecated = { status: 'deprecated', date: null, successor };
    expect([record?.facts.lifecycle, offer?.lifecycle]).toEqual([deprecated, deprecated]);
    const dated = await readOne({ description, expiration_date: '2026-08-10' });
    expect(dated.offer?.lifecycle).toEqual({ status: 'retiring', date: '2026-08-10', successor });
    expect(dated.record?.facts.lifecycle).toEqual(deprecated);
  });

  test.each([
    'This model has not been deprecated.',
    'If this model is deprecated, use [Nova 2](/acme/nova-2).',
    'This model is deprecated-proof.',
    'It succeeds the [Nova 0](/acme/nova-0) model and performs really well.',
    'Successor to [Nova 0](acme/nova-0); This model replaces (Nova 0)[acme/nova-0]',
  ])('described as "%s" is not deprecated', async (description) => {
    const { record, offer } = await readOne({ description });
    expect([record?.facts.lifecycle, offer?.lifecycle]).toEqual([null, null]);
  });

  test.each([
    ['', []],
    [null, []],
    ['acme/Nova-1', [{ label: 'Hugging Face', url: 'https://huggingface.co/acme/Nova-1', type: 'weights' }]],
  ])('with hugging_face_id %j', async (hugging_face_id, links) => {
    expect((await readOne({ hugging_face_id })).record?.facts).toMatchObject({ links, openWeights: null });
  });

  test('without stated parameters has unknown capabilities', async () => {
    expect((await readOne({ supported_parameters: [] })).record?.facts.capabilities).toEqual({});
  });

  test('has its reasoning', async () => {
    const efforts = { supported_efforts: ['high', 'low'], default_effort: 'high' };
    const reasoning = { mandatory: true, default_enabled: true, ...efforts };
    expect((await readOne({ reasoning })).record?.facts.reasoning).toEqual({
      mandatory: true,
      efforts: ['high', 'low'],
      enabledByDefault: true,
      defaultEffort: 'high',
      interleavedField: null,
      budgetTokens: null,
    });
    expect((await readOne({ reasoning: { supports_max_tokens: true } })).record?.facts.reasoning).toEqual({
      mandatory: null,
      efforts: [],
      enabledByDefault: null,
      defaultEffort: null,
      interleavedField: null,
      budgetTokens: { min: null, max: null },
    });
  });

  test('has benchmarks with whom to credit', async () => {
    const benchmarks = {
      artificial_analysis: { intelligence_index: 54.8, coding_index: null, agentic_index: 0 },
      design_arena: [
        { arena: 'models', category: '3d', elo: 1136, win_rate: 52.1, rank: 4 },
        { arena: 'models' },
      ],
    };
    const bare = { indexVersion: null, effort: null, date: null, source: 'openrouter' };
    const artificialAnalysis = { name: 'Artificial Analysis', url: 'https://artificialanalysis.ai' };
    const designArena = { name: 'Design Arena', url: 'https://www.designarena.ai' };
    const index = { ...bare, unit: null, variant: null, attribution: artificialAnalysis };
    const arena = { ...bare, variant: 'models/3d', attribution: designArena };
    expect((await readOne({ benchmarks })).record?.facts.benchmarks).toEqual([
      { ...index, name: 'artificial_analysis_intelligence_index', value: 54.8 },
      { ...index, name: 'artificial_analysis_agentic_index', value: 0 },
      { ...arena, name: 'design_arena_elo', value: 1136, unit: 'elo' },
      { ...arena, name: 'design_arena_win_rate', value: 52.1, unit: 'percent' },
      { ...arena, name: 'design_arena_rank', value: 4, unit: 'rank' },
    ]);
  });

  test('with broken optional fields keeps the others', async () => {
    const { record, rejections } = await readOne({
      created: 'yesterday',
      context_length: 0,
      architecture: null,
      top_provider: 'acme',
      supported_parameters: [null, 'tools', 'b\u0000'],
      benchmarks: { design_arena: 7, artificial_analysis: [] },
      reasoning: true,
      alias_target: { slug: '\ud800' },
      hugging_face_id: 7,
      description: 'line\nline \u0000\ud800',
      knowledge_cutoff: '2025-02-30',
    });
    expect(rejections).toEqual([]);
    expect(record).toMatchObject({
      target: null,
      facts: {
        description: 'line\nline \ufffd',
        inputModalities: null,
        limits: { context: null, output: null },
        parameters: ['tools'],
        reasoning: null,
        knowledgeCutoff: null,
        benchmarks: [],
      },
      offer: { listedAt: null, moderated: null, limits: { context: null, output: null } },
    });
  });
});

describe('fetching', () => {
  test('asks for all modalities, with the key if there is one', async () => {
    const answers = { [PAGE]: { body: { data: [row] } } };
    expect((await readAll(openRouter, answers)).requests).toEqual([
      { url: `https://upstream.test${PAGE}`, headers: {}, conditional: true },
    ]);
    const { requests } = await readAll(openRouter, answers, { apiKey: 'sk-test' });
    expect(requests[0]?.headers).toEqual({ authorization: 'Bearer sk-test' });
  });

  test('brings nothing when the first page was not modified', async () => {
    const { upstream } = serve(openRouter, { [PAGE]: { notModified: true } });
    expect(await openRouter.fetch(upstream)).toEqual({ notModified: true });
  });

  test('follows links.next, relative or absolute', async () => {
    const page = (id: string, next: string | null) => ({ body: { data: [{ ...row, id }], links: { next } } });
    const { records, requests, warnings } = await readAll(openRouter, {
      [PAGE]: page('acme/a', '/base/models?offset=1'),
      '/base/models?offset=1': page('acme/b', 'https://upstream.test/base/models?offset=2'),
      '/base/models?offset=2': page('acme/c', null),
    });
    expect(records.map(({ id }) => id)).toEqual(['acme/a', 'acme/b', 'acme/c']);
    expect(requests.map(({ conditional }) => conditional)).toEqual([true, false, false]);
    expect(warnings).toEqual([]);
  });

  test('stops with a warning when pages go round in circles', async () => {
    const { records, requests, warnings } = await readAll(openRouter, {
      [PAGE]: { body: { data: [row], links: { next: PAGE } } },
    });
    expect([records.length, requests.length, warnings.length]).toEqual([1, 1, 1]);
  });

  test('does not go on for ever', async () => {
    let page = 0;
    const served = serve(openRouter, {});
    served.upstream.getJson = () =>
      Promise.resolve({
        notModified: false,
        body: { data: [], links: { next: `/base/models?page=${++page}` } },
        headers: new Headers(),
      });
    await openRouter.fetch(served.upstream);
    expect(page).toBe(100);
    expect(served.warnings).toHaveLength(1);
  });

  test.each([
    [{ data: [row], links: { next: 'https://elsewhere.test/models' } }],
    [{ data: {} }],
    [{ error: { message: 'no' } }],
    [[]],
    [null],
  ])('refuses the answer %j', async (body) => {
    const { upstream, requests } = serve(openRouter, { [PAGE]: { body } });
    await expect(openRouter.fetch(upstream)).rejects.toMatchObject({
      name: 'UpstreamError',
      failure: 'shape',
    });
    expect(requests).toHaveLength(1);
  });

  test('counts junk and duplicates one by one', async () => {
    const { items, records, rejections } = await readRows(
      row,
      null,
      'x',
      { ...row, id: undefined },
      { ...row, id: 'acme/\u0000' },
      { ...row, name: null },
      { ...row, id: 'acme/nova-2' },
      { ...row, description: 'again' },
      row,
    );
    expect(items).toHaveLength(9);
    expect(records.map(({ id }) => id)).toEqual(['acme/nova-1', 'acme/nova-2']);
    expect(rejections).toEqual([
      { id: '#1', reason: 'Invalid input: expected object, received null' },
      { id: '#2', reason: 'Invalid input: expected object, received string' },
      { id: '#3', reason: 'id: not a usable text' },
      { id: '#4', reason: 'id: not a usable text' },
      { id: 'acme/nova-1 (duplicate 1)', reason: 'duplicate id' },
      { id: 'acme/nova-1 (duplicate 2)', reason: 'duplicate id' },
      { id: 'acme/nova-1 (duplicate 3)', reason: 'duplicate id' },
    ]);
  });
});
