import type { Kysely } from 'kysely';
import type { Offer } from '../../contracts/offers.ts';
import { bytewise, type DialectName, type Tables } from './orm.ts';

/** Which offers of a model to list. */
export interface OfferQuery {
  modelId: string;
  provider: string | null;
  status: string | null;
  limit: number;
  offset: number;
}

/** One page of a model's offers by provider and id, and how many match in all. */
export async function listOffers(
  db: Kysely<Tables>,
  dialect: DialectName,
  { modelId, provider, status, limit, offset }: OfferQuery,
): Promise<{ offers: Offer[]; total: number }> {
  let all = db.selectFrom('offers').where('model_id', '=', modelId);
  if (provider !== null) all = all.where('provider', '=', provider);
  if (status !== null) all = all.where('price_status', '=', status);
  const { count } = await all.select((eb) => eb.fn.countAll().as('count')).executeTakeFirstOrThrow();
  const rows = await all
    .select('document')
    .orderBy(bytewise(dialect, 'provider'))
    .orderBy(bytewise(dialect, 'provider_model_id'))
    .limit(limit)
    .offset(offset)
    .execute();
  return { offers: rows.map(({ document }) => JSON.parse(document) as Offer), total: Number(count) };
}
