import { hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { Provider } from '../contracts/providers.ts';
import { conflictRows } from './conflicts.ts';
import type { Group } from './identity.ts';
import { mergeGroup, steadyPart, withoutArtificialAnalysis, type Merged } from './merge.ts';
import { PRICE_NAMES } from '../contracts/offers.ts';
import { sourceRefs } from './offers.ts';
import { unique } from './order.ts';
import type { ProviderFacts, SourceRecord } from './record.ts';
import type { AliasRow, ConflictRow, ModelRow, OfferRow, ProviderRow } from './store.ts';

/** Raised whenever the same records are published differently, so that the next sync writes the catalogue anew. */
export const CATALOG_FORMAT = 2;

/** A model row before storage adds its times. */
export type DraftModel = Omit<ModelRow, 'targetSince' | 'firstSeenAt' | 'updatedAt' | 'refreshedAt'>;

/** The whole published catalogue, as rows. */
export interface Catalog {
  models: DraftModel[];
  offers: OfferRow[];
  conflicts: ConflictRow[];
  aliases: AliasRow[];
  providers: ProviderRow[];
}

/** The ids, in lower case, by which a record's source knows its model. */
function aliasesOf(record: SourceRecord): string[] {
  if (record.type === 'measurement') return [];
  if (record.type === 'metadata') return [record.id.slice(record.id.indexOf('/') + 1).toLowerCase()];
  return [record.id.toLowerCase()];
}

/** Every alias that names one model alone. An alias is never another model's id. */
function aliasRows(groups: Group[]): Map<string, AliasRow | null> {
  const ids = new Set(groups.map(({ id }) => id));
  const rows = new Map<string, AliasRow | null>();
  for (const group of groups) {
    for (const record of group.records) {
      for (const alias of aliasesOf(record)) {
        if (ids.has(alias)) continue;
        const claimed = rows.get(alias);
        if (claimed === undefined) rows.set(alias, { alias, modelId: group.id, source: record.source });
        else if (claimed !== null && claimed.modelId !== group.id) rows.set(alias, null);
      }
    }
  }
  return rows;
}

/** The hash of columns and texts. The texts are hashed as they are: writing them into JSON once more costs more than the hash. */
function hashOf(columns: object, texts: string[]): string {
  return hash('sha1', [JSON.stringify(columns), ...texts].join('\n'));
}

function modelRow(group: Group, merged: Merged, open: Merged | null, aliases: string[]): DraftModel {
  const { model, reference } = merged;
  const document = JSON.stringify(model);
  const openDocument = open === null ? null : JSON.stringify(open.model);
  const differs = openDocument !== null && openDocument !== document;
  const { name, creatorName, family, releaseDate: openReleaseDate } = (open ?? merged).model;
  const columns = {
    id: model.id,
    creator: model.creator,
    nameKey: model.name.toLowerCase(),
    searchText: [model.id, name, creatorName ?? '', family ?? '', ...aliases].join('\n').toLowerCase(),
    releaseDate: model.releaseDate,
    openReleaseDate,
    context: model.limits.context,
    inputPrice: reference?.prices.input ?? null,
    outputPrice: reference?.prices.output ?? null,
    downloads: model.popularity.downloads,
    target: model.target,
    delisted: 0,
    restricted: group.records.every(({ type }) => type === 'measurement') ? 1 : 0,
  };
  const steady = [model, ...(differs && open !== null ? [open.model] : [])].map((part) =>
    JSON.stringify(steadyPart(part)),
  );
  const { downloads: _, ...steadyColumns } = columns;
  return {
    ...columns,
    steadyHash: hashOf(steadyColumns, steady),
    hash: hashOf(columns, [document, ...(differs ? [openDocument] : [])]),
    document,
    openDocument: differs ? openDocument : null,
  };
}

function offerRows(modelId: string, { offers }: Merged): OfferRow[] {
  return offers.map(({ offer, pricing }) => {
    const document = JSON.stringify(offer);
    const prices: Record<string, number | null> = {};
    for (const name of PRICE_NAMES) prices[`${name}Price`] = pricing.prices[name];
    return {
      provider: offer.provider,
      providerModelId: offer.providerModelId,
      modelId,
      priceStatus: pricing.status,
      ...prices,
      hash: hash('sha1', modelId + document),
      document,
    } as OfferRow;
  });
}

function providerRows(
  offers: OfferRow[],
  facts: { source: string; provider: ProviderFacts }[],
  asOf: ReadonlyMap<string, string | null>,
): ProviderRow[] {
  const offered = Map.groupBy(offers, ({ provider }) => provider);
  const known = Map.groupBy(facts, ({ provider }) => provider.id);
  return [...new Set([...offered.keys(), ...known.keys()])].map((id) => {
    const own = offered.get(id) ?? [];
    const stated = known.get(id) ?? [];
    const first = stated[0]?.provider;
    const provider: Provider = {
      id,
      name: first?.name ?? id,
      docUrl: first?.docUrl ?? null,
      apiUrl: first?.apiUrl ?? null,
      npmPackage: first?.npmPackage ?? null,
      environment: first?.environment ?? [],
      models: new Set(own.map(({ modelId }) => modelId)).size,
      offers: own.length,
      sources: sourceRefs(unique(stated.map(({ source }) => source)), asOf),
    };
    const document = JSON.stringify(provider);
    return { id, hash: hash('sha1', document), document };
  });
}

/** Groups between two turns of the event loop, so that requests are answered meanwhile. */
const TURN = 100;

/** Merges every group and lays the result out as rows. */
export async function buildCatalog(
  groups: Group[],
  sources: { id: string; asOf: string | null; providers: ProviderFacts[] }[],
): Promise<Catalog> {
  const aliases = aliasRows(groups);
  const ids = new Set(groups.map(({ id }) => id));
  const context = {
    asOf: new Map(sources.map(({ id, asOf }) => [id, asOf])),
    resolve: (sourceId: string) => {
      const id = sourceId.toLowerCase();
      return ids.has(id) ? id : (aliases.get(id)?.modelId ?? null);
    },
  };
  const aliasRowsKept = [...aliases.values()].filter((row) => row !== null);
  const aliasesById = Map.groupBy(aliasRowsKept, ({ modelId }) => modelId);
  const models: DraftModel[] = [];
  const offers: OfferRow[] = [];
  const conflicts: ConflictRow[] = [];
  for (const [index, group] of groups.entries()) {
    if (index % TURN === TURN - 1) await setImmediate();
    const merged = mergeGroup(group, context);
    const openRecords = withoutArtificialAnalysis(group.records);
    const touched =
      openRecords.length !== group.records.length ||
      openRecords.some((record, index) => record !== group.records[index]);
    const open =
      touched && openRecords.length > 0 ? mergeGroup({ ...group, records: openRecords }, context) : null;
    const names = (aliasesById.get(group.id) ?? []).map(({ alias }) => alias).toSorted();
    models.push(modelRow(group, merged, open, names));
    offers.push(...offerRows(group.id, merged));
    conflicts.push(...conflictRows(group, touched ? openRecords : null));
  }
  const facts = sources.flatMap(({ id, providers }) =>
    providers.map((provider) => ({ source: id, provider })),
  );
  return {
    models,
    offers,
    conflicts,
    aliases: aliasRowsKept,
    providers: providerRows(offers, facts, context.asOf),
  };
}
