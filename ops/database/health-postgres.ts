import { sql, type Kysely, type RawBuilder } from 'kysely';
import { LIMITS, type Tables } from '../../server/db/orm.ts';
import { bytes, percent, span } from '../text.ts';
import { SCHEMA } from './checksums.ts';
import type { Bounds, Cell, DatabaseHealth, Section } from './health-section.ts';

const seconds = (value: number): string => span(value * 1_000);
/** The text of a query, in one line. */
const shortened = (column: string) => sql`left(regexp_replace(${sql.ref(column)}, '\\s+', ' ', 'g'), 100)`;

/** Sections as they are asked for: what `look` selects, by column. */
interface Question extends Omit<Section, 'rows'> {
  look: RawBuilder<Record<string, Cell>>;
}

const questions = (longSeconds: number): Question[] => [
  {
    key: 'tables',
    title: 'Tables',
    none: 'There are none.',
    show: { size: bytes, indexes: bytes },
    look: sql`
      select relname as "table", n_live_tup::float as rows, n_dead_tup::float as dead,
        pg_total_relation_size(relid)::float as size, pg_indexes_size(relid)::float as indexes,
        to_char(greatest(last_vacuum, last_autovacuum) at time zone 'UTC', 'YYYY-MM-DD HH24:MI') as vacuumed
      from pg_stat_user_tables where schemaname = ${SCHEMA} order by size desc, 1`,
  },
  {
    key: 'indexes',
    title: 'Indexes by use',
    none: 'There are none.',
    show: { size: bytes },
    look: sql`
      select indexrelname as index, relname as "table", idx_scan::float as scans, pg_relation_size(indexrelid)::float as size,
        case when not indisvalid then 'invalid' when indisunique then 'unique' else '' end as kind
      from pg_stat_user_indexes join pg_index using (indexrelid)
      where schemaname = ${SCHEMA} order by idx_scan, size desc, 1`,
  },
  {
    key: 'connections',
    title: 'Connections',
    none: 'There are none.',
    look: sql`
      select coalesce(nullif(application_name, ''), '-') as application, coalesce(usename::text, '-') as role,
        coalesce(datname::text, '-') as database, coalesce(state, '-') as state, count(*)::int as connections
      from pg_stat_activity where backend_type = 'client backend' group by 1, 2, 3, 4 order by 5 desc, 1, 2, 3, 4`,
  },
  {
    key: 'longQueries',
    title: `Queries that have been running for ${seconds(longSeconds)}`,
    none: 'None.',
    show: { running: seconds },
    look: sql`
      select pid, coalesce(usename::text, '-') as role, application_name as application,
        extract(epoch from now() - query_start)::float as running, ${shortened('query')} as query
      from pg_stat_activity
      where state = 'active' and query_start < now() - make_interval(secs => ${longSeconds})
        and backend_type = 'client backend' order by query_start`,
  },
  {
    key: 'openTransactions',
    title: `Transactions that have been open for ${seconds(longSeconds)}`,
    none: 'None.',
    show: { open: seconds },
    look: sql`
      select pid, coalesce(usename::text, '-') as role, application_name as application, state,
        extract(epoch from now() - xact_start)::float as open, ${shortened('query')} as query
      from pg_stat_activity
      where xact_start < now() - make_interval(secs => ${longSeconds}) and backend_type = 'client backend'
      order by xact_start`,
  },
  {
    key: 'waiting',
    title: 'Queries that wait for a lock',
    none: 'None.',
    show: { waiting: seconds },
    look: sql`
      select pid, array_to_string(pg_blocking_pids(pid), ', ') as "blockedBy", application_name as application,
        extract(epoch from now() - query_start)::float as waiting, ${shortened('query')} as query
      from pg_stat_activity where wait_event_type = 'Lock' order by query_start`,
  },
  {
    key: 'replicas',
    title: 'Replicas',
    none: 'None.',
    show: { lagBytes: bytes, lag: seconds },
    look: sql`
      select coalesce(nullif(application_name, ''), pid::text) as replica, state, sync_state as mode,
        pg_wal_lsn_diff(case when pg_is_in_recovery() then pg_last_wal_receive_lsn() else pg_current_wal_lsn() end,
          replay_lsn)::float as "lagBytes",
        case when replay_lsn = sent_lsn then 0 else coalesce(extract(epoch from replay_lag), 0) end::float as lag
      from pg_stat_replication order by 1`,
  },
];

/** Looks at a Postgres: sizes, use of indexes, connections, what runs and waits, replicas, slow statements. */
export function postgresSections(
  db: Kysely<Tables>,
  { storageLimitBytes, longSeconds }: Bounds,
): Promise<DatabaseHealth> {
  return db.connection().execute(async (connection) => {
    await sql`select set_config('lock_timeout', ${LOCK_WAIT}, false)`.execute(connection);
    const sections: Section[] = [await serverSection(connection)];
    for (const question of questions(longSeconds)) sections.push(await sectionOf(connection, question));
    sections.push(await slowStatements(connection));
    return { sections, attention: attentionFor(sections, storageLimitBytes) };
  });
}

/** The size of a table can not be asked for while it is locked exclusively, which is when one looks here. */
const LOCK_WAIT = '1s';
/** SQLSTATE of what has waited for a lock for too long. */
const LOCKED = '55P03';

async function sectionOf(db: Kysely<Tables>, { look, ...section }: Question): Promise<Section> {
  try {
    return { ...section, rows: (await look.execute(db)).rows };
  } catch (error) {
    if ((error as { code?: string }).code !== LOCKED) throw error;
    const none = 'Unknown: a table is locked exclusively. Whoever holds it is among the open transactions.';
    return { ...section, rows: [], none };
  }
}

async function serverSection(db: Kysely<Tables>): Promise<Section> {
  const { rows } = await sql<Record<string, Cell>>`
    select 'PostgreSQL ' || current_setting('server_version') as server, current_database()::text as database,
      pg_database_size(current_database())::float as size,
      (select count(*) from pg_stat_activity where backend_type = 'client backend')::int as connections,
      current_setting('max_connections')::int as "maxConnections",
      ${LIMITS.read.max + LIMITS.edit.max + LIMITS.write.max}::int as "perInstance",
      (select blks_hit::float / nullif(blks_hit + blks_read, 0)) as "hitRatio",
      deadlocks::int as deadlocks,
      age(datfrozenxid)::float as "transactionAge",
      case when pg_is_in_recovery()
        then coalesce(extract(epoch from now() - pg_last_xact_replay_timestamp()), 0)::float end as "behindPrimary"
    from pg_stat_database join pg_database using (datname) where datname = current_database()
  `.execute(db);
  return {
    key: 'database',
    title: 'Database',
    none: '',
    rows,
    show: { size: bytes, hitRatio: percent, behindPrimary: seconds },
  };
}

/** The statements that take the most time altogether, where the extension pg_stat_statements counts them. */
async function slowStatements(db: Kysely<Tables>): Promise<Section> {
  const section: Section = {
    key: 'slowStatements',
    title: 'Statements by time',
    none: 'Unknown: the extension pg_stat_statements is not there, not loaded by the server, or closed to this role.',
    rows: [],
    show: { mean: span, total: span },
  };
  const { rows: found } = await sql<{ schema: string }>`
    select extnamespace::regnamespace::text as schema from pg_extension where extname = 'pg_stat_statements'
  `.execute(db);
  const schema = found[0]?.schema;
  if (schema === undefined) return section;
  try {
    const { rows } = await sql<Record<string, Cell>>`
      select calls::float as calls, mean_exec_time as mean, total_exec_time as total, ${shortened('query')} as query
      from ${sql.raw(schema)}.pg_stat_statements
      where dbid = (select oid from pg_database where datname = current_database())
      order by total_exec_time desc limit 10
    `.execute(db);
    return { ...section, none: 'None has been counted.', rows };
  } catch (error) {
    if (!NOT_COUNTED.has(String((error as { code?: string }).code))) throw error;
    return section;
  }
}

/** SQLSTATEs of an extension that the server has not loaded, and of one that a role may not use. */
const NOT_COUNTED = new Set(['55000', '42501']);

/** Age of the oldest transaction id at which Postgres vacuums whatever else there is to do is 200 million; at 2 billion it stops. */
const OLD_TRANSACTIONS = 1_000_000_000;
const LAG_SECONDS = 30;

function attentionFor(sections: Section[], storageLimitBytes: number | null): string[] {
  const rowsOf = (key: string) => sections.find((section) => section.key === key)?.rows ?? [];
  const [server = {}] = rowsOf('database');
  const attention: string[] = [];
  const used = Number(server.connections) / Number(server.maxConnections);
  if (used > 0.8) attention.push(`${percent(used)} of the connections are taken: see who holds them.`);
  if (storageLimitBytes !== null && Number(server.size) > storageLimitBytes * 0.8)
    attention.push(`The database has ${bytes(Number(server.size))} of ${bytes(storageLimitBytes)}.`);
  if (Number(server.transactionAge) > OLD_TRANSACTIONS)
    attention.push('Transaction ids are running out: vacuum now (`npm run ops -- maintain`).');
  for (const { pid, running } of rowsOf('longQueries'))
    attention.push(
      `Query ${pid} has been running for ${seconds(Number(running))}: select pg_cancel_backend(${pid}).`,
    );
  for (const { pid, open, state } of rowsOf('openTransactions'))
    attention.push(
      `Transaction ${pid} (${state}) has been open for ${seconds(Number(open))}: VACUUM can remove nothing newer.`,
    );
  for (const { index, kind } of rowsOf('indexes'))
    if (kind === 'invalid') attention.push(`Index ${index} is invalid: REINDEX INDEX CONCURRENTLY ${index}.`);
  for (const { table, rows, dead } of rowsOf('tables'))
    if (Number(dead) > 10_000 && Number(dead) > Number(rows) * 0.2)
      attention.push(`Table ${table} has ${dead} dead rows: \`npm run ops -- maintain\`.`);
  for (const { replica, lag } of rowsOf('replicas'))
    if (Number(lag) > LAG_SECONDS) attention.push(`Replica ${replica} is ${seconds(Number(lag))} behind.`);
  return attention;
}
