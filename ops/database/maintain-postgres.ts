import { sql, type Kysely } from 'kysely';
import type { Tables } from '../../server/db/orm.ts';
import { OpsError } from '../command.ts';
import { bytes, minute, span, table } from '../text.ts';
import { withOperator, type Address } from './address.ts';
import { findBloat, type BloatReport } from './bloat.ts';
import { SCHEMA } from './checksums.ts';
import type { Maintenance } from './operation.ts';
import type { Steps } from './steps.ts';

interface TableState {
  name: string;
  bytes: number;
  rows: number;
  dead: number;
}

interface UnusedIndex {
  name: string;
  table: string;
  bytes: number;
}

/** Vacuums and analyzes every table, and reports what that did, which indexes nobody uses, and what is bloated. */
export function maintainPostgres(address: Address, steps: Steps): Promise<Maintenance> {
  return withOperator(address, async (db) => {
    await refuseOthersTables(db);
    const before = await readTables(db);
    await steps.run('vacuum (analyze)', async () => {
      for (const { name } of before)
        await sql`vacuum (analyze) ${sql.id(SCHEMA, name)}`.execute(db, {
          signal: steps.signal,
          inflightQueryAbortStrategy: 'cancel query',
        });
    });
    const after = await readTables(db);
    return steps.run('report', async () =>
      reportOf(before, after, {
        unused: await readUnused(db),
        bloat: await findBloat(db),
        countedSince: await readCountedSince(db),
        holder: await readHolder(db),
      }),
    );
  });
}

/** VACUUM leaves out, with a mere warning, what it may not touch. */
async function refuseOthersTables(db: Kysely<Tables>): Promise<void> {
  const { rows } = await sql<{ name: string; owner: string }>`
    select relname as name, pg_get_userbyid(relowner) as owner
    from pg_class, pg_database
    where relnamespace = to_regnamespace(${SCHEMA}) and relkind = 'r' and datname = current_database()
      and not pg_has_role(relowner, 'usage') and not pg_has_role(datdba, 'usage')
    limit 1
  `.execute(db);
  const [other] = rows;
  if (other !== undefined)
    throw new OpsError(
      `table ${other.name} may be vacuumed by its owner alone: use the role ${other.owner} in DATABASE_URL`,
    );
}

async function readTables(db: Kysely<Tables>): Promise<TableState[]> {
  const { rows } = await sql<Record<keyof TableState, string>>`
    select relname as name, pg_total_relation_size(relid) as bytes, n_live_tup as rows, n_dead_tup as dead
    from pg_stat_user_tables where schemaname = ${SCHEMA} order by 2 desc, 1
  `.execute(db);
  return rows.map((row) => ({
    name: row.name,
    bytes: Number(row.bytes),
    rows: Number(row.rows),
    dead: Number(row.dead),
  }));
}

/** Indexes that no query has ever used, as far as it was counted; those that keep rows unique are needed all the same. */
async function readUnused(db: Kysely<Tables>): Promise<UnusedIndex[]> {
  const { rows } = await sql<Record<keyof UnusedIndex, string>>`
    select indexrelname as name, relname as table, pg_relation_size(indexrelid) as bytes
    from pg_stat_user_indexes join pg_index using (indexrelid)
    where schemaname = ${SCHEMA} and idx_scan = 0 and not indisunique and not indisexclusion
    order by 3 desc, 1
  `.execute(db);
  return rows.map((row) => ({ ...row, bytes: Number(row.bytes) }));
}

async function readCountedSince(db: Kysely<Tables>): Promise<string | null> {
  const { rows } = await sql<{ at: Date | null }>`
    select coalesce(stats_reset, pg_postmaster_start_time()) as at from pg_stat_database where datname = current_database()
  `.execute(db);
  const at = rows[0]?.at;
  return at ? new Date(at).toISOString() : null;
}

/** Who keeps VACUUM from removing rows: the transaction that has been open longest. */
async function readHolder(db: Kysely<Tables>): Promise<string | null> {
  const { rows } = await sql<{ application: string; pid: number; seconds: number }>`
    select application_name as application, pid, extract(epoch from now() - xact_start)::float as seconds
    from pg_stat_activity
    where datname = current_database() and backend_xmin is not null and pid <> pg_backend_pid()
    order by age(backend_xmin) desc limit 1
  `.execute(db);
  const [row] = rows;
  return row === undefined
    ? null
    : `${row.application || 'process'} ${row.pid}, open for ${span(row.seconds * 1_000)}`;
}

function reportOf(
  before: TableState[],
  after: TableState[],
  found: { unused: UnusedIndex[]; bloat: BloatReport; countedSince: string | null; holder: string | null },
): Maintenance {
  const { unused, bloat, countedSince, holder } = found;
  const deadBefore = new Map(before.map(({ name, dead }) => [name, dead]));
  const sum = (states: TableState[]) => states.reduce((total, { dead }) => total + dead, 0);
  const left = sum(after);
  const lines = table([
    ['table', 'size', 'rows', 'dead before', 'dead after'],
    ...after.map(({ name, bytes: size, rows, dead }) => [
      name,
      bytes(size),
      rows,
      deadBefore.get(name) ?? 0,
      dead,
    ]),
  ]);
  if (left > 0 && holder !== null)
    lines.push('', `${left} dead rows are still needed by the oldest transaction: ${holder}.`);
  const since = countedSince === null ? '' : ` since ${minute(countedSince)}`;
  if (unused.length === 0) lines.push('', `Every index was used${since}.`);
  else
    lines.push(
      '',
      `Indexes that no query has used${since} (drop one only when that is a month or more, and no replica uses it):`,
      ...table([
        ['index', 'table', 'size'],
        ...unused.map(({ name, table: of, bytes: size }) => [name, of, bytes(size)]),
      ]),
    );
  const how = bloat.method === 'pgstattuple' ? 'measured by pgstattuple' : 'estimated from statistics';
  if (bloat.bloated.length === 0) lines.push('', `No table or index is bloated (${how}).`);
  else
    lines.push(
      '',
      `Bloated (${how}; REINDEX INDEX CONCURRENTLY shrinks an index, VACUUM FULL a table while nobody uses it):`,
      ...table([
        ['name', 'kind', 'size', 'wasted'],
        ...bloat.bloated.map(({ name, kind, bytes: size, wastedBytes }) => [
          name,
          kind,
          bytes(size),
          bytes(wastedBytes),
        ]),
      ]),
    );
  return {
    message: `${after.length} tables, ${sum(before)} dead rows before, ${left} after; ${unused.length} unused indexes, ${bloat.bloated.length} bloated tables or indexes`,
    details: { deadBefore: sum(before), deadAfter: left, unused, bloat, tables: after },
    lines,
  };
}
