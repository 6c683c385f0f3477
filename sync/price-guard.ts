import { PRICE_NAMES } from '../contracts/offers.ts';
import type { SourceRecord } from './record.ts';

/** A price that moves by this much waits until a second fetch agrees. */
const JUMP = 100;
/** A source whose prices move by this much, in the middle, is in other units. */
const SHIFT = 1_000;
/** Fewer prices than this say nothing about a source. */
const FEWEST = 3;

/** By how much the prices that an entry stated before and states now have moved; free and unknown ones say nothing. */
function ratios(before: SourceRecord, now: SourceRecord): number[] {
  const [old, next] = [before.offer?.pricing.prices, now.offer?.pricing.prices];
  if (old === undefined || next === undefined) return [];
  return PRICE_NAMES.flatMap((name) => {
    const [from, to] = [old[name] ?? 0, next[name] ?? 0];
    return from > 0 && to > 0 ? [to / from] : [];
  });
}

/** Whether some price jumped so far that one fetch alone is not believed. */
export function jumps(before: SourceRecord, now: SourceRecord): boolean {
  return ratios(before, now).some((ratio) => ratio >= JUMP || ratio <= 1 / JUMP);
}

/** Whether two readings state the same prices. */
export function agree(one: SourceRecord, other: SourceRecord): boolean {
  return JSON.stringify(one.offer?.pricing) === JSON.stringify(other.offer?.pricing);
}

/** By how much all prices of a source have moved, in the middle; `unchanged` entries have not. Null: by less than units are apart. */
export function shiftOf(
  changed: { before: SourceRecord; now: SourceRecord }[],
  unchanged: number,
): number | null {
  const moved = changed.flatMap(({ before, now }) => ratios(before, now).slice(0, 1));
  if (moved.length < FEWEST || moved.length <= unchanged) return null;
  const all = [...moved, ...Array<number>(unchanged).fill(1)].toSorted((a, b) => a - b);
  const middle = all[Math.floor(all.length / 2)] ?? 1;
  return middle >= SHIFT || middle <= 1 / SHIFT ? middle : null;
}
