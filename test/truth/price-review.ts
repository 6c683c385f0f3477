import type { Comparison, Disagreement } from './price-comparison.ts';
import reviewed from './price-disagreements.json' with { type: 'json' };

/**
 * Why two prices differ. theirs: the file is wrong or stale. upstream: our source is, and we publish what it states.
 * terms: both are right, on different terms of sale. ours: we misread or mismerge.
 */
export const VERDICTS = ['theirs', 'upstream', 'terms', 'ours'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Disagreements that were looked into, by reason; a row is `<file> <provider> <model> <field> <ours> <theirs>`. */
interface Review {
  class: Verdict;
  reason: string;
  rows: string[];
}

const REVIEWS = reviewed as Review[];

/** Disagreements joined with what was found out about them. */
export interface Reviewed {
  classed: { row: string; verdict: Verdict; reason: string }[];
  /** Disagreements that nobody has looked into. */
  unclassed: string[];
  /** Rows of the review that are no disagreement, or stand twice. */
  unneeded: string[];
}

/** A disagreement as a row of the review. */
export function rowOf({ file, provider, modelId, field, ours, theirs }: Disagreement): string {
  return [file, provider, modelId, field, ours, theirs].join(' ');
}

/** Joins the disagreements of all files with the review. */
export function reviewPrices(comparisons: Comparison[]): Reviewed {
  const rows = comparisons.flatMap(({ disagreements }) => disagreements.map(rowOf));
  const entries = REVIEWS.flatMap(({ class: verdict, reason, rows }) =>
    rows.map((row) => ({ row, verdict, reason })),
  );
  const found = new Set(rows);
  const known = new Set(entries.map(({ row }) => row));
  return {
    classed: entries.filter(({ row }) => found.has(row)),
    unclassed: rows.filter((row) => !known.has(row)),
    unneeded: entries
      .filter(({ row }, index) => !found.has(row) || entries.findIndex((entry) => entry.row === row) < index)
      .map(({ row }) => row),
  };
}
