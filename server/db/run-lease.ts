import { sql, type Kysely } from 'kysely';
import type { RunEnd, Stored } from '../../sync/store.ts';
import { catalogVersion, countModels, EMPTY_CATALOG } from './catalog.ts';
import { databaseNow, readClock } from './clock.ts';
import type { Database } from './database.ts';
import type { DialectName, Tables } from './orm.ts';
import { isUnavailable } from './unavailable.ts';

// How runs begin, stay alive and end: one process after another holds the lease.

/** How long a run may be silent before another takes over. */
export const LEASE_MS = 90_000;

/** The name of the lease. */
export const LEASE = 'sync';

/** The runs that are under way by name, as interrupted at a time. */
export const interrupted = (db: Kysely<Tables>, at: string) =>
  db
    .updateTable('sync_runs')
    .set({
      status: 'interrupted',
      message: 'Its process has died, or could not reach the database',
      completed_at: at,
    })
    .where('status', '=', 'running');

/**
 * Marks a run interrupted when its process has died and its lease has run out, so that none is shown as running for ever.
 * Where nothing can be written right now, that is left to the next time.
 */
export async function sweepDeadRuns({ dialect, probe, edit }: Database): Promise<void> {
  const running = await probe
    .selectFrom('sync_runs')
    .select('id')
    .where('status', '=', 'running')
    .executeTakeFirst();
  if (running === undefined) return;
  // In one statement, so that a run that begins meanwhile is not taken for a dead one: it begins together with its lease.
  await edit((db) =>
    interrupted(db, new Date().toISOString())
      .where(({ not, exists }) =>
        not(
          exists(
            db
              .selectFrom('leases')
              .select('owner')
              .where('name', '=', LEASE)
              .where('expires_at_ms', '>', databaseNow(dialect)),
          ),
        ),
      )
      .execute(),
  ).catch((error: unknown) => {
    if (!isUnavailable(error)) throw error;
  });
}

/** Prolongs the lease of a run. False: it was lost. */
export async function renew(
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

/** What is published. */
export async function published(db: Kysely<Tables>): Promise<Stored> {
  const { version, committedAt } = await catalogVersion(db);
  return { catalogVersion: version, committedAt, models: await countModels(db, { withheld: false }) };
}

/** Whether a run has been ended so before: a commit whose answer was lost may have been one all the same. */
export async function hasEnded(db: Kysely<Tables>, { id, status }: RunEnd): Promise<boolean> {
  const run = await db.selectFrom('sync_runs').select('status').where('id', '=', id).executeTakeFirst();
  return run?.status === status;
}

/** Ends a run, and gives its lease back. Answers with what is published. */
export async function finish(db: Kysely<Tables>, end: RunEnd, completedAt: string): Promise<Stored> {
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

/** Tells when runs begin and end: they begin by the database's clock, one after the other, and take as long as they take though clocks are set. */
export function runClock(dialect: DialectName) {
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
      return new Date(begun.startedAtMs + Math.ceil(performance.now() - begun.mark)).toISOString();
    },
    forget: (id: string): void => void running.delete(id),
  };
}
