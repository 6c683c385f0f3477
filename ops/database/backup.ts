import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { sql, type Kysely } from 'kysely';
import { catalogVersion, EMPTY_CATALOG } from '../../server/db/catalog.ts';
import { ranMigrations } from '../../server/db/migrations.ts';
import { dialectOf, sqlitePath, type DialectName, type Tables } from '../../server/db/orm.ts';
import { whileBusy } from '../../server/db/busy.ts';
import { VERSION } from '../../server/ports.ts';
import { OpsError } from '../command.ts';
import { orGivenUp } from '../interrupt.ts';
import { withOperator, type Address } from './address.ts';
import { measure, SCHEMA, tableNames, type Measured } from './checksums.ts';
import { diskError, flush, makeFolder, nameAt, writeWhole } from './folder.ts';
import { digestOf, ENDING, manifestPathOf, type Backup, type Manifest } from './manifest.ts';
import { runProgram } from './programs.ts';
import type { Steps } from './steps.ts';

/** Longest that a dump waits for a migration to let go of a table. */
const LOCK_WAIT = '60s';

/** What a database holds, as its backup says. */
type Described = Pick<Manifest, 'server' | 'database' | 'migrations' | 'catalogVersion' | 'tables'>;

/** Backs a database up into a folder, while it is used. Either whole, or nothing of it stays. */
export async function makeBackup(address: Address, folder: string, steps: Steps): Promise<Backup> {
  const dialect = dialectOf(address.url);
  const createdAt = new Date().toISOString();
  await makeFolder(folder);
  const path = join(folder, nameAt(createdAt) + ENDING[dialect]);
  const manifestPath = manifestPathOf(path);
  const write = dialect === 'sqlite' ? copySqlite : dumpPostgres;
  let described: Described | null = null;
  const file = await writeWhole(path, async (temporary) => {
    described = await write(address, temporary, steps);
  });
  try {
    const digest = await steps.run('SHA-256 of the file', () => digestOf(file.temporary));
    const manifest: Manifest = {
      format: 1,
      createdAt,
      version: VERSION,
      dialect,
      file: basename(path),
      ...digest,
      ...(described as unknown as Described),
    };
    const text = `${JSON.stringify(manifest, null, 2)}\n`;
    const beside = await writeWhole(manifestPath, (temporary) => writeFile(temporary, text, { flag: 'wx' }));
    // The manifest comes last: with it, the backup is there.
    await file.keep();
    await beside.keep();
    await flush(dirname(path));
    return { path, manifestPath, manifest };
  } catch (error) {
    await file.discard();
    throw error;
  }
}

async function describe(measured: Measured, dialect: DialectName): Promise<Described> {
  const { transaction: db } = measured;
  const tables = await tableNames(db, dialect);
  if (tables.length === 0) throw new OpsError('the database has no tables: there is nothing to back up');
  const { version } = tables.includes('catalog') ? await catalogVersion(db) : EMPTY_CATALOG;
  const identity =
    dialect === 'sqlite'
      ? sql<Identity>`select 'SQLite ' || sqlite_version() as server, file as database
          from pragma_database_list where name = 'main'`
      : sql<Identity>`select 'PostgreSQL ' || current_setting('server_version') as server, current_database() as database`;
  const { rows } = await identity.execute(db);
  return {
    server: String(rows[0]?.server),
    database: basename(String(rows[0]?.database)),
    migrations: await ranMigrations(db, dialect),
    catalogVersion: version,
    tables: await measure(measured, dialect),
  };
}

interface Identity {
  server: string;
  database: string;
}

/** Dumps one exported snapshot, and sums up the same one meanwhile. */
async function dumpPostgres(address: Address, path: string, steps: Steps): Promise<Described> {
  return withOperator(address, (db) =>
    orGivenUp(
      steps.signal,
      db
        .transaction()
        .setIsolationLevel('repeatable read')
        .setAccessMode('read only')
        .execute(async (transaction) => {
          const { rows } = await sql<{ id: string }>`select pg_export_snapshot() as id`.execute(transaction);
          const stop = new AbortController();
          const signal = AbortSignal.any([steps.signal, stop.signal]);
          const args = [
            '--format=custom',
            `--schema=${SCHEMA}`,
            '--no-password',
            `--snapshot=${rows[0]?.id}`,
            `--lock-wait-timeout=${LOCK_WAIT}`,
          ];
          const dump = steps.run('pg_dump', () =>
            runProgram({ name: 'pg_dump', address, args, signal }, (stdout) =>
              pipeline(stdout, createWriteStream(path, { flags: 'wx' })),
            ),
          );
          const described = steps.run('checksums of the tables', () =>
            describe({ transaction, outside: db, signal }, 'postgresql'),
          );
          try {
            const [, contents] = await Promise.all([dump, described]);
            return contents;
          } finally {
            stop.abort();
            await Promise.allSettled([dump, described]);
          }
        }),
    ),
  );
}

/** Copies the file as one transaction sees it, and sums up the copy. */
async function copySqlite({ url, passwordFile }: Address, path: string, steps: Steps): Promise<Described> {
  const source = sqlitePath(url);
  await steps.run('vacuum into', () =>
    withOperator({ url, passwordFile }, async (db) => {
      await whileBusy(() => sql`vacuum into ${path}`.execute(db)).catch((error: unknown) => {
        throw diskError(path, error);
      });
    }),
  );
  return steps.run('checksums of the tables', () =>
    withOperator({ url: `file:${path}`, passwordFile: null }, async (db) => {
      await checkSqlite(db);
      const described = await db
        .transaction()
        .execute((transaction) => describe({ transaction, outside: db, signal: steps.signal }, 'sqlite'));
      return { ...described, database: basename(source) };
    }),
  );
}

/** Throws `OpsError` where an SQLite file is damaged. */
export async function checkSqlite(db: Kysely<Tables>): Promise<void> {
  const { rows } = await sql<{ integrity_check: string }>`pragma integrity_check(1)`.execute(db);
  const said = rows[0]?.integrity_check;
  if (said !== 'ok') throw new OpsError(`the SQLite file is damaged: ${said}`);
}
