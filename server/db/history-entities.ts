import { defineEntity, p } from '@mikro-orm/core';
import { modelColumns, offerColumns } from './version-columns.ts';

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
    ...modelColumns(),
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
    ...offerColumns(),
  },
  indexes: [{ properties: ['modelId', 'provider'] }, { properties: ['validTo'] }],
});
