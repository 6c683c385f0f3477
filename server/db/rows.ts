import { setImmediate } from 'node:timers/promises';
import { sql, type Kysely } from 'kysely';
import type { Tables } from './orm.ts';

/** Rows in one statement. SQLite runs each synchronously, so it bounds how long the event loop stands still. */
const BATCH = 200;

const columnNames = new Map<string, string>();

/** The column of a property: `firstSeenAt` is `first_seen_at`. */
function columnOf(property: string): string {
  let column = columnNames.get(property);
  if (column === undefined) {
    column = property.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
    columnNames.set(property, column);
  }
  return column;
}

function rowOf(properties: object): Record<string, unknown> {
  const row: Record<string, unknown> = {};
  for (const [property, value] of Object.entries(properties)) row[columnOf(property)] = value;
  return row;
}

function* batches<Item>(items: Item[]): Generator<Item[]> {
  for (let at = 0; at < items.length; at += BATCH) yield items.slice(at, at + BATCH);
}

/** Inserts rows, or replaces those with the same key. Keys must not repeat: Postgres refuses a batch that names a row twice. */
export async function upsertRows(
  db: Kysely<Tables>,
  table: keyof Tables,
  keys: string[],
  rows: object[],
): Promise<void> {
  const loose = db as unknown as Kysely<Record<string, Record<string, unknown>>>;
  for (const batch of batches(rows)) {
    const values = batch.map(rowOf);
    const columns = Object.keys(values[0] ?? {}).filter((column) => !keys.includes(column));
    await loose
      .insertInto(table)
      .values(values)
      .onConflict((conflict) =>
        conflict
          .columns(keys)
          .doUpdateSet(Object.fromEntries(columns.map((column) => [column, sql.ref(`excluded.${column}`)]))),
      )
      .execute();
    await setImmediate();
  }
}

/** Deletes rows by their keys. */
export async function deleteRows(
  db: Kysely<Tables>,
  table: keyof Tables,
  keys: string[],
  rows: object[],
): Promise<void> {
  const loose = db as unknown as Kysely<Record<string, Record<string, unknown>>>;
  for (const batch of batches(rows.map(rowOf))) {
    await loose
      .deleteFrom(table)
      .where(({ or, and, eb }) => or(batch.map((row) => and(keys.map((key) => eb(key, '=', row[key]))))))
      .execute();
    await setImmediate();
  }
}
