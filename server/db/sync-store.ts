import { sql, type Kysely, type Transaction } from 'kysely';
import {
  LeaseLost,
  type CatalogChanges,
  type CatalogIndex,
  type RunEnd,
  type SourceState,
  type SyncStore,
} from '../../sync/store.ts';
import type { Database } from './database.ts';
import type { DialectName, Tables } from './orm.ts';
import { deleteRows, upsertRows } from './rows.ts';

/** How long a run may be silent before another takes over. */
export const LEASE_MS = 90_000;

const LEASE = 'sync';
const NEVER = '1970-01-01T00:00:00.000Z';

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

async function published(db: Kysely<Tables>): Promise<{ version: number; models: number }> {
  const catalog = await db.selectFrom('catalog').select('version').where('id', '=', 1).executeTakeFirst();
  const { count } = await db
    .selectFrom('models')
    .select((eb) => eb.fn.countAll().as('count'))
    .where('delisted', '=', 0)
    .executeTakeFirstOrThrow();
  return { version: catalog?.version ?? 0, models: Number(count) };
}

async function finish(db: Kysely<Tables>, end: RunEnd): Promise<{ version: number; models: number }> {
  const { version, models } = await published(db);
  await db
    .updateTable('sync_runs')
    .set({
      status: end.status,
      message: end.message,
      completed_at: end.completedAt,
      total_fetched: end.totalFetched,
      total_stored: models,
      catalog_version: version,
      sources: JSON.stringify(end.sources),
    })
    .where('id', '=', end.id)
    .execute();
  await db.deleteFrom('leases').where('name', '=', LEASE).where('owner', '=', end.id).execute();
  return { version, models };
}

function storeSources(db: Kysely<Tables>, sources: SourceState[]): Promise<void> {
  const rows = sources.map((source) => ({
    ...source,
    error: source.error && JSON.stringify(source.error),
    validators: JSON.stringify(source.validators),
    providers: JSON.stringify(source.providers),
  }));
  return upsertRows(db, 'sources', ['id'], rows);
}

async function write(db: Transaction<Tables>, changes: CatalogChanges): Promise<void> {
  const { records, models, offers, aliases, providers, delist } = changes;
  await deleteRows(db, 'records', ['source', 'id'], records.remove);
  await upsertRows(db, 'records', ['source', 'id'], records.upsert);
  for (const { source, id, modelId } of records.moved) {
    await db
      .updateTable('records')
      .set({ model_id: modelId })
      .where('source', '=', source)
      .where('id', '=', id)
      .execute();
  }
  await deleteRows(
    db,
    'models',
    ['id'],
    models.remove.map((id) => ({ id })),
  );
  await upsertRows(db, 'models', ['id'], models.upsert);
  for (const id of delist.ids) {
    await db
      .updateTable('models')
      .set({ delisted: 1, updated_at: delist.date })
      .where('id', '=', id)
      .execute();
  }
  await deleteRows(db, 'offers', ['provider', 'provider_model_id'], offers.remove);
  await upsertRows(db, 'offers', ['provider', 'provider_model_id'], offers.upsert);
  await deleteRows(
    db,
    'aliases',
    ['alias'],
    aliases.remove.map((alias) => ({ alias })),
  );
  await upsertRows(db, 'aliases', ['alias'], aliases.upsert);
  await deleteRows(
    db,
    'providers',
    ['id'],
    providers.remove.map((id) => ({ id })),
  );
  await upsertRows(db, 'providers', ['id'], providers.upsert);
}

/** Whether anything that is published differs: records alone are not published. */
function changesPublished({ models, offers, aliases, providers, delist }: CatalogChanges): boolean {
  return (
    delist.ids.length > 0 ||
    [models, offers, aliases, providers].some(({ upsert, remove }) => upsert.length + remove.length > 0)
  );
}

async function raiseVersion(
  db: Transaction<Tables>,
  changes: CatalogChanges,
  committedAt: string,
): Promise<void> {
  const { format } = changes;
  const step = changesPublished(changes) ? 1 : 0;
  const row = { id: 1, version: step, committed_at: step === 1 ? committedAt : NEVER, format };
  await db
    .insertInto('catalog')
    .values(row)
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet({
        version: sql`catalog.version + ${step}`,
        format,
        ...(step === 1 ? { committed_at: committedAt } : {}),
      }),
    )
    .execute();
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

    loadIndex: async (): Promise<CatalogIndex> => {
      const catalog = await writer.selectFrom('catalog').selectAll().where('id', '=', 1).executeTakeFirst();
      const sources = await writer.selectFrom('sources').selectAll().execute();
      const records = await writer
        .selectFrom('records')
        .select(['source', 'id', 'hash', 'model_id as modelId', 'first_seen_at as firstSeenAt'])
        .execute();
      const models = await writer
        .selectFrom('models')
        .select([
          'id',
          'hash',
          'steady_hash as steadyHash',
          'delisted',
          'target',
          'target_since as targetSince',
        ])
        .select(['first_seen_at as firstSeenAt', 'refreshed_at as refreshedAt'])
        .execute();
      const offers = await writer
        .selectFrom('offers')
        .select(['provider', 'provider_model_id as providerModelId', 'hash'])
        .execute();
      const aliases = await writer
        .selectFrom('aliases')
        .select(['alias', 'model_id as modelId', 'source'])
        .execute();
      const providers = await writer.selectFrom('providers').select(['id', 'hash']).execute();
      return {
        version: catalog?.version ?? 0,
        format: catalog?.format ?? 0,
        sources: new Map(sources.map((row) => [row.id, sourceState(row)])),
        records,
        models,
        offers,
        aliases,
        providers,
      };
    },

    loadItems: (sources) =>
      writer.selectFrom('records').select(['source', 'id', 'raw']).where('source', 'in', sources).execute(),

    commit: (changes, end) =>
      writer.transaction().execute(async (db) => {
        if (!(await renew(db, dialect, end.id, leaseMs))) throw new LeaseLost();
        await write(db, changes);
        await storeSources(db, changes.sources);
        await raiseVersion(db, changes, end.completedAt);
        return finish(db, end);
      }),

    endRun: (end, sources) =>
      writer.transaction().execute(async (db) => {
        await storeSources(db, sources);
        return finish(db, end);
      }),
  };
}

function sourceState(row: {
  id: string;
  status: string | null;
  error: string | null;
  last_good_at: string | null;
  as_of: string | null;
  validators: string;
  providers: string;
}): SourceState {
  return {
    id: row.id,
    status: row.status as SourceState['status'],
    error: row.error === null ? null : (JSON.parse(row.error) as SourceState['error']),
    lastGoodAt: row.last_good_at,
    asOf: row.as_of,
    validators: JSON.parse(row.validators) as SourceState['validators'],
    providers: JSON.parse(row.providers) as SourceState['providers'],
  };
}
