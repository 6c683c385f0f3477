import { sql, type Kysely } from 'kysely';
import type { Tables } from '../../server/db/orm.ts';
import { bytes, percent } from '../text.ts';
import type { Bounds, DatabaseHealth } from './health-section.ts';
import { fileState, tableSizes } from './maintain-sqlite.ts';

/** A write-ahead log of this size is not emptied any more: a reader keeps it. */
const LARGE_WAL = 256_000_000;
const MUCH_FREE = 1 / 3;

/** Looks at an SQLite file: sizes, what is free, whether it is whole. */
export async function sqliteSections(
  db: Kysely<Tables>,
  url: string,
  { storageLimitBytes }: Bounds,
): Promise<DatabaseHealth> {
  const state = await fileState(db, url);
  const tables = await tableSizes(db);
  const check = await sql<{ quick_check: string }>`pragma quick_check(10)`.execute(db);
  const faults = check.rows.map((row) => row.quick_check).filter((said) => said !== 'ok');
  const modes = await sql<{ journal_mode: string }>`pragma journal_mode`.execute(db);
  const version = await sql<{ version: string }>`select sqlite_version() as version`.execute(db);
  const attention: string[] = [];
  if (faults.length > 0)
    attention.push('The file is damaged: restore the newest backup (`npm run ops -- restore`).');
  if (state.walBytes > LARGE_WAL)
    attention.push(`The write-ahead log has ${bytes(state.walBytes)}: something reads for very long.`);
  if (state.freeBytes > state.bytes * MUCH_FREE)
    attention.push(
      `${percent(state.freeBytes / state.bytes)} of the file is free: \`npm run ops -- maintain\`.`,
    );
  if (storageLimitBytes !== null && state.bytes > storageLimitBytes * 0.8)
    attention.push(`The file has ${bytes(state.bytes)} of ${bytes(storageLimitBytes)}.`);
  return {
    sections: [
      {
        key: 'database',
        title: 'Database',
        none: '',
        rows: [
          {
            server: `SQLite ${version.rows[0]?.version}`,
            size: state.bytes,
            free: state.freeBytes,
            log: state.walBytes,
            journal: modes.rows[0]?.journal_mode ?? null,
            check: faults.length === 0 ? 'ok' : 'damaged',
          },
        ],
        show: { size: bytes, free: bytes, log: bytes },
      },
      { key: 'faults', title: 'Damage', none: 'None found.', rows: faults.map((fault) => ({ fault })) },
      {
        key: 'tables',
        title: 'Tables',
        none: 'There are none.',
        rows: tables.map(({ table, bytes: size, indexBytes: indexes, unusedBytes: unused }) => ({
          table,
          size,
          indexes,
          unused,
        })),
        show: { size: bytes, indexes: bytes, unused: bytes },
      },
    ],
    attention,
  };
}
