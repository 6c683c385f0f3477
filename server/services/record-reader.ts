import type { Transaction } from 'kysely';
import type { SourceRecord } from '../../sync/record.ts';
import type { KnownRecord } from '../../sync/resolve.ts';
import { readStored } from '../../sync/provenance.ts';
import type { SourceDefinition } from '../../sync/source.ts';
import { itemsById } from '../db/items.ts';
import type { NeighbourKey } from '../db/neighbours.ts';
import type { Tables } from '../db/orm.ts';

/** Reading an item costs far more than placing it: the last ones are kept, some kilobytes each. */
const MAX_KEPT = 5_000;

/** Reads stored records; those that can no longer be read are left out. */
export type RecordReader = (db: Transaction<Tables>, keys: NeighbourKey[]) => Promise<KnownRecord[]>;

/** Makes a reader that keeps what it read for as long as the record does not change. */
export function createRecordReader(sources: SourceDefinition[]): RecordReader {
  const kept = new Map<string, SourceRecord | null>();
  const keyOf = ({ source, id, hash }: NeighbourKey) => `${source}\n${id}\n${hash}`;
  return async (db, keys) => {
    const missing = keys.filter((key) => !kept.has(keyOf(key)));
    const items = await itemsById(db, missing);
    const read = new Map(
      items.map((item) => [`${item.source}\n${item.id}`, readStored(sources, item)?.record ?? null]),
    );
    const known: KnownRecord[] = [];
    for (const key of keys) {
      const name = keyOf(key);
      const record = kept.get(name) ?? read.get(`${key.source}\n${key.id}`) ?? null;
      // The last used stand last.
      kept.delete(name);
      kept.set(name, record);
      if (record !== null) known.push({ record, modelId: key.modelId });
    }
    for (const name of kept.keys()) {
      if (kept.size <= MAX_KEPT) break;
      kept.delete(name);
    }
    return known;
  };
}
