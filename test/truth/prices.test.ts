import { beforeAll, describe, expect, test } from 'vitest';
import type { Offer } from '../../contracts/offers.ts';
import { hasPayloads } from '../support/payloads.ts';
import { compareAllPrices, type Comparison } from './price-comparison.ts';
import { reviewPrices, type Reviewed } from './price-review.ts';
import { publishedOffers } from './published-offers.ts';
import { corruptedPrices } from './upstream-prices.ts';

describe.skipIf(!hasPayloads)('prices of the recorded set of 2026-07-02', () => {
  let offers: Offer[] = [];
  let comparisons: Comparison[] = [];
  let reviewed: Reviewed;

  beforeAll(async () => {
    offers = await publishedOffers();
    comparisons = compareAllPrices(offers);
    reviewed = reviewPrices(comparisons);
  });

  test('are what their source states', () => {
    expect(corruptedPrices(offers)).toEqual([]);
  });

  test('are compared with hundreds of entries of each independent file', () => {
    const stated = Object.fromEntries(comparisons.map(({ file, both }) => [file, both.stated]));
    expect(stated).toEqual({ litellm: 789, 'genai-prices': 549 });
  });

  test('differ from those of independent files only where somebody has found out why', () => {
    expect(reviewed.unclassed).toEqual([]);
  });

  test('differ from those of independent files nowhere by our own mistake', () => {
    expect(reviewed.classed.filter(({ verdict }) => verdict === 'ours')).toEqual([]);
  });

  test('are explained only where they differ', () => {
    expect(reviewed.unneeded).toEqual([]);
  });
});
