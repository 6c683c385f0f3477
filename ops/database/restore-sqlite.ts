import { copyFile, rename, rm } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { sql } from 'kysely';
import { isBusy } from '../../server/db/busy.ts';
import { sqlitePath } from '../../server/db/orm.ts';
import { isDamaged } from '../../server/db/unavailable.ts';
import { OpsError } from '../command.ts';
import { removedAtOnce } from '../interrupt.ts';
import { nameOf, withOperator, type Address } from './address.ts';
import { checkSqlite } from './backup.ts';
import { tableNames } from './checksums.ts';
import { diskError, flush, makeFolder } from './folder.ts';
import { migrateRestored, refuseTables, verifyTables, type Restore } from './restored.ts';

/** Restores a backup of SQLite: beside the target, which it takes the place of when it is whole. */
export async function restoreSqlite(request: Restore): Promise<void> {
  const { backup, target, steps } = request;
  const path = sqlitePath(target.url);
  await steps.run('check of the target', () => refuseUsed(request));
  await makeFolder(dirname(path));
  const beside = `${path}.restoring`;
  const restored: Address = { url: `file:${beside}`, passwordFile: null };
  await removeDatabase(beside);
  const settle = filesOf(beside).map(removedAtOnce);
  try {
    await steps.run('copy', () => copyFile(backup.path, beside));
    await steps.run('comparison with the manifest', () =>
      withOperator(restored, async (db) => {
        await checkSqlite(db);
        await verifyTables(db, backup.manifest, steps);
      }),
    );
    await steps.run('migration', () => migrateRestored(restored));
    await steps.run('replacement', async () => {
      // What is in the log of writes goes into the file, which is then whole by itself.
      await withOperator(restored, (db) => sql`pragma journal_mode = delete`.execute(db));
      await flush(beside);
      // Looked at once more: a service may have been started meanwhile.
      await refuseUsed(request);
      // The log of a damaged file is of that alone.
      for (const log of logsOf(path)) await rm(log, { force: true });
      await rename(beside, path);
      await flush(dirname(path));
    });
  } catch (error) {
    throw diskError(beside, error);
  } finally {
    await removeDatabase(beside);
    for (const one of settle) one();
  }
}

/** Where SQLite logs what it writes to a file. */
const logsOf = (path: string): string[] => ['-journal', '-wal', '-shm'].map((ending) => path + ending);

/** An SQLite database, and the files that belong to it. */
const filesOf = (path: string): string[] => [path, ...logsOf(path), `${path}.migrating`];

/** Removes an SQLite database with the files that belong to it. */
export async function removeDatabase(path: string): Promise<void> {
  for (const file of filesOf(path)) await rm(file, { force: true });
}

/** Refuses a target that has tables or is damaged, unless it may be replaced, and one that a process has open. */
async function refuseUsed(request: Restore): Promise<void> {
  if (!existsSync(sqlitePath(request.target.url))) return;
  try {
    await refuseOpen(request);
  } catch (error) {
    if (!(error instanceof OpsError) || !isDamaged(error.cause)) throw error;
    if (request.replace) return;
    throw new OpsError(`${nameOf(request.target.url)} is damaged: replace it with --replace`, {
      cause: error,
    });
  }
}

async function refuseOpen(request: Restore): Promise<void> {
  const { target } = request;
  await withOperator(target, async (db) => {
    refuseTables(request, await tableNames(db, 'sqlite'));
    try {
      // Only the last connection may leave the write-ahead log; this also puts what it holds into the file.
      await sql`pragma journal_mode = delete`.execute(db);
    } catch (error) {
      if (!isBusy(error)) throw error;
      throw new OpsError(`${nameOf(target.url)} is in use: stop the service, then try again`, {
        cause: error,
      });
    }
  });
}
