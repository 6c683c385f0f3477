import { setImmediate } from 'node:timers/promises';
import { itemReader, type Arrivals, type ItemReader } from './arrivals.ts';
import { buildCatalog, CATALOG_FORMAT } from './catalog.ts';
import { changesOf } from './changes.ts';
import type { FetchedSource } from './fetch.ts';
import { historyOf } from './history.ts';
import { groupRecords, type Group } from './identity.ts';
import { Neighbourhood, recordKey } from './neighbourhood.ts';
import { runEnd, sourceStates } from './outcome.ts';
import type { FinishedRun, SyncPorts } from './ports.ts';
import { receive } from './receive.ts';
import type { SourceRecord } from './record.ts';
import type { RecordCounts, RecordKey, RecordRow } from './rows.ts';
import type { CatalogState, SourceState, SyncStore } from './store.ts';

/** Resolves, merges, compares and writes what a run fetched. Nothing is written where no source answered. */
export async function publish(
  ports: SyncPorts,
  id: string,
  state: CatalogState,
  run: FetchedSource[],
  { guarded, signal }: { guarded: boolean; signal: AbortSignal },
): Promise<FinishedRun> {
  const { store } = ports;
  const reader = itemReader(ports);
  const { fetched, arrivals } = await receive(ports, reader, run, { state, guarded });
  const now = ports.now().toISOString();
  const today = now.slice(0, 10);
  const sources = sourceStates(state, fetched, ports.archive === undefined ? now : null);
  const end = runEnd(id, fetched);
  if (end.status === 'failed') return { ...end, ...(await store.endRun(end, sources)) };

  const replaced = fetched.some(
    ({ outcome, records }) => records !== null && outcome.source === ports.fallback.replaces,
  );
  const dropped = new Set(replaced ? [ports.fallback.source.id] : []);
  const { neighbourhood, removed, added } = await gather(ports, reader, state, arrivals, dropped, today);
  const providers = touchedProviders(state, sources);

  const known = new Map([...state.sources, ...sources.map((source) => [source.id, source] as const)]);
  for (const source of dropped) known.delete(source);
  const shortLived = onlyFrom(dropped, neighbourhood, removed);
  const groups = await place(store, neighbourhood, shortLived, { anew: isFirstFetch(ports, state) });
  await setImmediate();
  const catalog = await buildCatalog(groups, [...known.values()], today);
  await setImmediate();
  const published = await store.loadPublished([...neighbourhood.modelIds]);
  const { changes, became } = changesOf({
    published,
    neighbourhood,
    removed,
    counts: together(arrivals),
    added,
    groups,
    catalog,
    dropped,
    shortLived,
    sources,
    providers,
    now: after(state.committedAt, ports.now()),
    clock: now,
  });
  const listed = new Set(groups.map((group) => group.id));
  changes.history.changes = historyOf({
    before: await store.loadContents(changes.history),
    models: changes.models.upsert
      .filter(({ validFrom }) => validFrom === changes.at)
      .map((row) => ({ ...row, lastOpenDocument: null })),
    offers: changes.offers.upsert,
    delistedModels: [...changes.delist, ...[...shortLived].filter((id) => !listed.has(id))],
    delistedOffers: [...changes.offers.delist, ...changes.offers.remove],
    became,
    groups,
  });
  signal.throwIfAborted();
  return { ...end, ...(await store.commit(changes, end)) };
}

/** A time later than any version before, whatever the clock says: history only goes forward. */
function after(committedAt: string | null, now: Date): string {
  const earliest = committedAt === null ? 0 : Date.parse(committedAt) + 1;
  return new Date(Math.max(now.getTime(), earliest)).toISOString();
}

function together(arrivals: Arrivals[]): RecordCounts {
  return {
    missed: arrivals.flatMap(({ counts }) => counts.missed),
    seen: arrivals.flatMap(({ counts }) => counts.seen),
    held: arrivals.flatMap(({ counts }) => counts.held),
  };
}

/** Finds everything that bears upon what changed since it was stored. */
async function gather(
  ports: SyncPorts,
  reader: ItemReader,
  state: CatalogState,
  arrivals: Arrivals[],
  dropped: Set<string>,
  today: string,
): Promise<{ neighbourhood: Neighbourhood; removed: RecordKey[]; added: number }> {
  const { store } = ports;
  const removed = arrivals.flatMap((source) => source.removed);
  const changed = arrivals.flatMap((source) => source.changed);
  for (const source of dropped) removed.push(...(await store.loadRecords(source, null)));

  const gone = new Set(removed.map(recordKey));
  const neighbourhood = new Neighbourhood(store, gone, reader.read);
  const before = changed.flatMap(({ stored }) => (stored === null ? [] : [stored]));
  const fresh = changed.filter(({ stored }) => stored === null).map(({ record }) => record);
  const formerly = state.isEmpty ? new Map<string, string>() : await formerModels(ports, fresh);
  for (const { record, raw, hash, stored } of changed) {
    const formerId = stored?.modelId ?? formerly.get(recordKey(record)) ?? null;
    neighbourhood.add(record, raw, hash, stored, true, formerId);
  }
  const moved = [...before, ...removed];
  neighbourhood.look({
    keys: state.isEmpty ? [] : await store.loadKeys(moved),
    modelIds: moved.map(({ modelId }) => modelId),
  });
  neighbourhood.look({ keys: [], modelIds: await store.loadDue(today) });
  if ((state.format !== CATALOG_FORMAT || isFirstFetch(ports, state)) && !state.isEmpty)
    await readAll(ports, neighbourhood, gone, reader.read);
  if (!state.isEmpty) await neighbourhood.complete();
  if (reader.unreadable() > 0) {
    ports.onProgress({
      note: `${reader.unreadable()} stored items can no longer be read, and wait for the next good fetch of their sources.`,
    });
  }
  return { neighbourhood, removed, added: fresh.length };
}

/** The models of records that had gone and came again. */
async function formerModels(ports: SyncPorts, records: SourceRecord[]): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (const [source, own] of Map.groupBy(records, (record) => record.source)) {
    const models = await ports.store.loadFormerModels(
      source,
      own.map(({ id }) => id),
    );
    for (const [id, modelId] of models) found.set(recordKey({ source, id }), modelId);
  }
  return found;
}

/** Whether nothing but archives has been read until now: models get the ids then that they would have without them. */
function isFirstFetch(ports: SyncPorts, state: CatalogState): boolean {
  return (
    ports.archive === undefined && [...state.sources.values()].every(({ lastGoodAt }) => lastGoodAt === null)
  );
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
  { anew }: { anew: boolean },
): Promise<Group[]> {
  const reserved = new Set<string>();
  for (;;) {
    const members = [...neighbourhood.members.values()];
    const formerly = new Map(members.map(({ record, formerly: id }) => [record, id]));
    const published = (record: SourceRecord) => {
      const id = formerly.get(record) ?? null;
      return anew || id === null || shortLived.has(id) ? null : id;
    };
    const groups = groupRecords([...formerly.keys()], published, reserved);
    const strange = groups.map(({ id }) => id).filter((id) => !neighbourhood.modelIds.has(id));
    if (strange.length === 0) return groups;
    neighbourhood.look({ keys: [], modelIds: strange });
    await neighbourhood.complete();
    const taken = (await store.loadPublished(strange)).models;
    if (!anew) for (const { id } of taken) reserved.add(id);
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
