import type { Transaction } from 'kysely';
import { describe, type Description } from '../../sync/identity/describe.ts';
import type { KnownRecord } from '../../sync/resolve.ts';
import { readStored } from '../../sync/provenance.ts';
import type { SourceDefinition } from '../../sync/source.ts';
import { itemsById } from '../db/items.ts';
import type { NeighbourKey } from '../db/neighbours.ts';
import type { Tables } from '../db/orm.ts';

/** Reading an item costs far more than placing it: the last ones are kept, some kilobytes each. */
const MAX_KEPT = 5_000;

/** Reads stored records as the rules see them. */
export type DescriptionReader = (db: Transaction<Tables>, keys: NeighbourKey[]) => Promise<KnownRecord[]>;

/** Makes a reader that keeps what it read for as long as the record does not change. */
export function createDescriptionReader(sources: SourceDefinition[]): DescriptionReader {
  const kept = new Map<string, Description | null>();
  const keyOf = ({ source, id, hash }: NeighbourKey) => `${source}\n${id}\n${hash}`;
  return async (db, keys) => {
    const missing = keys.filter((key) => !kept.has(keyOf(key)));
    const items = await itemsById(db, missing);
    const read = new Map(
      items.map((item) => {
        const stored = readStored(sources, item);
        return [`${item.source}\n${item.id}`, stored === null ? null : describe(stored.record)] as const;
      }),
    );
    const known: KnownRecord[] = [];
    for (const key of keys) {
      const name = keyOf(key);
      const description = kept.get(name) ?? read.get(`${key.source}\n${key.id}`) ?? null;
      kept.delete(name);
      kept.set(name, description);
      if (description !== null) known.push({ description, modelId: key.modelId });
    }
    for (const name of kept.keys()) {
      if (kept.size <= MAX_KEPT) break;
      kept.delete(name);
    }
    return known;
  };
}
