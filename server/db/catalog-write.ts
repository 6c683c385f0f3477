import { sql, type Kysely, type Transaction } from 'kysely';
import type { CatalogChanges, SourceState } from '../../sync/store.ts';
import { EMPTY_CATALOG } from './catalog.ts';
import type { Tables } from './orm.ts';
import { deleteRows, upsertRows } from './rows.ts';

/** Writes what is remembered of sources. */
export function storeSources(db: Kysely<Tables>, sources: SourceState[]): Promise<void> {
  const rows = sources.map((source) => ({
    ...source,
    error: source.error && JSON.stringify(source.error),
    validators: JSON.stringify(source.validators),
    providers: JSON.stringify(source.providers),
  }));
  return upsertRows(db, 'sources', ['id'], rows);
}

const CONFLICT_KEY = ['model_id', 'field', 'provider', 'provider_model_id', 'view'];

/** Writes what differs, table by table. */
export async function writeChanges(db: Transaction<Tables>, changes: CatalogChanges): Promise<void> {
  const { records, models, offers, conflicts, aliases, providers, delist } = changes;
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
  await deleteRows(db, 'conflicts', CONFLICT_KEY, conflicts.remove);
  await upsertRows(db, 'conflicts', CONFLICT_KEY, conflicts.upsert);
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

/** Whether anything that is published differs. What a record says is published through its model; that it is there, by itself. */
function changesPublished({
  records,
  models,
  offers,
  conflicts,
  aliases,
  providers,
  delist,
}: CatalogChanges): boolean {
  return (
    delist.ids.length + records.added + records.remove.length + records.moved.length > 0 ||
    [models, offers, conflicts, aliases, providers].some(
      ({ upsert, remove }) => upsert.length + remove.length > 0,
    )
  );
}

/** Raises the catalogue version, if anything published differs. */
export async function raiseVersion(
  db: Transaction<Tables>,
  changes: CatalogChanges,
  committedAt: string,
): Promise<void> {
  const { format } = changes;
  const step = changesPublished(changes) ? 1 : 0;
  const row = {
    id: 1,
    version: step,
    committed_at: step === 1 ? committedAt : EMPTY_CATALOG.committedAt,
    format,
  };
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
