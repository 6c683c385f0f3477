import type { Kysely } from 'kysely';
import type { Lifecycle, Offer } from '../../contracts/offers.ts';
import { readOffer } from '../../sync/documents.ts';
import { offersAt, type Offers } from './as-of.ts';
import { bytewise, type DialectName, type Tables } from './orm.ts';

/** Which offers of a model to list. */
export interface OfferQuery {
  modelId: string;
  provider: string | null;
  status: string | null;
  /** The lifecycle statuses to list; null: all but delisted, and of a delisted model those that it had last. */
  lifecycle: string[] | null;
  /** Whether the model is delisted. */
  delisted: boolean;
  /** As of this time; null: now. */
  at: string | null;
  limit: number;
  offset: number;
}

const COLUMNS = ['document', 'delisted_at', 'lifecycle_since'] as const;

/** What the lifecycle of something is that no source lists any more. */
export function delistedSince(lifecycle: Lifecycle, at: string): Lifecycle {
  return { ...lifecycle, status: 'delisted', date: at.slice(0, 10), source: null };
}

/** A lifecycle with since when its status has been published; null: it is active. */
export function publishedSince(lifecycle: Lifecycle, since: string | null): Lifecycle {
  return since === null ? lifecycle : { ...lifecycle, since };
}

/** An offer as it is published. */
export function offerOf(row: Pick<Tables['offers'], (typeof COLUMNS)[number]>): Offer {
  const offer = readOffer(row.document);
  if (row.delisted_at === null)
    return { ...offer, lifecycle: publishedSince(offer.lifecycle, row.lifecycle_since) };
  return { ...offer, lifecycle: delistedSince(offer.lifecycle, row.delisted_at), sources: [] };
}

function listedAs(offers: Offers, lifecycle: string[]): Offers {
  const listed = lifecycle.filter((status) => status !== 'delisted');
  return offers.where(({ or, and, eb }) =>
    or([
      ...(lifecycle.includes('delisted') ? [eb('delisted_at', 'is not', null)] : []),
      ...(listed.length === 0
        ? []
        : [and([eb('delisted_at', 'is', null), eb('lifecycle_status', 'in', listed)])]),
    ]),
  );
}

/** All offers of a model by provider and id: those that are listed, or of a delisted model those that it had last. */
export async function offersOf(
  db: Kysely<Tables>,
  dialect: DialectName,
  modelId: string,
  { at, delisted }: { at: string | null; delisted: boolean },
): Promise<Offer[]> {
  let offers = offersAt(db, at).where('model_id', '=', modelId);
  if (!delisted) offers = offers.where('delisted_at', 'is', null);
  const rows = await offers
    .select(COLUMNS)
    .orderBy(bytewise(dialect, 'provider'))
    .orderBy(bytewise(dialect, 'provider_model_id'))
    .execute();
  return rows.map(offerOf);
}

/** One page of a model's offers by provider and id, and how many match in all. */
export async function listOffers(
  db: Kysely<Tables>,
  dialect: DialectName,
  { modelId, provider, status, lifecycle, delisted, at, limit, offset }: OfferQuery,
): Promise<{ offers: Offer[]; total: number }> {
  let all = offersAt(db, at).where('model_id', '=', modelId);
  if (lifecycle !== null) all = listedAs(all, lifecycle);
  else if (!delisted) all = all.where('delisted_at', 'is', null);
  if (provider !== null) all = all.where('provider', '=', provider);
  if (status !== null) all = all.where('price_status', '=', status);
  const { count } = await all.select((eb) => eb.fn.countAll().as('count')).executeTakeFirstOrThrow();
  const rows = await all
    .select(COLUMNS)
    .orderBy(bytewise(dialect, 'provider'))
    .orderBy(bytewise(dialect, 'provider_model_id'))
    .limit(limit)
    .offset(offset)
    .execute();
  return { offers: rows.map(offerOf), total: Number(count) };
}
