import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, test } from 'vitest';
import { hasPayloads, payloadsDir } from '../support/payloads.ts';
import { modelDiff } from './model-diff.ts';
import {
  countByField,
  diffHistory,
  diffMonths,
  readMonth,
  readMonths,
  toMonth,
  type Month,
  type MonthDiff,
} from './payload-diff.ts';

type Fields = Record<string, unknown>;

/** A month of one provider, `p`, with these entries by key. */
function month(date: string, models: Record<string, Fields>): Month {
  const entries = Object.entries(models).map(([key, fields]) => [key, { id: key, ...fields }] as const);
  return toMonth(date, { p: { models: Object.fromEntries(entries) } });
}

/** What differs where one entry, `m`, is written one way and then another. */
function between(before: Fields, after: Fields): MonthDiff {
  return diffMonths(month('2026-01-01', { m: before }), month('2026-02-01', { m: after }));
}

const cost = (prices: Fields): Fields => ({ cost: prices });
const tier = (size: number, prices: Fields): Fields => ({ ...prices, tier: { type: 'context', size } });

describe('months of entries', () => {
  test('everything in the first is added; what left and is back is added and returned', () => {
    const [first, second, third] = diffHistory([
      month('2026-01-01', { a: {}, b: {} }),
      month('2026-02-01', { b: {}, c: {} }),
      month('2026-03-01', { a: {}, b: {}, d: {} }),
    ]);
    expect(first).toMatchObject({
      added: ['p/a', 'p/b'],
      removed: [],
      returned: [],
      entries: 2,
      providers: 1,
    });
    expect(second).toMatchObject({ added: ['p/c'], removed: ['p/a'], returned: [] });
    expect(third).toMatchObject({ added: ['p/a', 'p/d'], removed: ['p/c'], returned: ['p/a'], changed: [] });
  });

  test('an entry is its provider and key, whatever its id', () => {
    const before = toMonth('2026-01-01', {
      p: { models: { 'x/a': { id: 'same' }, b: { id: 'same' } } },
      q: { models: { b: { id: 'same' } } },
    });
    const after = toMonth('2026-02-01', { p: { models: { 'x/a': { id: 'other' }, b: { id: 'same' } } } });
    expect(diffMonths(before, after)).toMatchObject({
      removed: ['q/b'],
      added: [],
      changed: [{ key: 'p/x/a', fields: [{ field: 'id', before: 'same', after: 'other' }] }],
    });
    expect(() => toMonth('2026-01-01', { 'p/x': { models: {} } })).toThrow('p/x');
  });

  test('limits and status are compared as written', () => {
    const diff = between(
      { limit: { context: 0, output: 8 } },
      { limit: { output: 9 }, status: 'deprecated' },
    );
    expect(diff.limits).toEqual([
      {
        key: 'p/m',
        fields: [
          { field: 'context', before: 0, after: undefined },
          { field: 'output', before: 8, after: 9 },
        ],
      },
    ]);
    expect(diff.status).toEqual([
      { key: 'p/m', fields: [{ field: 'status', before: undefined, after: 'deprecated' }] },
    ]);
    expect(diff.changed).toHaveLength(1);
    expect(diff.price).toEqual([]);
  });

  test('a recorded file is read by its name, gzipped or not', () => {
    const folder = mkdtempSync(join(tmpdir(), 'payload-diff-'));
    try {
      writeFileSync(
        join(folder, '2026-01-01.api.json'),
        '{"p":{"models":{"m":{"id":"m","cost":{"input":1}}}}}',
      );
      const other = '{"p":{"models":{"m":{"cost":{"input":1.0e0},"id":"m"}}}}';
      writeFileSync(join(folder, '2026-02-01.api.json.gz'), gzipSync(other));
      writeFileSync(join(folder, '2026-02-01.models.json'), '{}');
      const months = readMonths(folder);
      expect(months.map(({ date, providers }) => ({ date, providers }))).toEqual([
        { date: '2026-01-01', providers: ['p'] },
        { date: '2026-02-01', providers: ['p'] },
      ]);
      expect(diffHistory(months)[1]).toMatchObject({ price: [], digits: [], changed: [] });
      expect(() => readMonth(join(folder, '2026-02-01.models.json'))).toThrow('rename it');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('prices', () => {
  test.each([
    ['another number', { input: 1 }, { input: 2 }, ['input']],
    ['0 is not absent', { input: 0, output: 1 }, { output: 1 }, ['input']],
    ['null is absent', { input: 1, output: null }, { input: 1 }, []],
    ['digits of the same number', { input: 3.5999999999999996 }, { input: 3.6 }, []],
    ['a billionth of a dollar', { input: 0.000000001 }, { input: 0.000000002 }, ['input']],
    ['order of keys', { input: 1, output: 2 }, { output: 2, input: 1 }, []],
    ['a part that is no price', { input: 1 }, { input: 1, note: 'x' }, []],
    [
      'order of tiers',
      { tiers: [tier(32_000, { input: 1 }), tier(128_000, { input: 2 })] },
      { tiers: [tier(128_000, { input: 2 }), tier(32_000, { input: 1 })] },
      [],
    ],
    [
      'another threshold',
      { tiers: [tier(200_000, { input: 1 })] },
      { tiers: [tier(256_000, { input: 1 })] },
      ['tiers'],
    ],
    [
      'digits within a tier',
      { tiers: [tier(200_000, { input: 0.39999999999999997 })] },
      { tiers: [tier(200_000, { input: 0.4 })] },
      [],
    ],
    [
      'several at once',
      { input: 1, reasoning: 1 },
      { input: 2, cache_read: 1 },
      ['input', 'reasoning', 'cache_read'],
    ],
  ])('%s', (_, before, after, fields) => {
    const { price } = between(cost(before), cost(after));
    expect(price.flatMap((one) => one.fields.map(({ field }) => field))).toEqual(fields);
    expect(price.map(({ key }) => key)).toEqual(fields.length > 0 ? ['p/m'] : []);
  });

  test('other digits are listed apart, as a change of the entry', () => {
    const diff = between(cost({ input: 0.19999999999999998 }), cost({ input: 0.2 }));
    expect(diff).toMatchObject({ price: [], digits: ['p/m'], changed: [{ key: 'p/m' }] });
  });

  test('no cost and a cost of 0 differ; no cost and an empty one do not', () => {
    expect(between({}, cost({ input: 0 })).price[0]?.fields).toEqual([
      { field: 'input', before: undefined, after: 0 },
    ]);
    expect(between({}, cost({}))).toMatchObject({ price: [], digits: [], changed: [{ key: 'p/m' }] });
  });

  test('modes that are experimental change the entry, not its price', () => {
    const modes = (input: number): Fields => ({ experimental: { modes: { fast: { cost: { input } } } } });
    expect(between(modes(1), modes(2))).toMatchObject({ price: [], changed: [{ key: 'p/m' }] });
  });

  const legacy = { input: 1, context_over_200k: { input: 2 } };
  test.each([
    ['beside the old block', { ...legacy, tiers: [tier(272_000, { input: 2 })] }, true],
    ['instead of it', { input: 1, tiers: [tier(200_000, { input: 2 })] }, true],
    ['at another price', { ...legacy, tiers: [tier(200_000, { input: 3 })] }, false],
    ['at a lower threshold', { ...legacy, tiers: [tier(128_000, { input: 2 })] }, false],
    [
      'with a second one',
      { ...legacy, tiers: [tier(200_000, { input: 2 }), tier(400_000, { input: 3 })] },
      false,
    ],
    ['with another base price', { ...legacy, input: 3, tiers: [tier(200_000, { input: 2 })] }, false],
    ['when the block leaves and nothing replaces it', { input: 1 }, false],
  ])('a tier %s', (_, tiered, restated) => {
    for (const [before, after] of [[legacy, tiered] as const, [tiered, legacy] as const]) {
      const diff = between(cost(before), cost(after));
      expect(diff.price).toHaveLength(1);
      expect(diff.restated).toEqual(restated ? ['p/m'] : []);
    }
  });
});

describe('models over months', () => {
  const history = (...months: Record<string, string>[]): Map<string, Map<string, string>> =>
    new Map(months.map((one, index) => [`2026-0${index + 1}-01`, new Map(Object.entries(one))]));

  test('a model is there while any entry of it is', () => {
    const diffs = modelDiff(
      history(
        { 'p/a': 'A', 'q/a': 'A', 'p/b': 'B' },
        { 'q/a': 'A', 'p/c': 'C' },
        { 'p/c': 'C' },
        { 'r/a': 'A' },
      ),
    );
    expect(diffs).toMatchObject([
      { models: 2, added: ['A', 'B'], delisted: [], relisted: [] },
      { models: 2, added: ['C'], delisted: ['B'], relisted: [] },
      { models: 1, added: [], delisted: ['A'], relisted: [] },
      { models: 1, added: [], delisted: ['C'], relisted: ['A'] },
    ]);
    expect(diffs.flatMap((one) => [...one.regroupedIn, ...one.regroupedOut])).toEqual([]);
  });

  test('an entry that comes to mean another model adds and delists none', () => {
    expect(modelDiff(history({ 'p/a': 'A' }, { 'p/a': 'B' }))[1]).toMatchObject({
      added: [],
      delisted: [],
      regroupedIn: ['B'],
      regroupedOut: ['A'],
    });
  });
});

describe.skipIf(!hasPayloads)('the recorded months of models.dev', () => {
  let months: Month[] = [];
  let diffs: MonthDiff[] = [];

  beforeAll(() => {
    months = readMonths(join(payloadsDir, 'modelsdev'));
    diffs = diffHistory(months);
  });

  test('are thirteen, and every key is the id of its entry', () => {
    const expected = [7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19].map((month) =>
      new Date(Date.UTC(2025, month - 1)).toISOString().slice(0, 7),
    );
    expect(months.map(({ date }) => date.slice(0, 7))).toEqual(expected);
    for (const { entries } of months)
      for (const [key, { id }] of entries) expect(key.slice(key.indexOf('/') + 1)).toBe(id);
  });

  test('grew from 15 providers and 181 entries to 147 and 5,276', () => {
    expect(diffs[0]).toMatchObject({ providers: 15, entries: 181, removed: [], changed: [] });
    expect(diffs[0]?.added).toHaveLength(181);
    expect(diffs.at(-1)).toMatchObject({ date: '2026-07-02', providers: 147, entries: 5276 });
  });

  test('add up, month by month', () => {
    for (const [index, { entries, added, removed, returned }] of diffs.entries()) {
      expect(entries).toBe((diffs[index - 1]?.entries ?? 0) + added.length - removed.length);
      expect(added).toEqual(expect.arrayContaining(returned));
    }
  });

  test('have these figures', () => {
    const figures = diffs.slice(1).map((one) => {
      const lists = [one.added, one.removed, one.returned, one.price, one.restated, one.digits];
      return [...lists, one.limits, one.status, one.changed].map(({ length }) => length).join(' ');
    });
    expect(figures).toEqual([
      '253 7 0 0 0 0 2 0 5',
      '207 1 0 58 0 0 3 0 60',
      '137 23 0 28 0 0 13 0 44',
      '268 10 0 18 0 0 4 7 30',
      '511 20 0 53 0 0 16 11 129',
      '579 146 0 28 0 0 14 20 1350',
      '547 104 2 62 0 1 91 2 1223',
      '806 124 0 51 0 0 56 4 257',
      '1232 178 5 104 0 0 159 12 357',
      '459 180 2 142 0 0 151 27 365',
      '933 353 18 290 78 0 135 16 456',
      '758 449 15 328 0 9 166 87 2931',
    ]);
    expect(countByField(diffs.at(-1)?.price ?? [])).toEqual({
      input: 245,
      output: 238,
      reasoning: 0,
      cache_read: 168,
      cache_write: 29,
      input_audio: 8,
      output_audio: 4,
      tiers: 11,
      context_over_200k: 10,
    });
  });
});
