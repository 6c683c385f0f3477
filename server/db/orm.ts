import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EntityManager, InferKyselyDB } from '@mikro-orm/sql';
import { Migrator } from '@mikro-orm/migrations';
import { MikroORM as PostgresOrm } from '@mikro-orm/postgresql';
import { MikroORM as SqliteOrm } from '@mikro-orm/sqlite';
import { CompiledQuery, sql, type DatabaseConnection, type Kysely } from 'kysely';
import { MIGRATIONS } from '../../migrations/index.ts';
import { waitForLocks } from './busy.ts';
import { ENTITIES } from './entities.ts';
import { connectThroughRotation, readPassword } from './password-file.ts';
import { stateOf, waitBriefly, withoutSilent, type Pool, type PoolState } from './pool.ts';
import type { RenewablePool } from './renewal.ts';
import { rollBackOnce } from './rolled-back.ts';
import { isCutOff, isReadOnly } from './unavailable.ts';

/** The tables as Kysely sees them. */
export type Tables = InferKyselyDB<(typeof ENTITIES)[number]>;

/** Which database it is; queries that differ between the two take it as an argument. */
export type DialectName = 'sqlite' | 'postgresql';

/** A column to sort by: by bytes, on both databases. */
export const bytewise = (dialect: DialectName, column: string) =>
  dialect === 'postgresql' ? sql`${sql.ref(column)} collate "C"` : sql.ref(column);

/** An open MikroORM over the one entity set. */
export type Orm = SqliteOrm | PostgresOrm;

/**
 * How a connection is going to be used, for answers, for what requests change and looking whether the database is there, or
 * for syncs: it decides the timeouts.
 */
export type Purpose = 'read' | 'edit' | 'write';

/** One query that has ended, well or not. */
export interface QueryEnd {
  side: Purpose;
  ms: number;
}

/** What is told of every query. */
export type OnQuery = (query: QueryEnd) => void;

const SECOND = 1000;

/** How much a pool may hold, and how long its connections wait. */
interface Limits {
  max: number;
  /** While every connection is in use. */
  waitMs: number;
  /** For a new connection. */
  connectMs: number;
  /** For a statement; null: as long as it takes, as operators' commands do. */
  queryMs: number | null;
}

/** What the pools may hold, and how long their connections wait. */
export const LIMITS: Record<Purpose | 'operate', Limits> = {
  read: { max: 20, waitMs: 500, connectMs: SECOND, queryMs: 1.5 * SECOND },
  edit: { max: 4, waitMs: 1.5 * SECOND, connectMs: SECOND, queryMs: 1.5 * SECOND },
  write: { max: 4, waitMs: 5 * SECOND, connectMs: 5 * SECOND, queryMs: 120 * SECOND },
  operate: { max: 4, waitMs: 5 * SECOND, connectMs: 5 * SECOND, queryMs: null },
};
/** So much longer than a statement may take, a server is waited for that ought to have ended it. */
const SILENCE_MS = 100;
/** After this, a connection is renewed: it follows a database that has moved, and no password outlives its rotation for long. */
export const CONNECTION_SECONDS = 30 * 60;

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
export function sqlitePath(databaseUrl: string): string {
  return databaseUrl.startsWith('file://') ? fileURLToPath(databaseUrl) : databaseUrl.slice('file:'.length);
}

/** Tells of every query on a connection, when it has ended. */
function watched(side: Purpose, onQuery: OnQuery) {
  return (created: unknown): void => {
    const connection = created as DatabaseConnection;
    const execute = connection.executeQuery.bind(connection);
    connection.executeQuery = async <Row>(...args: Parameters<typeof execute>) => {
      const startedAt = performance.now();
      try {
        return await execute<Row>(...args);
      } finally {
        onQuery({ side, ms: performance.now() - startedAt });
      }
    };
  };
}

/** What pg 8.23 says of a server that has not answered in time. */
const SILENT = 'Query read timeout';

/** Sends nothing more on a connection that has ended or gone silent: pg would wait for that as well. */
function notOnceBroken(created: unknown): void {
  const connection = created as DatabaseConnection;
  const execute = connection.executeQuery.bind(connection);
  let broken: { by: unknown } | null = null;
  connection.executeQuery = async <Row>(...args: Parameters<typeof execute>) => {
    if (broken !== null) throw broken.by;
    try {
      return await execute<Row>(...args);
    } catch (error) {
      if (isCutOff(error) || (error instanceof Error && error.message === SILENT)) broken = { by: error };
      throw error;
    }
  };
}

function openSqlite(
  databaseUrl: string,
  purpose: Purpose | 'operate',
  { migrations, onQuery }: Required<OpenOptions>,
): Promise<SqliteOrm> {
  const path = sqlitePath(databaseUrl);
  mkdirSync(dirname(path), { recursive: true });
  return SqliteOrm.init({
    entities: [...ENTITIES],
    extensions: [Migrator],
    dbName: path,
    driverOptions: { timeout: 0 },
    onCreateConnection: async (created) => {
      const connection = created as DatabaseConnection;
      waitForLocks(connection, { writes: purpose === 'write' });
      rollBackOnce(connection);
      // Operators' commands take a file as it is: a backup must not change when it is looked at.
      if (purpose === 'operate') return;
      // Who may only read the file reads it as it is kept.
      const inLog = connection.executeQuery(CompiledQuery.raw('pragma journal_mode = wal'));
      await inLog.catch((error: unknown) => {
        if (!isReadOnly(error)) throw error;
      });
      await connection.executeQuery(CompiledQuery.raw('pragma synchronous = normal'));
      watched(purpose, onQuery)(created);
    },
    migrations,
  });
}

/** The pool of each ORM; null until it is first used. */
const pools = new WeakMap<Orm, { pool: Pool | null }>();

async function openPostgres(
  databaseUrl: string,
  purpose: Purpose | 'operate',
  { migrations, onQuery, passwordFile, connectionSeconds, onPool }: Required<OpenOptions>,
): Promise<PostgresOrm> {
  const { max, waitMs, connectMs, queryMs } = LIMITS[purpose];
  const made: { pool: Pool | null } = { pool: null };
  const orm = await PostgresOrm.init({
    entities: [...ENTITIES],
    extensions: [Migrator],
    clientUrl: databaseUrl,
    pool: { min: 0, max },
    onCreateConnection: async (created) => {
      if (purpose !== 'operate') {
        notOnceBroken(created);
        return watched(purpose, onQuery)(created);
      }
      // What a role or a server has set for queries of the service does not hold for a backup.
      const patient = 'set statement_timeout = 0; set idle_in_transaction_session_timeout = 0';
      await (created as DatabaseConnection).executeQuery(CompiledQuery.raw(patient));
    },
    // pg waits for ever by default.
    driverOptions: {
      // pg-pool waits for so long too while every connection is in use.
      connectionTimeoutMillis: Math.max(connectMs, waitMs),
      ...(queryMs === null
        ? {}
        : {
            query_timeout: queryMs + SILENCE_MS,
            statement_timeout: queryMs,
            idle_in_transaction_session_timeout: 60 * SECOND,
          }),
      maxLifetimeSeconds: connectionSeconds,
      keepAlive: true,
      ...(passwordFile === null ? {} : { password: () => readPassword(passwordFile) }),
      onPoolCreated: (pool: Pool) => {
        made.pool = pool;
        withoutSilent(pool);
        waitBriefly(pool, waitMs);
        onPool(pool as unknown as RenewablePool);
        if (passwordFile !== null) pool.connect = connectThroughRotation(pool.connect.bind(pool));
      },
      application_name: `effect-models ${purpose}`,
    },
    migrations,
  });
  pools.set(orm, made);
  return orm;
}

/** How a database is opened: how its migrations are found, who hears of its queries, where its password is. */
export interface OpenOptions {
  migrations?: MigrationOptions;
  onQuery?: OnQuery;
  /** A file with the password, read for every new connection; null: it is part of the URL. */
  passwordFile?: string | null;
  /** How long a connection is used before another takes its place. */
  connectionSeconds?: number;
  /** What is told of the pool of a database that has one. */
  onPool?: (pool: RenewablePool) => void;
}

/** Opens a database for reading, for writing, or for an operator's command. The only place that names a driver. */
export function openOrm(
  databaseUrl: string,
  purpose: Purpose | 'operate',
  {
    migrations = fromList,
    onQuery = () => {},
    passwordFile = null,
    connectionSeconds = CONNECTION_SECONDS,
    onPool = () => {},
  }: OpenOptions = {},
): Promise<Orm> {
  const open = dialectOf(databaseUrl) === 'sqlite' ? openSqlite : openPostgres;
  return open(databaseUrl, purpose, { migrations, onQuery, passwordFile, connectionSeconds, onPool });
}

/** How the pool of an open ORM is used, be the server there or not; null: SQLite has none. */
export function poolOf(orm: Orm, purpose: Purpose): PoolState | null {
  if (!(orm instanceof PostgresOrm)) return null;
  return stateOf(pools.get(orm)?.pool ?? null, LIMITS[purpose].max);
}

/** The Kysely instance of an open ORM, over the tables of the one entity set. */
export function kyselyOf(orm: Orm): Kysely<Tables> {
  return (orm.em as EntityManager).getKysely<Tables>();
}
