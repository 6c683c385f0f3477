import { sql, type Kysely } from 'kysely';
import type { DialectName, Tables } from './orm.ts';

/** The database's own clock in milliseconds: processes on several machines need not agree on the time. */
export function databaseNow(dialect: DialectName) {
  return dialect === 'sqlite'
    ? sql<number>`cast(unixepoch('subsec') * 1000 as integer)`
    : sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;
}

/** The same, read now. */
export async function readClock(db: Kysely<Tables>, dialect: DialectName): Promise<number> {
  const { rows } = await sql<{ now: number | string }>`select ${databaseNow(dialect)} as now`.execute(db);
  return Number(rows[0]?.now);
}
