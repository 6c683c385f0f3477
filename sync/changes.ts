import { CATALOG_FORMAT, type Catalog, type DraftModel } from './catalog.ts';
import type { Group } from './identity.ts';
import { identityChanges, whatBecame, type Became } from './identity-changes.ts';
import { recordKey, type Neighbourhood } from './neighbourhood.ts';
import type { AliasRow, ConflictKey, ModelKey, ModelRow, OfferKey, RecordCounts, RecordKey } from './rows.ts';
import type { CatalogChanges, Published, SourceState } from './store.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Popularity and speed move at most daily. */
function isDue({ refreshedAt }: ModelKey, clock: string): boolean {
  return Math.abs(Date.parse(clock) - Date.parse(refreshedAt)) >= DAY_MS;
}

/** Since when a status other than active has been published. */
function lifecycleSince(
  { lifecycleStatus }: Pick<ModelKey, 'lifecycleStatus'>,
  stored: Pick<ModelKey, 'lifecycleStatus' | 'lifecycleSince'> | undefined,
  now: string,
): string | null {
  if (lifecycleStatus === 'active') return null;
  return (stored?.lifecycleStatus === lifecycleStatus ? stored.lifecycleSince : null) ?? now;
}

function modelChange(
  draft: DraftModel,
  stored: ModelKey | undefined,
  { now, clock }: Pick<Outcome, 'now' | 'clock'>,
): ModelRow | null {
  const same = stored !== undefined && stored.delisted === 0;
  if (same && stored.hash === draft.hash) return null;
  const steady = same && stored.steadyHash === draft.steadyHash;
  if (steady && !isDue(stored, clock)) return null;
  const sameTarget = stored !== undefined && stored.target === draft.target;
  return {
    ...draft,
    targetSince: draft.target === null ? null : sameTarget ? stored.targetSince : now,
    lifecycleSince: lifecycleSince(draft, stored, now),
    firstSeenAt: stored?.firstSeenAt ?? now,
    updatedAt: now,
    refreshedAt: clock,
    validFrom: steady ? stored.validFrom : now,
    delistedAt: null,
  };
}

const offerKeyOf = ({ provider, providerModelId }: Pick<OfferKey, 'provider' | 'providerModelId'>) =>
  `${provider}\n${providerModelId}`;

/** Offers once published stay, marked as delisted, unless they go with a source that is dropped. */
function offerChanges({ catalog, published, shortLived, removed, dropped, now }: Outcome) {
  const stored = new Map(published.offers.map((offer) => [offerKeyOf(offer), offer]));
  const next = new Set(catalog.offers.map(offerKeyOf));
  const droppedWhole =
    dropped.size > 0 && removed.length > 0 && removed.every(({ source }) => dropped.has(source));
  const upsert = catalog.offers
    .filter((offer) => {
      const before = stored.get(offerKeyOf(offer));
      return before?.hash !== offer.hash || before.delistedAt !== null;
    })
    .map((offer) => ({
      ...offer,
      lifecycleSince: lifecycleSince(offer, stored.get(offerKeyOf(offer)), now),
      validFrom: now,
      delistedAt: null,
    }));
  const gone = published.offers.filter((offer) => !next.has(offerKeyOf(offer)));
  const goes = ({ modelId }: { modelId: string }) => shortLived.has(modelId) || droppedWhole;
  return {
    upsert,
    remove: gone.filter(goes),
    delist: gone.filter((offer) => !goes(offer) && offer.delistedAt === null),
  };
}

/** Rows of `next` that are not in `stored` as they are, and keys of `stored` that are not in `next`. */
function difference<Row extends { hash: string }, Key extends { hash: string }>(
  next: Row[],
  stored: Key[],
  keyOf: (row: Row | Key) => string,
): { upsert: Row[]; remove: Key[] } {
  const hashes = new Map(stored.map((row) => [keyOf(row), row.hash]));
  const keys = new Set(next.map(keyOf));
  return {
    upsert: next.filter((row) => hashes.get(keyOf(row)) !== row.hash),
    remove: stored.filter((row) => !keys.has(keyOf(row))),
  };
}

const conflictKey = ({ modelId, field, provider, providerModelId, view }: ConflictKey) =>
  [modelId, field, provider, providerModelId, view].join('\n');

/** What a run knows when it comes to writing. */
export interface Outcome {
  /** What is published under the ids that are touched. */
  published: Published;
  neighbourhood: Neighbourhood;
  removed: RecordKey[];
  counts: RecordCounts;
  /** Records that were not held before. */
  added: number;
  groups: Group[];
  catalog: Catalog;
  /** Sources that are dropped whole, without history or aliases. */
  dropped: ReadonlySet<string>;
  /** Models that only those knew. */
  shortLived: ReadonlySet<string>;
  sources: SourceState[];
  /** Providers of which a source says something else than before. */
  providers: string[];
  /** When it is published: later than any version before, whatever the clock says. */
  now: string;
  /** What the clock says. */
  clock: string;
}

/** What differs, before it is told, and what became of the ids. */
export interface Worked {
  changes: CatalogChanges;
  became: Became;
}

/** Works out what differs between what is stored and what is to be published. Nothing else is written. */
export function changesOf(outcome: Outcome): Worked {
  const { published, groups, catalog, removed, shortLived, sources, now } = outcome;
  const stored = new Map(
    published.models.filter(({ id }) => !shortLived.has(id)).map((model) => [model.id, model]),
  );
  const models = catalog.models
    .map((draft) => modelChange(draft, stored.get(draft.id), outcome))
    .filter((row) => row !== null);
  const written = new Set(models.map(({ id }) => id));
  // A model whose popularity alone moved waits until it is due; until then its records count as changed.
  const putOff = new Set(
    catalog.models
      .filter(({ id, hash }) => !written.has(id) && stored.get(id)?.hash !== hash)
      .map(({ id }) => id),
  );
  const offers = offerChanges(outcome);
  const conflicts = difference(catalog.conflicts, published.conflicts, conflictKey);
  const changed = new Set([
    ...written,
    ...[...offers.upsert, ...conflicts.upsert, ...conflicts.remove].map(({ modelId }) => modelId),
  ]);
  const became = whatBecame([...stored.values()], outcome.neighbourhood, groups);
  const removedModels = [...became.renamed.keys(), ...shortLived];
  const putAway = [
    ...models.filter(({ id, validFrom }) => stored.has(id) && validFrom === now).map(({ id }) => id),
    ...removedModels,
    ...became.delisted,
  ];
  const storedOffers = new Set(published.offers.map(offerKeyOf));
  const touched = new Set([...offers.upsert, ...offers.remove, ...offers.delist].map(offerKeyOf));
  // Offers that were delisted before go with their model to its new id.
  const follow = published.offers.filter(
    (offer) => became.renamed.has(offer.modelId) && !touched.has(offerKeyOf(offer)),
  );
  const changes: CatalogChanges = {
    format: CATALOG_FORMAT,
    at: now,
    sources,
    records: { ...recordChanges(outcome, changed, putOff), remove: removed, counts: outcome.counts },
    keys: keyChanges(outcome),
    models: { upsert: models, remove: removedModels },
    offers,
    conflicts,
    aliases: aliasChanges(outcome, became.renamed),
    identity: identityChanges(became, now),
    providers: [
      ...new Set([
        ...outcome.providers,
        ...[...offers.upsert, ...offers.remove, ...offers.delist].map(({ provider }) => provider),
      ]),
    ],
    delist: became.delisted,
    history: {
      changes: [],
      models: putAway,
      offers: [
        ...offers.upsert.filter((offer) => storedOffers.has(offerKeyOf(offer))),
        ...offers.remove,
        ...offers.delist,
        ...follow,
      ],
    },
  };
  return { changes, became };
}

function recordChanges(
  { neighbourhood, groups, added, now }: Outcome,
  changed: ReadonlySet<string>,
  putOff: ReadonlySet<string>,
) {
  const records: Pick<CatalogChanges['records'], 'upsert' | 'added' | 'moved'> = {
    upsert: [],
    added,
    moved: [],
  };
  for (const group of groups) {
    for (const [index, record] of group.records.entries()) {
      const member = neighbourhood.members.get(recordKey(record));
      if (member === undefined) continue;
      const { before, hash, raw } = member;
      const match = JSON.stringify(group.matches[index]);
      const { source, id } = record;
      if (
        before?.modelId === group.id &&
        before.hash !== hash &&
        putOff.has(group.id) &&
        !changed.has(group.id)
      )
        continue;
      if (before === null || before.hash !== hash) {
        // When a record changed is published with its model, so it is told no sooner than a change of what is published of it.
        const updatedAt = before === null || changed.has(group.id) ? now : before.updatedAt;
        const firstSeenAt = before?.firstSeenAt ?? now;
        const found = { source, id, hash, raw, missed: 0, held: null };
        records.upsert.push({ ...found, modelId: group.id, match, firstSeenAt, updatedAt });
      } else if (before.modelId !== group.id || before.match !== match) {
        records.moved.push({ source, id, modelId: group.id, match });
      }
    }
  }
  return records;
}

function keyChanges({ neighbourhood }: Outcome): CatalogChanges['keys'] {
  return [...neighbourhood.members.values()]
    .filter(({ isChanged }) => isChanged)
    .map(({ record, keys }) => ({ source: record.source, recordId: record.id, keys }));
}

const aliasKey = ({ alias, namespace }: Pick<AliasRow, 'alias' | 'namespace'>) => `${namespace}\n${alias}`;

/** A name once there stays, unless its source was dropped. Those of a model that was renamed follow it. */
function aliasChanges(
  { published, catalog, dropped }: Outcome,
  renamed: ReadonlyMap<string, string>,
): CatalogChanges['aliases'] {
  const stored = new Map(published.aliases.map((row) => [aliasKey(row), row]));
  const wanted = new Map(
    [
      ...[...stored.values()]
        .filter(({ source }) => !dropped.has(source))
        .map((row) => ({ ...row, modelId: renamed.get(row.modelId) ?? row.modelId })),
      ...catalog.aliases,
    ].map((row) => [aliasKey(row), row]),
  );
  return {
    upsert: [...wanted].flatMap(([key, row]) => {
      const before = stored.get(key);
      const same =
        before?.modelId === row.modelId && before.source === row.source && before.recordId === row.recordId;
      return same ? [] : [row];
    }),
    remove: [...stored.values()].filter((row) => !wanted.has(aliasKey(row))),
  };
}
