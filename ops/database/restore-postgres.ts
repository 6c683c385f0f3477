import { sql, type Kysely } from 'kysely';
import type { Tables } from '../../server/db/orm.ts';
import { OpsError } from '../command.ts';
import { notEndedAtOnce } from '../interrupt.ts';
import { withOperator } from './address.ts';
import { SCHEMA, tableNames } from './checksums.ts';
import { runProgram } from './programs.ts';
import { migrateRestored, refuseTables, verifyTables, type Restore } from './restored.ts';

/** Restores a backup of Postgres. Tables that it replaces wait in a schema of their own until it is whole. */
export async function restorePostgres(request: Restore): Promise<void> {
  const { backup, target, steps } = request;
  await withOperator(target, async (db) => {
    const before = await tableNames(db, 'postgresql');
    refuseTables(request, before);
    await refuseServed(db);
    const aside = before.length > 0 ? await setAside(db, before) : null;
    await notEndedAtOnce(reasonFor(aside), async () => {
      try {
        await steps.run('pg_restore', () =>
          runProgram(
            {
              name: 'pg_restore',
              address: target,
              args: [
                '--single-transaction',
                '--exit-on-error',
                '--no-owner',
                '--no-privileges',
                `--schema=${SCHEMA}`,
                '--no-password',
                backup.path,
              ],
              signal: steps.signal,
            },
            async (stdout) => void stdout.resume(),
          ),
        );
        await steps.run('comparison with the manifest', () => verifyTables(db, backup.manifest, steps));
        await steps.run('migration', () => migrateRestored(target));
        await steps.run('analyze', () => sql`analyze`.execute(db, { signal: steps.signal }));
      } catch (error) {
        await putBack(db, aside, error);
        throw error;
      }
      if (aside !== null) await dropAside(db, aside, before);
    });
  });
}

/** Why a restore is not ended at once. */
function reasonFor(aside: string | null): string {
  const where = aside === null ? '' : `, and the tables that were there in schema ${aside}`;
  return `the database is being put back as it was. SIGKILL would leave there what was restored so far${where}`;
}

/** Refuses to take the tables away from under a running service. */
async function refuseServed(db: Kysely<Tables>): Promise<void> {
  const { rows } = await sql<{ count: string }>`
    select count(*) as count from pg_stat_activity
    where datname = current_database() and application_name like 'effect-models %'
      and application_name <> 'effect-models operate'
  `.execute(db);
  const count = Number(rows[0]?.count);
  if (count > 0)
    throw new OpsError(`the service has ${count} connections to the database: stop it, then try again`);
}

/** Moves tables into a schema of their own, with all that belongs to them; it takes no time. */
async function setAside(db: Kysely<Tables>, tables: string[]): Promise<string> {
  const aside = `replaced_${new Date().toISOString().replaceAll(/\D/g, '')}`;
  await db.transaction().execute(async (transaction) => {
    await sql`create schema ${sql.id(aside)}`.execute(transaction);
    for (const name of tables)
      await sql`alter table ${sql.id(SCHEMA, name)} set schema ${sql.id(aside)}`.execute(transaction);
  });
  return aside;
}

/** Removes what was restored, and puts what was there before in its place. */
async function putBack(db: Kysely<Tables>, aside: string | null, why: unknown): Promise<void> {
  try {
    await db.transaction().execute(async (transaction) => {
      await dropTables(transaction, SCHEMA, await tableNames(transaction, 'postgresql'));
      if (aside === null) return;
      const { rows } = await sql<{ name: string }>`
        select tablename as name from pg_tables where schemaname = ${aside}`.execute(transaction);
      for (const { name } of rows)
        await sql`alter table ${sql.id(aside, name)} set schema ${sql.id(SCHEMA)}`.execute(transaction);
      await sql`drop schema ${sql.id(aside)}`.execute(transaction);
    });
  } catch (error) {
    const where = aside === null ? '' : `, and the tables that were there are in schema ${aside}`;
    throw new OpsError(
      `${(why as Error).message}. What was restored so far could not be removed (${(error as Error).message})${where}`,
      { cause: error },
    );
  }
}

async function dropAside(db: Kysely<Tables>, aside: string, tables: string[]): Promise<void> {
  try {
    await db.transaction().execute(async (transaction) => {
      await dropTables(transaction, aside, tables);
      await sql`drop schema ${sql.id(aside)}`.execute(transaction);
    });
  } catch (error) {
    throw new OpsError(
      `everything is restored, but the tables replaced are still in schema ${aside}: ${(error as Error).message}. ` +
        'Remove what depends on them, then the schema',
      { cause: error },
    );
  }
}

/** Drops tables at once, so that they may depend on one another; what else depends on them stays, and refuses. */
async function dropTables(db: Kysely<Tables>, schema: string, tables: string[]): Promise<void> {
  if (tables.length === 0) return;
  await sql`drop table ${sql.join(tables.map((name) => sql.id(schema, name)))}`.execute(db);
}
