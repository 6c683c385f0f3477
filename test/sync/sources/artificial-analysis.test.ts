import { describe, expect, test } from 'vitest';
import { artificialAnalysis } from '../../../sync/sources/artificial-analysis.ts';
import { readAll, serve } from './served.ts';

const row = {
  id: '36f73aaf-d38a-4b56-a2b3-d04d17186910',
  name: 'Nova 1 (high)',
  slug: 'nova-1',
  release_date: '2025-08-05',
  model_creator: { id: 'e67e56e3-15cd-43db-b679-da4660a69f41', name: 'Acme AI' },
  evaluations: {
    artificial_analysis_intelligence_index: 24.5,
    artificial_analysis_coding_index: null,
    artificial_analysis_agentic_index: 0,
  },
  artificial_analysis_intelligence_index_cost: { total_cost: 20.69, cost_per_task: { total_cost: 0.1678 } },
  pricing: { price_1m_input_tokens: 0.06, price_1m_output_tokens: 0.2, price_1m_cache_write_tokens: 0 },
  performance: {
    median_output_tokens_per_second: 296.47,
    median_time_to_first_token_seconds: 0.65,
    median_end_to_end_response_time_seconds: null,
  },
};
const retiredRow = {
  id: '36f73aaf-d38a-4b56-a2b3-d04d17186910',
  name: 'Nova 1',
  slug: 'nova-1',
  release_date: null,
  model_creator: { id: 'e67e56e3-15cd-43db-b679-da4660a69f41', name: 'Acme AI', slug: 'acme' },
  evaluations: { artificial_analysis_intelligence_index: 14.9, hle: 0.098, lcr: 0, aime: null },
  pricing: { price_1m_blended_3_to_1: 0.088, price_1m_input_tokens: 0, price_1m_output_tokens: 0.2 },
  median_output_tokens_per_second: 0,
  median_time_to_first_token_seconds: 0.441,
  median_time_to_first_answer_token: 8.557,
};
const pageUrl = (number: number) => `/base/language/models/free?page=${number}`;
const onePage = (...data: unknown[]) => ({
  [pageUrl(1)]: {
    body: { tier: 'free', intelligence_index_version: 4.3, pagination: { page: 1, has_more: false }, data },
  },
});
const options = { apiKey: 'aa-test' };

const readOne = async (entry: object) =>
  (await readAll(artificialAnalysis, onePage({ ...row, ...entry }), options)).records[0];

describe('a row', () => {
  test('is a measurement, each of its values a benchmark', async () => {
    const record = await readOne({});
    expect(record).toMatchObject({
      source: 'artificialanalysis',
      id: '36f73aaf-d38a-4b56-a2b3-d04d17186910',
      type: 'measurement',
      naming: {
        creator: 'Acme AI',
        model: 'Nova 1 (high)',
        canonical: 'nova-1',
        provider: null,
        family: null,
      },
      kind: 'model',
      facts: { name: 'Nova 1', creatorName: 'Acme AI', releaseDate: '2025-08-05' },
      offer: null,
    });
    const bare = {
      effort: 'high',
      variant: null,
      date: null,
      source: 'artificialanalysis',
      attribution: { name: 'Artificial Analysis', url: 'https://artificialanalysis.ai' },
    };
    const index = { ...bare, indexVersion: '4.3' };
    const plain = { ...bare, indexVersion: null };
    const cost = 'artificial_analysis_intelligence_index_cost';
    const perMillion = 'USD per 1M tokens';
    expect(record?.facts.benchmarks).toEqual([
      { ...index, name: 'artificial_analysis_intelligence_index', value: 24.5, unit: null },
      { ...index, name: 'artificial_analysis_agentic_index', value: 0, unit: null },
      { ...index, name: cost, value: 20.69, unit: 'USD' },
      { ...index, name: `${cost}_per_task`, value: 0.1678, unit: 'USD' },
      { ...plain, name: 'median_output_tokens_per_second', value: 296.47, unit: 'tokens per second' },
      { ...plain, name: 'median_time_to_first_token_seconds', value: 0.65, unit: 'seconds' },
      { ...plain, name: 'price_1m_input_tokens', value: 0.06, unit: perMillion },
      { ...plain, name: 'price_1m_output_tokens', value: 0.2, unit: perMillion },
      { ...plain, name: 'price_1m_cache_write_tokens', value: 0, unit: perMillion },
    ]);
  });

  test('of the retired shape has no price and no speed where it says 0', async () => {
    const body = { status: 200, prompt_options: { parallel_queries: 1 }, data: [retiredRow] };
    const { records, requests } = await readAll(artificialAnalysis, { [pageUrl(1)]: { body } }, options);
    expect(requests).toHaveLength(1);
    expect(records[0]).toMatchObject({
      naming: { creator: 'acme', model: 'Nova 1' },
      facts: { creatorName: 'Acme AI', releaseDate: null },
    });
    expect(records[0]?.facts.benchmarks.map(({ name, value, unit }) => [name, value, unit])).toEqual([
      ['artificial_analysis_intelligence_index', 14.9, null],
      ['hle', 0.098, null],
      ['lcr', 0, null],
      ['median_time_to_first_token_seconds', 0.441, 'seconds'],
      ['median_time_to_first_answer_token', 8.557, 'seconds'],
      ['price_1m_blended_3_to_1', 0.088, 'USD per 1M tokens'],
      ['price_1m_output_tokens', 0.2, 'USD per 1M tokens'],
    ]);
    expect(
      new Set(records[0]?.facts.benchmarks.map(({ indexVersion, effort }) => [indexVersion, effort].join())),
    ).toEqual(new Set([',']));
  });

  test.each([
    ['Nova 1 (high)', 'Nova 1', 'high'],
    ['Nova 1 (Minimal)', 'Nova 1', 'minimal'],
    ['Nova 1 (XHIGH)', 'Nova 1', 'xhigh'],
    ['Nova 1 (Reasoning)', 'Nova 1', 'reasoning'],
    ['Nova 1 (Non-Reasoning)', 'Nova 1', 'non-reasoning'],
    ['Nova 1 (Adaptive Reasoning, Max Effort)', 'Nova 1', 'max'],
    ['Nova 1 (Reasoning, High Effort)', 'Nova 1', 'high'],
    ['Nova 1 (Non-reasoning, Low Effort)', 'Nova 1', 'non-reasoning, low'],
    ['Nova 1 (Low, Default Fallback)', 'Nova 1', 'low'],
    ["Nova 1 (Sep '24)", "Nova 1 (Sep '24)", null],
    ['Nova 1 Max', 'Nova 1 Max', null],
    ['Nova (high) 1', 'Nova (high) 1', null],
    ['(high)', '(high)', null],
  ])('called %s is %s at effort %s', async (name, shown, effort) => {
    const record = await readOne({ name });
    expect(record?.facts.name).toBe(shown);
    expect(record?.facts.benchmarks[0]?.effort).toBe(effort);
    // Whether an effort is part of the name is for the rules of identity to say.
    expect(record?.naming.model).toBe(name);
  });

  test.each([
    ['Nova 1 Lite (high)', 'nova-1-lite-preview', 'Nova 1 Lite Preview', 'Nova 1 Lite (high) Preview'],
    ['Nova 1 Preview', 'nova-1-preview-09-2025', 'Nova 1 Preview', 'Nova 1 Preview (09-2025)'],
    [
      "Nova 1 Preview (Sep '25)",
      'nova-1-preview-09-2025',
      "Nova 1 Preview (Sep '25)",
      "Nova 1 Preview (Sep '25)",
    ],
    ['Nova 1', 'nova-1-09-2025', 'Nova 1', 'Nova 1'],
  ])('called %s with the slug %s is a preview where either says so', async (name, slug, shown, named) => {
    const record = await readOne({ name, slug });
    expect([record?.facts.name, record?.naming.model]).toEqual([shown, named]);
    expect(record?.naming.canonical).toBe(slug);
  });

  test('without an id goes by its slug', async () => {
    expect((await readOne({ id: null }))?.id).toBe('nova-1');
  });

  test('with broken optional fields keeps the others', async () => {
    const record = await readOne({
      release_date: '2025-13',
      model_creator: 'Acme',
      evaluations: { hle: '0.5', 'a\u0000': 1, gpqa: 0.7 },
      artificial_analysis_intelligence_index_cost: 7,
      pricing: null,
      performance: [],
    });
    expect(record).toMatchObject({
      naming: { creator: null },
      facts: { creatorName: null, releaseDate: null },
    });
    expect(record?.facts.benchmarks.map(({ name, value }) => [name, value])).toEqual([['gpqa', 0.7]]);
  });

  test('that can not be used is rejected by itself', async () => {
    const { records, rejections } = await readAll(
      artificialAnalysis,
      onePage(row, null, { ...row, id: 7, slug: null }, { ...row, name: 7 }, row),
      options,
    );
    expect(records).toHaveLength(1);
    expect(rejections).toEqual([
      { id: '#1', reason: 'row: Invalid input: expected object, received null' },
      { id: '#2', reason: 'neither id nor slug' },
      { id: `${row.id} (duplicate 1)`, reason: 'duplicate id' },
      { id: `${row.id} (duplicate 2)`, reason: 'duplicate id' },
    ]);
  });
});

describe('fetching', () => {
  const pages = (about: (number: number, hasMore: boolean) => object, last: number) =>
    Object.fromEntries(
      Array.from({ length: last }, (_, index) => index + 1).map((number) => [
        pageUrl(number),
        { body: { ...about(number, number < last), data: [{ ...row, id: `row-${number}` }] } },
      ]),
    );
  const facts = (page: number, has_more: boolean) => ({
    tier: 'free',
    ...(page === 1 ? { intelligence_index_version: '4.3' } : {}),
    pagination: { page, page_size: 200, total_pages: 3, has_more },
  });

  test.each([
    ['the root', facts],
    ['meta', (page: number, hasMore: boolean) => ({ meta: facts(page, hasMore) })],
  ])('follows has_more at %s, the first page telling the index version', async (_, about) => {
    const { records, requests } = await readAll(artificialAnalysis, pages(about, 3), options);
    expect(requests.map(({ url }) => new URL(url).search)).toEqual(['?page=1', '?page=2', '?page=3']);
    expect(requests[0]?.headers).toEqual({ 'x-api-key': 'aa-test' });
    expect(records.map(({ id }) => id)).toEqual(['row-1', 'row-2', 'row-3']);
    expect(records.map(({ facts: { benchmarks } }) => benchmarks[0]?.indexVersion)).toEqual([
      '4.3',
      '4.3',
      '4.3',
    ]);
  });

  test('stops at an empty page', async () => {
    const { records, requests } = await readAll(
      artificialAnalysis,
      { ...pages(facts, 2), [pageUrl(2)]: { body: { ...facts(2, true), data: [] } } },
      options,
    );
    expect([records.length, requests.length]).toEqual([1, 2]);
  });

  test('stops with a warning after 100 pages', async () => {
    const { requests, warnings } = await readAll(artificialAnalysis, pages(facts, 101), options);
    expect([requests.length, warnings.length]).toEqual([100, 1]);
  });

  test.each([[{ data: null }], [{ pagination: { page: 1 }, data: [] }], [[]], ['no']])(
    'refuses the shape %j',
    async (body) => {
      const { upstream } = serve(artificialAnalysis, { [pageUrl(1)]: { body } }, options);
      await expect(artificialAnalysis.fetch(upstream)).rejects.toMatchObject({ failure: 'shape' });
    },
  );
});
