import { KNOWN_MIGRATIONS } from '../../server/db/migrations.ts';
import { dialectOf, type DialectName } from '../../server/db/orm.ts';
import { OpsError } from '../command.ts';
import { nameOf, type Address } from './address.ts';
import { verifyFile, type Manifest } from './manifest.ts';
import { restorePostgres } from './restore-postgres.ts';
import { restoreSqlite } from './restore-sqlite.ts';
import type { Restore } from './restored.ts';

/** Restores a backup, compares every table with its manifest, and brings the schema up to date. Where it fails, the target is as it was. */
export async function restore(request: Restore): Promise<void> {
  const { backup, target, steps } = request;
  refuseOther(backup.manifest, target);
  await steps.run('SHA-256 of the file', () => verifyFile(backup));
  await (backup.manifest.dialect === 'sqlite' ? restoreSqlite : restorePostgres)(request);
}

const WORDS: Record<DialectName, string> = {
  sqlite: 'an SQLite database',
  postgresql: 'a Postgres database',
};

/** Refuses what can not come out right: the other kind of database, and a schema of the future. */
function refuseOther({ dialect, migrations, version }: Manifest, { url }: Address): void {
  const target = dialectOf(url);
  if (target !== dialect)
    throw new OpsError(
      `the backup is of ${WORDS[dialect]}, and ${nameOf(url)} is ${WORDS[target]}: restore it into ${WORDS[dialect]}`,
    );
  const unknown = migrations.filter((name) => !KNOWN_MIGRATIONS.includes(name));
  if (unknown.length > 0)
    throw new OpsError(
      `the backup was made by a newer build (${version}): this one does not know ${unknown.join(', ')}. Restore it with that build`,
    );
}
