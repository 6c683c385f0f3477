import { groupRecords, type Match } from './identity.ts';
import { describe } from './identity/describe.ts';
import { unique } from './order.ts';
import type { Reading } from './readings.ts';
import type { SourceRecord } from './record.ts';

/** A stored record, and the model that it stands behind. */
export interface KnownRecord {
  record: SourceRecord;
  modelId: string;
}

/** Where a reading of a name falls: the models whose records it would join, mostly one, and why. Empty: it stands alone. */
export interface Fall {
  modelIds: string[];
  match: Match;
}

/** Places a reading among the records that bear upon it, by the rules that the catalogue is made with. */
export function placeAmong({ record, notes }: Reading, known: KnownRecord[]): Fall {
  const models = new Map(known.map((one) => [one.record, one.modelId]));
  const groups = groupRecords([...models.keys(), record], (one) => models.get(one) ?? null);
  const group = groups.find(({ records }) => records.includes(record));
  const modelIds = unique(
    (group?.records ?? []).map((one) => models.get(one)).filter((id) => id !== undefined),
  );
  const set = notes.map(({ evidence }) => evidence);
  const match = group?.matches[group.records.indexOf(record)];
  if (match !== undefined && match.kind !== 'exact')
    return { modelIds, match: { ...match, evidence: [...set, ...match.evidence] } };
  const [
    note = { rule: 'spelling', evidence: `${describe(record).name} is the same name in another spelling` },
  ] = notes;
  const evidence = set.length > 0 ? set : [note.evidence];
  return { modelIds, match: { kind: 'rule', rule: note.rule, evidence } };
}
