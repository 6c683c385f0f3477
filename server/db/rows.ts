import { setImmediate } from 'node:timers/promises';
import { CompiledQuery, sql, type Kysely } from 'kysely';
import type { Tables } from './orm.ts';

/** Tables whose names and columns are known at run time only. */
type LooseTables = Kysely<Record<string, Record<string, unknown>>>;

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

/** A 64-bit integer: Postgres answers with them as text. */
export const integer = (value: unknown): number => Number(value);

/** Values in one query. */
const VALUES = 500;

/** Reads rows by many values, some hundred at a time. */
export async function inBatches<Value, Row>(
  values: Value[],
  read: (batch: Value[]) => Promise<Row[]>,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (let at = 0; at < values.length; at += VALUES)
    rows.push(...(await read(values.slice(at, at + VALUES))));
  return rows;
}

/** Inserts rows, or replaces those with the same key. Keys must not repeat: Postgres refuses a batch that names a row twice. */
export async function upsertRows(
  db: Kysely<Tables>,
  table: keyof Tables,
  keys: string[],
  rows: object[],
): Promise<void> {
  const properties = Object.keys(rows[0] ?? {});
  const columns = properties.map(columnOf);
  // Full batches share one statement: building it anew each time would cost a tenth of a first sync.
  const statements = new Map<number, string>();
  for (const batch of batches(rows)) {
    const values = batch as Record<string, unknown>[];
    const statement = statements.get(batch.length) ?? upsertStatement(db, table, keys, columns, batch.length);
    statements.set(batch.length, statement);
    const parameters = values.flatMap((row) => properties.map((property) => row[property]));
    await db.executeQuery(CompiledQuery.raw(statement, parameters));
    await setImmediate();
  }
}

function upsertStatement(
  db: Kysely<Tables>,
  table: keyof Tables,
  keys: string[],
  columns: string[],
  count: number,
): string {
  const row = Object.fromEntries(columns.map((column) => [column, 0]));
  const others = columns.filter((column) => !keys.includes(column));
  return (db as unknown as LooseTables)
    .insertInto(table)
    .values(Array.from({ length: count }, () => row))
    .onConflict((conflict) =>
      others.length === 0
        ? conflict.columns(keys).doNothing()
        : conflict
            .columns(keys)
            .doUpdateSet(Object.fromEntries(others.map((column) => [column, sql.ref(`excluded.${column}`)]))),
    )
    .compile().sql;
}

/** Deletes rows by their keys. */
export async function deleteRows(
  db: Kysely<Tables>,
  table: keyof Tables,
  keys: string[],
  rows: object[],
): Promise<void> {
  for (const batch of batches(rows.map(rowOf))) {
    await (db as unknown as LooseTables)
      .deleteFrom(table)
      .where(({ or, and, eb }) => or(batch.map((row) => and(keys.map((key) => eb(key, '=', row[key]))))))
      .execute();
    await setImmediate();
  }
}
