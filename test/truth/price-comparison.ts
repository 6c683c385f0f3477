import type { Offer } from '../../contracts/offers.ts';
import { nanoFromDecimal, usdFromNano } from '../../sync/units.ts';
import { FIELDS, PRICE_FILES, type Field, type PriceFile, type TheirEntry } from './price-files.ts';

/** A price that we and a price file state differently, in USD per 1,000,000 tokens. */
export interface Disagreement {
  file: string;
  provider: string;
  modelId: string;
  field: Field;
  ours: number;
  theirs: number;
}

/** What comparing a price file with our offers came to. */
export interface Comparison {
  file: string;
  entries: number;
  /** Entries whose provider the catalogue has. */
  comparable: number;
  /** Our offers that it has an entry for. */
  matched: number;
  /** Of those, by field: how many both sides have a price for, and how many of these are equal. */
  fields: Record<Field, { stated: number; equal: number }>;
  /** Matched offers for which both sides state both prices, and those of which both are equal. */
  both: { stated: number; equal: number };
  disagreements: Disagreement[];
}

const offerKey = (provider: string, modelId: string) => `${provider} ${modelId}`;

/** Compares the base prices of the offers with those of a price file, to a nano-dollar. */
export function comparePrices(offers: Offer[], file: PriceFile): Comparison {
  const entries = file.read();
  const theirs = new Map<string, TheirEntry>();
  for (const entry of entries) {
    const keys = entry.providers.flatMap((provider) => entry.modelIds.map((id) => offerKey(provider, id)));
    for (const key of keys) if (!theirs.has(key)) theirs.set(key, entry);
  }
  const result: Comparison = {
    file: file.name,
    entries: entries.length,
    comparable: entries.filter(({ providers }) => providers.length > 0).length,
    matched: 0,
    fields: { input: { stated: 0, equal: 0 }, output: { stated: 0, equal: 0 } },
    both: { stated: 0, equal: 0 },
    disagreements: [],
  };
  for (const { provider, providerModelId: modelId, pricing } of offers) {
    const entry = theirs.get(offerKey(provider, modelId.toLowerCase()));
    if (entry === undefined) continue;
    result.matched++;
    const verdicts = FIELDS.map((field) => {
      const price = pricing[field];
      const other = entry[field];
      if (price === null || other === null) return null;
      result.fields[field].stated++;
      const isEqual = nanoFromDecimal(price, 0) === other;
      if (isEqual) result.fields[field].equal++;
      else {
        const sides = { ours: price, theirs: usdFromNano(other) };
        result.disagreements.push({ file: file.name, provider, modelId, field, ...sides });
      }
      return isEqual;
    });
    if (verdicts.includes(null)) continue;
    result.both.stated++;
    if (verdicts.every(Boolean)) result.both.equal++;
  }
  return result;
}

/** Compares the offers with every price file. */
export function compareAllPrices(offers: Offer[]): Comparison[] {
  return PRICE_FILES.map((file) => comparePrices(offers, file));
}
