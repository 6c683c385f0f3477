import { describe, expect, test } from 'vitest';
import { Model } from '../../contracts/models.ts';
import type { Group } from '../../sync/identity.ts';
import { mergeGroup, steadyPart, withoutArtificialAnalysis } from '../../sync/merge.ts';
import { noPrices } from '../../sync/units.ts';
import type { NanoPricing, SourceRecord } from '../../sync/record.ts';
import { offered, offerFacts, record } from '../support/records.ts';

const NANO = 1_000_000_000;
const priced = (input: number, output: number): NanoPricing => ({
  status: 'known',
  prices: { ...noPrices(), input: input * NANO, output: output * NANO },
  discount: null,
  tiers: [],
});
const sold = (provider: string, model: string, input: number, output: number) =>
  offered(provider, model, { offer: { pricing: priced(input, output) } });
const merge = (creator: string, records: SourceRecord[], { rolling = false } = {}) => {
  const group: Group = { id: `${creator}/m`, creator, rolling, records, matches: [] };
  return mergeGroup(group, {
    asOf: new Map([['bundled', '2025-09-11']]),
    today: '2026-07-02',
    resolve: (id) => (['meta/m', 'meta/m2'].includes(id) ? id : null),
  });
};
const measured = {
  name: 'artificial_analysis_intelligence_index',
  value: 50,
  unit: null,
  indexVersion: '4',
  effort: null,
  variant: null,
  date: null,
};
const credit = { name: 'Artificial Analysis', url: 'https://artificialanalysis.ai' };

describe('the headline price', () => {
  test.each<[string, SourceRecord[], string | null, number | null]>([
    [
      "the creator's own, though others are cheaper",
      [sold('meta-cloud', 'm', 1, 2), sold('llama', 'm', 5, 9)],
      'llama',
      5,
    ],
    [
      'else the cheapest known',
      [sold('azure', 'm', 3, 9), sold('groq', 'm', 1, 9), sold('baseten', 'm', 2, 1)],
      'groq',
      1,
    ],
    ['by output where input is the same', [sold('azure', 'm', 1, 9), sold('groq', 'm', 1, 8)], 'groq', 1],
    [
      'never one on special terms while there is a plain one',
      [sold('openrouter', 'm:batch', 1, 1), sold('groq', 'm', 2, 2)],
      'groq',
      2,
    ],
    [
      'a known price before an own offer without one',
      [offered('llama', 'm'), sold('groq', 'm', 2, 2)],
      'groq',
      2,
    ],
    ['unknown where no offer has one', [offered('groq', 'm')], 'groq', null],
    ['nothing where there is no offer', [record({ naming: { creator: 'meta', model: 'm' } })], null, null],
  ])('is %s', (_what, records, provider, input) => {
    const { model } = merge('meta', records);
    expect([model.pricing.provider, model.pricing.input]).toEqual([provider, input]);
    expect(model.pricing.status).toBe(input === null ? 'unknown' : 'known');
  });

  test('comes with cents that floats would lose', () => {
    const pricing = priced(0, 0);
    pricing.prices.input = 150_000_000;
    pricing.prices.output = 83_333_333;
    const { model } = merge('meta', [offered('groq', 'm', { offer: { pricing } })]);
    expect(JSON.stringify([model.pricing.input, model.pricing.output])).toBe('[0.15,0.083333333]');
  });
});

describe('a field', () => {
  const metadata = record({
    id: 'models.json/meta/m',
    facts: { releaseDate: '2024-12-06', limits: { context: 128_000, input: null, output: null } },
  });
  const own = offered('llama', 'm', {
    facts: {
      releaseDate: '2024-12-07',
      openWeights: false,
      limits: { context: 128_000, input: null, output: 4_096 },
    },
  });
  const repository = record({
    source: 'huggingface',
    id: 'meta-llama/m',
    type: 'repository',
    facts: { openWeights: true, lastUpdated: '2026-01-01' },
  });
  const hosts = ['a', 'b', 'c'].map((provider, index) =>
    offered(provider, 'm', { facts: { knowledgeCutoff: index === 0 ? '2020' : '2023-12' } }),
  );

  test('is taken from the most trusted record that knows it, limit by limit', () => {
    const { model } = merge('meta', [own, metadata]);
    expect([model.releaseDate, model.limits]).toEqual([
      '2024-12-06',
      { context: 128_000, input: null, output: 4_096 },
    ]);
  });

  test('limits are those of one record, filled in from records of the same context alone', () => {
    const bigger = offered('azure', 'm', {
      facts: { limits: { context: 1_000_000, input: 900_000, output: 64_000 } },
    });
    expect(merge('meta', [metadata, bigger]).model.limits).toEqual({
      context: 128_000,
      input: null,
      output: null,
    });
  });

  test('open weights: the repository is believed before a seller', () => {
    expect(merge('meta', [own, repository]).model.openWeights).toBe(true);
  });

  test('among sellers, what most of them say', () => {
    expect(merge('meta', hosts).model.knowledgeCutoff).toBe('2023-12');
  });

  test('is null where nobody knows it', () => {
    const { model } = merge('meta', [repository]);
    expect([model.releaseDate, model.family, model.limits.context]).toEqual([null, null, null]);
  });

  test("one seller's end of sale is not the model's", () => {
    const ending = { status: 'retiring' as const, date: '2026-07-09', successor: null };
    const record = offered('groq', 'm', { facts: { lifecycle: ending }, offer: { lifecycle: ending } });
    const { model, offers } = merge('meta', [record]);
    const published = { ...ending, source: 'models.dev' };
    expect([model.lifecycle.status, offers[0]?.offer.lifecycle]).toEqual(['active', published]);
  });

  test.each([
    ['2026-07-01', 'retired'],
    ['2026-07-02', 'retired'],
    ['2026-07-03', 'retiring'],
    ['2026-06', 'retired'],
    ['2026-07', 'retiring'],
    ['2025', 'retired'],
    ['2026', 'retiring'],
    [null, 'retiring'],
  ])('what is to end on %s is %s on 2026-07-02, with the date as it is stated', (date, status) => {
    const end = { status: 'retiring' as const, date, successor: null };
    const record = offered('llama', 'm', { facts: { lifecycle: end }, offer: { lifecycle: end } });
    const { model, offers } = merge('meta', [record]);
    const expected = { status, date, successor: null, source: 'models.dev' };
    expect([model.lifecycle, offers[0]?.offer.lifecycle]).toEqual([expected, expected]);
  });

  test.each([
    ['meta/m2', 'meta/m2'],
    ['meta/nowhere', null],
    ['meta/m', null],
  ])('a successor called %s is the model %s, whoever names it', (successor, id) => {
    const end = { status: 'deprecated' as const, date: null, successor };
    const silent = offered('llama', 'm', { facts: { lifecycle: { ...end, successor: null } } });
    const routed = record({
      source: 'openrouter',
      id: 'meta-llama/m',
      type: 'offer',
      naming: { provider: 'openrouter' },
      facts: { lifecycle: end },
      offer: offerFacts('openrouter', 'meta-llama/m', { lifecycle: end }),
    });
    const { model, offers } = merge('meta', [silent, routed]);
    const published = { status: 'deprecated', date: null, successor: id };
    expect(model.lifecycle).toEqual({ ...published, source: 'models.dev' });
    expect(offers.map(({ offer }) => offer.lifecycle)).toEqual([
      { status: 'active', date: null, successor: null, source: null },
      { ...published, source: 'openrouter' },
    ]);
  });

  test('how finished a model is its maker tells, and each seller of its own offer', () => {
    const beta = { facts: { stage: 'beta' as const }, offer: { stage: 'beta' as const } };
    const hosted = merge('meta', [offered('groq', 'm', beta)]);
    expect([hosted.model.stage, hosted.offers[0]?.offer.stage]).toEqual([null, 'beta']);
    expect(merge('meta', [offered('llama', 'm', beta)]).model.stage).toBe('beta');
  });
});

test('an offer that two sources state is one offer, as its provider states it', () => {
  const router = record({
    source: 'openrouter',
    id: 'meta-llama/m',
    type: 'offer',
    naming: { provider: 'openrouter' },
    offer: offerFacts('openrouter', 'meta-llama/m', { pricing: priced(1, 2) }),
  });
  const { offers } = merge('meta', [sold('openrouter', 'meta-llama/m', 7, 7), router]);
  expect(offers).toHaveLength(1);
  expect(offers[0]?.offer).toMatchObject({
    pricing: { input: 1 },
    sources: [
      { id: 'openrouter', asOf: null },
      { id: 'models.dev', asOf: null },
    ],
  });
});

test('a rolling name points to a known model, or to nothing', () => {
  const rolling = (target: string) => record({ kind: 'rolling', target });
  const moving = (target: string) => merge('meta', [rolling(target)], { rolling: true }).model;
  expect(moving('meta/m2')).toMatchObject({ kind: 'rolling', target: 'meta/m2' });
  expect(moving('meta/gone')).toMatchObject({ kind: 'rolling', target: null });
});

test('a rolling name of which metadata names the weights alone points to their model', () => {
  const link = { label: 'Weights', url: 'https://huggingface.co/meta/m2', type: 'weights' as const };
  const named = record({ facts: { links: [link] } });
  expect(merge('meta', [named], { rolling: true }).model).toMatchObject({
    kind: 'rolling',
    target: 'meta/m2',
  });
  expect(merge('meta', [named]).model).toMatchObject({ kind: 'model', target: null });
  const sold = offered('groq', 'm', { facts: { links: [link] } });
  expect(merge('meta', [sold], { rolling: true }).model.target).toBeNull();
});

test('a router is a router, though what it stands for moves', () => {
  const { model } = merge('meta', [record({ kind: 'router' })], { rolling: true });
  expect(model).toMatchObject({ kind: 'router', target: null });
});

test('Artificial Analysis is credited for every field it gave, and can be left out whole', () => {
  const own = { ...measured, source: 'artificialanalysis', attribution: credit };
  const relayed = { ...measured, source: 'openrouter', attribution: credit };
  const other = { ...measured, name: 'elo', source: 'openrouter', attribution: null };
  const records = [
    record({
      source: 'artificialanalysis',
      id: 'u',
      type: 'measurement',
      facts: { releaseDate: '2026-01-01', benchmarks: [own] },
    }),
    record({
      source: 'openrouter',
      id: 'r',
      type: 'offer',
      facts: { benchmarks: [relayed, other] },
      offer: offerFacts('openrouter', 'r'),
    }),
  ];
  const { model } = merge('meta', records);
  expect(model.attributions).toEqual([{ ...credit, fields: ['benchmarks', 'releaseDate'] }]);
  expect(model.benchmarks.map(({ source }) => source)).toEqual([
    'artificialanalysis',
    'openrouter',
    'openrouter',
  ]);
  const open = merge('meta', withoutArtificialAnalysis(records)).model;
  expect(open).toMatchObject({
    attributions: [],
    releaseDate: null,
    benchmarks: [{ name: 'elo' }],
    sources: [{ id: 'openrouter' }],
  });
});

test('popularity and speed are not part of what is steady', () => {
  const speed = {
    ...measured,
    name: 'median_output_tokens_per_second',
    unit: 'tokens per second',
    source: 's',
    attribution: null,
  };
  const at = (downloads: number, value: number) =>
    steadyPart(
      merge('meta', [
        record({
          type: 'repository',
          facts: {
            popularity: { downloads, downloadsAllTime: null, likes: 1 },
            benchmarks: [{ ...speed, value }],
          },
        }),
      ]).model,
    );
  expect(at(1, 10)).toEqual(at(2, 20));
});

test('what is merged is what the contract promises', () => {
  const { model } = merge('meta', [record({ id: 'x', source: 'bundled', facts: { name: 'M' } })]);
  const times = {
    since: null,
    firstSeenAt: '2026-07-02T10:00:00.000Z',
    updatedAt: '2026-07-02T10:00:00.000Z',
  };
  expect(Model.parse({ ...model, ...times })).toEqual({ ...model, ...times });
  expect(model.sources).toEqual([{ id: 'bundled', asOf: '2025-09-11' }]);
});
