import type { Kysely } from 'kysely';
import { modelsAt } from './as-of.ts';
import type { Tables } from './orm.ts';
import { delistedTo, visible, type View } from './view.ts';

/** The id of the model that is known by the first of these names that is known, or the one that it had at a time; null: none is. Names are in lower case. */
export async function findModelId(
  db: Kysely<Tables>,
  names: string[],
  view: View,
  at: string | null = null,
): Promise<string | null> {
  for (const name of names) {
    const id = (await findId(db, name, { withheld: false })) ?? (await aliasTarget(db, name));
    if (id !== null) return at === null ? findId(db, id, view) : idAt(db, [name, id], view, at);
  }
  return null;
}

/** The id under which a model was published at a time. */
async function idAt(
  db: Kysely<Tables>,
  [name, id]: [string, string],
  view: View,
  at: string,
): Promise<string | null> {
  const candidates = [...new Set([name, id, ...(await formerIds(db, id))])];
  const query = visible(modelsAt(db, at), view).select('id').where('id', 'in', candidates);
  const published = new Set((await query.execute()).map((row) => row.id));
  return candidates.find((candidate) => published.has(candidate)) ?? null;
}

/** Whether no source lists a model, now or at a time. */
export async function isDelisted(
  db: Kysely<Tables>,
  id: string,
  at: string | null,
  view: View,
): Promise<boolean> {
  const models = modelsAt(db, at).select(delistedTo(view).as('delisted'));
  const row = await models.where('id', '=', id).executeTakeFirst();
  return row?.delisted === 1;
}

/** The ids that a model had before. */
export async function formerIds(db: Kysely<Tables>, modelId: string): Promise<string[]> {
  const rows = await db
    .selectFrom('aliases')
    .select('alias')
    .where('model_id', '=', modelId)
    .where('source', '=', 'former')
    .execute();
  return rows.map(({ alias }) => alias);
}

async function findId(db: Kysely<Tables>, id: string, view: View): Promise<string | null> {
  const query = visible(modelsAt(db, null), view).select('id').where('id', '=', id);
  return (await query.executeTakeFirst())?.id ?? null;
}

/** The model that a name stands for: one that had it as its id, else the one that all who use it mean; null: none, or several. */
async function aliasTarget(db: Kysely<Tables>, alias: string): Promise<string | null> {
  const known = await db
    .selectFrom('aliases')
    .select(['model_id', 'source'])
    .where('alias', '=', alias)
    .executeTakeFirst();
  if (known?.source === 'former') return known.model_id;
  const rows = await db
    .selectFrom('model_aliases')
    .select('model_id as id')
    .distinct()
    .where('alias', '=', alias)
    .limit(2)
    .execute();
  return rows.length > 1 ? null : (rows[0]?.id ?? known?.model_id ?? null);
}
