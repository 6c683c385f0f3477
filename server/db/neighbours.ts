import { sql, type Kysely } from 'kysely';
import type { View } from './view.ts';
import { bytewise, type DialectName, type Tables } from './orm.ts';

/** A record without its contents, and the model that it stands behind. */
export interface NeighbourKey {
  source: string;
  id: string;
  hash: string;
  modelId: string;
}

/** The most records that are read to place one name. A family that is larger is not searched. */
export const MAX_NEIGHBOURS = 2_000;

/** The records that share one of these keys, and all others of their models; null: they are too many. */
export async function neighboursOf(
  db: Kysely<Tables>,
  keys: string[],
  { withheld }: View,
): Promise<NeighbourKey[] | null> {
  let records = db
    .selectFrom('records')
    .select(['records.source', 'records.id', 'records.hash', 'records.model_id as modelId'])
    .limit(MAX_NEIGHBOURS + 1);
  if (withheld) records = records.where('records.source', '!=', 'artificialanalysis');
  const sharing = await records
    .innerJoin('record_keys', (join) =>
      join
        .onRef('record_keys.source', '=', 'records.source')
        .onRef('record_keys.record_id', '=', 'records.id'),
    )
    .distinct()
    .where('record_keys.key', 'in', keys)
    .execute();
  if (sharing.length === 0 || sharing.length > MAX_NEIGHBOURS) return sharing.length === 0 ? [] : null;
  const modelIds = [...new Set(sharing.map(({ modelId }) => modelId))];
  const all = await records.where('records.model_id', 'in', modelIds).execute();
  return all.length > MAX_NEIGHBOURS ? null : all;
}

/** The most models that are looked at for hints. */
const MAX_KIN = 40;

/** Models that have one of these words in their names, or are of one of these creators: those with most of it, the newest first. */
export async function kinOf(
  db: Kysely<Tables>,
  dialect: DialectName,
  { creators, words }: { creators: string[]; words: string[] },
  { withheld }: View,
): Promise<string[]> {
  const has = (word: string) =>
    sql<boolean>`search_text like ${`%${word.replace(/[\\%_]/g, '\\$&')}%`} escape '\\'`;
  const said = words.map(has);
  const made = creators.map((creator) => sql<boolean>`creator = ${creator}`);
  const some = words.length > 0 ? said : made;
  if (some.length === 0) return [];
  const score = sql.join(
    [...said, ...made].map((condition) => sql`case when ${condition} then 1 else 0 end`),
    sql` + `,
  );
  const released = withheld ? 'open_release_date' : 'release_date';
  let models = db
    .selectFrom('models')
    .select('id')
    .where('delisted', '=', 0)
    .where(({ or }) => or(some));
  if (withheld) models = models.where('restricted', '=', 0);
  const rows = await models
    .orderBy(score, 'desc')
    .orderBy(sql`${sql.ref(released)} is null`)
    .orderBy(bytewise(dialect, released), 'desc')
    .orderBy(bytewise(dialect, 'id'))
    .limit(MAX_KIN)
    .execute();
  return rows.map(({ id }) => id);
}
