import { setTimeout } from 'node:timers/promises';
import { sql, type Kysely, type Transaction } from 'kysely';
import { again, inTime } from './again.ts';
import { protectAudit } from './audit.ts';
import { isBusy, whileBusy } from './busy.ts';
import { MigrationNeeded, pendingMigrations } from './migrations.ts';
import {
  dialectOf,
  kyselyOf,
  openOrm,
  poolOf,
  sqlitePath,
  type DialectName,
  type OpenOptions,
  type Orm,
  type Purpose,
  type Tables,
} from './orm.ts';
import type { PoolState } from './pool.ts';
import { createRenewal } from './renewal.ts';
import { isConflict, isCutOff, isReadOnly } from './unavailable.ts';
import { explainFile } from './unusable.ts';

/** An open database: one side for reading, one for writing, so that no reader sees a half-written catalogue. */
export interface Database {
  dialect: DialectName;
  read: Kysely<Tables>;
  /** For looking whether the database is there: readers do not stand in its way, nor do syncs. */
  probe: Kysely<Tables>;
  write: Kysely<Tables>;
  /** Runs `work` on one consistent state of the database, again where the connection ends meanwhile. Gives up in time for an answer. */
  snapshot: <Result>(work: (db: Transaction<Tables>) => Promise<Result>) => Promise<Result>;
  /** Changes what a request asks for, in one transaction. Gives up in time for an answer. */
  edit: <Result>(work: (db: Transaction<Tables>) => Promise<Result>) => Promise<Result>;
  /** Brings the schema up to date. Several processes may do so at once. Answers with the names of the migrations that ran. Throws `FileUnusable`. */
  migrate: () => Promise<string[]>;
  /** How the pool of one side is used right now; null: SQLite has none. */
  pool: (side: Purpose) => Promise<PoolState | null>;
  close: () => Promise<void>;
}

/** Opens the database of a URL. Connects when first used. Throws `FileUnusable`. */
export async function openDatabase(
  databaseUrl: string,
  options: Omit<OpenOptions, 'migrations'> = {},
): Promise<Database> {
  const dialect = dialectOf(databaseUrl);
  if (dialect === 'postgresql') return open(databaseUrl, dialect, options);
  const path = sqlitePath(databaseUrl);
  try {
    const database = await open(databaseUrl, dialect, options);
    const migrate = () =>
      database.migrate().catch((error: unknown) => Promise.reject(explainFile(path, error)));
    return { ...database, migrate };
  } catch (error) {
    throw explainFile(path, error);
  }
}

async function open(
  databaseUrl: string,
  dialect: DialectName,
  given: Omit<OpenOptions, 'migrations'>,
): Promise<Database> {
  const options = { ...given, onPool: createRenewal() };
  const [reader, writer] = await Promise.all([
    openOrm(databaseUrl, 'read', options),
    openOrm(databaseUrl, 'write', options),
  ]);
  const read = kyselyOf(reader);
  const write = kyselyOf(writer);
  if (dialect === 'sqlite')
    return {
      dialect,
      read,
      probe: read,
      write,
      snapshot: (work) => read.transaction().execute(work),
      edit: (work) => whileBusy(() => write.transaction().execute(work), EDIT_WAIT_MS),
      migrate: () => migrateSqlite(writer, `${databaseUrl}.migrating`),
      pool: () => Promise.resolve(null),
      close: () => closeWithin(CLOSE_MS, [reader, writer]),
    };
  const editor = await openOrm(databaseUrl, 'edit', options);
  const edits = kyselyOf(editor);
  const sides = { read: reader, edit: editor, write: writer };
  return {
    dialect,
    read,
    probe: edits,
    write,
    snapshot: (work) => {
      const oneState = () =>
        read.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(work);
      return inTime(({ isLate }) => again(oneState, (error) => !isLate() && isCutOff(error)));
    },
    edit: (work) =>
      inTime(({ isLate, keep }) =>
        again(
          () =>
            edits.transaction().execute(async (db) => {
              const result = await work(db);
              // Else somebody would be told that it failed, and it would be stored all the same.
              keep();
              return result;
            }),
          (error) => !isLate() && (isConflict(error) || isReadOnly(error)),
        ),
      ),
    migrate: () => migratePostgres(writer),
    pool: (side) => Promise.resolve(poolOf(sides[side], side)),
    close: () => closeWithin(CLOSE_MS, Object.values(sides)),
  };
}

/** How long a request may wait for another process that writes to the SQLite file. */
const EDIT_WAIT_MS = 1_000;

const CLOSE_MS = 5_000;

/** Closes what is open, or gives that up. Kysely 0.29.6 loses a connection that is being opened meanwhile, and pg would wait for it for ever. */
export async function closeWithin(milliseconds: number, orms: Orm[]): Promise<void> {
  const closed = Promise.all(orms.map((orm) => orm.close(true)));
  await Promise.race([closed, setTimeout(milliseconds, undefined, { ref: false })]);
}

/** Any number that no other user of the database locks. */
const MIGRATION_LOCK = 7_203_316_441;

/** SQLSTATE of a role that lacks a privilege. */
const NOT_ALLOWED = '42501';

/** Changes nothing where nothing is pending, so that the service starts with a role that may not change the schema. */
async function migratePostgres(orm: Orm): Promise<string[]> {
  const pending = await pendingMigrations(kyselyOf(orm), 'postgresql');
  if (pending.length === 0) return [];
  try {
    return await orm.em.getConnection().transactional(async (transaction) => {
      await sql`select pg_advisory_xact_lock(${MIGRATION_LOCK})`.execute(transaction);
      const ran = await orm.migrator.up({ transaction });
      await protectAudit(transaction);
      return ran.map(({ name }) => name);
    });
  } catch (error) {
    const refused = error instanceof Error && 'code' in error && error.code === NOT_ALLOWED;
    throw refused ? new MigrationNeeded(pending, { cause: error }) : error;
  }
}

const MIGRATION_WAIT_MS = 60_000;
const LOCK_RETRY_MS = 50;

/**
 * SQLite's migrations begin with a read, so two processes would deadlock on the database itself: a lock on a file beside it
 * parts them. Where nothing is pending, nothing is locked or written.
 */
async function migrateSqlite(orm: Orm, lockUrl: string): Promise<string[]> {
  if ((await pendingMigrations(kyselyOf(orm), 'sqlite')).length === 0) return [];
  const lock = await openOrm(lockUrl, 'write');
  const giveUpAt = performance.now() + MIGRATION_WAIT_MS;
  try {
    for (;;) {
      const ran = await kyselyOf(lock)
        .connection()
        .execute((connection) => migrateLocked(orm, connection))
        // Opening the file can meet the lock as well.
        .catch((error: unknown) => {
          if (isBusy(error)) return null;
          throw error;
        });
      if (ran !== null) return ran;
      if (performance.now() > giveUpAt)
        throw new Error(
          'Another process has been migrating the database for a minute: end it, then try again.',
        );
      await setTimeout(LOCK_RETRY_MS);
    }
  } finally {
    await lock.close(true);
  }
}

/** Migrates while the lock is held; null: another process holds it. */
async function migrateLocked(orm: Orm, lock: Kysely<Tables>): Promise<string[] | null> {
  try {
    await sql`begin immediate`.execute(lock);
  } catch (error) {
    if (isBusy(error)) return null;
    throw error;
  }
  try {
    return (await orm.migrator.up()).map(({ name }) => name);
  } finally {
    await sql`rollback`.execute(lock);
  }
}
