import { createHash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { sql, type Kysely } from 'kysely';
import type { DialectName, Tables } from '../../server/db/orm.ts';
import { cancelledBy } from './cancel.ts';

/** The schema of the service in Postgres. */
export const SCHEMA = 'public';

/** What a table holds: how many rows, and a checksum of them that knows no order. */
export interface Contents {
  rows: number;
  checksum: string;
}

/** The contents of every table, by name. */
export type TableContents = Record<string, Contents>;

/** The names of the tables, bytewise; those of extensions aside. */
export async function tableNames(db: Kysely<Tables>, dialect: DialectName): Promise<string[]> {
  const names =
    dialect === 'sqlite'
      ? sql<{ name: string }>`
          select name from sqlite_master where type = 'table' and name not like 'sqlite\\_%' escape '\\' order by name`
      : sql<{ name: string }>`
          select relname as name from pg_class
          where relnamespace = to_regnamespace(${SCHEMA}) and relkind in ('r', 'p')
            and not exists (
              select from pg_depend
              where classid = 'pg_class'::regclass and objid = pg_class.oid and deptype = 'e')
          order by relname collate "C"`;
  const { rows } = await names.execute(db);
  return rows.map(({ name }) => name);
}

/** A transaction, the database that it is of, and what stops it. */
export interface Measured {
  transaction: Kysely<Tables>;
  outside: Kysely<Tables>;
  signal: AbortSignal;
}

/** Counts and sums up every table, in a transaction: all of them as they were at one time. */
export function measure(measured: Measured, dialect: DialectName): Promise<TableContents> {
  const { transaction, signal } = measured;
  const sumUp = async (): Promise<TableContents> => {
    const contents: TableContents = {};
    for (const name of await tableNames(transaction, dialect)) {
      signal.throwIfAborted();
      contents[name] = await (dialect === 'sqlite' ? sumSqlite : sumPostgres)(transaction, name, signal);
    }
    return contents;
  };
  return dialect === 'sqlite' ? sumUp() : cancelledBy(signal, measured, sumUp);
}

/** Settings that the text of a row depends on. */
const ROW_TEXT = {
  timezone: 'UTC',
  datestyle: 'ISO',
  intervalstyle: 'iso_8601',
  extra_float_digits: '1',
  bytea_output: 'hex',
};

/** Adds up the two halves of the MD5 of every row's text. */
async function sumPostgres(db: Kysely<Tables>, name: string, signal: AbortSignal): Promise<Contents> {
  for (const [setting, value] of Object.entries(ROW_TEXT))
    await sql`select set_config(${setting}, ${value}, true)`.execute(db);
  signal.throwIfAborted();
  const half = (from: number) =>
    sql`coalesce(sum(('x' || substr(digest, ${sql.lit(from)}, 16))::bit(64)::bigint::numeric), 0)`;
  const { rows } = await sql<{ rows: string; checksum: string }>`
    select count(*) as rows, md5(${half(1)} || ':' || ${half(17)}) as checksum
    from (select md5(row_of_table::text) as digest from ${sql.id(SCHEMA, name)} as row_of_table offset 0) as digests
  `.execute(db);
  return { rows: Number(rows[0]?.rows), checksum: String(rows[0]?.checksum) };
}

const BATCH = 500;
const MODULUS = 2n ** 128n;

/** Adds up the MD5 of every row's values, a batch of rows at a time. */
async function sumSqlite(db: Kysely<Tables>, name: string, signal: AbortSignal): Promise<Contents> {
  let count = 0;
  let sum = 0n;
  let last = Number.MIN_SAFE_INTEGER;
  for (;;) {
    const { rows } = await sql<Record<string, unknown>>`
      select rowid as "#", * from ${sql.table(name)} where rowid > ${last} order by rowid limit ${BATCH}
    `.execute(db);
    for (const { '#': rowid, ...values } of rows) {
      const digest = createHash('md5')
        .update(JSON.stringify(Object.values(values)))
        .digest('hex');
      sum = (sum + BigInt(`0x${digest}`)) % MODULUS;
      last = Number(rowid);
    }
    count += rows.length;
    if (rows.length < BATCH) return { rows: count, checksum: sum.toString(16).padStart(32, '0') };
    // better-sqlite3 is synchronous: signals are heard in between.
    await setImmediate();
    signal.throwIfAborted();
  }
}

/** What differs between what a backup says of the tables and what is there; empty: nothing. */
export function differences(expected: TableContents, found: TableContents): string[] {
  const names = [...new Set([...Object.keys(expected), ...Object.keys(found)])].sort();
  return names.flatMap((name) => {
    const [before, after] = [expected[name], found[name]];
    if (before === undefined) return [`${name} is not part of the backup`];
    if (after === undefined) return [`${name} is missing`];
    if (before.rows !== after.rows) return [`${name} has ${after.rows} rows instead of ${before.rows}`];
    return before.checksum === after.checksum ? [] : [`${name} has other contents`];
  });
}
