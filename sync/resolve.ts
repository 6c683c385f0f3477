import { matchOf, type Match } from './identity.ts';
import { describe, type Description } from './identity/describe.ts';
import { placeDescriptions } from './identity/place.ts';
import { unique } from './order.ts';
import type { Reading } from './readings.ts';

/** A stored record as the rules read it, and the model that it stands behind. */
export interface KnownRecord {
  description: Description;
  modelId: string;
}

/** Where a reading of a name falls: the models whose records it would join, mostly one, and why. Empty: it stands alone. */
export interface Fall {
  modelIds: string[];
  match: Match;
}

/** Placing changes descriptions as it goes. */
const copyOf = (description: Description): Description => ({
  ...description,
  notes: [...description.notes],
});

/** Places a reading among the records that bear upon it, by the rules that the catalogue is made with. */
export function placeAmong({ record, notes }: Reading, known: KnownRecord[]): Fall {
  const models = new Map(known.map(({ description, modelId }) => [description.record, modelId]));
  const own = describe(record);
  const placed = placeDescriptions([...known.map(({ description }) => copyOf(description)), own]).find(
    ({ members }) => members.some((member) => member.record === record),
  );
  const modelIds = unique(
    (placed?.members ?? []).map((member) => models.get(member.record)).filter((id) => id !== undefined),
  );
  const member = placed?.members.find((found) => found.record === record) ?? own;
  const found = placed === undefined ? null : matchOf(member, placed, modelIds[0] ?? '');
  if (found === null || found.kind === 'exact') {
    const evidence = `${own.name} is the same name but for case and punctuation`;
    return {
      modelIds,
      match: {
        kind: 'rule',
        rule: notes[0]?.rule ?? 'spelling',
        evidence: notes.length > 0 ? told(notes) : [evidence],
      },
    };
  }
  return { modelIds, match: { ...found, evidence: [...told(notes), ...found.evidence] } };
}

const told = (notes: Reading['notes']) => notes.map(({ evidence }) => evidence);
