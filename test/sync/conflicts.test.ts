import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { COMPARISONS, farthest, PRICE } from '../../sync/compare.ts';
import { conflictRows, conflictsOf } from '../../sync/conflicts.ts';
import { withoutArtificialAnalysis } from '../../sync/merge.ts';
import type { ModelFacts, NanoPricing, SourceRecord } from '../../sync/record.ts';
import { nanoFromDecimal, noPrices } from '../../sync/units.ts';
import { offered, offerFacts, record } from '../support/records.ts';

const pricing = (input: number): NanoPricing => ({
  status: 'known',
  prices: { ...noPrices(), input: nanoFromDecimal(input, 0) },
  discount: null,
  tiers: [],
});
const limits = (context: number) => ({ limits: { context, input: null, output: null } });
const metadata = (facts: Partial<ModelFacts>) => record({ id: 'models.json/meta/m', facts });
const host = (provider: string, facts: Partial<ModelFacts>) => offered(provider, 'm', { facts });
const routed = (facts: Partial<ModelFacts>, input = 1, id = 'meta-llama/m') =>
  record({
    source: 'openrouter',
    id,
    type: 'offer',
    naming: { provider: 'openrouter' },
    facts,
    offer: offerFacts('openrouter', id, { pricing: pricing(input) }),
  });
const repository = (facts: Partial<ModelFacts>) =>
  record({ source: 'huggingface', id: 'meta-llama/m', type: 'repository', facts });
const measured = (facts: Partial<ModelFacts>) =>
  record({ source: 'artificialanalysis', id: 'u', type: 'measurement', facts });
const conflicts = (...records: SourceRecord[]) => conflictsOf({ id: 'meta/m', creator: 'meta', records });

describe('sources disagree', () => {
  test('about a number: by the relative difference; the chosen statement comes first', () => {
    expect(conflicts(routed(limits(1_000_000)), metadata(limits(200_000)))).toEqual([
      {
        modelId: 'meta/m',
        field: 'limits.context',
        offer: null,
        size: 0.8,
        sizeUnit: 'ratio',
        statements: [
          { source: 'models.dev', id: 'models.json/meta/m', trust: 'metadata', value: 200_000, chosen: true },
          { source: 'openrouter', id: 'meta-llama/m', trust: 'openrouter', value: 1_000_000, chosen: false },
        ],
      },
    ]);
  });

  test('about a date: by days, to the precision of the less precise one', () => {
    const found = (one: string, other: string) =>
      conflicts(metadata({ knowledgeCutoff: one }), routed({ knowledgeCutoff: other })).map(
        ({ size, sizeUnit }) => [size, sizeUnit],
      );
    expect(found('2024-05-30', '2024-05-31')).toEqual([[1, 'days']]);
    expect(found('2025-04', '2025-06-30')).toEqual([[61, 'days']]);
    for (const same of ['2025', '2025-04', '2025-04-01'])
      expect(found('2025-04-30', same)).toEqual(same === '2025-04-01' ? [[29, 'days']] : []);
  });

  test('about anything else: without a size', () => {
    const found = conflicts(
      metadata({ openWeights: false, license: 'MIT', capabilities: { tools: true } }),
      repository({ openWeights: true, license: 'apache-2.0' }),
      routed({ capabilities: { tools: false } }),
    );
    expect(found.map(({ field, size, sizeUnit }) => [field, size, sizeUnit])).toEqual([
      ['capabilities.tools', null, null],
      ['openWeights', null, null],
      ['license', null, null],
    ]);
  });

  test('about the price of one and the same offer', () => {
    const copy = offered('openrouter', 'meta-llama/m', { offer: { pricing: pricing(0.5) } });
    expect(conflicts(copy, routed({}, 0.4))).toMatchObject([
      {
        field: 'pricing.input',
        offer: { provider: 'openrouter', providerModelId: 'meta-llama/m' },
        size: expect.closeTo(0.2),
        statements: [
          { source: 'openrouter', value: 0.4, chosen: true },
          { source: 'models.dev', value: 0.5, chosen: false },
        ],
      },
    ]);
  });
});

describe('sources do not disagree', () => {
  const cases: [what: string, ...records: SourceRecord[]][] = [
    ['where one source alone says anything', metadata(limits(1)), host('a', limits(2)), host('b', limits(3))],
    [
      'where the entry that merging would take agrees, whatever other hosts say',
      metadata(limits(1)),
      host('a', limits(2)),
      routed(limits(1)),
    ],
    [
      'where providers charge differently',
      offered('groq', 'm', { offer: { pricing: pricing(9) } }),
      routed({}, 1),
    ],
    [
      'where a price is rounded',
      offered('openrouter', 'meta-llama/m', { offer: { pricing: pricing(0.083333) } }),
      routed({}, 0.083333333),
    ],
    [
      'about names and descriptions',
      metadata({ name: 'M', description: 'a' }),
      routed({ name: 'M 1', description: 'b' }),
    ],
    ['where one says nothing', metadata(limits(1)), routed({ knowledgeCutoff: '2024' })],
    [
      'where a licence is spelled otherwise, or tagged as none of the list',
      metadata({ license: 'Apache-2.0' }),
      repository({ license: 'apache-2.0' }),
    ],
    [
      'where a licence is tagged as none of the list',
      metadata({ license: 'MIT' }),
      repository({ license: 'other' }),
    ],
    [
      'where lists are in another order, or documents have another name',
      metadata({ inputModalities: ['text', 'pdf'] }),
      routed({ inputModalities: ['file', 'text'] }),
    ],
    [
      'where a repository is tagged with one task',
      metadata({ inputModalities: ['text', 'image'] }),
      repository({ inputModalities: ['text'] }),
    ],
    [
      'about when they listed or changed something',
      metadata({ lastUpdated: '2024' }),
      repository({ lastUpdated: '2026' }),
    ],
  ];
  test.each(cases)('%s', (_what, ...records) => {
    expect(conflicts(...records)).toEqual([]);
  });
});

test('how far apart values are does not depend on their order, and is 0 for the same one', () => {
  const dates = fc
    .date({ min: new Date('1990-01-01'), max: new Date('2089-12-31'), noInvalidDate: true })
    .chain((date) => fc.constantFrom(4, 7, 10).map((length) => date.toISOString().slice(0, length)));
  const numbers = fc.integer({ min: 1, max: 1_000_000_000 });
  const cases = [
    [COMPARISONS.releaseDate, dates],
    [COMPARISONS['limits.context'], numbers],
    [PRICE, fc.double({ min: 0, max: 1e6, noNaN: true })],
  ] as const;
  for (const [comparison, values] of cases) {
    fc.assert(
      fc.property(fc.array(values as fc.Arbitrary<unknown>, { minLength: 1, maxLength: 4 }), (list) => {
        const size = farthest(list, comparison);
        expect(farthest(list.toReversed(), comparison)).toBe(size);
        expect(size).toBeGreaterThanOrEqual(0);
        if (comparison.unit === 'ratio') expect(size).toBeLessThanOrEqual(1);
        expect(farthest([list[0], list[0]], comparison)).toBe(0);
      }),
    );
  }
});

describe('rows', () => {
  const rows = (...records: SourceRecord[]) => {
    const open = withoutArtificialAnalysis(records);
    const group = { id: 'meta/m', creator: 'meta', rolling: false, records, matches: [] };
    return conflictRows(group, open.length === records.length ? null : open).map(
      ({ field, view, size, sources }) => [field, view, size, sources],
    );
  };
  const date = (releaseDate: string) => ({ ...limits(1), releaseDate });

  test('are for everyone where Artificial Analysis has no say', () => {
    const expected = ['limits.context', 'both', 0.5, ',models.dev,openrouter,'];
    expect(rows(metadata(limits(1)), routed(limits(2)))).toEqual([expected]);
    expect(rows(metadata(limits(1)), routed(limits(2)), measured({}))).toEqual([expected]);
  });

  test('are kept from those who may not see what it said', () => {
    expect(rows(metadata(date('2024-01-01')), measured(date('2024-01-03')))).toEqual([
      ['releaseDate', 'full', 2, ',artificialanalysis,models.dev,'],
    ]);
    const other = host('a', date('2024-01-01'));
    expect(
      rows({ ...other, source: 'bundled' }, metadata(date('2024-01-02')), measured(date('2024-01-09'))),
    ).toEqual([
      ['releaseDate', 'full', 8, ',artificialanalysis,bundled,models.dev,'],
      ['releaseDate', 'open', 1, ',bundled,models.dev,'],
    ]);
  });
});
