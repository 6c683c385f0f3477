import { sql, type Kysely } from 'kysely';
import type { BareConflict } from '../../sync/conflicts.ts';
import type { View } from './view.ts';
import { bytewise, type DialectName, type Tables } from './orm.ts';

/** Which disagreements to list; null: any. */
export interface ConflictQuery {
  modelId: string | null;
  creator: string | null;
  field: string | null;
  source: string | null;
  minSize: number | null;
  limit: number;
  offset: number;
}

/** One page of disagreements, the largest first, and how many match in all. */
export async function listConflicts(
  db: Kysely<Tables>,
  dialect: DialectName,
  { modelId, creator, field, source, minSize, limit, offset }: ConflictQuery,
  { withheld }: View,
): Promise<{ conflicts: BareConflict[]; total: number }> {
  let all = db.selectFrom('conflicts').where('view', 'in', ['both', withheld ? 'open' : 'full']);
  if (modelId !== null) all = all.where('model_id', '=', modelId);
  if (field !== null) all = all.where('field', '=', field);
  if (minSize !== null) all = all.where('size', '>=', minSize);
  // `instr` of SQLite is `strpos` in Postgres; LIKE would have to be escaped.
  const place = sql.raw(dialect === 'postgresql' ? 'strpos' : 'instr');
  if (source !== null) all = all.where(sql<boolean>`${place}(sources, ${`,${source},`}) > 0`);
  if (creator !== null) {
    all = all.where('model_id', 'in', ({ selectFrom }) =>
      selectFrom('models').select('id').where('creator', '=', creator),
    );
  }
  const { count } = await all.select((eb) => eb.fn.countAll().as('count')).executeTakeFirstOrThrow();
  const rows = await all
    .select('document')
    .orderBy(sql`size is null`)
    .orderBy('size', 'desc')
    .orderBy(bytewise(dialect, 'model_id'))
    .orderBy(bytewise(dialect, 'field'))
    .orderBy(bytewise(dialect, 'provider'))
    .orderBy(bytewise(dialect, 'provider_model_id'))
    .limit(limit)
    .offset(offset)
    .execute();
  return {
    conflicts: rows.map(({ document }) => JSON.parse(document) as BareConflict),
    total: Number(count),
  };
}
