import type { Group } from './identity.ts';
import { recordKey, type Neighbourhood } from './neighbourhood.ts';
import { byText } from './order.ts';
import type { IdentityChangeRow, ModelKey } from './rows.ts';

/** What became of ids that were published before. */
export interface Became {
  /** Ids that are no model's any more, and the id of the model that took their records. */
  renamed: Map<string, string>;
  /** Of those, which went into a model that was published before. */
  merged: Set<string>;
  /** Ids that lost records to a model that is new, and that model. */
  split: { fromId: string; toId: string; records: string[] }[];
  /** Ids whose records are all gone. */
  delisted: string[];
}

/** Follows records from the models that they stood behind to those that they stand behind now. */
export function whatBecame(stored: ModelKey[], { members }: Neighbourhood, groups: Group[]): Became {
  const ids = new Set(groups.map(({ id }) => id));
  const before = new Map(stored.map((model) => [model.id, model]));
  const moves = new Map<string, Map<string, string[]>>();
  for (const { id, records } of groups) {
    for (const record of records) {
      const from = members.get(recordKey(record))?.formerly;
      if (from === undefined || from === null || from === id) continue;
      const to = moves.get(from) ?? new Map<string, string[]>();
      moves.set(from, to.set(id, [...(to.get(id) ?? []), `${record.source} ${record.id}`]));
    }
  }
  const became: Became = { renamed: new Map(), merged: new Set(), split: [], delisted: [] };
  for (const { id, delisted } of stored) {
    const to = [...(moves.get(id) ?? [])].toSorted((a, b) => b[1].length - a[1].length || byText(a[0], b[0]));
    const heir = to[0]?.[0];
    if (ids.has(id)) {
      for (const [toId, records] of to)
        if (!before.has(toId)) became.split.push({ fromId: id, toId, records });
    } else if (heir === undefined) {
      if (delisted === 0) became.delisted.push(id);
    } else {
      became.renamed.set(id, heir);
      if (before.has(heir)) became.merged.add(id);
      for (const [toId, records] of to.slice(1))
        if (!before.has(toId)) became.split.push({ fromId: id, toId, records });
    }
  }
  return became;
}

/** The changes of identity that are remembered. */
export function identityChanges({ renamed, merged, split }: Became, at: string): IdentityChangeRow[] {
  return [
    ...[...renamed].map(([fromId, toId]): IdentityChangeRow => {
      const kind = merged.has(fromId) ? 'merged' : 'renamed';
      const reason =
        kind === 'merged' ? 'its records were found to be of that model' : 'a better name is known';
      return { at, kind, fromId, toId, reason };
    }),
    ...split.map(({ fromId, toId, records }): IdentityChangeRow => {
      const named =
        records.length > 3
          ? `${records.slice(0, 3).join(', ')} and ${records.length - 3} more`
          : records.join(', ');
      return { at, kind: 'split', fromId, toId, reason: `found to be another model: ${named}` };
    }),
  ];
}
