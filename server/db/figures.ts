import { sql, type Kysely } from 'kysely';
import type { DialectName, Tables } from './orm.ts';

/** How the database itself stands. */
export interface DatabaseFigures {
  bytes: number;
  /** Connections of all its clients, and how many it allows; null: SQLite has none. */
  connections: { used: number; max: number } | null;
  /** How far each replica is behind. */
  replicas: { name: string; lagSeconds: number }[];
}

/** Reads how the database stands. */
export function databaseFigures(db: Kysely<Tables>, dialect: DialectName): Promise<DatabaseFigures> {
  return dialect === 'sqlite' ? sqliteFigures(db) : postgresFigures(db);
}

async function sqliteFigures(db: Kysely<Tables>): Promise<DatabaseFigures> {
  const { rows } = await sql<{ bytes: number }>`
    select page_count * page_size as bytes from pragma_page_count(), pragma_page_size()
  `.execute(db);
  return { bytes: Number(rows[0]?.bytes), connections: null, replicas: [] };
}

async function postgresFigures(db: Kysely<Tables>): Promise<DatabaseFigures> {
  const { rows } = await sql<{ bytes: string; used: string; max: string }>`
    select
      pg_database_size(current_database()) as bytes,
      (select count(*) from pg_stat_activity where backend_type = 'client backend') as used,
      current_setting('max_connections') as max
  `.execute(db);
  const replicas = await sql<{ name: string; lag: string }>`
    select
      coalesce(nullif(application_name, ''), 'replica') || coalesce('@' || host(client_addr), '') as name,
      case when replay_lsn = sent_lsn then 0 else coalesce(extract(epoch from replay_lag), 0) end as lag
    from pg_stat_replication
    where state = 'streaming' and application_name <> 'pg_basebackup'
  `.execute(db);
  return {
    bytes: Number(rows[0]?.bytes),
    connections: { used: Number(rows[0]?.used), max: Number(rows[0]?.max) },
    replicas: replicas.rows.map(({ name, lag }) => ({ name, lagSeconds: Number(lag) })),
  };
}

/** How many queries have been running for longer than so many minutes; SQLite has none that last. */
export async function longQueries(
  db: Kysely<Tables>,
  dialect: DialectName,
  minutes: number,
): Promise<number> {
  if (dialect === 'sqlite') return 0;
  const { rows } = await sql<{ count: string }>`
    select count(*) as count
    from pg_stat_activity
    where state = 'active' and backend_type = 'client backend' and datname = current_database()
      and query_start < now() - make_interval(mins => ${minutes})
  `.execute(db);
  return Number(rows[0]?.count);
}
