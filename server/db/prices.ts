import type { Kysely } from 'kysely';
import type { PriceInterval } from '../../contracts/history.ts';
import type { Offer } from '../../contracts/offers.ts';
import { byText } from '../../sync/order.ts';
import type { Tables } from './orm.ts';

/** What the offers of a model cost, in intervals by offer and time; while an offer was not listed there is none. */
export async function priceIntervals(
  db: Kysely<Tables>,
  { modelIds, provider }: { modelIds: string[]; provider: string | null },
): Promise<PriceInterval[]> {
  const columns = ['provider', 'provider_model_id', 'valid_from', 'delisted_at', 'document'] as const;
  let past = db
    .selectFrom('offer_versions')
    .select([...columns, 'valid_to'])
    .where('model_id', 'in', modelIds);
  let present = db.selectFrom('offers').select(columns).where('model_id', 'in', modelIds);
  if (provider !== null) {
    past = past.where('provider', '=', provider);
    present = present.where('provider', '=', provider);
  }
  const rows = [
    ...(await past.execute()),
    ...(await present.execute()).map((row) => ({ ...row, valid_to: null })),
  ];
  const intervals: PriceInterval[] = [];
  for (const row of rows.toSorted(inTime)) {
    if (row.delisted_at !== null) continue;
    const { pricing } = JSON.parse(row.document) as Offer;
    const last = intervals.at(-1);
    const goesOn =
      last?.provider === row.provider &&
      last.providerModelId === row.provider_model_id &&
      last.to === row.valid_from &&
      JSON.stringify(last.pricing) === JSON.stringify(pricing);
    if (goesOn) last.to = row.valid_to;
    else
      intervals.push({
        provider: row.provider,
        providerModelId: row.provider_model_id,
        from: row.valid_from || null,
        to: row.valid_to,
        pricing,
      });
  }
  return intervals;
}

type Placed = Pick<Tables['offer_versions'], 'provider' | 'provider_model_id' | 'valid_from'>;

function inTime(a: Placed, b: Placed): number {
  return (
    byText(a.provider, b.provider) ||
    byText(a.provider_model_id, b.provider_model_id) ||
    byText(a.valid_from, b.valid_from)
  );
}
