import { describe, expect, test } from 'vitest';
import { Model, type Benchmark } from '../../contracts/models.ts';
import { Offer, PRICE_NAMES } from '../../contracts/offers.ts';
import { modelDifferences, offerDifferences, type Difference } from '../../sync/differences.ts';
import { mergeGroup, type MergedModel } from '../../sync/merge.ts';
import { pricingOf } from '../../sync/prices.ts';
import { offered } from '../support/records.ts';

const SOLD = offered('openai', 'gpt-9', {
  facts: { limits: { context: 8_192, input: null, output: 1_024 }, capabilities: { tools: true } },
  offer: {
    pricing: pricingOf(
      {
        prices: [
          { name: 'input', value: 1, shift: 0 },
          { name: 'output', value: 2, shift: 0 },
        ],
        tiers: [],
        discount: null,
      },
      false,
    ),
    limits: { context: 8_192, input: null, output: 1_024 },
  },
});

const merged = mergeGroup(
  { id: 'openai/gpt-9', creator: 'openai', rolling: false, records: [SOLD], matches: [] },
  { asOf: new Map(), today: '2026-07-02', resolve: () => null },
);
const MODEL = merged.model;
const OFFER = (merged.offers[0] as (typeof merged.offers)[0]).offer;

const score = (name: string, value: number, over: Partial<Benchmark> = {}): Benchmark => ({
  name,
  value,
  unit: null,
  indexVersion: null,
  effort: null,
  variant: null,
  date: null,
  source: 'models.dev',
  attribution: null,
  ...over,
});

const inShort = (differences: Difference[]) =>
  differences.map(({ kind, field, oldValue, newValue }) => [kind, field, oldValue, newValue]);
type Row = [kind: string, field: string, oldValue: unknown, newValue: unknown];

const ACTIVE = { status: 'active', date: null, successor: null, source: null } as const;
const RETIRING = {
  status: 'retiring',
  date: '2027-01-31',
  successor: 'openai/x',
  source: 'openrouter',
} as const;
const REASONING = {
  mandatory: true,
  efforts: ['low', 'high'],
  enabledByDefault: null,
  defaultEffort: null,
  interleavedField: null,
  budgetTokens: null,
};
const TIER = {
  aboveInputTokens: 1_000,
  utcDays: null,
  utcStart: null,
  utcEnd: null,
  ...Object.fromEntries(PRICE_NAMES.map((name) => [name, null])),
  input: 3,
} as Offer['pricing']['tiers'][number];
const LINK = { label: 'Card', url: 'https://example.org/card', type: null };
const CREDIT = { name: 'Somebody', url: null, fields: ['benchmarks'] };

/** Another value of every field of a model, and how the change is told. */
const MODEL_CASES: [Partial<MergedModel>, Row[]][] = [
  [{ id: 'openai/gpt-10' }, []],
  [{ kind: 'rolling' }, [['details', 'kind', 'model', 'rolling']]],
  [{ target: 'openai/gpt-8' }, [['details', 'target', null, 'openai/gpt-8']]],
  [{ name: 'GPT-9!' }, [['details', 'name', 'gpt-9', 'GPT-9!']]],
  [{ creator: 'unknown' }, [['details', 'creator', 'openai', 'unknown']]],
  [{ creatorName: null }, [['details', 'creatorName', 'OpenAI', null]]],
  [{ family: 'gpt' }, [['details', 'family', null, 'gpt']]],
  [{ description: 'Fine.' }, [['details', 'description', null, 'Fine.']]],
  [{ modalities: { input: ['text'], output: [] } }, [['capability', 'modalities.input', [], ['text']]]],
  [
    { capabilities: ['attachments', 'reasoning'] },
    [
      ['capability', 'capabilities.tools', true, false],
      ['capability', 'capabilities.attachments', false, true],
      ['capability', 'capabilities.reasoning', false, true],
    ],
  ],
  [{ capabilities: [] }, [['capability', 'capabilities.tools', true, false]]],
  [{ parameters: ['top_p'] }, [['details', 'parameters', [], ['top_p']]]],
  [
    { reasoning: REASONING },
    [
      ['capability', 'reasoning.mandatory', null, true],
      ['capability', 'reasoning.efforts', null, ['low', 'high']],
    ],
  ],
  [
    { limits: { context: 16_384, input: 4_096, output: null } },
    [
      ['limit', 'limits.context', 8_192, 16_384],
      ['limit', 'limits.input', null, 4_096],
      ['limit', 'limits.output', 1_024, null],
    ],
  ],
  [
    { pricing: { ...MODEL.pricing, provider: 'azure', input: 0.5, cacheRead: 0.1, output: null } },
    [
      ['price', 'pricing.provider', 'openai', 'azure'],
      ['price', 'pricing.input', 1, 0.5],
      ['price', 'pricing.output', 2, null],
      ['price', 'pricing.cacheRead', null, 0.1],
    ],
  ],
  [{ openWeights: false }, [['details', 'openWeights', null, false]]],
  [{ parameterCount: 7 }, [['details', 'parameterCount', null, 7]]],
  [{ tokenizer: 'GPT' }, [['details', 'tokenizer', null, 'GPT']]],
  [{ task: 'text-generation' }, [['details', 'task', null, 'text-generation']]],
  [{ baseModels: ['a/b'] }, [['details', 'baseModels', [], ['a/b']]]],
  [{ languages: ['de'] }, [['details', 'languages', [], ['de']]]],
  [{ library: 'mlx' }, [['details', 'library', null, 'mlx']]],
  [{ gated: true }, [['details', 'gated', null, true]]],
  [{ license: 'mit' }, [['details', 'license', null, 'mit']]],
  [{ links: [LINK] }, [['details', 'links', [], [LINK]]]],
  [{ releaseDate: '2026-01' }, [['details', 'releaseDate', null, '2026-01']]],
  [{ lastUpdated: '2026-02' }, [['details', 'lastUpdated', null, '2026-02']]],
  [{ knowledgeCutoff: '2025' }, [['details', 'knowledgeCutoff', null, '2025']]],
  [{ stage: 'beta' }, [['details', 'stage', null, 'beta']]],
  [{ lifecycle: RETIRING }, [['lifecycle', 'lifecycle', ACTIVE, RETIRING]]],
  [{ popularity: { downloads: 9, downloadsAllTime: 10, likes: 3 } }, []],
  [{ benchmarks: [score('mmlu', 70)] }, [['benchmark', 'benchmarks.mmlu', null, score('mmlu', 70)]]],
  [{ attributions: [CREDIT] }, []],
  [{ providers: ['openai', 'azure'] }, []],
  [
    { sources: [{ id: 'openrouter', asOf: null }] },
    [['details', 'sources', [{ id: 'models.dev', asOf: null }], [{ id: 'openrouter', asOf: null }]]],
  ],
];

describe('of a model', () => {
  test.each(MODEL_CASES)('%j', (over, rows) => {
    const after = { ...MODEL, ...over };
    expect(inShort(modelDifferences(MODEL, after))).toEqual(rows);
    // The other way round the same is told, with old and new in each other's place.
    const back = rows.map(([kind, field, oldValue, newValue]) => [kind, field, newValue, oldValue]);
    expect(new Set(inShort(modelDifferences(after, MODEL)))).toEqual(new Set(back));
    expect(modelDifferences(after, structuredClone(after))).toEqual([]);
  });

  test('every published field has its case', () => {
    const named = new Set(MODEL_CASES.flatMap(([over]) => Object.keys(over)));
    const { firstSeenAt: _first, updatedAt: _updated, since: _since, ...fields } = Model.shape;
    expect([...named].toSorted()).toEqual(Object.keys(fields).toSorted());
  });

  test('who says that it is active, or where the end was said, is no change', () => {
    const other = { ...MODEL, lifecycle: { ...RETIRING, source: 'models.dev' } };
    expect(modelDifferences({ ...MODEL, lifecycle: RETIRING }, other)).toEqual([]);
  });

  test('a field that former versions did not write is unknown, not different', () => {
    const { gated: _, ...former } = MODEL;
    expect(modelDifferences(former as MergedModel, MODEL)).toEqual([]);
    expect(inShort(modelDifferences(former as MergedModel, { ...MODEL, gated: true }))).toEqual([
      ['details', 'gated', null, true],
    ]);
    const { perSearch: _price, ...pricing } = MODEL.pricing;
    expect(modelDifferences({ ...MODEL, pricing: pricing as MergedModel['pricing'] }, MODEL)).toEqual([]);
  });
});

describe('benchmarks', () => {
  const told = (before: Benchmark[], after: Benchmark[]) =>
    inShort(modelDifferences({ ...MODEL, benchmarks: before }, { ...MODEL, benchmarks: after }));

  test('that were measured anew, that came and that went, each by its name', () => {
    const [old, next] = [score('mmlu', 70), score('mmlu', 71, { date: '2026-03' })];
    expect(told([old, score('gone', 1)], [next, score('come', 2)])).toEqual([
      ['benchmark', 'benchmarks.mmlu', old, next],
      ['benchmark', 'benchmarks.gone', score('gone', 1), null],
      ['benchmark', 'benchmarks.come', null, score('come', 2)],
    ]);
  });

  test('another order is no change', () => {
    expect(told([score('a', 1), score('b', 2)], [score('b', 2), score('a', 1)])).toEqual([]);
  });

  test.each([{ variant: 'Claude Code' }, { effort: 'high' }, { source: 'openrouter' }])(
    'of one name are told apart by %j',
    (over) => {
      const other = score('mmlu', 70, over);
      expect(told([score('mmlu', 70), other], [score('mmlu', 70), { ...other, value: 80 }])).toEqual([
        ['benchmark', 'benchmarks.mmlu', other, { ...other, value: 80 }],
      ]);
    },
  );

  test('that nothing tells apart are told together', () => {
    const [one, two] = [score('mmlu', 70, { date: '2026-01' }), score('mmlu', 75, { date: '2026-02' })];
    expect(told([one], [one, two])).toEqual([['benchmark', 'benchmarks.mmlu', one, [one, two]]]);
  });

  test('of another version of an index are told, for they must not be compared', () => {
    const [old, next] = [
      score('index', 50, { indexVersion: '4.0' }),
      score('index', 50, { indexVersion: '4.1' }),
    ];
    expect(told([old], [next])).toEqual([['benchmark', 'benchmarks.index', old, next]]);
  });

  test('speeds move daily and are told at no time', () => {
    for (const unit of ['tokens per second', 'seconds']) {
      const speed = score('median', 80, { unit });
      expect(told([speed], [{ ...speed, value: 90 }])).toEqual([]);
      expect(told([], [speed])).toEqual([]);
      expect(told([speed], [])).toEqual([]);
    }
    expect(told([score('price', 1, { unit: 'USD' })], [])).toHaveLength(1);
  });
});

const MODE = { name: 'fast', request: { headers: {}, body: {} }, pricing: OFFER.pricing };

/** Another value of every field of an offer, and how the change is told. */
const OFFER_CASES: [Partial<Offer>, Row[]][] = [
  [{ provider: 'azure' }, [['details', 'provider', 'openai', 'azure']]],
  [{ providerModelId: 'gpt-9b' }, [['details', 'providerModelId', 'gpt-9', 'gpt-9b']]],
  [{ name: 'GPT-9!' }, [['details', 'name', 'gpt-9', 'GPT-9!']]],
  [
    { pricing: { ...OFFER.pricing, status: 'free', input: 0, discount: 0.5, tiers: [TIER] } },
    [
      ['price', 'pricing.status', 'known', 'free'],
      ['price', 'pricing.input', 1, 0],
      ['price', 'pricing.discount', null, 0.5],
      ['price', 'pricing.tiers', [], [TIER]],
    ],
  ],
  [{ modes: [MODE] }, [['details', 'modes', [], [MODE]]]],
  [
    { limits: { context: null, input: null, output: 2_048 } },
    [
      ['limit', 'limits.context', 8_192, null],
      ['limit', 'limits.output', 1_024, 2_048],
    ],
  ],
  [{ parameters: ['top_p'] }, [['details', 'parameters', [], ['top_p']]]],
  [{ defaultParameters: { top_p: 1 } }, [['details', 'defaultParameters', {}, { top_p: 1 }]]],
  [{ voices: ['ada'] }, [['details', 'voices', [], ['ada']]]],
  [{ moderated: true }, [['details', 'moderated', null, true]]],
  [{ apiUrl: 'https://a.b' }, [['details', 'apiUrl', null, 'https://a.b']]],
  [{ npmPackage: 'a' }, [['details', 'npmPackage', null, 'a']]],
  [{ apiShape: 'responses' }, [['details', 'apiShape', null, 'responses']]],
  [{ listedAt: '2026-01-01T00:00:00.000Z' }, [['details', 'listedAt', null, '2026-01-01T00:00:00.000Z']]],
  [{ stage: 'alpha' }, [['details', 'stage', null, 'alpha']]],
  [{ lifecycle: RETIRING }, [['lifecycle', 'lifecycle', ACTIVE, RETIRING]]],
  [{ sources: [] }, [['details', 'sources', [{ id: 'models.dev', asOf: null }], []]]],
];

describe('of an offer', () => {
  test.each(OFFER_CASES)('%j', (over, rows) => {
    const after = { ...OFFER, ...over };
    expect(inShort(offerDifferences(OFFER, after))).toEqual(rows);
    expect(offerDifferences(after, structuredClone(after))).toEqual([]);
  });

  test('every published field has its case', () => {
    const named = new Set(OFFER_CASES.flatMap(([over]) => Object.keys(over)));
    expect([...named].toSorted()).toEqual(Object.keys(Offer.shape).toSorted());
  });
});
