import { describe, expect, test } from 'vitest';
import type { PriceName } from '../../contracts/offers.ts';
import { pricingOf } from '../../sync/prices.ts';
import { knownPrices } from './sources/served.ts';

/** What becomes of prices in USD per 1,000,000 tokens. */
function priced(stated: Partial<Record<PriceName, unknown>>, markedFree = false) {
  const prices = Object.entries(stated).map(([name, value]) => ({
    name: name as PriceName,
    value,
    shift: 0,
  }));
  const { status, prices: read } = pricingOf({ prices, tiers: [], discount: null }, markedFree);
  return { status, ...knownPrices(read) };
}

describe('a price', () => {
  test.each([
    ['of 10,000 USD is the highest', { input: 10_000 }, { status: 'known', input: 1e13 }],
    ['above is left out', { input: '10000.000000001', output: 2 }, { status: 'known', output: 2e9 }],
    ['a millionfold is left out, and nothing is known', { input: 2_500_000 }, { status: 'unknown' }],
    ['past every integer is left out', { input: '1e300', output: 1 }, { status: 'known', output: 1e9 }],
    ['below zero makes all of them dynamic', { input: -1, output: 2 }, { status: 'dynamic' }],
    ['of minus infinity does so too', { input: '-Infinity' }, { status: 'dynamic' }],
    ['of 1e-30 is none', { input: 1e-30 }, { status: 'unknown' }],
    ['of 0 alone is unknown', { input: 0 }, { status: 'unknown' }],
    ['that is no number is unknown', { input: 'free', output: '', cacheRead: null }, { status: 'unknown' }],
    ['that is no number at all is unknown', { input: Number.NaN, output: [1] }, { status: 'unknown' }],
  ])('%s', (_, stated, expected) => {
    expect(priced(stated)).toEqual(expected);
  });

  test('that was left out as too high does not make an offer free', () => {
    expect(priced({ input: 0, output: 0 }, true)).toEqual({ status: 'free', input: 0, output: 0 });
    expect(priced({ input: 0, output: 1e6 }, true)).toEqual({ status: 'unknown' });
  });

  test('of a token is too high where a million of them is', () => {
    const dear = { name: 'input' as const, value: '0.0100001', shift: 6 };
    const sound = { name: 'output' as const, value: '0.01', shift: 6 };
    const { prices } = pricingOf({ prices: [dear, sound], tiers: [], discount: null }, false);
    expect(knownPrices(prices)).toEqual({ output: 1e13 });
  });

  test('of a tier that is too high leaves nothing of the tier', () => {
    const tier = { aboveInputTokens: 1, utcDays: null, utcStart: null, utcEnd: null };
    const prices = [{ name: 'input' as const, value: 1, shift: 0 }];
    const dear = [{ name: 'input' as const, value: 1e6, shift: 0 }];
    const { tiers } = pricingOf({ prices, tiers: [{ ...tier, prices: dear }], discount: null }, false);
    expect(tiers).toEqual([]);
  });
});
