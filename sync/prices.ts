import { PRICE_NAMES, type PriceName } from '../contracts/offers.ts';
import type { NanoPrices, NanoPricing, NanoTier } from './record.ts';
import { nanoFromDecimal, noPrices } from './units.ts';

/** A price as a source states it, in USD; `shift` moves its point: 6 from a token to 1,000,000, 0 otherwise. */
export interface StatedPrice {
  name: PriceName;
  value: unknown;
  shift: number;
}

/** What a source states about the price of an offer. */
export interface StatedPricing {
  prices: StatedPrice[];
  tiers: {
    aboveInputTokens: number | null;
    utcDays: string[] | null;
    utcStart: string | null;
    utcEnd: string | null;
    prices: StatedPrice[];
  }[];
  discount: number | null;
}

/** 10,000 USD, in nano-dollars: what is above was stated in another unit. */
const MAX_PRICE = 10_000 * 1e9;

/**
 * Turns stated prices into a price set. A negative price makes all of it `dynamic`, one above 10,000 USD is left out.
 * Nothing but zeros is `free` where the offer is marked so, and unknown otherwise (subscriptions, trials, models billed in
 * units that are not stated).
 */
export function pricingOf(
  { prices: stated, tiers, discount }: StatedPricing,
  markedFree: boolean,
): NanoPricing {
  const everyPrice = [...stated, ...tiers.flatMap((tier) => tier.prices)];
  if (everyPrice.some(isNegative)) return { ...unknownPricing(), status: 'dynamic' };

  const prices = readPrices(stated);
  const readTiers: NanoTier[] = tiers
    .map((tier) => ({ ...tier, prices: readPrices(tier.prices) }))
    .filter((tier) => Object.values(tier.prices).some((price) => price !== null));
  // Web search is an extra on top of any model, so its price tells nothing about the model's.
  const charges = [prices, ...readTiers.map((tier) => tier.prices)].flatMap((set) =>
    PRICE_NAMES.filter((name) => name !== 'perSearch')
      .map((name) => set[name])
      .filter((price) => price !== null),
  );
  if (charges.some((price) => price > 0)) return { status: 'known', prices, discount, tiers: readTiers };
  if (charges.length > 0 && markedFree && !everyPrice.some(isTooHigh))
    return { status: 'free', prices, discount, tiers: readTiers };
  return { ...unknownPricing(), prices: { ...noPrices(), perSearch: prices.perSearch } };
}

/** Whether an offer says in its id or its name that it is free of charge. */
export function isMarkedFree(id: string, name: string): boolean {
  return /[:/-]free$/i.test(id) || /\(free\)/i.test(name);
}

/** A price set about which nothing is known. */
export function unknownPricing(): NanoPricing {
  return { status: 'unknown', prices: noPrices(), discount: null, tiers: [] };
}

function isNegative({ value }: StatedPrice): boolean {
  return isDecimal(value) && Number(value) < 0;
}

function isTooHigh({ value, shift }: StatedPrice): boolean {
  return isDecimal(value) && Number(value) * 10 ** shift > MAX_PRICE / 1e9;
}

function readPrices(stated: StatedPrice[]): NanoPrices {
  const prices = noPrices();
  for (const { name, value, shift } of stated) {
    const nano = isDecimal(value) ? nanoFromDecimal(value, shift) : null;
    prices[name] = nano !== null && nano <= MAX_PRICE ? nano : null;
  }
  return prices;
}

function isDecimal(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}
