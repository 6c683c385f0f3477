import type { Kysely } from 'kysely';
import type { Tables } from './orm.ts';

/** An item as its source gave it, as JSON text, and when it was last seen to change. */
export interface StoredItem {
  source: string;
  id: string;
  raw: string;
  observedAt: string;
}

const items = (db: Kysely<Tables>) =>
  db.selectFrom('records').select(['source', 'id', 'raw', 'updated_at as observedAt']);

/** The items that stand behind one model. */
export function itemsOfModel(db: Kysely<Tables>, modelId: string): Promise<StoredItem[]> {
  return items(db).where('model_id', '=', modelId).execute();
}

/** Some items, by source and id; those that are not held are left out. */
export async function itemsById(
  db: Kysely<Tables>,
  keys: { source: string; id: string }[],
): Promise<StoredItem[]> {
  const found: StoredItem[] = [];
  for (const [source, own] of Map.groupBy(keys, ({ source }) => source)) {
    const ids = [...new Set(own.map(({ id }) => id))];
    found.push(...(await items(db).where('source', '=', source).where('id', 'in', ids).execute()));
  }
  return found;
}
