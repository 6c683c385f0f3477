import { sql, type Kysely, type Transaction } from 'kysely';
import type { Contents, OfferKey } from '../../sync/rows.ts';
import type { CatalogChanges } from '../../sync/store.ts';
import type { Tables } from './orm.ts';
import { inBatches, integer, upsertRows } from './rows.ts';
import { MODEL_VERSION_COLUMNS, OFFER_VERSION_COLUMNS } from './version-columns.ts';

/** Puts models and offers away as they were published until now, before they are written anew. */
export async function putAway(
  db: Transaction<Tables>,
  { at, history: { models, offers } }: CatalogChanges,
): Promise<void> {
  await inBatches(models, (ids) =>
    db
      .insertInto('model_versions')
      .columns([...MODEL_VERSION_COLUMNS, 'updated_at', 'valid_to'])
      .expression(
        db
          .selectFrom('models')
          .select([...MODEL_VERSION_COLUMNS, 'updated_at', sql<string>`${at}`.as('valid_to')])
          .where('id', 'in', ids),
      )
      .execute()
      .then(() => []),
  );
  await inBatches(offers, (keys) =>
    db
      .insertInto('offer_versions')
      .columns([...OFFER_VERSION_COLUMNS, 'valid_to'])
      .expression(
        db
          .selectFrom('offers')
          .select([...OFFER_VERSION_COLUMNS, sql<string>`${at}`.as('valid_to')])
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
        .select('last_open_document as lastOpenDocument')
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

/** Records what a version brought. Changes are numbered on from the last one that there ever was. */
export async function recordVersion(
  db: Transaction<Tables>,
  { at, history: { changes } }: CatalogChanges,
  { version, runId }: { version: number; runId: string },
): Promise<void> {
  const { last } = await db
    .updateTable('catalog')
    .set({ last_change_id: sql`last_change_id + ${changes.length}` })
    .where('id', '=', 1)
    .returning('last_change_id as last')
    .executeTakeFirstOrThrow();
  const first = integer(last) - changes.length + 1;
  const rows = changes.map((change, index) => ({ id: first + index, version, observedAt: at, ...change }));
  await upsertRows(db, 'changes', ['id'], rows);
  const row = { version, committedAt: at, runId, changes: changes.length };
  await upsertRows(db, 'catalog_versions', ['version'], [row]);
}

const DAY_MS = 24 * 60 * 60 * 1000;

/**
 * Forgets what is older than history is to be kept, counted from the version before: a clock that is far ahead for once
 * makes nothing forgotten, neither then nor when it is right again.
 */
export async function forgetBefore(db: Transaction<Tables>, version: number, days: number): Promise<void> {
  const { at } = await db
    .selectFrom('catalog_versions')
    .select((eb) => eb.fn.max('committed_at').as('at'))
    .where('version', '<', version)
    .executeTakeFirstOrThrow();
  if (at === null) return;
  const horizon = new Date(Math.min(Date.parse(at), Date.now()) - days * DAY_MS).toISOString();
  await db.deleteFrom('changes').where('observed_at', '<', horizon).execute();
  await db.deleteFrom('model_versions').where('valid_to', '<', horizon).execute();
  await db.deleteFrom('offer_versions').where('valid_to', '<', horizon).execute();
  // The version that held when history begins stays.
  const held = db
    .selectFrom('catalog_versions')
    .select((eb) => eb.fn.max('committed_at').as('at'))
    .where('committed_at', '<=', horizon);
  await db.deleteFrom('catalog_versions').where('committed_at', '<', held).execute();
  await db
    .updateTable('catalog')
    .set({ history_from: horizon })
    .where('id', '=', 1)
    .where('history_from', '<', horizon)
    .execute();
}
