import { describe, expect, test } from 'vitest';
import { groupRecords, offerKey } from '../../sync/identity.ts';
import { allJudgements, entryOf, judged, recordedRecords, score } from '../support/judgements.ts';
import { hasPayloads } from '../support/payloads.ts';

/** The least share of the pairs of a set that must be found. */
const LEAST = 0.97;

describe.skipIf(!hasPayloads)('identity on the recorded set of 2026-07-02', () => {
  const places = new Map<string, string>();
  const records = hasPayloads ? recordedRecords() : [];
  for (const { id, records: own } of groupRecords(records))
    for (const record of own) places.set(entryOf(record), id);

  test('every record stands behind one model', () => {
    const groups = groupRecords(records);
    const placed = groups.flatMap(({ records: own }) => own);
    expect(placed).toHaveLength(records.length);
    expect(new Set(placed).size).toBe(records.length);
    for (const { records: own, matches } of groups) expect(matches).toHaveLength(own.length);
  });

  test('every offer is of one model, whoever states it', () => {
    const models = new Map<string, string>();
    for (const { id, records: own } of groupRecords(records)) {
      for (const key of own.map(offerKey).filter((found) => found !== null)) {
        expect(models.get(key) ?? id, key).toBe(id);
        models.set(key, id);
      }
    }
  });

  test.each(hasPayloads ? allJudgements() : [])('finds the groups judged in $name', (judgements) => {
    const entries = judgements.groups.flatMap(({ members }) => members);
    expect(entries.filter((entry) => !places.has(judged(entry)))).toEqual([]);
    const { pairs, found, merged, openMerged, misses } = score(judgements, (entry) => places.get(entry));
    expect(found / pairs, misses.join('; ')).toBeGreaterThanOrEqual(LEAST);
    expect(merged).toBe(0);
    if (judgements.name === 'gold') expect(openMerged).toBe(0);
  });
});
