import { sql, type Transaction } from 'kysely';
import { LeaseLost, type RunEnd, type Stored, type SyncStore } from '../../sync/store.ts';
import { databaseNow } from './clock.ts';
import {
  countRecords,
  loadDue,
  loadFormerModels,
  loadStandings,
  loadKeys,
  loadNeighbours,
  loadPublished,
  loadRecords,
  loadState,
} from './catalog-index.ts';
import { storeSources, writeChanges } from './catalog-write.ts';
import { loadContents } from './history-write.ts';
import { again } from './again.ts';
import { whileBusy } from './busy.ts';
import type { Database } from './database.ts';
import type { Tables } from './orm.ts';
import { finish, hasEnded, interrupted, LEASE, LEASE_MS, published, renew, runClock } from './run-lease.ts';
import { lastCompletedRun } from './runs.ts';
import { isConflict, isCutOff, isReadOnly } from './unavailable.ts';

/** Keeps runs and catalogue in the database. */
export function createSyncStore(
  { dialect, write: writer, edit }: Database,
  { leaseMs = LEASE_MS, historyDays = null }: { leaseMs?: number; historyDays?: number | null } = {},
): SyncStore {
  const inTransaction = <Result>(work: (db: Transaction<Tables>) => Promise<Result>) =>
    again(
      () => whileBusy(() => writer.transaction().execute(work)),
      (error) => isConflict(error) || isReadOnly(error),
    );
  const clock = runClock(dialect);
  /**
   * Writes what a run has come to and ends it, whole and from the beginning again where another transaction stood in the way
   * or the connection has ended. Without the lease nothing is written, but for how the run ended.
   */
  const ending = async (
    end: RunEnd,
    write: ((db: Transaction<Tables>) => Promise<void>) | null,
  ): Promise<Stored> => {
    const once = async (db: Transaction<Tables>) => {
      if (write !== null && !(await renew(db, dialect, end.id, leaseMs))) {
        if (await hasEnded(db, end)) return published(db);
        throw new LeaseLost();
      }
      await write?.(db);
      return finish(db, end, clock.end(end.id));
    };
    const stored = await again(() => inTransaction(once), isCutOff);
    clock.forget(end.id);
    return stored;
  };
  return {
    beginRun: ({ id, trigger, forced, after }) =>
      // Whoever asked for it waits for an answer.
      (trigger === 'api' ? edit : inTransaction)(async (db) => {
        const now = databaseNow(dialect);
        const expires = sql<number>`${now} + ${leaseMs}`;
        const taken = await db
          .insertInto('leases')
          .values({ name: LEASE, owner: id, expires_at_ms: expires })
          .onConflict((conflict) =>
            conflict
              .column('name')
              .doUpdateSet({ owner: id, expires_at_ms: expires })
              .where('leases.expires_at_ms', '<=', now),
          )
          .returning('owner')
          .executeTakeFirst();
        if (taken === undefined) {
          const holder = await db
            .selectFrom('leases')
            .select('owner')
            .where('name', '=', LEASE)
            .executeTakeFirst();
          return { begun: false, runId: holder?.owner ?? '' };
        }
        const last = after === undefined ? null : await lastCompletedRun(db);
        if (last !== null && last.id !== after) {
          await db.deleteFrom('leases').where('name', '=', LEASE).where('owner', '=', id).execute();
          return { begun: false, runId: last.id };
        }
        const startedAt = await clock.begin(db, id);
        await interrupted(db, startedAt).execute();
        await db
          .insertInto('sync_runs')
          .values({
            id,
            status: 'running',
            message: 'Under way',
            trigger,
            started_at: startedAt,
            completed_at: null,
            total_fetched: 0,
            total_stored: 0,
            catalog_version: null,
            forced: forced ? 1 : 0,
            sources: '[]',
          })
          .execute();
        return { begun: true, startedAt };
      }),

    noteOutcomes: async (runId, outcomes) => {
      await writer
        .updateTable('sync_runs')
        .set({ sources: JSON.stringify(outcomes) })
        .where('id', '=', runId)
        .where('status', '=', 'running')
        .execute();
    },

    renewLease: (runId) => whileBusy(() => renew(writer, dialect, runId, leaseMs)),

    loadState: () => loadState(writer),
    countRecords: (source, except) => countRecords(writer, source, except),
    loadStandings: (source) => loadStandings(writer, source),
    loadRecords: (source, ids) => loadRecords(writer, source, ids),
    loadKeys: (records) => loadKeys(writer, records),
    loadNeighbours: (of) => loadNeighbours(writer, of),
    loadFormerModels: (source, ids) => loadFormerModels(writer, source, ids),
    loadDue: (today) => loadDue(writer, today),
    loadPublished: (modelIds) => loadPublished(writer, modelIds),
    loadContents: (of) => loadContents(writer, of),

    commit: (changes, end) =>
      ending(end, async (db) => {
        await storeSources(db, changes.sources);
        await writeChanges(db, changes, { runId: end.id, historyDays });
      }),

    endRun: (end, sources) => ending(end, sources.length === 0 ? null : (db) => storeSources(db, sources)),
  };
}
