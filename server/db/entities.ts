import { defineEntity, p } from '@mikro-orm/core';
import { PRICE_NAMES, type PriceName } from '../../contracts/offers.ts';
import {
  CatalogVersionEntity,
  ChangeEntity,
  ModelVersionEntity,
  OfferVersionEntity,
} from './history-entities.ts';
import {
  AdminCallEntity,
  IncidentEntity,
  IncidentUpdateEntity,
  OperationEntity,
  SampleEntity,
} from './operations-entities.ts';
import { modelColumns, offerColumns } from './version-columns.ts';

// Times are ISO 8601 text in UTC with milliseconds and flags are 0 or 1: the same bytes, order and types on both databases.

/** The one row that says which catalogue version is published; its id is 1. */
export const CatalogEntity = defineEntity({
  name: 'Catalog',
  tableName: 'catalog',
  properties: {
    id: p.integer().primary().autoincrement(false),
    version: p.integer(),
    committedAt: p.text(),
    /** Format of the stored records and documents; another one makes the next sync write them anew. */
    format: p.integer(),
    /** Since when history is kept; null: nothing has been published yet. */
    historyFrom: p.text().nullable(),
    /** The highest id that a change ever had: whoever follows the changes goes on from the one that they saw last. */
    lastChangeId: p.bigint('number').default(0),
  },
});

/** A lock that its holder has to renew: `sync` while a run is under way. Times are the database's own clock. */
export const LeaseEntity = defineEntity({
  name: 'Lease',
  tableName: 'leases',
  properties: {
    name: p.text().primary(),
    owner: p.text(),
    expiresAtMs: p.bigint('number'),
  },
});

/** One execution of the sync. */
export const RunEntity = defineEntity({
  name: 'Run',
  tableName: 'sync_runs',
  properties: {
    id: p.text().primary(),
    status: p.text(),
    message: p.text(),
    trigger: p.text(),
    startedAt: p.text(),
    completedAt: p.text().nullable(),
    totalFetched: p.integer(),
    totalStored: p.integer(),
    catalogVersion: p.integer().nullable(),
    /** 1: what looked wrong was to be accepted. */
    forced: p.integer().default(0),
    /** Outcomes, as JSON text. */
    sources: p.text(),
  },
  indexes: [{ properties: ['startedAt', 'id'] }],
});

/** What is remembered of a source between runs. */
export const SourceEntity = defineEntity({
  name: 'Source',
  tableName: 'sources',
  properties: {
    id: p.text().primary(),
    status: p.text().nullable(),
    /** Why the last run failed for it, as JSON text. */
    error: p.text().nullable(),
    lastGoodAt: p.text().nullable(),
    asOf: p.text().nullable(),
    /** Items of its last good fetch. */
    fetched: p.integer(),
    /** When it was last fetched without validators. */
    wholeAt: p.text().nullable(),
    /** Validators of the last good fetch by URL, as JSON text. */
    validators: p.text(),
    /** What it says about providers, as JSON text. */
    providers: p.text(),
  },
});

/** What one source said about one model in the last good fetch that had it. */
export const RecordEntity = defineEntity({
  name: 'Record',
  tableName: 'records',
  properties: {
    source: p.text().primary(),
    id: p.text().primary(),
    modelId: p.text(),
    /** How it was placed there, as JSON text; null: by an earlier version that did not say. */
    match: p.text().nullable(),
    hash: p.text(),
    /** The item as the source gave it, as JSON text. */
    raw: p.text(),
    /** Good fetches of its source since, that did not have it. */
    missed: p.integer().default(0),
    /** A newer item that waits until a second fetch agrees, as JSON text. */
    held: p.text().nullable(),
    firstSeenAt: p.text(),
    updatedAt: p.text(),
  },
  indexes: [{ properties: ['modelId'] }],
});

/** One published model: the columns that lists filter and sort by, and the finished answer. */
export const ModelEntity = defineEntity({
  name: 'Model',
  tableName: 'models',
  properties: {
    id: p.text().primary(),
    ...modelColumns(),
    lifecycleStatus: p.text().default('active'),
    downloads: p.bigint('number').nullable(),
    /** Of a rolling name: what it points to. */
    target: p.text().nullable(),
    /** Of the document without popularity and speed figures. */
    steadyHash: p.text(),
    hash: p.text(),
    /** When popularity and speed figures were last renewed; they move at most daily. */
    refreshedAt: p.text(),
    /** Since when it has been published so, popularity and speed figures aside; empty: since before history was kept. */
    validFrom: p.text().default(''),
  },
  indexes: [{ properties: ['creator'] }, { properties: ['nameKey'] }, { properties: ['lifecycleDate'] }],
});

const priceColumns = Object.fromEntries(
  PRICE_NAMES.map((name) => [`${name}Price`, p.bigint('number').nullable()]),
) as Record<`${PriceName}Price`, ReturnType<ReturnType<typeof p.bigint<'number'>>['nullable']>>;

/** One offer: prices in nano-dollars per 1,000,000 tokens or each, and the finished answer. */
export const OfferEntity = defineEntity({
  name: 'Offer',
  tableName: 'offers',
  properties: {
    provider: p.text().primary(),
    providerModelId: p.text().primary(),
    ...offerColumns(),
    lifecycleStatus: p.text().default('active'),
    ...priceColumns,
    hash: p.text(),
    /** Since when it has been published so; empty: since before history was kept. */
    validFrom: p.text().default(''),
  },
  indexes: [{ properties: ['modelId', 'provider'] }, { properties: ['lifecycleDate'] }],
});

/** One field on which sources disagree; provider and its model id are empty where it is not the price of an offer. */
export const ConflictEntity = defineEntity({
  name: 'Conflict',
  tableName: 'conflicts',
  properties: {
    modelId: p.text().primary(),
    field: p.text().primary(),
    provider: p.text().primary(),
    providerModelId: p.text().primary(),
    /** Who may see it: `both`, or `full` with what Artificial Analysis said, or `open` without it. */
    view: p.text().primary(),
    /** Relative difference of numbers, days between dates; null: not measurable. */
    size: p.double().nullable(),
    /** Ids of the sources that have a say, with a comma around each. */
    sources: p.text(),
    hash: p.text(),
    /** The disagreement without what the sources say in their own form, as JSON text. */
    document: p.text(),
  },
  indexes: [{ properties: ['field'] }],
});

/** A name by which a model is known, in lower case, where it is used. */
export const ModelAliasEntity = defineEntity({
  name: 'ModelAlias',
  tableName: 'model_aliases',
  properties: {
    alias: p.text().primary(),
    /** A source, or a provider for its own ids. */
    namespace: p.text().primary(),
    modelId: p.text(),
    /** The record that has the name. */
    source: p.text(),
    recordId: p.text(),
  },
  indexes: [{ properties: ['modelId'] }, { properties: ['source', 'recordId'] }],
});

/** An id that a model had before, in lower case; `source` is `former`, or the source of a name of the first catalogues. */
export const AliasEntity = defineEntity({
  name: 'Alias',
  tableName: 'aliases',
  properties: {
    alias: p.text().primary(),
    modelId: p.text(),
    source: p.text(),
  },
  indexes: [{ properties: ['modelId'] }],
});

/** A key of a record: only records that share one can be of one model. */
export const RecordKeyEntity = defineEntity({
  name: 'RecordKey',
  tableName: 'record_keys',
  properties: {
    source: p.text().primary(),
    recordId: p.text().primary(),
    key: p.text().primary(),
  },
  indexes: [{ properties: ['key'] }],
});

/** What became of a published id. */
export const IdentityChangeEntity = defineEntity({
  name: 'IdentityChange',
  tableName: 'identity_changes',
  properties: {
    fromId: p.text().primary(),
    toId: p.text().primary(),
    at: p.text().primary(),
    /** `merged`, `renamed` or `split`. */
    kind: p.text(),
    reason: p.text(),
  },
});

/** One published provider. */
export const ProviderEntity = defineEntity({
  name: 'Provider',
  tableName: 'providers',
  properties: {
    id: p.text().primary(),
    hash: p.text(),
    /** The provider as it is published, as JSON text. */
    document: p.text(),
  },
});

/** Every table, for both databases. */
export const ENTITIES = [
  CatalogEntity,
  LeaseEntity,
  RunEntity,
  SourceEntity,
  RecordEntity,
  ModelEntity,
  OfferEntity,
  ConflictEntity,
  AliasEntity,
  ModelAliasEntity,
  RecordKeyEntity,
  IdentityChangeEntity,
  ProviderEntity,
  CatalogVersionEntity,
  ChangeEntity,
  ModelVersionEntity,
  OfferVersionEntity,
  SampleEntity,
  IncidentEntity,
  IncidentUpdateEntity,
  OperationEntity,
  AdminCallEntity,
] as const;
