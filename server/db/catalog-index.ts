import type { Kysely } from 'kysely';
import type { CatalogIndex, SourceState } from '../../sync/store.ts';
import type { Tables } from './orm.ts';

/** Reads what is stored, without contents: enough to tell what differs. */
export async function loadIndex(db: Kysely<Tables>): Promise<CatalogIndex> {
  const catalog = await db.selectFrom('catalog').selectAll().where('id', '=', 1).executeTakeFirst();
  const sources = await db.selectFrom('sources').selectAll().execute();
  const records = await db
    .selectFrom('records')
    .select([
      'source',
      'id',
      'hash',
      'model_id as modelId',
      'first_seen_at as firstSeenAt',
      'updated_at as updatedAt',
    ])
    .execute();
  const models = await db
    .selectFrom('models')
    .select(['id', 'hash', 'steady_hash as steadyHash', 'delisted', 'target', 'target_since as targetSince'])
    .select(['first_seen_at as firstSeenAt', 'refreshed_at as refreshedAt'])
    .execute();
  const offers = await db
    .selectFrom('offers')
    .select(['provider', 'provider_model_id as providerModelId', 'hash'])
    .execute();
  const conflicts = await db
    .selectFrom('conflicts')
    .select([
      'model_id as modelId',
      'field',
      'provider',
      'provider_model_id as providerModelId',
      'view',
      'hash',
    ])
    .execute();
  const aliases = await db.selectFrom('aliases').select(['alias', 'model_id as modelId', 'source']).execute();
  const providers = await db.selectFrom('providers').select(['id', 'hash']).execute();
  return {
    version: catalog?.version ?? 0,
    format: catalog?.format ?? 0,
    sources: new Map(sources.map((row) => [row.id, sourceState(row)])),
    records,
    models,
    offers,
    conflicts,
    aliases,
    providers,
  };
}

function sourceState(row: {
  id: string;
  status: string | null;
  error: string | null;
  last_good_at: string | null;
  as_of: string | null;
  fetched: number;
  validators: string;
  providers: string;
}): SourceState {
  return {
    id: row.id,
    status: row.status as SourceState['status'],
    error: row.error === null ? null : (JSON.parse(row.error) as SourceState['error']),
    lastGoodAt: row.last_good_at,
    asOf: row.as_of,
    fetched: row.fetched,
    validators: JSON.parse(row.validators) as SourceState['validators'],
    providers: JSON.parse(row.providers) as SourceState['providers'],
  };
}
