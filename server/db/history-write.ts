import { sql, type Kysely, type Transaction } from 'kysely';
import type { Contents, OfferKey } from '../../sync/rows.ts';
import type { CatalogChanges } from '../../sync/store.ts';
import type { Tables } from './orm.ts';
import { inBatches, integer, upsertRows } from './rows.ts';

/** The columns that a put-away model keeps. */
export const MODEL_COLUMNS = [
  'id',
  'valid_from',
  'creator',
  'name_key',
  'search_text',
  'release_date',
  'open_release_date',
  'context',
  'input_price',
  'output_price',
  'delisted',
  'delisted_at',
  'lifecycle_status',
  'lifecycle_date',
  'target_since',
  'restricted',
  'document',
  'open_document',
  'first_seen_at',
  'updated_at',
] as const;

/** The columns that a put-away offer keeps. */
export const OFFER_COLUMNS = [
  'provider',
  'provider_model_id',
  'valid_from',
  'model_id',
  'price_status',
  'delisted_at',
  'lifecycle_status',
  'lifecycle_date',
  'document',
] as const;

/** Puts models and offers away as they were published until now, before they are written anew. */
export async function putAway(
  db: Transaction<Tables>,
  { at, history: { models, offers } }: CatalogChanges,
): Promise<void> {
  await inBatches(models, (ids) =>
    db
      .insertInto('model_versions')
      .columns([...MODEL_COLUMNS, 'valid_to'])
      .expression(
        db
          .selectFrom('models')
          .select([...MODEL_COLUMNS, sql<string>`${at}`.as('valid_to')])
          .where('id', 'in', ids),
      )
      .execute()
      .then(() => []),
  );
  await inBatches(offers, (keys) =>
    db
      .insertInto('offer_versions')
      .columns([...OFFER_COLUMNS, 'valid_to'])
      .expression(
        db
          .selectFrom('offers')
          .select([...OFFER_COLUMNS, sql<string>`${at}`.as('valid_to')])
          .where(({ or, and }) => or(keys.map((key) => and(columnsOf(key))))),
      )
      .execute()
      .then(() => []),
  );
}

const columnsOf = ({ provider, providerModelId }: Pick<OfferKey, 'provider' | 'providerModelId'>) => ({
  provider,
  provider_model_id: providerModelId,
});

/** Reads what is published of some models and offers, with contents. */
export async function loadContents(
  db: Kysely<Tables>,
  { models, offers }: { models: string[]; offers: Pick<OfferKey, 'provider' | 'providerModelId'>[] },
): Promise<Contents> {
  return {
    models: await inBatches(models, (ids) =>
      db
        .selectFrom('models')
        .select(['id', 'document', 'open_document as openDocument', 'restricted', 'delisted'])
        .where('id', 'in', ids)
        .execute(),
    ),
    offers: await inBatches(offers, (keys) =>
      db
        .selectFrom('offers')
        .select(['provider', 'provider_model_id as providerModelId', 'model_id as modelId'])
        .select(['document', 'delisted_at as delistedAt'])
        .where(({ or, and }) => or(keys.map((key) => and(columnsOf(key)))))
        .execute(),
    ),
  };
}

/** Records what a version brought. Changes are numbered on from the last one. */
export async function recordVersion(
  db: Transaction<Tables>,
  { at, history: { changes } }: CatalogChanges,
  { version, runId }: { version: number; runId: string },
): Promise<void> {
  const { last } = await db
    .selectFrom('changes')
    .select((eb) => eb.fn.max('id').as('last'))
    .executeTakeFirstOrThrow();
  const first = integer(last ?? 0) + 1;
  const rows = changes.map((change, index) => ({ id: first + index, version, observedAt: at, ...change }));
  await upsertRows(db, 'changes', ['id'], rows);
  const row = { version, committedAt: at, runId, changes: changes.length };
  await upsertRows(db, 'catalog_versions', ['version'], [row]);
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Forgets what is older than history is to be kept. */
export async function forgetBefore(db: Transaction<Tables>, at: string, days: number): Promise<void> {
  const horizon = new Date(Date.parse(at) - days * DAY_MS).toISOString();
  await db.deleteFrom('changes').where('observed_at', '<', horizon).execute();
  await db.deleteFrom('model_versions').where('valid_to', '<', horizon).execute();
  await db.deleteFrom('offer_versions').where('valid_to', '<', horizon).execute();
  await db
    .updateTable('catalog')
    .set({ history_from: horizon })
    .where('id', '=', 1)
    .where('history_from', '<', horizon)
    .execute();
}
