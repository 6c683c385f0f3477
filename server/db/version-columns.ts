import { p } from '@mikro-orm/core';

// What is kept of a model and an offer in the catalogue and in its history alike.

/** Columns of a model: those that lists filter and sort by, and the finished answer. */
export const modelColumns = () => ({
  creator: p.text(),
  nameKey: p.text(),
  searchText: p.text(),
  releaseDate: p.text().nullable(),
  /** The same without what Artificial Analysis said. */
  openReleaseDate: p.text().nullable(),
  context: p.bigint('number').nullable(),
  inputPrice: p.bigint('number').nullable(),
  outputPrice: p.bigint('number').nullable(),
  /** 1: no source lists it any more. */
  delisted: p.integer(),
  delistedAt: p.text().nullable(),
  lifecycleStatus: p.text(),
  lifecycleDate: p.text().nullable(),
  /** Since when the status has been published; null: it is active. */
  lifecycleSince: p.text().nullable(),
  /** Of a rolling name: since when it points where it does. */
  targetSince: p.text().nullable(),
  /** 1: known from Artificial Analysis alone, so withheld where its values are. */
  restricted: p.integer(),
  /** The model as it is published, as JSON text, but for the times that are kept in columns. */
  document: p.text(),
  /** The same without what came from Artificial Analysis; null: no difference. */
  openDocument: p.text().nullable(),
  /** Of a restricted model that was none before: when it became one, and what it was until then without Artificial Analysis. */
  openDelistedAt: p.text().nullable(),
  lastOpenDocument: p.text().nullable(),
  firstSeenAt: p.text(),
  updatedAt: p.text(),
});

/** Columns of an offer, but for its prices, which are in its document too. */
export const offerColumns = () => ({
  modelId: p.text(),
  priceStatus: p.text(),
  /** Since when no source has listed it; null: one does. */
  delistedAt: p.text().nullable(),
  lifecycleStatus: p.text(),
  lifecycleDate: p.text().nullable(),
  /** Since when the status has been published; null: it is active. */
  lifecycleSince: p.text().nullable(),
  /** The offer as it is published, as JSON text, but for the times that are kept in columns. */
  document: p.text(),
});

/** The names of the columns of a model that its versions have too, but for when it was updated. */
export const MODEL_VERSION_COLUMNS = [
  'id',
  'valid_from',
  'creator',
  'name_key',
  'search_text',
  'release_date',
  'open_release_date',
  'context',
  'input_price',
  'output_price',
  'delisted',
  'delisted_at',
  'lifecycle_status',
  'lifecycle_date',
  'lifecycle_since',
  'target_since',
  'restricted',
  'document',
  'open_document',
  'open_delisted_at',
  'last_open_document',
  'first_seen_at',
] as const;

/** The names of the columns of an offer that its versions have too. */
export const OFFER_VERSION_COLUMNS = [
  'provider',
  'provider_model_id',
  'valid_from',
  'model_id',
  'price_status',
  'delisted_at',
  'lifecycle_status',
  'lifecycle_date',
  'lifecycle_since',
  'document',
] as const;
