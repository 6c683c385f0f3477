import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EntityManager, InferKyselyDB } from '@mikro-orm/sql';
import { Migrator } from '@mikro-orm/migrations';
import { MikroORM as PostgresOrm } from '@mikro-orm/postgresql';
import { MikroORM as SqliteOrm } from '@mikro-orm/sqlite';
import { CompiledQuery, sql, type DatabaseConnection, type Kysely } from 'kysely';
import { MIGRATIONS } from '../../migrations/index.ts';
import { ENTITIES } from './entities.ts';

/** The tables as Kysely sees them. */
export type Tables = InferKyselyDB<(typeof ENTITIES)[number]>;

/** Which database it is; queries that differ between the two take it as an argument. */
export type DialectName = 'sqlite' | 'postgresql';

/** A column to sort by: by bytes, on both databases. */
export const bytewise = (dialect: DialectName, column: string) =>
  dialect === 'postgresql' ? sql`${sql.ref(column)} collate "C"` : sql.ref(column);

/** An open MikroORM over the one entity set. */
export type Orm = SqliteOrm | PostgresOrm;

/** What of pg's pool and its clients is touched here; pg itself is reached through MikroORM alone. */
interface PooledClient {
  readyForQuery: boolean;
  _queryable: boolean;
}
interface Pool {
  on(event: 'release', listener: (error: unknown, client: PooledClient) => void): void;
}

/** How a connection is going to be used: it decides the timeouts. */
export type Purpose = 'read' | 'write';

const SECOND = 1000;

/** How migrations are found: at run time from the static list, when generating from the snapshots. */
export type MigrationOptions = NonNullable<Parameters<typeof SqliteOrm.init>[0]>['migrations'] & {};

const fromList: MigrationOptions = {
  migrationsList: MIGRATIONS,
  snapshot: false,
  silent: true,
  allOrNothing: true,
};

/** Tells the database of a URL: `file:...` is SQLite, `postgres://...` is Postgres. */
export function dialectOf(databaseUrl: string): DialectName {
  return databaseUrl.startsWith('file:') ? 'sqlite' : 'postgresql';
}

/** The path of an SQLite URL (`file:./data/x.db`, `file:///var/x.db`). */
function sqlitePath(databaseUrl: string): string {
  return databaseUrl.startsWith('file://') ? fileURLToPath(databaseUrl) : databaseUrl.slice('file:'.length);
}

function openSqlite(databaseUrl: string, migrations: MigrationOptions): Promise<SqliteOrm> {
  const path = sqlitePath(databaseUrl);
  mkdirSync(dirname(path), { recursive: true });
  return SqliteOrm.init({
    entities: [...ENTITIES],
    extensions: [Migrator],
    dbName: path,
    // better-sqlite3 is synchronous: waiting for a lock stops the event loop, so it may not wait long.
    driverOptions: { timeout: 250 },
    onCreateConnection: async (created) => {
      const connection = created as DatabaseConnection;
      await connection.executeQuery(CompiledQuery.raw('pragma journal_mode = wal'));
      await connection.executeQuery(CompiledQuery.raw('pragma synchronous = normal'));
    },
    migrations,
  });
}

function openPostgres(
  databaseUrl: string,
  purpose: Purpose,
  migrations: MigrationOptions,
): Promise<PostgresOrm> {
  const reads = purpose === 'read';
  return PostgresOrm.init({
    entities: [...ENTITIES],
    extensions: [Migrator],
    clientUrl: databaseUrl,
    pool: { min: 0, max: reads ? 20 : 4 },
    // pg waits for ever by default.
    driverOptions: {
      connectionTimeoutMillis: reads ? 500 : 5 * SECOND,
      query_timeout: reads ? 2 * SECOND : 120 * SECOND,
      statement_timeout: reads ? 2 * SECOND : 120 * SECOND,
      idle_in_transaction_session_timeout: 60 * SECOND,
      keepAlive: true,
      // pg 8.23 hands a client back after query_timeout though its query is still on it: such a client is not used again.
      onPoolCreated: (pool: Pool) =>
        pool.on('release', (_error: unknown, client: PooledClient) => {
          if (!client.readyForQuery) client._queryable = false;
        }),
      application_name: `effect-models ${purpose}`,
    },
    migrations,
  });
}

/** Opens a database for reading or for writing. The only place that names a driver. */
export function openOrm(
  databaseUrl: string,
  purpose: Purpose,
  migrations: MigrationOptions = fromList,
): Promise<Orm> {
  return dialectOf(databaseUrl) === 'sqlite'
    ? openSqlite(databaseUrl, migrations)
    : openPostgres(databaseUrl, purpose, migrations);
}

/** The Kysely instance of an open ORM, over the tables of the one entity set. */
export function kyselyOf(orm: Orm): Kysely<Tables> {
  return (orm.em as EntityManager).getKysely<Tables>();
}
