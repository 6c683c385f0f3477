import { sql, type Kysely } from 'kysely';
import type { RecordRow, RecordStanding } from '../../sync/rows.ts';
import type { CatalogState, Published, SourceState } from '../../sync/store.ts';
import type { Tables } from './orm.ts';
import { inBatches } from './rows.ts';

/** Reads what is remembered of the catalogue as a whole. */
export async function loadState(db: Kysely<Tables>): Promise<CatalogState> {
  const catalog = await db.selectFrom('catalog').selectAll().where('id', '=', 1).executeTakeFirst();
  const sources = await loadSources(db);
  const model = await db.selectFrom('models').select('id').limit(1).executeTakeFirst();
  return {
    version: catalog?.version ?? 0,
    committedAt: (catalog?.version ?? 0) === 0 ? null : (catalog?.committed_at ?? null),
    format: catalog?.format ?? 0,
    isEmpty: model === undefined,
    sources: new Map(sources.map((source) => [source.id, source])),
  };
}

/** Reads what is remembered of every source. */
export async function loadSources(db: Kysely<Tables>): Promise<SourceState[]> {
  const rows = await db.selectFrom('sources').selectAll().orderBy('id').execute();
  return rows.map((row) => ({
    id: row.id,
    status: row.status as SourceState['status'],
    error: row.error === null ? null : (JSON.parse(row.error) as SourceState['error']),
    lastGoodAt: row.last_good_at,
    asOf: row.as_of,
    fetched: row.fetched,
    wholeAt: row.whole_at,
    validators: JSON.parse(row.validators) as SourceState['validators'],
    providers: JSON.parse(row.providers) as SourceState['providers'],
  }));
}

/** Counts the records that the last good fetch of a source had, but for those whose ids begin so. */
export async function countRecords(
  db: Kysely<Tables>,
  source: string,
  except: string | null,
): Promise<number> {
  const count = (beginning: string | null) => {
    let query = db.selectFrom('records').where('source', '=', source).where('missed', '=', 0);
    if (beginning !== null)
      query = query.where(sql<boolean>`substr(id, 1, ${beginning.length}) = ${beginning}`);
    return query.select((eb) => eb.fn.countAll().as('count')).executeTakeFirstOrThrow();
  };
  const all = Number((await count(null)).count);
  return except === null ? all : all - Number((await count(except)).count);
}

/** Reads how the records of a source stand, by id. */
export async function loadStandings(
  db: Kysely<Tables>,
  source: string,
): Promise<Map<string, RecordStanding>> {
  const rows = await db
    .selectFrom('records')
    .select(['id', 'hash', 'missed', sql<number>`case when held is null then 0 else 1 end`.as('waits')])
    .where('source', '=', source)
    .execute();
  return new Map(rows.map(({ id, hash, missed, waits }) => [id, { hash, missed, waits: waits === 1 }]));
}

const RECORD_COLUMNS = [
  'records.source',
  'records.id',
  'records.hash',
  'records.model_id as modelId',
  'records.match',
  'records.raw',
  'records.missed',
  'records.held',
  'records.first_seen_at as firstSeenAt',
  'records.updated_at as updatedAt',
] as const;

/** Reads records of a source by id; null: all of them. */
export function loadRecords(db: Kysely<Tables>, source: string, ids: string[] | null): Promise<RecordRow[]> {
  const query = db.selectFrom('records').select(RECORD_COLUMNS).where('source', '=', source);
  return ids === null ? query.execute() : inBatches(ids, (batch) => query.where('id', 'in', batch).execute());
}

/** Reads the keys that records are stored under. */
export async function loadKeys(
  db: Kysely<Tables>,
  records: { source: string; id: string }[],
): Promise<string[]> {
  const keys: string[] = [];
  for (const [source, own] of Map.groupBy(records, (record) => record.source)) {
    const rows = await inBatches(
      own.map(({ id }) => id),
      (batch) =>
        db
          .selectFrom('record_keys')
          .select('key')
          .distinct()
          .where('source', '=', source)
          .where('record_id', 'in', batch)
          .execute(),
    );
    keys.push(...rows.map(({ key }) => key));
  }
  return [...new Set(keys)];
}

/** Reads the records that have one of these keys, or stand behind one of these models. */
export async function loadNeighbours(
  db: Kysely<Tables>,
  of: { keys: string[] } | { modelIds: string[] },
): Promise<RecordRow[]> {
  if ('modelIds' in of) {
    const records = db.selectFrom('records').select(RECORD_COLUMNS);
    return inBatches(of.modelIds, (batch) => records.where('model_id', 'in', batch).execute());
  }
  const holders = await inBatches(of.keys, (batch) =>
    db
      .selectFrom('record_keys')
      .select(['source', 'record_id as id'])
      .distinct()
      .where('key', 'in', batch)
      .execute(),
  );
  const rows: RecordRow[] = [];
  for (const [source, own] of Map.groupBy(holders, (holder) => holder.source))
    rows.push(...(await loadRecords(db, source, [...new Set(own.map(({ id }) => id))])));
  return rows;
}

/** Reads which model records stood behind when they were last held, by their ids. */
export async function loadFormerModels(
  db: Kysely<Tables>,
  source: string,
  ids: string[],
): Promise<Map<string, string>> {
  const rows = await inBatches(ids, (batch) =>
    db
      .selectFrom('model_aliases')
      .select(['record_id as id', 'model_id as modelId'])
      .where('source', '=', source)
      .where('record_id', 'in', batch)
      .execute(),
  );
  return new Map(rows.map(({ id, modelId }) => [id, modelId]));
}

/** Reads the ids of models whose announced end, or that of an offer of theirs, has come by a day. */
export async function loadDue(db: Kysely<Tables>, today: string): Promise<string[]> {
  const rows = await db
    .selectFrom('models')
    .select('id')
    .where('delisted', '=', 0)
    .where('lifecycle_status', '=', 'retiring')
    .where('lifecycle_date', '<=', today)
    .union(
      db
        .selectFrom('offers')
        .select('model_id as id')
        .where('delisted_at', 'is', null)
        .where('lifecycle_status', '=', 'retiring')
        .where('lifecycle_date', '<=', today),
    )
    .execute();
  return rows.map(({ id }) => id);
}

/** Reads what is published under some ids, without contents. */
export async function loadPublished(db: Kysely<Tables>, modelIds: string[]): Promise<Published> {
  return {
    models: await inBatches(modelIds, (batch) =>
      db
        .selectFrom('models')
        .select(['id', 'hash', 'steady_hash as steadyHash', 'delisted', 'target'])
        .select(['target_since as targetSince', 'first_seen_at as firstSeenAt'])
        .select(['refreshed_at as refreshedAt', 'valid_from as validFrom'])
        .select(['lifecycle_status as lifecycleStatus', 'lifecycle_since as lifecycleSince'])
        .where('id', 'in', batch)
        .execute(),
    ),
    offers: await inBatches(modelIds, (batch) =>
      db
        .selectFrom('offers')
        .select(['provider', 'provider_model_id as providerModelId', 'model_id as modelId', 'hash'])
        .select('delisted_at as delistedAt')
        .select(['lifecycle_status as lifecycleStatus', 'lifecycle_since as lifecycleSince'])
        .where('model_id', 'in', batch)
        .execute(),
    ),
    conflicts: await inBatches(modelIds, (batch) =>
      db
        .selectFrom('conflicts')
        .select(['model_id as modelId', 'field', 'provider', 'view', 'hash'])
        .select(['provider_model_id as providerModelId'])
        .where('model_id', 'in', batch)
        .execute(),
    ),
    aliases: await inBatches(modelIds, (batch) =>
      db
        .selectFrom('model_aliases')
        .select(['alias', 'namespace', 'model_id as modelId', 'source', 'record_id as recordId'])
        .where('model_id', 'in', batch)
        .execute(),
    ),
  };
}
