import { sql, type Kysely } from 'kysely';
import type { Ending, EndingStatus } from '../../contracts/lifecycle.ts';
import { readModel, readOffer } from '../../sync/documents.ts';
import { delistedTo, isVisible, type View } from './view.ts';
import { bytewise, type DialectName, type Tables } from './orm.ts';

/** Which endings to list; null: any. */
export interface EndingQuery {
  /** Days, both left out themselves. */
  before: string | null;
  after: string | null;
  statuses: EndingStatus[];
  creator: string | null;
  provider: string | null;
  modelId: string | null;
  limit: number;
  offset: number;
}

/** Models and offers alike: where each stands, and what its name and successor are read from. */
function endings(db: Kysely<Tables>, { statuses, creator, provider, modelId }: EndingQuery, view: View) {
  const isDelisted = sql`${delistedTo(view)} = 1`;
  const isHidden = view.withheld ? sql`models.restricted = 1` : sql`1 = 0`;
  const wasDelisted = sql`coalesce(case when ${isHidden} then models.open_delisted_at else models.delisted_at end, models.updated_at)`;
  const document = sql<string>`case when ${isHidden} then models.last_open_document else models.document end`;
  let models = db
    .selectFrom('models')
    .select(['models.id as model_id', sql.lit('').as('provider'), sql.lit('').as('provider_model_id')])
    .select([
      sql<string>`case when ${isDelisted} then 'delisted' else models.lifecycle_status end`.as('status'),
      sql<
        string | null
      >`case when ${isDelisted} then substr(${wasDelisted}, 1, 10) else models.lifecycle_date end`.as('day'),
    ])
    .select([document.as('document'), 'models.open_document', sql<string | null>`null`.as('offer')])
    .select('models.lifecycle_since as since');
  let offers = db
    .selectFrom('offers')
    .innerJoin('models', 'models.id', 'offers.model_id')
    .select(['offers.model_id', 'offers.provider', 'offers.provider_model_id'])
    .select([
      sql<string>`case when offers.delisted_at is null then offers.lifecycle_status else 'delisted' end`.as(
        'status',
      ),
      sql<string | null>`coalesce(substr(offers.delisted_at, 1, 10), offers.lifecycle_date)`.as('day'),
    ])
    .select([document.as('document'), 'models.open_document', 'offers.document as offer'])
    .select('offers.lifecycle_since as since');
  // What is not asked for is left out before both are put together and sorted.
  if (!statuses.includes('delisted')) {
    models = models.where(delistedTo(view), '=', 0);
    offers = offers.where('offers.delisted_at', 'is', null);
  }
  models = models.where(isVisible(view));
  offers = offers.where(isVisible(view));
  if (creator !== null) {
    models = models.where('models.creator', '=', creator);
    offers = offers.where('models.creator', '=', creator);
  }
  if (modelId !== null) {
    models = models.where('models.id', '=', modelId);
    offers = offers.where('models.id', '=', modelId);
  }
  if (provider !== null) {
    models = models.where(sql<boolean>`1 = 0`);
    offers = offers.where('offers.provider', '=', provider);
  }
  return models.unionAll(offers);
}

/** One page of endings by day, model and offer, those without a day last, and how many match in all. */
export async function listEndings(
  db: Kysely<Tables>,
  dialect: DialectName,
  query: EndingQuery,
  view: View,
): Promise<{ endings: Ending[]; total: number }> {
  let all = db.selectFrom(endings(db, query, view).as('endings')).where('status', 'in', query.statuses);
  if (query.before !== null) all = all.where('day', '<', query.before);
  if (query.after !== null) all = all.where('day', '>', query.after);
  const { count } = await all.select((eb) => eb.fn.countAll().as('count')).executeTakeFirstOrThrow();
  const rows = await all
    .selectAll()
    .orderBy(sql`day is null`)
    .orderBy(bytewise(dialect, 'day'))
    .orderBy(bytewise(dialect, 'model_id'))
    .orderBy(bytewise(dialect, 'provider'))
    .orderBy(bytewise(dialect, 'provider_model_id'))
    .limit(query.limit)
    .offset(query.offset)
    .execute();
  return { endings: rows.map((row) => endingOf(row, view)), total: Number(count) };
}

interface EndingRow {
  model_id: string;
  provider: string;
  provider_model_id: string;
  status: string;
  day: string | null;
  document: string;
  open_document: string | null;
  offer: string | null;
  since: string | null;
}

function endingOf(row: EndingRow, { withheld }: View): Ending {
  const model = readModel(withheld && row.open_document !== null ? row.open_document : row.document);
  const { date, successor, source } = (row.offer === null ? model : readOffer(row.offer)).lifecycle;
  const isDelisted = row.status === 'delisted';
  return {
    modelId: row.model_id,
    modelName: model.name,
    offer: row.offer === null ? null : { provider: row.provider, providerModelId: row.provider_model_id },
    status: row.status as EndingStatus,
    date: isDelisted ? row.day : date,
    successor,
    source: isDelisted ? null : source,
    ...(isDelisted || row.since === null ? {} : { since: row.since }),
  };
}
