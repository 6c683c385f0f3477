import { sql, type Kysely, type Transaction } from 'kysely';
import type { ModelRow, RecordCounts, RecordKey } from '../../sync/rows.ts';
import type { CatalogChanges, SourceState } from '../../sync/store.ts';
import { providerRow } from '../../sync/catalog.ts';
import { loadSources } from './catalog-index.ts';
import { EMPTY_CATALOG } from './catalog.ts';
import { forgetBefore, putAway, recordVersion } from './history-write.ts';
import type { Tables } from './orm.ts';
import { deleteRows, inBatches, upsertRows } from './rows.ts';

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

/** Writes what differs, table by table; raises the catalogue version if anything that is published does. */
export async function writeChanges(
  db: Transaction<Tables>,
  changes: CatalogChanges,
  { runId, historyDays }: { runId: string; historyDays: number | null },
): Promise<void> {
  await putAway(db, changes);
  const differs = await writeCatalog(db, changes);
  const version = await raiseVersion(db, changes, differs);
  if (!differs) return;
  await recordVersion(db, changes, { version, runId });
  // With a version of its own, so that caches forget it too.
  if (historyDays !== null) await forgetBefore(db, version, historyDays);
}

/** Writes what is to be published from now on. Answers whether any of it differs from what was. */
async function writeCatalog(db: Transaction<Tables>, changes: CatalogChanges): Promise<boolean> {
  const { at, models, offers, conflicts, aliases, delist } = changes;
  await writeRecords(db, changes);
  const ids = models.remove.map((id) => ({ id }));
  await deleteRows(db, 'models', ['id'], ids);
  await keepOpen(db, models.upsert, at);
  await upsertRows(db, 'models', ['id'], models.upsert);
  const delisted = { delisted_at: at, valid_from: at };
  for (const id of delist) {
    await db
      .updateTable('models')
      .set({ ...delisted, delisted: 1, updated_at: at })
      .where('id', '=', id)
      .execute();
  }
  for (const { provider, providerModelId } of offers.delist) {
    await db
      .updateTable('offers')
      .set(delisted)
      .where('provider', '=', provider)
      .where('provider_model_id', '=', providerModelId)
      .execute();
  }
  await deleteRows(db, 'offers', ['provider', 'provider_model_id'], offers.remove);
  await upsertRows(db, 'offers', ['provider', 'provider_model_id'], offers.upsert);
  await deleteRows(db, 'conflicts', CONFLICT_KEY, conflicts.remove);
  await upsertRows(db, 'conflicts', CONFLICT_KEY, conflicts.upsert);
  await deleteRows(db, 'model_aliases', ['alias', 'namespace'], aliases.remove);
  await upsertRows(db, 'model_aliases', ['alias', 'namespace'], aliases.upsert);
  await writeIdentity(db, changes);
  const providersDiffer = await countProviders(db, changes.providers);
  return changesPublished(changes) || providersDiffer;
}

/** Keeps what was last published without Artificial Analysis of models that it alone lists from now on. */
async function keepOpen(db: Transaction<Tables>, models: ModelRow[], at: string): Promise<void> {
  const ids = (restricted: number) =>
    models.filter((model) => model.restricted === restricted).map(({ id }) => id);
  const update = (of: string[], change: (ids: string[]) => { execute(): Promise<unknown> }) =>
    inBatches(of, async (batch) => {
      await change(batch).execute();
      return [];
    });
  await update(ids(1), (batch) =>
    db
      .updateTable('models')
      .set({
        last_open_document: sql`coalesce(open_document, document)`,
        open_delisted_at: sql`coalesce(delisted_at, ${at})`,
      })
      .where('id', 'in', batch)
      .where('restricted', '=', 0),
  );
  await update(ids(0), (batch) =>
    db
      .updateTable('models')
      .set({ last_open_document: null, open_delisted_at: null })
      .where('id', 'in', batch)
      .where('open_delisted_at', 'is not', null),
  );
}

async function writeRecords(db: Transaction<Tables>, { records, keys }: CatalogChanges): Promise<void> {
  await deleteRows(db, 'records', ['source', 'id'], records.remove);
  await upsertRows(db, 'records', ['source', 'id'], records.upsert);
  for (const { source, id, modelId, match } of records.moved) {
    await db
      .updateTable('records')
      .set({ model_id: modelId, match })
      .where('source', '=', source)
      .where('id', '=', id)
      .execute();
  }
  await writeCounts(db, records.counts);
  const stale = [...records.remove, ...keys.map(({ source, recordId }) => ({ source, id: recordId }))];
  await deleteRows(
    db,
    'record_keys',
    ['source', 'record_id'],
    stale.map(({ source, id }) => ({ source, recordId: id })),
  );
  const rows = keys.flatMap(({ source, recordId, keys: own }) =>
    own.map((key) => ({ source, recordId, key })),
  );
  await upsertRows(db, 'record_keys', ['source', 'record_id', 'key'], rows);
}

async function writeCounts(db: Transaction<Tables>, { missed, seen, held }: RecordCounts): Promise<void> {
  const update = (rows: Pick<RecordKey, 'source' | 'id'>[], values: object) =>
    inBatches(rows, (batch) =>
      db
        .updateTable('records')
        .set(values)
        .where(({ or, and }) => or(batch.map(({ source, id }) => and({ source, id }))))
        .execute(),
    );
  await update(missed, { missed: sql`missed + 1` });
  await update(seen, { missed: 0 });
  for (const { source, id, held: item } of held) await update([{ source, id }], { held: item });
}

/** Remembers what became of ids: whoever knew a model by one that it has no more still finds it. */
async function writeIdentity(
  db: Transaction<Tables>,
  { identity, at }: Pick<CatalogChanges, 'identity' | 'at'>,
): Promise<void> {
  await upsertRows(db, 'identity_changes', ['from_id', 'to_id', 'at'], identity);
  const left = identity.filter(({ kind }) => kind !== 'split');
  for (const { fromId, toId } of left) {
    await db.updateTable('aliases').set({ model_id: toId }).where('model_id', '=', fromId).execute();
    await db
      .updateTable('offers')
      .set({ model_id: toId, valid_from: at })
      .where('model_id', '=', fromId)
      .execute();
  }
  const former = left.map(({ fromId, toId }) => ({ alias: fromId, modelId: toId, source: 'former' }));
  await upsertRows(db, 'aliases', ['alias'], former);
}

/** Counts the models and offers of providers anew. Answers whether anything published of them differs. */
async function countProviders(db: Transaction<Tables>, ids: string[]): Promise<boolean> {
  if (ids.length === 0) return false;
  const sources = await loadSources(db);
  const counted = await db
    .selectFrom('offers')
    .select('provider')
    .select((eb) => [eb.fn.countAll().as('offers'), eb.fn.count('model_id').distinct().as('models')])
    .where('provider', 'in', ids)
    .where('delisted_at', 'is', null)
    .groupBy('provider')
    .execute();
  const counts = new Map(
    counted.map(({ provider, models, offers }) => [
      provider,
      { models: Number(models), offers: Number(offers) },
    ]),
  );
  const stored = await db.selectFrom('providers').select(['id', 'hash']).where('id', 'in', ids).execute();
  const hashes = new Map(stored.map(({ id, hash }) => [id, hash]));
  const rows = ids.map((id) => providerRow(id, counts.get(id) ?? { models: 0, offers: 0 }, sources));
  const upsert = rows.filter((row) => row !== null).filter((row) => hashes.get(row.id) !== row.hash);
  const remove = ids.filter((id, index) => rows[index] === null && hashes.has(id)).map((id) => ({ id }));
  await deleteRows(db, 'providers', ['id'], remove);
  await upsertRows(db, 'providers', ['id'], upsert);
  return upsert.length + remove.length > 0;
}

/** Whether anything that is published differs. What a record says is published through its model; that it is there, by itself. */
function changesPublished({ records, models, offers, conflicts, aliases, delist }: CatalogChanges): boolean {
  return (
    delist.length + offers.delist.length > 0 ||
    records.added + records.remove.length + records.moved.length > 0 ||
    [models, offers, conflicts, aliases].some(({ upsert, remove }) => upsert.length + remove.length > 0)
  );
}

/** Raises the catalogue version, if anything published differs, and notes the format of what is stored. Answers with the version. */
async function raiseVersion(
  db: Transaction<Tables>,
  { format, at }: CatalogChanges,
  differs: boolean,
): Promise<number> {
  const step = differs ? 1 : 0;
  const row = {
    id: 1,
    version: step,
    committed_at: step === 1 ? at : EMPTY_CATALOG.committedAt,
    format,
    history_from: step === 1 ? at : null,
  };
  const { version } = await db
    .insertInto('catalog')
    .values(row)
    .onConflict((conflict) =>
      conflict.column('id').doUpdateSet({
        version: sql`catalog.version + ${step}`,
        format,
        ...(step === 1 ? { committed_at: at, history_from: sql`coalesce(catalog.history_from, ${at})` } : {}),
      }),
    )
    .returning('version')
    .executeTakeFirstOrThrow();
  return version;
}
