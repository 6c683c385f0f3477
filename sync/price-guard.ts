import { PRICE_NAMES } from '../contracts/offers.ts';
import type { NanoPrices, SourceRecord } from './record.ts';

/** A price that moves by this much waits until a second fetch agrees. */
const JUMP = 100;
/** A source whose prices move by this much, in the middle, is in other units. */
const SHIFT = 1_000;
/** Fewer prices than this say nothing about a source. */
const FEWEST = 3;

/** By how much prices have moved; free and unknown ones say nothing. */
function ratios(before: Partial<NanoPrices> | undefined, now: Partial<NanoPrices> | undefined): number[] {
  if (before === undefined || now === undefined) return [];
  return PRICE_NAMES.flatMap((name) => {
    const [from, to] = [before[name] ?? 0, now[name] ?? 0];
    return from > 0 && to > 0 ? [to / from] : [];
  });
}

/** The prices of an entry by when they hold: base prices, tiers by their condition, and those of modes. */
function pricesOf({ offer }: SourceRecord): Map<string, Partial<NanoPrices>> {
  const prices = new Map<string, Partial<NanoPrices>>();
  for (const [mode, pricing] of [
    ['', offer?.pricing] as const,
    ...(offer?.modes ?? []).map(({ name, pricing }) => [name, pricing] as const),
  ]) {
    if (pricing === undefined) continue;
    prices.set(mode, pricing.prices);
    for (const { prices: own, ...condition } of pricing.tiers)
      prices.set(`${mode} ${JSON.stringify(condition)}`, own);
  }
  return prices;
}

/** Whether some price jumped so far that one fetch alone is not believed. */
export function jumps(before: SourceRecord, now: SourceRecord): boolean {
  const [old, next] = [pricesOf(before), pricesOf(now)];
  return [...old].some(([when, prices]) =>
    ratios(prices, next.get(when)).some((ratio) => ratio >= JUMP || ratio <= 1 / JUMP),
  );
}

/** Whether two readings state the same prices. */
export function agree(one: SourceRecord, other: SourceRecord): boolean {
  const [text, otherText] = [one, other].map((record) => JSON.stringify([...pricesOf(record)]));
  return text === otherText;
}

/** By how much all prices of a source have moved, in the middle; `unchanged` entries have not. Null: by less than units are apart. */
export function shiftOf(
  changed: { before: SourceRecord; now: SourceRecord }[],
  unchanged: number,
): number | null {
  const moved = changed.flatMap(({ before, now }) =>
    ratios(before.offer?.pricing.prices, now.offer?.pricing.prices).slice(0, 1),
  );
  if (moved.length < FEWEST || moved.length <= unchanged) return null;
  const all = [...moved, ...Array<number>(unchanged).fill(1)].toSorted((a, b) => a - b);
  const middle = all[Math.floor(all.length / 2)] ?? 1;
  return middle >= SHIFT || middle <= 1 / SHIFT ? middle : null;
}
