import { ANSWER_BUCKETS } from './metrics.ts';

/** Adds up counts by bucket. */
export function addCounts(all: number[][]): number[] {
  return [...ANSWER_BUCKETS, Infinity].map((_, index) =>
    all.reduce((sum, counts) => sum + (counts[index] ?? 0), 0),
  );
}

/**
 * Estimates a quantile in milliseconds from counts by bucket, as Prometheus does: evenly within a bucket, and the last bound
 * for what is beyond it. Null: nothing was counted.
 */
export function quantileMs(counts: number[], quantile: number): number | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return null;
  const rank = quantile * total;
  let below = 0;
  for (const [index, upper] of ANSWER_BUCKETS.entries()) {
    const count = counts[index] ?? 0;
    if (count > 0 && below + count >= rank) {
      const lower = ANSWER_BUCKETS[index - 1] ?? 0;
      return 1_000 * (lower + ((upper - lower) * (rank - below)) / count);
    }
    below += count;
  }
  return 1_000 * (ANSWER_BUCKETS.at(-1) ?? 0);
}
