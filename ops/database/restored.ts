import type { Kysely } from 'kysely';
import { protectAudit } from '../../server/db/audit.ts';
import { openDatabase } from '../../server/db/database.ts';
import type { Tables } from '../../server/db/orm.ts';
import { OpsError } from '../command.ts';
import { nameOf, type Address } from './address.ts';
import { differences, measure } from './checksums.ts';
import type { Backup, Manifest } from './manifest.ts';
import type { Steps } from './steps.ts';

/** What to restore, and where to. */
export interface Restore {
  backup: Backup;
  target: Address;
  /** Whether tables that the target has may go. */
  replace: boolean;
  steps: Steps;
}

/** Refuses a target that has tables, unless they may be replaced. */
export function refuseTables({ target, replace }: Restore, tables: string[]): void {
  if (tables.length === 0 || replace) return;
  throw new OpsError(
    `${nameOf(target.url)} has ${tables.length} tables already: name an empty database, or replace what is there with --replace`,
  );
}

/** Throws `OpsError` where a table is not what the backup says. */
export async function verifyTables(
  db: Kysely<Tables>,
  { dialect, tables }: Manifest,
  { signal }: Steps,
): Promise<void> {
  const found = await db
    .transaction()
    .execute((transaction) => measure({ transaction, outside: db, signal }, dialect));
  const wrong = differences(tables, found);
  if (wrong.length > 0)
    throw new OpsError(
      `what was restored is not what was backed up: ${wrong.join(', ')}. Use another backup`,
    );
}

/** Brings a restored schema up to this build. */
export async function migrateRestored({ url, passwordFile }: Address): Promise<void> {
  const database = await openDatabase(url, { passwordFile });
  try {
    await database.migrate();
    if (database.dialect === 'postgresql') await protectAudit(database.write);
  } finally {
    await database.close();
  }
}
