import { sql, type Kysely, type Selectable } from 'kysely';
import type { Change, ChangeKind } from '../../contracts/changes.ts';
import { historyFrom, type HistoryPoint } from './as-of.ts';
import type { View } from './view.ts';
import type { Tables } from './orm.ts';
import { integer } from './rows.ts';

/** Which changes to list. */
export interface ChangeQuery {
  /** From this time on, or after this version. */
  since: HistoryPoint | null;
  /** Before this time, or up to this version. */
  until: HistoryPoint | null;
  kinds: ChangeKind[] | null;
  /** Of models under any of these ids. */
  modelIds: string[] | null;
  provider: string | null;
}

/** Where a page of changes ended. */
export interface ChangePosition {
  observedAt: string;
  id: number;
}

function changeOf(row: Selectable<Tables['changes']>): Change {
  const read = (text: string | null): unknown => (text === null ? null : JSON.parse(text));
  return {
    id: integer(row.id),
    catalogVersion: row.version,
    observedAt: row.observed_at,
    kind: row.kind as ChangeKind,
    modelId: row.model_id,
    offer: row.provider === '' ? null : { provider: row.provider, providerModelId: row.provider_model_id },
    field: row.field || null,
    oldValue: read(row.old_value),
    newValue: read(row.new_value),
    source: row.source,
  };
}

function matching(
  db: Kysely<Tables>,
  { since, until, kinds, modelIds, provider }: ChangeQuery,
  { withheld }: View,
) {
  let changes = db.selectFrom('changes').where('view', '!=', withheld ? 'full' : 'open');
  if (since !== null)
    changes =
      'at' in since
        ? changes.where('observed_at', '>=', since.at)
        : changes.where('version', '>', since.version);
  if (until !== null)
    changes =
      'at' in until
        ? changes.where('observed_at', '<', until.at)
        : changes.where('version', '<=', until.version);
  if (kinds !== null) changes = changes.where('kind', 'in', kinds);
  if (modelIds !== null) changes = changes.where('model_id', 'in', modelIds);
  if (provider !== null) changes = changes.where('provider', '=', provider);
  return changes;
}

/** One page of changes by time and id, where it ends if more follow, and how many match in all. */
export async function listChanges(
  db: Kysely<Tables>,
  query: ChangeQuery,
  { after, descending, limit }: { after: ChangePosition | null; descending: boolean; limit: number },
  view: View,
): Promise<{ changes: Change[]; next: ChangePosition | null; total: number }> {
  const all = matching(db, query, view);
  const { count } = await all.select((eb) => eb.fn.countAll().as('count')).executeTakeFirstOrThrow();
  const further = descending ? sql`<` : sql`>`;
  const rest =
    after === null
      ? all
      : all.where(sql<boolean>`(observed_at, id) ${further} (${after.observedAt}, ${after.id})`);
  const direction = descending ? 'desc' : 'asc';
  const rows = await rest
    .selectAll()
    .orderBy('observed_at', direction)
    .orderBy('id', direction)
    .limit(limit + 1)
    .execute();
  const page = rows.slice(0, limit).map(changeOf);
  const last = rows.length > limit ? page.at(-1) : undefined;
  return {
    changes: page,
    next: last === undefined ? null : { observedAt: last.observedAt, id: last.id },
    total: Number(count),
  };
}

/** Changes recorded after one of them, oldest first: what a stream has not told yet. */
export async function changesAfter(
  db: Kysely<Tables>,
  id: number,
  query: Pick<ChangeQuery, 'kinds' | 'modelIds' | 'provider'>,
  limit: number,
  view: View,
): Promise<Change[]> {
  const rows = await matching(db, { ...query, since: null, until: null }, view)
    .where('id', '>', id)
    .selectAll()
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(changeOf);
}

/** The highest id that a change ever had; 0: there has been none. */
export async function lastChangeId(db: Kysely<Tables>): Promise<number> {
  const row = await db.selectFrom('catalog').select('last_change_id').where('id', '=', 1).executeTakeFirst();
  return integer(row?.last_change_id ?? 0);
}

/** The lowest id of a change that is kept; null: none is. */
export async function firstChangeId(db: Kysely<Tables>): Promise<number | null> {
  const { id } = await db
    .selectFrom('changes')
    .select((eb) => eb.fn.min('id').as('id'))
    .executeTakeFirstOrThrow();
  return id === null ? null : integer(id);
}

/** When history begins, where it does after the first version that came since a point; null: all changes since then are kept. */
export async function forgottenSince(db: Kysely<Tables>, point: HistoryPoint): Promise<string | null> {
  const begins = await historyFrom(db);
  let since = db.selectFrom('catalog_versions').select((eb) => eb.fn.min('committed_at').as('at'));
  since =
    'at' in point ? since.where('committed_at', '>=', point.at) : since.where('version', '>', point.version);
  const { at } = await since.executeTakeFirstOrThrow();
  return at !== null && begins !== null && at < begins ? begins : null;
}
