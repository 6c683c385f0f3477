import { setTimeout } from 'node:timers/promises';
import { sql, type Kysely, type Transaction } from 'kysely';
import { dialectOf, kyselyOf, openOrm, type DialectName, type Orm, type Tables } from './orm.ts';

/** An open database: one side for reading, one for writing, so that no reader sees a half-written catalogue. */
export interface Database {
  dialect: DialectName;
  read: Kysely<Tables>;
  write: Kysely<Tables>;
  /** Runs `work` on one consistent state of the database. */
  snapshot: <Result>(work: (db: Transaction<Tables>) => Promise<Result>) => Promise<Result>;
  /** Brings the schema up to date. Several processes may do so at once. Answers with the names of the migrations that ran. */
  migrate: () => Promise<string[]>;
  close: () => Promise<void>;
}

/** Opens the database of a URL. Connects when first used. */
export async function openDatabase(databaseUrl: string): Promise<Database> {
  const dialect = dialectOf(databaseUrl);
  const [reader, writer] = await Promise.all([openOrm(databaseUrl, 'read'), openOrm(databaseUrl, 'write')]);
  const read = kyselyOf(reader);
  return {
    dialect,
    read,
    write: kyselyOf(writer),
    snapshot: (work) =>
      dialect === 'sqlite'
        ? read.transaction().execute(work)
        : read.transaction().setIsolationLevel('repeatable read').setAccessMode('read only').execute(work),
    migrate: () =>
      dialect === 'sqlite' ? migrateSqlite(writer, `${databaseUrl}.migrating`) : migratePostgres(writer),
    close: () => closeWithin(CLOSE_MS, [reader, writer]),
  };
}

const CLOSE_MS = 5_000;

/** Closes what is open. Kysely 0.29.6 loses a connection that is being opened meanwhile, and pg would wait for it for ever. */
async function closeWithin(milliseconds: number, orms: Orm[]): Promise<void> {
  const closed = Promise.all(orms.map((orm) => orm.close(true)));
  await Promise.race([closed, setTimeout(milliseconds, undefined, { ref: false })]);
}

/** Any number that no other user of the database locks. */
const MIGRATION_LOCK = 7_203_316_441;

async function migratePostgres(orm: Orm): Promise<string[]> {
  return orm.em.getConnection().transactional(async (transaction) => {
    await sql`select pg_advisory_xact_lock(${MIGRATION_LOCK})`.execute(transaction);
    const ran = await orm.migrator.up({ transaction });
    return ran.map(({ name }) => name);
  });
}

const MIGRATION_WAIT_MS = 60_000;

/** SQLite's migrations begin with a read, so two processes would deadlock on the database itself: a lock on a file beside it parts them. */
async function migrateSqlite(orm: Orm, lockUrl: string): Promise<string[]> {
  const lock = await openOrm(lockUrl, 'write');
  try {
    return await kyselyOf(lock)
      .connection()
      .execute(async (connection) => {
        await beginImmediate(connection);
        const ran = await orm.migrator.up();
        await sql`rollback`.execute(connection);
        return ran.map(({ name }) => name);
      });
  } finally {
    await lock.close(true);
  }
}

async function beginImmediate(connection: Kysely<Tables>): Promise<void> {
  const giveUpAt = Date.now() + MIGRATION_WAIT_MS;
  for (;;) {
    try {
      await sql`begin immediate`.execute(connection);
      return;
    } catch (error) {
      const busy = error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY';
      if (!busy || Date.now() > giveUpAt) throw error;
      await setTimeout(50);
    }
  }
}
