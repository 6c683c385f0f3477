import { expect, test } from 'vitest';
import { BUNDLED } from '../../../sync/sources/index.ts';
import { knownPrices, parseAll, serve } from './served.ts';

const { upstream, requests } = serve(BUNDLED, {});

test('the bundled copy is read without a request, and says of when it is', async () => {
  const fetched = await BUNDLED.fetch(upstream);
  expect(requests).toEqual([]);
  expect(fetched).toMatchObject({ notModified: false, asOf: '2025-09-11' });
  const { items, records, rejections, providers } = parseAll(BUNDLED, fetched);
  expect([items.length, records.length, rejections]).toEqual([687, 687, []]);
  expect(providers).toHaveLength(47);
  expect(new Set(records.map(({ source, type }) => `${source} ${type}`))).toEqual(new Set(['bundled offer']));
});

test('an offer of the bundled copy has prices per 1,000,000 tokens', async () => {
  const { records } = parseAll(BUNDLED, await BUNDLED.fetch(upstream));
  const offer = records.find(({ id }) => id === 'alibaba/qwen3-coder-plus')?.offer;
  expect(knownPrices(offer?.pricing.prices)).toEqual({ input: 1_000_000_000, output: 5_000_000_000 });
});
