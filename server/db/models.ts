import { sql, type Kysely } from 'kysely';
import type { Model, ModelDetail, ModelSort, SourceRecord } from '../../contracts/models.ts';
import { withoutFigures } from '../../sync/merge.ts';
import { modelsAt, offersAt, type Models } from './as-of.ts';
import { findModelId } from './model-ids.ts';
import { readModel } from '../../sync/documents.ts';
import { delistedSince, offersOf, publishedSince } from './offers.ts';
import { bytewise, type DialectName, type Tables } from './orm.ts';
import { listedAs, visible, type View } from './view.ts';

/** Which models to list, and how. */
export interface ModelQuery {
  limit: number;
  offset: number;
  after: Position | null;
  provider: string | null;
  creator: string | null;
  words: string[];
  /** The lifecycle statuses to list; null: all but delisted. */
  lifecycle: string[] | null;
  /** As of this time; null: now. */
  at: string | null;
  sort: { field: ModelSort; descending: boolean };
}

/** Where a page ended: the sort value and the id of its last model. */
export interface Position {
  value: string | number | null;
  id: string;
}

const SORT_COLUMN = {
  id: 'id',
  name: 'name_key',
  releaseDate: 'release_date',
  context: 'context',
  inputPrice: 'input_price',
  outputPrice: 'output_price',
  downloads: 'downloads',
} as const satisfies Record<ModelSort, keyof Tables['models']>;

const TEXT_SORTS = new Set<ModelSort>(['id', 'name', 'releaseDate']);

function sortColumn(field: ModelSort, { withheld }: View) {
  return field === 'releaseDate' && withheld ? 'open_release_date' : SORT_COLUMN[field];
}

/** Text is compared by its bytes: what Postgres makes of it otherwise depends on how the database was created. */
function sortKey(dialect: DialectName, field: ModelSort, view: View) {
  const column = sql.ref(`models.${sortColumn(field, view)}`);
  return dialect === 'postgresql' && TEXT_SORTS.has(field) ? sql`${column} collate "C"` : column;
}

/** A LIKE pattern for a text that is to be found as it is. */
function containing(text: string): string {
  return `%${text.replace(/[\\%_]/g, '\\$&')}%`;
}

function matching(db: Kysely<Tables>, query: ModelQuery, view: View): Models {
  const { at, lifecycle } = query;
  let models = listedAs(visible(modelsAt(db, at), view), lifecycle, view);
  if (query.creator !== null) models = models.where('creator', '=', query.creator);
  if (query.provider !== null) {
    const { provider } = query;
    models = models.where(({ exists }) =>
      exists(
        offersAt(db, at)
          .select('offers.model_id')
          .where(sql<boolean>`offers.model_id = models.id`)
          .where('offers.provider', '=', provider)
          .where('offers.delisted_at', 'is', null),
      ),
    );
  }
  for (const word of query.words) {
    models = models.where(sql<boolean>`search_text like ${containing(word)} escape '\\'`);
  }
  return models;
}

/** Models after a position: unknown values come last in both directions, ties are broken by id. */
function after(
  models: Models,
  dialect: DialectName,
  { sort }: ModelQuery,
  { value, id }: Position,
  view: View,
): Models {
  const key = sortKey(dialect, sort.field, view);
  const idKey = sortKey(dialect, 'id', view);
  const further = sort.descending ? sql`<` : sql`>`;
  if (sort.field === 'id') return models.where(sql<boolean>`${key} ${further} ${id}`);
  if (value === null) return models.where(sql<boolean>`${key} is null and ${idKey} > ${id}`);
  return models.where(
    sql<boolean>`(${key} ${further} ${value} or (${key} = ${value} and ${idKey} > ${id}) or ${key} is null)`,
  );
}

/** The columns that a model is read from. */
export const MODEL_COLUMNS = [
  'id',
  'delisted',
  'delisted_at',
  'document',
  'open_document',
  'restricted',
  'open_delisted_at',
  'last_open_document',
  'lifecycle_since',
  'target_since',
  'first_seen_at',
  'updated_at',
] as const;
type ModelRow = Pick<Tables['models'], (typeof MODEL_COLUMNS)[number]>;

/** The document that a reader sees, and since when no source that it may hear of lists the model; null: one does. */
function seen(row: ModelRow, { withheld }: View): { text: string; delistedAt: string | null } {
  if (withheld && row.restricted === 1 && row.last_open_document !== null)
    return { text: row.last_open_document, delistedAt: row.open_delisted_at ?? row.updated_at };
  return {
    text: withheld && row.open_document !== null ? row.open_document : row.document,
    delistedAt: row.delisted === 1 ? (row.delisted_at ?? row.updated_at) : null,
  };
}

/** A model as it is published to this reader, or was at a time. */
export function modelOf(row: ModelRow, { withheld }: View, at: string | null = null): Model {
  const { text, delistedAt } = seen(row, { withheld });
  const stored = readModel(text);
  const { target, ...merged } = at === null ? stored : withoutFigures(stored);
  const { id, kind, ...rest } = merged;
  const model: Model = {
    id,
    kind,
    target,
    since: row.target_since,
    ...rest,
    firstSeenAt: row.first_seen_at,
    updatedAt: row.updated_at || row.first_seen_at,
  };
  if (delistedAt === null)
    return { ...model, lifecycle: publishedSince(model.lifecycle, row.lifecycle_since) };
  return {
    ...model,
    lifecycle: delistedSince(model.lifecycle, delistedAt),
    providers: [],
    sources: [],
  };
}

/** One page of models, where it ends if more follow, and how many match in all. */
export async function listModels(
  db: Kysely<Tables>,
  dialect: DialectName,
  query: ModelQuery,
  view: View,
): Promise<{ models: Model[]; next: Position | null; total: number }> {
  const all = matching(db, query, view);
  const { at } = query;
  const { count } = await all.select((eb) => eb.fn.countAll().as('count')).executeTakeFirstOrThrow();
  const { field, descending } = query.sort;
  const column = sortColumn(field, view);
  const key = sortKey(dialect, field, view);
  const rows = await (query.after === null ? all : after(all, dialect, query, query.after, view))
    .select([...MODEL_COLUMNS, `${column} as sort_value`])
    .orderBy(sql`${key} is null`)
    .orderBy(key, descending ? 'desc' : 'asc')
    .orderBy(sortKey(dialect, 'id', view))
    .limit(query.limit + 1)
    .offset(query.offset)
    .execute();
  const page = rows.slice(0, query.limit);
  const last = rows.length > query.limit ? page.at(-1) : undefined;
  return {
    models: page.map((row) => modelOf(row, view, at)),
    next: last === undefined ? null : { value: sortValue(last.sort_value, field), id: last.id },
    total: Number(count),
  };
}

/** Postgres answers 64-bit integers as text. */
function sortValue(value: string | number | null, field: ModelSort): string | number | null {
  return value === null || TEXT_SORTS.has(field) ? value : Number(value);
}

/** One model by its id or by an alias, with its offers and records, or as it was at a time; null: nothing has that name. Names are in lower case. */
export async function findModel(
  db: Kysely<Tables>,
  dialect: DialectName,
  names: string[],
  view: View,
  at: string | null = null,
): Promise<ModelDetail | null> {
  const id = await findModelId(db, names, view, at);
  if (id === null) return null;
  const row = await modelsAt(db, at).select(MODEL_COLUMNS).where('id', '=', id).executeTakeFirstOrThrow();
  return {
    ...modelOf(row, view, at),
    offers: await offersOf(db, dialect, id, { at, delisted: seen(row, view).delistedAt !== null }),
    // Which entries stood behind it is known of the present alone.
    records: at === null ? await recordsOf(db, dialect, id, view) : [],
  };
}

function recordsOf(
  db: Kysely<Tables>,
  dialect: DialectName,
  modelId: string,
  view: View,
): Promise<SourceRecord[]> {
  let query = db
    .selectFrom('records')
    .leftJoin('sources', 'sources.id', 'records.source')
    .select(['records.source', 'records.id', 'sources.as_of as asOf'])
    .select(['records.first_seen_at as firstSeenAt', 'records.updated_at as updatedAt'])
    .where('records.model_id', '=', modelId);
  if (view.withheld) query = query.where('records.source', '!=', 'artificialanalysis');
  return query
    .orderBy(bytewise(dialect, 'records.source'))
    .orderBy(bytewise(dialect, 'records.id'))
    .execute();
}
