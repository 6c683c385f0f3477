import { statSync } from 'node:fs';
import { sql, type Kysely } from 'kysely';
import { isBusy, whileBusy } from '../../server/db/busy.ts';
import { sqlitePath, type Tables } from '../../server/db/orm.ts';
import { OpsError } from '../command.ts';
import { bytes, table } from '../text.ts';
import { withOperator, type Address } from './address.ts';
import type { Maintenance } from './operation.ts';
import type { Steps } from './steps.ts';

/** How an SQLite file stands. */
export interface FileState {
  bytes: number;
  /** Pages that hold nothing, in bytes. */
  freeBytes: number;
  /** The write-ahead log beside it. */
  walBytes: number;
}

/** What a table of SQLite takes with its indexes. */
export interface SqliteTable {
  table: string;
  bytes: number;
  /** What of that indexes take. */
  indexBytes: number;
  /** What of that holds nothing. */
  unusedBytes: number;
}

/** Writes the file anew without its holes, renews the statistics, and empties the write-ahead log. */
export function maintainSqlite(address: Address, steps: Steps): Promise<Maintenance> {
  return withOperator(address, async (db) => {
    const before = await fileState(db, address.url);
    const run = (statement: string) =>
      steps.run(statement, () => whileBusy(() => sql.raw(statement).execute(db)).catch(refuseBusy));
    await run('vacuum');
    await run('analyze');
    await run('pragma optimize');
    await run('pragma wal_checkpoint(truncate)');
    const after = await fileState(db, address.url);
    const tables = await tableSizes(db);
    const gained = before.bytes - after.bytes;
    return {
      message: `${bytes(after.bytes)}, ${bytes(Math.max(0, gained))} given back, ${bytes(before.freeBytes)} of it free pages`,
      details: { before, after, tables },
      lines: [
        ...table([
          ['', 'before', 'after'],
          ['file', bytes(before.bytes), bytes(after.bytes)],
          ['free pages', bytes(before.freeBytes), bytes(after.freeBytes)],
          ['write-ahead log', bytes(before.walBytes), bytes(after.walBytes)],
        ]),
        '',
        ...table([
          ['table', 'size', 'of it indexes', 'unused'],
          ...tables.map((one) => [
            one.table,
            bytes(one.bytes),
            bytes(one.indexBytes),
            bytes(one.unusedBytes),
          ]),
        ]),
        '',
        'SQLite does not count how often an index is used.',
      ],
    };
  });
}

function refuseBusy(error: unknown): never {
  if (!isBusy(error)) throw error;
  throw new OpsError('another process has been writing to the file for half a minute: try again', {
    cause: error,
  });
}

/** How large the file is, what of it is free, and how large its write-ahead log is. */
export async function fileState(db: Kysely<Tables>, url: string): Promise<FileState> {
  const { rows } = await sql<{ pages: number; free: number; size: number }>`
    select page_count as pages, freelist_count as free, page_size as size
    from pragma_page_count(), pragma_freelist_count(), pragma_page_size()
  `.execute(db);
  const { pages = 0, free = 0, size = 0 } = rows[0] ?? {};
  const walBytes = statSync(`${sqlitePath(url)}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  return { bytes: pages * size, freeBytes: free * size, walBytes };
}

/** What every table takes, the largest first. */
export async function tableSizes(db: Kysely<Tables>): Promise<SqliteTable[]> {
  const { rows } = await sql<SqliteTable>`
    select coalesce(tbl_name, dbstat.name) as "table", sum(pgsize) as bytes,
      sum(case when type = 'index' then pgsize else 0 end) as "indexBytes", sum(unused) as "unusedBytes"
    from dbstat left join sqlite_master on sqlite_master.name = dbstat.name
    group by 1 order by 2 desc, 1
  `.execute(db);
  return rows;
}
