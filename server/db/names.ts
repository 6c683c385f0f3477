import type { Kysely } from 'kysely';
import { Match } from '../../contracts/names.ts';
import type { Model } from '../../contracts/models.ts';
import type { IdentityChangeRow } from '../../sync/rows.ts';
import { MODEL_COLUMNS, modelOf } from './models.ts';
import { isVisible, type View } from './view.ts';
import type { Tables } from './orm.ts';

/** A name that a source or a provider uses, and the model that it means there. */
export interface KnownName {
  namespace: string;
  modelId: string;
  /** How the record that has the name was placed; null: that record is gone, or nothing is said. */
  match: Match | null;
}

const SHUT = 'artificialanalysis';

function matchOf(text: string | null): Match | null {
  return text === null ? null : (Match.safeParse(JSON.parse(text)).data ?? null);
}

/** What a name means, everywhere or in one namespace: once a namespace, in their order. An entry that is spelled exactly so goes first. */
export async function meaningsOf(
  db: Kysely<Tables>,
  name: string,
  { namespace, sources }: { namespace: string | null; sources: string[] },
  view: View,
): Promise<KnownName[]> {
  const alias = name.toLowerCase();
  let entries = db
    .selectFrom('records')
    .innerJoin('models', 'models.id', 'records.model_id')
    .select(['records.source', 'records.id', 'records.model_id', 'records.match'])
    .where('records.source', 'in', namespace === null ? sources : [namespace])
    .where('records.id', 'in', [name, alias]);
  let names = db
    .selectFrom('model_aliases')
    .innerJoin('models', 'models.id', 'model_aliases.model_id')
    .leftJoin('records', (join) =>
      join
        .onRef('records.source', '=', 'model_aliases.source')
        .onRef('records.id', '=', 'model_aliases.record_id')
        .onRef('records.model_id', '=', 'model_aliases.model_id'),
    )
    .select(['model_aliases.namespace', 'model_aliases.model_id', 'records.match'])
    .where('model_aliases.alias', '=', alias);
  if (namespace !== null) names = names.where('model_aliases.namespace', '=', namespace);
  if (view.withheld) {
    entries = entries.where(isVisible(view)).where('records.source', '!=', SHUT);
    names = names.where(isVisible(view)).where('model_aliases.source', '!=', SHUT);
  }
  const found = new Map<string, KnownName>();
  for (const row of await names.execute())
    found.set(row.namespace, { namespace: row.namespace, modelId: row.model_id, match: matchOf(row.match) });
  const spelled = (await entries.execute()).toSorted((a, b) => Number(a.id === name) - Number(b.id === name));
  for (const { source, model_id: modelId, match } of spelled)
    found.set(source, { namespace: source, modelId, match: matchOf(match) });
  return [...found.values()].toSorted((a, b) => (a.namespace < b.namespace ? -1 : 1));
}

/** An id that a model had before, or that it had in the first catalogues by the name of a source. */
export async function formerlyCalled(
  db: Kysely<Tables>,
  alias: string,
): Promise<{ modelId: string; source: string } | null> {
  const row = await db
    .selectFrom('aliases')
    .select(['model_id as modelId', 'source'])
    .where('alias', '=', alias)
    .executeTakeFirst();
  return row ?? null;
}

/** What became of an id, oldest first. */
export async function changesOfId(db: Kysely<Tables>, id: string): Promise<IdentityChangeRow[]> {
  const rows = await db
    .selectFrom('identity_changes')
    .select(['at', 'kind', 'from_id as fromId', 'to_id as toId', 'reason'])
    .where('from_id', '=', id)
    .execute();
  return (rows as IdentityChangeRow[]).toSorted((a, b) => (a.at + a.toId < b.at + b.toId ? -1 : 1));
}

/** What became other ids that are this model's now, oldest first. */
export async function changesInto(db: Kysely<Tables>, id: string): Promise<IdentityChangeRow[]> {
  const rows = await db
    .selectFrom('identity_changes')
    .select(['at', 'kind', 'from_id as fromId', 'to_id as toId', 'reason'])
    .where('to_id', '=', id)
    .execute();
  return (rows as IdentityChangeRow[]).toSorted((a, b) => (a.at + a.fromId < b.at + b.fromId ? -1 : 1));
}

/** The models of some ids, as far as this reader may see them. */
export async function modelsById(db: Kysely<Tables>, ids: string[], view: View): Promise<Map<string, Model>> {
  const query = db.selectFrom('models').select(MODEL_COLUMNS).where('id', 'in', ids).where(isVisible(view));
  const rows = ids.length === 0 ? [] : await query.execute();
  return new Map(rows.map((row) => [row.id, modelOf(row, view)]));
}

/** Whether there is a provider of this id. */
export async function isProvider(db: Kysely<Tables>, id: string): Promise<boolean> {
  const row = await db.selectFrom('providers').select('id').where('id', '=', id).executeTakeFirst();
  return row !== undefined;
}

/** Whether names are known that some source or provider, perhaps gone, has used. */
export async function hasNames(db: Kysely<Tables>, namespace: string): Promise<boolean> {
  const names = db.selectFrom('model_aliases').select('alias').where('namespace', '=', namespace).limit(1);
  return (await names.executeTakeFirst()) !== undefined;
}

/** The ids under which names can be asked for: sources that have entries, then providers, each by id. */
export async function namespaceIds(db: Kysely<Tables>): Promise<string[]> {
  const sources = await db.selectFrom('records').select('source as id').distinct().execute();
  const providers = await db.selectFrom('providers').select('id').execute();
  const ids = (rows: { id: string }[]) => rows.map(({ id }) => id).toSorted();
  return [...new Set([...ids(sources), ...ids(providers)])];
}
