import { hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { Provider } from '../contracts/providers.ts';
import { conflictRows } from './conflicts.ts';
import type { Group } from './identity.ts';
import { mergeGroup, steadyPart, withoutArtificialAnalysis, type Merged } from './merge.ts';
import { PRICE_NAMES, type Lifecycle } from '../contracts/offers.ts';
import { lastDayOf } from './lifecycle.ts';
import { sourceRefs } from './offers.ts';
import { namesOf } from './names.ts';
import { unique } from './order.ts';
import type { ProviderFacts } from './record.ts';
import type { AliasRow, ConflictRow, ModelRow, OfferRow, ProviderRow } from './rows.ts';

/** Raised whenever the same records are published differently, so that the next sync writes the catalogue anew. */
export const CATALOG_FORMAT = 4;

/** A model row before storage adds its times. */
export type DraftModel = Omit<
  ModelRow,
  'targetSince' | 'lifecycleSince' | 'firstSeenAt' | 'updatedAt' | 'refreshedAt' | 'validFrom' | 'delistedAt'
>;

/** An offer row before storage adds its times. */
export type DraftOffer = Omit<OfferRow, 'validFrom' | 'delistedAt' | 'lifecycleSince'>;

/** What is to be published of some models, as rows. */
export interface Catalog {
  models: DraftModel[];
  offers: DraftOffer[];
  conflicts: ConflictRow[];
  aliases: AliasRow[];
}

/** The hash of columns and texts. The texts are hashed as they are: writing them into JSON once more costs more than the hash. */
function hashOf(columns: object, texts: string[]): string {
  return hash('sha1', [JSON.stringify(columns), ...texts].join('\n'));
}

/** Stored in full, so that days can be compared. */
const lastDay = ({ date }: Lifecycle): string | null => (date === null ? null : lastDayOf(date));

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
    lifecycleStatus: model.lifecycle.status,
    lifecycleDate: lastDay(model.lifecycle),
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

function offerRows(modelId: string, { offers }: Merged): DraftOffer[] {
  return offers.map(({ offer, pricing }) => {
    const document = JSON.stringify(offer);
    const prices: Record<string, number | null> = {};
    for (const name of PRICE_NAMES) prices[`${name}Price`] = pricing.prices[name];
    return {
      provider: offer.provider,
      providerModelId: offer.providerModelId,
      modelId,
      priceStatus: pricing.status,
      lifecycleStatus: offer.lifecycle.status,
      lifecycleDate: lastDay(offer.lifecycle),
      ...prices,
      hash: hash('sha1', modelId + document),
      document,
    } as DraftOffer;
  });
}

/** A provider as it is published: the first source that says something of it is believed. */
export function providerRow(
  id: string,
  counts: { models: number; offers: number },
  sources: Iterable<{ id: string; asOf: string | null; providers: ProviderFacts[] }>,
): ProviderRow | null {
  const stated = [...sources].flatMap(({ id: source, asOf, providers }) =>
    providers.filter((facts) => facts.id === id).map((facts) => ({ source, asOf, facts })),
  );
  const first = stated[0]?.facts;
  if (first === undefined && counts.offers === 0) return null;
  const provider: Provider = {
    id,
    name: first?.name ?? id,
    docUrl: first?.docUrl ?? null,
    apiUrl: first?.apiUrl ?? null,
    npmPackage: first?.npmPackage ?? null,
    environment: first?.environment ?? [],
    ...counts,
    sources: sourceRefs(
      unique(stated.map(({ source }) => source)),
      new Map(stated.map(({ source, asOf }) => [source, asOf])),
    ),
  };
  const document = JSON.stringify(provider);
  return { id, hash: hash('sha1', document), document };
}

/** Groups between two turns of the event loop, so that requests are answered meanwhile. */
const TURN = 100;

/** Merges every group and lays the result out as rows. `today` is YYYY-MM-DD. */
export async function buildCatalog(
  groups: Group[],
  sources: { id: string; asOf: string | null }[],
  today: string,
): Promise<Catalog> {
  const aliases = namesOf(groups);
  const ids = new Set(groups.map(({ id }) => id));
  const named = new Map<string, string>();
  for (const { alias, namespace, modelId } of aliases)
    if (namespace === 'openrouter' || !named.has(alias)) named.set(alias, modelId);
  const context = {
    asOf: new Map(sources.map(({ id, asOf }) => [id, asOf])),
    today,
    resolve: (sourceId: string) => {
      const id = sourceId.toLowerCase();
      return ids.has(id) ? id : (named.get(id) ?? null);
    },
  };
  const aliasesById = Map.groupBy(aliases, ({ modelId }) => modelId);
  const models: DraftModel[] = [];
  const offers: DraftOffer[] = [];
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
    const names = unique((aliasesById.get(group.id) ?? []).map(({ alias }) => alias));
    models.push(modelRow(group, merged, open, names));
    offers.push(...offerRows(group.id, merged));
    conflicts.push(...conflictRows(group, touched ? openRecords : null));
  }
  return { models, offers, conflicts, aliases };
}
