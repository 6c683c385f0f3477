import type { Kysely, Transaction } from 'kysely';
import type { Tables } from './orm.ts';
import { inBatches, upsertRows } from './rows.ts';

/** Ids of the past that are no model's any more, and the id of the model that took their entries. */
export type Renamed = ReadonlyMap<string, string>;

/** Follows entries from the models that they stood behind in `past` to those that they stand behind in `db`. */
export async function renamedAcross(
  db: Kysely<Tables>,
  past: Kysely<Tables>,
  published: ReadonlySet<string>,
): Promise<Map<string, string>> {
  const entries = await past.selectFrom('records').select(['source', 'id', 'model_id']).execute();
  const gone = entries.filter(({ model_id: id }) => !published.has(id));
  const renamed = new Map<string, string>();
  for (const [source, own] of Map.groupBy(gone, (entry) => entry.source)) {
    const modelOf = new Map(own.map(({ id, model_id: model }) => [id, model]));
    const now = await inBatches([...modelOf.keys()], (ids) =>
      db
        .selectFrom('records')
        .select(['id', 'model_id'])
        .where('source', '=', source)
        .where('id', 'in', ids)
        .orderBy('id')
        .execute(),
    );
    for (const { id, model_id: model } of now) {
      const former = modelOf.get(id);
      if (former !== undefined && published.has(model) && !renamed.has(former)) renamed.set(former, model);
    }
  }
  return renamed;
}

/** Carries over which names there were, and what became of ids; what a name means now it goes on to mean. */
export async function carryNames(
  db: Transaction<Tables>,
  past: Kysely<Tables>,
  renamed: Renamed,
): Promise<void> {
  const modelOf = (id: string) => renamed.get(id) ?? id;
  const models = new Set((await db.selectFrom('models').select('id').execute()).map(({ id }) => id));
  const known = new Set((await db.selectFrom('aliases').select('alias').execute()).map(({ alias }) => alias));
  const former = [
    ...(await past.selectFrom('aliases').selectAll().execute()),
    ...[...renamed].map(([alias, modelId]) => ({ alias, model_id: modelId, source: 'former' })),
  ].filter(({ alias }) => !models.has(alias) && !known.has(alias));
  const aliases = new Map(former.map((row) => [row.alias, { ...row, model_id: modelOf(row.model_id) }]));
  await upsertRows(
    db,
    'aliases',
    ['alias'],
    [...aliases.values()].filter((row) => models.has(row.model_id)),
  );

  const key = (row: { alias: string; namespace: string }) => `${row.namespace}\n${row.alias}`;
  const names = new Set(
    (await db.selectFrom('model_aliases').select(['alias', 'namespace']).execute()).map(key),
  );
  const lost = (await past.selectFrom('model_aliases').selectAll().execute())
    .map((row) => ({ ...row, model_id: modelOf(row.model_id) }))
    .filter((row) => !names.has(key(row)) && models.has(row.model_id));
  await upsertRows(db, 'model_aliases', ['alias', 'namespace'], lost);
  const changes = await past.selectFrom('identity_changes').selectAll().execute();
  await upsertRows(db, 'identity_changes', ['from_id', 'to_id', 'at'], changes);
}
