import { CATALOG_FORMAT, type Catalog, type DraftModel } from './catalog.ts';
import type { FetchedRecord } from './fetch.ts';
import type { Group } from './identity.ts';
import type {
  CatalogChanges,
  CatalogIndex,
  ConflictKey,
  ModelKey,
  ModelRow,
  RecordKey,
  SourceState,
} from './store.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Popularity and speed move at most daily. */
function isDue(stored: ModelKey, now: string): boolean {
  return Date.parse(now) - Date.parse(stored.refreshedAt) >= DAY_MS;
}

function modelChange(draft: DraftModel, stored: ModelKey | undefined, now: string): ModelRow | null {
  const same = stored !== undefined && stored.delisted === 0;
  if (same && stored.hash === draft.hash) return null;
  if (same && stored.steadyHash === draft.steadyHash && !isDue(stored, now)) return null;
  const sameTarget = stored !== undefined && stored.target === draft.target;
  return {
    ...draft,
    targetSince: draft.target === null ? null : sameTarget ? stored.targetSince : now,
    firstSeenAt: stored?.firstSeenAt ?? now,
    updatedAt: now,
    refreshedAt: now,
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

const recordKey = ({ source, id }: { source: string; id: string }) => `${source}\n${id}`;

/** What a run knows when it comes to writing. */
export interface Outcome {
  index: CatalogIndex;
  groups: Group[];
  catalog: Catalog;
  /** The accepted records of the sources that were fetched anew. */
  fresh: Map<string, FetchedRecord[]>;
  /** Sources that are dropped whole, without history or aliases. */
  dropped: Set<string>;
  sources: SourceState[];
  now: string;
}

/** Works out what differs between what is stored and what is to be published. Nothing else is written. */
export function changesOf({ index, groups, catalog, fresh, dropped, sources, now }: Outcome): CatalogChanges {
  const modelOf = new Map<string, string>();
  for (const group of groups) for (const record of group.records) modelOf.set(recordKey(record), group.id);

  const shortLived = onlyFrom(dropped, index);
  const storedModels = new Map(
    index.models.filter(({ id }) => !shortLived.has(id)).map((model) => [model.id, model]),
  );
  const models = catalog.models
    .map((draft) => modelChange(draft, storedModels.get(draft.id), now))
    .filter((row) => row !== null);
  const offers = difference(catalog.offers, index.offers, (row) => `${row.provider}\n${row.providerModelId}`);
  const conflicts = difference(catalog.conflicts, index.conflicts, conflictKey);
  const changed = new Set([
    ...models.map(({ id }) => id),
    ...[...offers.upsert, ...conflicts.upsert, ...conflicts.remove].map(({ modelId }) => modelId),
  ]);

  const stored = new Map(index.records.map((record) => [recordKey(record), record]));
  const records: CatalogChanges['records'] = { upsert: [], added: 0, remove: [], moved: [] };
  const received = new Set<string>();
  for (const [source, list] of fresh) {
    for (const { record, raw, hash } of list) {
      const key = recordKey(record);
      received.add(key);
      const before = stored.get(key);
      const modelId = modelOf.get(key) ?? '';
      if (before?.hash === hash && before.modelId === modelId) continue;
      if (before === undefined) records.added += 1;
      // When a record changed is published with its model, so it is told no sooner than a change of what is published of it.
      const updatedAt = before === undefined || changed.has(modelId) ? now : before.updatedAt;
      const firstSeenAt = before?.firstSeenAt ?? now;
      records.upsert.push({ source, id: record.id, hash, modelId, raw, firstSeenAt, updatedAt });
    }
  }
  for (const record of index.records) {
    const key = recordKey(record);
    if (dropped.has(record.source) || (fresh.has(record.source) && !received.has(key)))
      records.remove.push(record);
    else if (!fresh.has(record.source) && modelOf.get(key) !== record.modelId) {
      records.moved.push({
        source: record.source,
        id: record.id,
        modelId: modelOf.get(key) ?? record.modelId,
      });
    }
  }

  const published = new Set(catalog.models.map(({ id }) => id));
  const gone = vanished([...storedModels.values()], index, published, modelOf);

  const aliases = aliasChanges(index, catalog, new Map(gone.renamed), dropped);
  return {
    format: CATALOG_FORMAT,
    sources,
    records,
    models: {
      upsert: models,
      remove: [...gone.renamed.map(([id]) => id), ...[...shortLived].filter((id) => !published.has(id))],
    },
    offers,
    conflicts,
    aliases,
    providers: (({ upsert, remove }) => ({ upsert, remove: remove.map(({ id }) => id) }))(
      difference(catalog.providers, index.providers, ({ id }) => id),
    ),
    delist: { ids: gone.delisted, date: now },
  };
}

/**
 * An alias once published stays, unless it has become an id, or its source was dropped. Those of a model that was renamed
 * follow it, and its former id becomes one.
 */
function aliasChanges(
  index: CatalogIndex,
  catalog: Catalog,
  renamed: Map<string, string>,
  dropped: Set<string>,
): CatalogChanges['aliases'] {
  const ids = new Set(catalog.models.map(({ id }) => id));
  const kept = index.aliases.filter(({ alias, source }) => !ids.has(alias) && !dropped.has(source));
  const wanted = new Map(
    [
      ...kept.map((row) => ({ ...row, modelId: renamed.get(row.modelId) ?? row.modelId })),
      ...[...renamed].map(([alias, modelId]) => ({ alias, modelId, source: 'former' })),
      ...catalog.aliases,
    ].map((row) => [row.alias, row]),
  );
  const stored = new Map(index.aliases.map((row) => [row.alias, row]));
  return {
    upsert: [...wanted.values()].filter(({ alias, modelId, source }) => {
      const before = stored.get(alias);
      return before?.modelId !== modelId || before.source !== source;
    }),
    remove: index.aliases.map(({ alias }) => alias).filter((alias) => !wanted.has(alias)),
  };
}

/** The models that nothing but certain sources ever knew. */
export function onlyFrom(sources: Set<string>, index: CatalogIndex): Set<string> {
  if (sources.size === 0) return new Set();
  const others = new Set(
    index.records.filter(({ source }) => !sources.has(source)).map(({ modelId }) => modelId),
  );
  const theirs = index.records.filter(({ source }) => sources.has(source)).map(({ modelId }) => modelId);
  return new Set(theirs.filter((id) => !others.has(id)));
}

/** What becomes of published models that have no records any more: their records have moved to another model, or are gone. */
function vanished(
  models: ModelKey[],
  index: CatalogIndex,
  published: Set<string>,
  modelOf: Map<string, string>,
): { renamed: [from: string, to: string][]; delisted: string[] } {
  const formerRecords = Map.groupBy(index.records, ({ modelId }) => modelId);
  const result: ReturnType<typeof vanished> = { renamed: [], delisted: [] };
  for (const { id, delisted } of models) {
    if (published.has(id)) continue;
    const records: RecordKey[] = formerRecords.get(id) ?? [];
    const heir = records.map((record) => modelOf.get(recordKey(record))).find((to) => to !== undefined);
    if (heir !== undefined) result.renamed.push([id, heir]);
    else if (delisted === 0) result.delisted.push(id);
  }
  return result;
}
