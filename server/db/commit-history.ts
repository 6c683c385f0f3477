import { LeaseLost, type RunEnd, type Stored } from '../../sync/store.ts';
import { carryOver } from './carry-over.ts';
import { catalogVersion } from './catalog.ts';
import { whileBusy } from './busy.ts';
import type { Database } from './database.ts';
import { finish, LEASE_MS, renew } from './run-lease.ts';

/**
 * Ends a run that carries the history of `past` over, in one transaction, as a version in which nothing published now differs.
 * Throws `LeaseLost`.
 */
export function commitHistory(
  { dialect, write }: Database,
  past: Database,
  { seam, end }: { seam: string; end: RunEnd },
): Promise<{ stored: Stored; changes: number }> {
  return whileBusy(() =>
    write.transaction().execute(async (db) => {
      if (!(await renew(db, dialect, end.id, LEASE_MS))) throw new LeaseLost();
      const changes = await carryOver(db, past.read, { seam, runId: end.id });
      const before = await catalogVersion(db);
      const at = new Date(Math.max(Date.now(), Date.parse(before.committedAt) + 1)).toISOString();
      const version = before.version + 1;
      await db.updateTable('catalog').set({ version, committed_at: at }).where('id', '=', 1).execute();
      await db
        .insertInto('catalog_versions')
        .values({ version, committed_at: at, run_id: end.id, changes: 0 })
        .execute();
      return { stored: await finish(db, end, at), changes };
    }),
  );
}
