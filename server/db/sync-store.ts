import { sql, type Kysely } from 'kysely';
import { LeaseLost, type RunEnd, type Stored, type SyncStore } from '../../sync/store.ts';
import { catalogVersion, countModels } from './catalog.ts';
import { loadIndex } from './catalog-index.ts';
import { raiseVersion, storeSources, writeChanges } from './catalog-write.ts';
import type { Database } from './database.ts';
import type { DialectName, Tables } from './orm.ts';

/** How long a run may be silent before another takes over. */
export const LEASE_MS = 90_000;

const LEASE = 'sync';

/** The database's own clock in milliseconds: processes on several machines need not agree on the time. */
function databaseNow(dialect: DialectName) {
  return dialect === 'sqlite'
    ? sql<number>`cast(unixepoch('subsec') * 1000 as integer)`
    : sql<number>`(extract(epoch from clock_timestamp()) * 1000)::bigint`;
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
    .execute();
  await db.deleteFrom('leases').where('name', '=', LEASE).where('owner', '=', end.id).execute();
  return stored;
}

/** Keeps runs and catalogue in the database. */
export function createSyncStore({ dialect, write: writer }: Database, leaseMs: number = LEASE_MS): SyncStore {
  return {
    beginRun: ({ id, trigger, startedAt }) =>
      writer.transaction().execute(async (db) => {
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
        await db
          .updateTable('sync_runs')
          .set({
            status: 'interrupted',
            message: 'The process that ran it has died',
            completed_at: startedAt,
          })
          .where('status', '=', 'running')
          .execute();
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
            sources: '[]',
          })
          .execute();
        return { begun: true };
      }),

    renewLease: (runId) => renew(writer, dialect, runId, leaseMs),

    loadIndex: () => loadIndex(writer),

    loadItems: (sources) =>
      writer.selectFrom('records').select(['source', 'id', 'raw']).where('source', 'in', sources).execute(),

    commit: (changes, end) =>
      writer.transaction().execute(async (db) => {
        if (!(await renew(db, dialect, end.id, leaseMs))) throw new LeaseLost();
        await writeChanges(db, changes);
        await storeSources(db, changes.sources);
        const completedAt = new Date().toISOString();
        await raiseVersion(db, changes, completedAt);
        return finish(db, end, completedAt);
      }),

    endRun: (end, sources) =>
      writer.transaction().execute(async (db) => {
        await storeSources(db, sources);
        return finish(db, end, new Date().toISOString());
      }),
  };
}
