import { setTimeout } from 'node:timers/promises';
import { sql, type Kysely, type Transaction } from 'kysely';
import { LeaseLost, type RunEnd, type Stored, type SyncStore } from '../../sync/store.ts';
import { catalogVersion, countModels, EMPTY_CATALOG } from './catalog.ts';
import { databaseNow, readClock } from './clock.ts';
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
import { carryOver } from './carry-over.ts';
import { storeSources, writeChanges } from './catalog-write.ts';
import { loadContents } from './history-write.ts';
import { isBusy, type Database } from './database.ts';
import type { DialectName, Tables } from './orm.ts';
import { lastCompletedRun } from './runs.ts';

/** How long a run may be silent before another takes over. */
export const LEASE_MS = 90_000;

const LEASE = 'sync';

/** The runs that are under way by name, as interrupted at a time. */
const interrupted = (db: Kysely<Tables>, at: string) =>
  db
    .updateTable('sync_runs')
    .set({ status: 'interrupted', message: 'The process that ran it has died', completed_at: at })
    .where('status', '=', 'running');

/** Marks a run interrupted when its process has died and its lease has run out, so that none is shown as running for ever. */
export async function sweepDeadRuns({ dialect, read, write }: Database): Promise<void> {
  const running = await read
    .selectFrom('sync_runs')
    .select('id')
    .where('status', '=', 'running')
    .executeTakeFirst();
  if (running === undefined) return;
  // In one statement, so that a run that begins meanwhile is not taken for a dead one: it begins together with its lease.
  await interrupted(write, new Date().toISOString())
    .where(({ not, exists }) =>
      not(
        exists(
          write
            .selectFrom('leases')
            .select('owner')
            .where('name', '=', LEASE)
            .where('expires_at_ms', '>', databaseNow(dialect)),
        ),
      ),
    )
    .execute();
}

async function renew(
  db: Kysely<Tables>,
  dialect: DialectName,
  runId: string,
  leaseMs: number,
): Promise<boolean> {
  const now = databaseNow(dialect);
  const { numUpdatedRows } = await db
    .updateTable('leases')
    .set({ expires_at_ms: sql<number>`${now} + ${leaseMs}` })
    .where('name', '=', LEASE)
    .where('owner', '=', runId)
    .where('expires_at_ms', '>', now)
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

async function published(db: Kysely<Tables>): Promise<Stored> {
  const { version, committedAt } = await catalogVersion(db);
  return { catalogVersion: version, committedAt, models: await countModels(db, { withheld: false }) };
}

async function finish(db: Kysely<Tables>, end: RunEnd, completedAt: string): Promise<Stored> {
  const stored = await published(db);
  await db
    .updateTable('sync_runs')
    .set({
      status: end.status,
      message: end.message,
      completed_at: completedAt,
      total_fetched: end.totalFetched,
      total_stored: stored.models,
      catalog_version: stored.catalogVersion,
      sources: JSON.stringify(end.sources),
    })
    .where('id', '=', end.id)
    // A commit whose answer was lost has ended its run, whatever its process makes of that.
    .where('status', 'in', ['running', 'interrupted'])
    .execute();
  await db.deleteFrom('leases').where('name', '=', LEASE).where('owner', '=', end.id).execute();
  return stored;
}

const BUSY_WAIT_MS = 30_000;
const BUSY_RETRY_MS = 100;

/** Tries again while another process writes to the SQLite file: it may be a backup, or another run's commit. */
async function whileBusy<Result>(work: () => Promise<Result>): Promise<Result> {
  const giveUpAt = performance.now() + BUSY_WAIT_MS;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isBusy(error) || performance.now() > giveUpAt) throw error;
      await setTimeout(BUSY_RETRY_MS);
    }
  }
}

/** Tells when runs begin and end: they begin by the database's clock, one after the other, and take as long as they take though clocks are set. */
function runClock(dialect: DialectName) {
  const running = new Map<string, { startedAtMs: number; mark: number }>();
  return {
    async begin(db: Kysely<Tables>, id: string): Promise<string> {
      const now = await readClock(db, dialect);
      const last = await db
        .selectFrom('sync_runs')
        .select((eb) => eb.fn.max('started_at').as('startedAt'))
        .executeTakeFirst();
      const startedAtMs = Math.max(now, Date.parse(last?.startedAt ?? EMPTY_CATALOG.committedAt) + 1);
      running.set(id, { startedAtMs, mark: performance.now() });
      return new Date(startedAtMs).toISOString();
    },
    end(id: string): string {
      const begun = running.get(id);
      if (begun === undefined) return new Date().toISOString();
      running.delete(id);
      return new Date(begun.startedAtMs + Math.ceil(performance.now() - begun.mark)).toISOString();
    },
  };
}

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

/** Keeps runs and catalogue in the database. */
export function createSyncStore(
  { dialect, write: writer }: Database,
  { leaseMs = LEASE_MS, historyDays = null }: { leaseMs?: number; historyDays?: number | null } = {},
): SyncStore {
  const inTransaction = <Result>(work: (db: Transaction<Tables>) => Promise<Result>) =>
    whileBusy(() => writer.transaction().execute(work));
  const clock = runClock(dialect);
  return {
    beginRun: ({ id, trigger, forced, after }) =>
      inTransaction(async (db) => {
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

    renewLease: (runId) => renew(writer, dialect, runId, leaseMs),

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
      inTransaction(async (db) => {
        if (!(await renew(db, dialect, end.id, leaseMs))) throw new LeaseLost();
        await storeSources(db, changes.sources);
        await writeChanges(db, changes, { runId: end.id, historyDays });
        return finish(db, end, clock.end(end.id));
      }),

    endRun: (end, sources) =>
      inTransaction(async (db) => {
        if (sources.length > 0 && !(await renew(db, dialect, end.id, leaseMs))) throw new LeaseLost();
        await storeSources(db, sources);
        return finish(db, end, clock.end(end.id));
      }),
  };
}
