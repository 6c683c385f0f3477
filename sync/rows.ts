import type { ChangeKind } from '../contracts/changes.ts';
import type { NanoPrices } from './record.ts';

/** A stored record without its contents. */
export interface RecordKey {
  source: string;
  id: string;
  hash: string;
  modelId: string;
  /** How it was placed, as JSON text; null: not said. */
  match: string | null;
  /** Good fetches of its source since, that did not have it. */
  missed: number;
  firstSeenAt: string;
  updatedAt: string;
}

/** A record as it is stored: `raw` is the item as the source gave it, as JSON text. It is read anew with the source's parser. */
export interface RecordRow extends RecordKey {
  raw: string;
  /** A newer item that waits until a second fetch agrees; null: none does. */
  held: string | null;
}

/** How a record stands beside what its source sends. */
export interface RecordStanding {
  hash: string;
  missed: number;
  /** Whether a newer item of it waits. */
  waits: boolean;
}

/** What a fetch says about records without changing what they say. */
export interface RecordCounts {
  /** Not had by this good fetch. */
  missed: Pick<RecordKey, 'source' | 'id'>[];
  /** Had again. */
  seen: Pick<RecordKey, 'source' | 'id'>[];
  /** The item that waits from now on; null: none does any more. */
  held: (Pick<RecordKey, 'source' | 'id'> & { held: string | null })[];
}

/** A published model without its contents. */
export interface ModelKey {
  id: string;
  hash: string;
  steadyHash: string;
  delisted: number;
  target: string | null;
  targetSince: string | null;
  firstSeenAt: string;
  refreshedAt: string;
  /** Since when it has been published so, popularity and speed figures aside. */
  validFrom: string;
  lifecycleStatus: string;
  /** Since when the status has been published; null: it is active. */
  lifecycleSince: string | null;
}

/** A model as it is stored; documents are JSON text, prices nano-dollars, flags 0 or 1. */
export interface ModelRow extends ModelKey {
  creator: string;
  nameKey: string;
  searchText: string;
  releaseDate: string | null;
  openReleaseDate: string | null;
  context: number | null;
  inputPrice: number | null;
  outputPrice: number | null;
  downloads: number | null;
  /** The last day that the published date can mean. */
  lifecycleDate: string | null;
  restricted: number;
  document: string;
  openDocument: string | null;
  updatedAt: string;
  /** Since when no source lists it; null: one does. */
  delistedAt: string | null;
}

/** A published offer without its contents. */
export interface OfferKey {
  provider: string;
  providerModelId: string;
  hash: string;
  /** Since when no source lists it; null: one does. */
  delistedAt: string | null;
  lifecycleStatus: string;
  /** Since when the status has been published; null: it is active. */
  lifecycleSince: string | null;
}

/** An offer as it is stored; `document` is JSON text, prices nano-dollars. */
export type OfferRow = OfferKey & {
  modelId: string;
  priceStatus: string;
  /** The last day that the published date can mean. */
  lifecycleDate: string | null;
  document: string;
  /** Since when it has been published so. */
  validFrom: string;
} & {
  [Name in keyof NanoPrices as `${Name}Price`]: number | null;
};

/** A name of a model in one namespace, in lower case: once there it stays, even when its record is gone. */
export interface AliasRow {
  alias: string;
  /** Where the name is used: a source, or a provider for its own ids. */
  namespace: string;
  modelId: string;
  /** The record that has the name. */
  source: string;
  recordId: string;
}

/** What became of a published id: its model was merged into another, split, or renamed. */
export interface IdentityChangeRow {
  at: string;
  kind: 'merged' | 'renamed' | 'split';
  fromId: string;
  toId: string;
  reason: string;
}

/** A change of what is published, as it is recorded; values are JSON text, other texts are empty where they do not apply. */
export interface ChangeRow {
  kind: ChangeKind;
  modelId: string;
  provider: string;
  providerModelId: string;
  field: string;
  oldValue: string | null;
  newValue: string | null;
  source: string | null;
  /** Who may see it: everyone (`both`), or who sees all that Artificial Analysis said (`full`), or none of it (`open`). */
  view: string;
}

/** What is published of a model or an offer, to be compared. */
export interface Contents {
  models: {
    id: string;
    document: string;
    openDocument: string | null;
    /** Of a model that Artificial Analysis alone lists any more: what it was before, without that. */
    lastOpenDocument: string | null;
    restricted: number;
    delisted: number;
  }[];
  offers: {
    provider: string;
    providerModelId: string;
    modelId: string;
    document: string;
    delistedAt: string | null;
  }[];
}

/** A provider as it is stored; `document` is JSON text. */
export interface ProviderRow {
  id: string;
  hash: string;
  document: string;
}

/** A stored disagreement without its contents; `provider` and `providerModelId` are empty where it is about no offer. */
export interface ConflictKey {
  modelId: string;
  field: string;
  provider: string;
  providerModelId: string;
  /** Who may see it: everyone (`both`), or who sees all that Artificial Analysis said (`full`), or none of it (`open`). */
  view: string;
  hash: string;
}

/** A disagreement between sources as it is stored; `document` is JSON text, `sources` their ids, each with commas around it. */
export interface ConflictRow extends ConflictKey {
  size: number | null;
  sources: string;
  document: string;
}
