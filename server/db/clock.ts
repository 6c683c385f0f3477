import { sql } from 'kysely';
import type { DialectName } from './orm.ts';

/** The database's own clock in milliseconds: processes on several machines need not agree on the time. */
export function databaseNow(dialect: DialectName) {
  return dialect === 'sqlite'
    ? sql<number>`cast(unixepoch('subsec') * 1000 as integer)`
    : sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;
}
