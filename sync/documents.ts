import type { Lifecycle, Offer, Stage } from '../contracts/offers.ts';
import type { MergedModel } from './merge.ts';

/** Documents up to catalogue format 3 have the stage for a status, and no source. Those of delisted models are never written anew. */
type Former = { lifecycle: Omit<Lifecycle, 'status' | 'source'> & { status: Lifecycle['status'] | Stage } };

function read<Document extends { stage: Stage; lifecycle: Lifecycle }>(text: string): Document {
  const document = JSON.parse(text) as Document | (Omit<Document, 'stage' | 'lifecycle'> & Former);
  if ('stage' in document) return document;
  const { status } = document.lifecycle;
  const stage = status === 'alpha' || status === 'beta' ? status : null;
  const lifecycle = { ...document.lifecycle, status: stage === null ? status : 'active', source: null };
  return { ...document, stage, lifecycle } as Document;
}

/** Reads a model as it is stored. */
export const readModel = (text: string): MergedModel => read(text);

/** Reads an offer as it is stored. */
export const readOffer = (text: string): Offer => read(text);
