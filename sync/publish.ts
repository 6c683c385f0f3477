import { setImmediate } from 'node:timers/promises';
import { buildCatalog, CATALOG_FORMAT } from './catalog.ts';
import { changesOf } from './changes.ts';
import type { FetchedSource } from './fetch.ts';
import { groupRecords, type Group } from './identity.ts';
import { Neighbourhood, recordKey } from './neighbourhood.ts';
import { runEnd, sourceStates } from './outcome.ts';
import type { FinishedRun, SyncPorts } from './ports.ts';
import type { SourceRecord } from './record.ts';
import type { CatalogState, RecordKey, RecordRow, SourceState, SyncStore } from './store.ts';

/** Resolves, merges, compares and writes what a run fetched. Nothing is written where no source answered. */
export async function publish(
  ports: SyncPorts,
  id: string,
  state: CatalogState,
  fetched: FetchedSource[],
  signal: AbortSignal,
): Promise<FinishedRun> {
  const { store } = ports;
  const now = ports.now().toISOString();
  const sources = sourceStates(state, fetched, now);
  const end = runEnd(id, fetched);
  if (end.status === 'failed') return { ...end, ...(await store.endRun(end, sources)) };

  const replaced = fetched.some(
    ({ outcome, records }) => records !== null && outcome.source === ports.fallback.replaces,
  );
  const dropped = new Set(replaced ? [ports.fallback.source.id] : []);
  const { neighbourhood, removed, added } = await gather(ports, state, fetched, dropped);
  const providers = touchedProviders(state, sources);
  if (neighbourhood.members.size + removed.length + providers.length === 0 && state.format === CATALOG_FORMAT)
    return { ...end, ...(await store.endRun(end, sources)) };

  const known = new Map([...state.sources, ...sources.map((source) => [source.id, source] as const)]);
  for (const source of dropped) known.delete(source);
  const shortLived = onlyFrom(dropped, neighbourhood, removed);
  const groups = await place(store, neighbourhood, shortLived);
  await setImmediate();
  const catalog = await buildCatalog(groups, [...known.values()]);
  await setImmediate();
  const published = await store.loadPublished([...neighbourhood.modelIds]);
  const changes = changesOf({
    published,
    neighbourhood,
    removed,
    added,
    groups,
    catalog,
    dropped,
    shortLived,
    sources,
    providers,
    now,
  });
  signal.throwIfAborted();
  return { ...end, ...(await store.commit(changes, end)) };
}

/** Finds what changed since it was stored, and everything that bears upon it. */
async function gather(
  ports: SyncPorts,
  state: CatalogState,
  fetched: FetchedSource[],
  dropped: Set<string>,
): Promise<{ neighbourhood: Neighbourhood; removed: RecordKey[]; added: number }> {
  const { store } = ports;
  const good = new Map(
    fetched.flatMap(({ outcome, records, keeps }) =>
      records === null ? [] : [[outcome.source, { records, keeps }] as const],
    ),
  );
  const removed: RecordKey[] = [];
  const changed: { record: SourceRecord; raw: string; hash: string }[] = [];
  for (const [source, { records, keeps }] of good) {
    const hashes = await store.loadHashes(source);
    changed.push(...records.filter(({ record, hash }) => hashes.get(record.id) !== hash));
    const received = new Set(records.map(({ record }) => record.id));
    const gone = [...hashes.keys()].filter(
      (id) => !received.has(id) && (keeps === null || !id.startsWith(keeps)),
    );
    removed.push(...(await store.loadRecords(source, gone)));
    await setImmediate();
  }
  for (const source of dropped) removed.push(...(await store.loadRecords(source, null)));

  const gone = new Set(removed.map(recordKey));
  const reader = itemReader(ports);
  const neighbourhood = new Neighbourhood(store, gone, reader.read);
  const before = await storedBefore(
    ports,
    changed.map(({ record }) => record),
  );
  const formerly = state.isEmpty
    ? new Map<string, string>()
    : await formerModels(
        ports,
        changed.map(({ record }) => record),
        before,
      );
  for (const { record, raw, hash } of changed) {
    const key = recordKey(record);
    const stored = before.get(key) ?? null;
    neighbourhood.add(record, raw, hash, stored, true, stored?.modelId ?? formerly.get(key) ?? null);
  }
  const moved = [...before.values(), ...removed];
  neighbourhood.look({
    keys: state.isEmpty ? [] : await store.loadKeys(moved),
    modelIds: moved.map(({ modelId }) => modelId),
  });
  if (state.format !== CATALOG_FORMAT && !state.isEmpty)
    await readAll(ports, neighbourhood, gone, reader.read);
  if (!state.isEmpty) await neighbourhood.complete();
  if (reader.unreadable() > 0) {
    ports.onProgress({
      note: `${reader.unreadable()} stored items can no longer be read, and wait for the next good fetch of their sources.`,
    });
  }
  return { neighbourhood, removed, added: changed.length - before.size };
}

/** Reads stored items with the parsers of their sources, and counts those that no longer can be read. */
function itemReader(ports: SyncPorts) {
  const byId = new Map([...ports.sources, ports.fallback.source].map((source) => [source.id, source]));
  let unreadable = 0;
  return {
    unreadable: () => unreadable,
    read: ({ source, id, raw }: RecordRow): SourceRecord | null => {
      try {
        return byId.get(source)?.parse({ id, value: JSON.parse(raw) as unknown }) ?? null;
      } catch {
        unreadable += 1;
        return null;
      }
    },
  };
}

/** What was stored of records that came again. */
async function storedBefore(ports: SyncPorts, records: SourceRecord[]): Promise<Map<string, RecordKey>> {
  const found = new Map<string, RecordKey>();
  for (const [source, own] of Map.groupBy(records, (record) => record.source)) {
    const rows = await ports.store.loadRecords(
      source,
      own.map(({ id }) => id),
    );
    for (const row of rows) found.set(recordKey(row), row);
  }
  return found;
}

/** The models of records that had gone and came again. */
async function formerModels(
  ports: SyncPorts,
  records: SourceRecord[],
  before: ReadonlyMap<string, RecordKey>,
): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const fresh = records.filter((record) => !before.has(recordKey(record)));
  for (const [source, own] of Map.groupBy(fresh, (record) => record.source)) {
    const models = await ports.store.loadFormerModels(
      source,
      own.map(({ id }) => id),
    );
    for (const [id, modelId] of models) found.set(recordKey({ source, id }), modelId);
  }
  return found;
}

/** After a change of the rules every record is placed anew. */
async function readAll(
  ports: SyncPorts,
  neighbourhood: Neighbourhood,
  gone: ReadonlySet<string>,
  read: (row: RecordRow) => SourceRecord | null,
): Promise<void> {
  for (const source of [...ports.sources, ports.fallback.source]) {
    for (const row of await ports.store.loadRecords(source.id, null)) {
      const key = recordKey(row);
      if (neighbourhood.members.has(key) || gone.has(key)) continue;
      const record = read(row);
      if (record !== null) neighbourhood.add(record, row.raw, row.hash, row, true);
    }
    await setImmediate();
  }
}

/** Groups the records, once more where an id that they would take is that of another model, listed or not any more. */
async function place(
  store: SyncStore,
  neighbourhood: Neighbourhood,
  shortLived: ReadonlySet<string>,
): Promise<Group[]> {
  const reserved = new Set<string>();
  for (;;) {
    const members = [...neighbourhood.members.values()];
    const formerly = new Map(members.map(({ record, formerly: id }) => [record, id]));
    const published = (record: SourceRecord) => {
      const id = formerly.get(record) ?? null;
      return id === null || shortLived.has(id) ? null : id;
    };
    const groups = groupRecords([...formerly.keys()], published, reserved);
    const strange = groups.map(({ id }) => id).filter((id) => !neighbourhood.modelIds.has(id));
    if (strange.length === 0) return groups;
    neighbourhood.look({ keys: [], modelIds: strange });
    await neighbourhood.complete();
    const taken = (await store.loadPublished(strange)).models;
    for (const { id } of taken) reserved.add(id);
    if (taken.length === 0) return groups;
  }
}

/** The models that nothing but the dropped sources ever knew. */
function onlyFrom(
  dropped: ReadonlySet<string>,
  { members }: Neighbourhood,
  removed: RecordKey[],
): Set<string> {
  const theirs = removed.filter(({ source }) => dropped.has(source)).map(({ modelId }) => modelId);
  const others = new Set([
    ...[...members.values()].map(({ before }) => before?.modelId),
    ...removed.filter(({ source }) => !dropped.has(source)).map(({ modelId }) => modelId),
  ]);
  return new Set(theirs.filter((id) => !others.has(id)));
}

/** The providers of which a source says something else than before. */
function touchedProviders(state: CatalogState, sources: SourceState[]): string[] {
  return sources.flatMap(({ id, providers, asOf }) => {
    const before = state.sources.get(id);
    const told = new Map((before?.providers ?? []).map((facts) => [facts.id, JSON.stringify(facts)]));
    const now = new Map(providers.map((facts) => [facts.id, JSON.stringify(facts)]));
    return [...new Set([...told.keys(), ...now.keys()])].filter(
      (provider) => told.get(provider) !== now.get(provider) || before?.asOf !== asOf,
    );
  });
}
