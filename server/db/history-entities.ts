import { defineEntity, p } from '@mikro-orm/core';

// What is kept of the past. Intervals are [validFrom, validTo); what holds now stands in the tables of the catalogue alone.

/** One version of the catalogue, and when it was committed. */
export const CatalogVersionEntity = defineEntity({
  name: 'CatalogVersion',
  tableName: 'catalog_versions',
  properties: {
    version: p.integer().primary().autoincrement(false),
    committedAt: p.text(),
    /** The run that committed it. */
    runId: p.text(),
    /** How many changes it brought. */
    changes: p.integer(),
  },
  indexes: [{ properties: ['committedAt'] }],
});

/** One change of what is published; texts are empty where they do not apply. */
export const ChangeEntity = defineEntity({
  name: 'Change',
  tableName: 'changes',
  properties: {
    /** Counts up in the order in which changes were recorded. */
    id: p.bigint('number').primary().autoincrement(false),
    /** The version of the catalogue that brought it. */
    version: p.integer(),
    observedAt: p.text(),
    kind: p.text(),
    modelId: p.text(),
    /** Of an offer. */
    provider: p.text(),
    providerModelId: p.text(),
    field: p.text(),
    /** Values as JSON text; null: there is none. */
    oldValue: p.text().nullable(),
    newValue: p.text().nullable(),
    /** Who said so. */
    source: p.text().nullable(),
    /** Who may see it: `both`, or `full` with what Artificial Analysis said, or `open` without it. */
    view: p.text(),
  },
  indexes: [
    { properties: ['observedAt', 'id'] },
    { properties: ['modelId', 'observedAt', 'id'] },
    { properties: ['provider', 'observedAt', 'id'] },
    { properties: ['version'] },
  ],
});

/** A model as it was published in an interval; columns as in the table of models. */
export const ModelVersionEntity = defineEntity({
  name: 'ModelVersion',
  tableName: 'model_versions',
  properties: {
    id: p.text().primary(),
    validFrom: p.text().primary(),
    validTo: p.text(),
    creator: p.text(),
    nameKey: p.text(),
    searchText: p.text(),
    releaseDate: p.text().nullable(),
    openReleaseDate: p.text().nullable(),
    context: p.bigint('number').nullable(),
    inputPrice: p.bigint('number').nullable(),
    outputPrice: p.bigint('number').nullable(),
    delisted: p.integer(),
    delistedAt: p.text().nullable(),
    lifecycleStatus: p.text(),
    lifecycleDate: p.text().nullable(),
    targetSince: p.text().nullable(),
    restricted: p.integer(),
    document: p.text(),
    openDocument: p.text().nullable(),
    firstSeenAt: p.text(),
    updatedAt: p.text(),
  },
  indexes: [{ properties: ['validTo'] }],
});

/** An offer as it was published in an interval; columns as in the table of offers. */
export const OfferVersionEntity = defineEntity({
  name: 'OfferVersion',
  tableName: 'offer_versions',
  properties: {
    provider: p.text().primary(),
    providerModelId: p.text().primary(),
    validFrom: p.text().primary(),
    validTo: p.text(),
    modelId: p.text(),
    priceStatus: p.text(),
    delistedAt: p.text().nullable(),
    lifecycleStatus: p.text(),
    lifecycleDate: p.text().nullable(),
    document: p.text(),
  },
  indexes: [{ properties: ['modelId', 'provider'] }, { properties: ['validTo'] }],
});
