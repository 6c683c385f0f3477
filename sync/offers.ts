import type { SourceRef } from '../contracts/common.ts';
import { PRICE_NAMES, type Offer, type Prices, type Pricing } from '../contracts/offers.ts';
import type { NanoPrices, NanoPricing, SourceRecord } from './record.ts';
import { offerKey } from './identity.ts';
import { publishedLifecycle } from './lifecycle.ts';
import { byText, unique } from './order.ts';
import { usdFromNano } from './units.ts';

function publishedPrices(prices: NanoPrices): Prices {
  return Object.fromEntries(
    PRICE_NAMES.map((name) => {
      const nano = prices[name];
      return [name, nano === null ? null : usdFromNano(nano)];
    }),
  ) as Prices;
}

/** Prices as they are published: USD per 1,000,000 tokens or each. */
export function publishedPricing({ status, prices, discount, tiers }: NanoPricing): Pricing {
  return {
    status,
    ...publishedPrices(prices),
    discount,
    tiers: tiers.map(({ aboveInputTokens, utcDays, utcStart, utcEnd, prices: tierPrices }) => ({
      aboveInputTokens,
      utcDays,
      utcStart,
      utcEnd,
      ...publishedPrices(tierPrices),
    })),
  };
}

/** An offer with the prices it was merged from. */
export interface PricedOffer {
  offer: Offer;
  pricing: NanoPricing;
}

/**
 * Offers sold on other terms than the plain one: batch, free tiers, and the like. They never set the reference price
 * while a plain offer does.
 */
function hasSpecialTerms({ offer }: PricedOffer): boolean {
  return /:[a-z]+$/.test(offer.providerModelId);
}

const STATUS_ORDER = ['known', 'free', 'dynamic', 'unknown'];

function cheaper(a: number | null, b: number | null): number {
  if (a === b) return 0;
  if (a === null) return 1;
  if (b === null) return -1;
  return a - b;
}

/**
 * The offer whose prices are a model's headline: the creator's own (its providers in the order given), else the cheapest
 * known by input price, then output price, then provider and id. An offer without a price is taken only where none has one.
 */
export function referenceOffer(offers: PricedOffer[], ownProviders: string[]): PricedOffer | undefined {
  const rank = (priced: PricedOffer): number => {
    const own = ownProviders.indexOf(priced.offer.provider);
    return own === -1 ? ownProviders.length : own;
  };
  return offers.toSorted(
    (a, b) =>
      STATUS_ORDER.indexOf(a.pricing.status) - STATUS_ORDER.indexOf(b.pricing.status) ||
      Number(hasSpecialTerms(a)) - Number(hasSpecialTerms(b)) ||
      rank(a) - rank(b) ||
      cheaper(a.pricing.prices.input, b.pricing.prices.input) ||
      cheaper(a.pricing.prices.output, b.pricing.prices.output) ||
      byText(a.offer.provider, b.offer.provider) ||
      byText(a.offer.providerModelId, b.offer.providerModelId),
  )[0];
}

/** The record that states an offer best: the provider's own catalogue before any other source. */
export function bestStatement(records: SourceRecord[]): SourceRecord | undefined {
  const rank = ({ source, offer }: SourceRecord) =>
    source === offer?.provider ? 0 : source === 'bundled' ? 2 : 1;
  return records.toSorted((a, b) => rank(a) - rank(b) || byText(a.source, b.source))[0];
}

/** What merging offers takes beside the records. */
export interface OfferContext {
  /** Dates of the sources that are dated copies. */
  asOf: ReadonlyMap<string, string | null>;
  today: string;
  /** Finds the id of the model that a source names as what replaces an offer. */
  successorOf: (named: string | null) => string | null;
}

/** Every offer that records state, once, as its best statement has it; by provider and id. */
export function mergeOffers(
  records: SourceRecord[],
  { asOf, today, successorOf }: OfferContext,
): PricedOffer[] {
  const statements = new Map<string, SourceRecord[]>();
  for (const record of records) {
    if (record.offer === null) continue;
    const key = offerKey(record) ?? '';
    const list = statements.get(key);
    if (list === undefined) statements.set(key, [record]);
    else list.push(record);
  }
  const offers: PricedOffer[] = [];
  for (const list of statements.values()) {
    const best = bestStatement(list);
    if (!best?.offer) continue;
    const { provider, providerModelId, pricing, lifecycle: end, ...stated } = best.offer;
    const others = list.map(({ source }) => source).filter((source) => source !== best.source);
    const offer: Offer = {
      provider,
      providerModelId,
      name: best.facts.name,
      pricing: publishedPricing(pricing),
      modes: stated.modes.map((mode) => ({ ...mode, pricing: publishedPricing(mode.pricing) })),
      limits: stated.limits,
      parameters: unique(stated.parameters),
      defaultParameters: stated.defaultParameters,
      voices: stated.voices,
      moderated: stated.moderated,
      apiUrl: stated.apiUrl,
      npmPackage: stated.npmPackage,
      apiShape: stated.apiShape,
      listedAt: stated.listedAt,
      stage: stated.stage,
      lifecycle: publishedLifecycle(
        end && { end, source: best.source, successor: successorOf(end.successor) },
        today,
      ),
      sources: sourceRefs([best.source, ...unique(others)], asOf),
    };
    offers.push({ offer, pricing });
  }
  return offers.toSorted(
    (a, b) =>
      byText(a.offer.provider, b.offer.provider) || byText(a.offer.providerModelId, b.offer.providerModelId),
  );
}

/** Sources with the dates of those that are dated copies. */
export function sourceRefs(ids: string[], asOf: ReadonlyMap<string, string | null>): SourceRef[] {
  return ids.map((id) => ({ id, asOf: asOf.get(id) ?? null }));
}
