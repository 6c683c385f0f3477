import type { Kysely } from 'kysely';
import type { ChangeKind } from '../../contracts/changes.ts';
import type { ModelHistory } from '../../contracts/history.ts';
import { historyFrom } from './as-of.ts';
import { listChanges, type ChangePosition } from './changes.ts';
import { formerIds } from './model-ids.ts';
import type { Tables } from './orm.ts';
import { priceIntervals } from './prices.ts';

/** What became of a model, with one page of its changes, newest first. */
export async function historyOf(
  db: Kysely<Tables>,
  modelId: string,
  {
    limit,
    after,
    provider,
    kinds,
    withheld,
  }: {
    limit: number;
    after: ChangePosition | null;
    provider: string | null;
    kinds: ChangeKind[] | null;
    withheld: boolean;
  },
): Promise<{ history: ModelHistory; next: ChangePosition | null; total: number }> {
  const { firstSeenAt, ...row } = await db
    .selectFrom('models')
    .select(['first_seen_at as firstSeenAt', 'delisted_at', 'open_delisted_at', 'restricted'])
    .where('id', '=', modelId)
    .executeTakeFirstOrThrow();
  const former = (await formerIds(db, modelId)).toSorted();
  const modelIds = [modelId, ...former];
  const query = { since: null, until: null, kinds, modelIds, provider };
  const { changes, next, total } = await listChanges(
    db,
    query,
    { after, descending: true, limit },
    { withheld },
  );
  const history = {
    modelId,
    formerIds: former,
    historyFrom: await historyFrom(db),
    firstSeenAt,
    delistedAt: withheld && row.restricted === 1 ? row.open_delisted_at : row.delisted_at,
    prices: await priceIntervals(db, { modelIds, provider }),
    changes,
  };
  return { history, next, total };
}
