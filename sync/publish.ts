import { setImmediate } from 'node:timers/promises';
import { buildCatalog, CATALOG_FORMAT } from './catalog.ts';
import { changesOf, onlyFrom } from './changes.ts';
import type { FetchedRecord, FetchedSource } from './fetch.ts';
import { groupRecords } from './identity.ts';
import { runEnd, sourceStates } from './outcome.ts';
import type { SourceRecord } from './record.ts';
import type { FinishedRun, SyncPorts } from './ports.ts';
import type { CatalogIndex } from './store.ts';

/** Resolves, merges, compares and writes what a run fetched. Nothing is written where no source answered. */
export async function publish(
  ports: SyncPorts,
  id: string,
  index: CatalogIndex,
  fetched: FetchedSource[],
  signal: AbortSignal,
): Promise<FinishedRun> {
  const { store } = ports;
  const now = ports.now().toISOString();
  const sources = sourceStates(index, fetched, now);
  const good = fetched.filter(({ records }) => records !== null);
  const fresh = new Map<string, FetchedRecord[]>();
  for (const { outcome, records, keeps } of good) {
    const stayed = keeps === null ? [] : await stayedRecords(ports, index, outcome.source, keeps);
    fresh.set(outcome.source, [...(records ?? []), ...stayed]);
  }
  const dropped = new Set<string>();
  if (fresh.has(ports.fallback.replaces)) dropped.add(ports.fallback.source.id);

  const end = runEnd(id, fetched);
  if (end.status === 'failed' || isUnchanged(index, fresh, dropped)) {
    return { ...end, ...(await store.endRun(end, sources)) };
  }
  const records = [...fresh.values()].flat().map(({ record }) => record);
  records.push(...(await keptRecords(ports, index, (source) => fresh.has(source) || dropped.has(source))));
  await setImmediate();
  const shortLived = onlyFrom(dropped, index);
  const placed = new Map(
    index.records.map(({ source, id: record, modelId }) => [`${source}\n${record}`, modelId]),
  );
  const groups = groupRecords(records, ({ source, id: record }) => {
    const before = placed.get(`${source}\n${record}`);
    return before === undefined || shortLived.has(before) ? null : before;
  });
  await setImmediate();
  const known = new Map([...index.sources, ...sources.map((state) => [state.id, state] as const)]);
  for (const source of dropped) known.delete(source);
  const catalog = await buildCatalog(groups, [...known.values()]);
  await setImmediate();
  const changes = changesOf({ index, groups, catalog, fresh, dropped, sources, now });
  signal.throwIfAborted();
  return { ...end, ...(await store.commit(changes, end)) };
}

/** The records of the sources that were not fetched anew, read from their stored items. */
async function keptRecords(
  ports: SyncPorts,
  index: CatalogIndex,
  isReplaced: (source: string) => boolean,
): Promise<SourceRecord[]> {
  const stored = new Set(index.records.map(({ source }) => source));
  const kept = [...stored].filter((source) => !isReplaced(source));
  return kept.length === 0 ? [] : (await storedRecords(ports, kept)).map(({ record }) => record);
}

/** The records of a source whose ids begin so, as they were fetched last. */
async function stayedRecords(
  ports: SyncPorts,
  index: CatalogIndex,
  source: string,
  beginning: string,
): Promise<FetchedRecord[]> {
  const hashes = new Map(
    index.records.filter((record) => record.source === source).map(({ id, hash }) => [id, hash]),
  );
  const stored = await storedRecords(ports, [source]);
  return stored
    .filter(({ record }) => record.id.startsWith(beginning))
    .map(({ record, raw }) => ({ record, raw, hash: hashes.get(record.id) ?? '' }));
}

/** Reads stored items anew. What can no longer be read waits for the next good fetch of its source. */
async function storedRecords(
  ports: SyncPorts,
  sources: string[],
): Promise<{ record: SourceRecord; raw: string }[]> {
  const byId = new Map([...ports.sources, ports.fallback.source].map((source) => [source.id, source]));
  const records: { record: SourceRecord; raw: string }[] = [];
  let unreadable = 0;
  for (const { source, id, raw } of await ports.store.loadItems(sources)) {
    try {
      const record = byId.get(source)?.parse({ id, value: JSON.parse(raw) as unknown });
      if (record !== undefined) records.push({ record, raw });
    } catch {
      unreadable += 1;
    }
  }
  if (unreadable > 0) {
    ports.onProgress({
      note: `${unreadable} stored items can no longer be read, and wait for the next good fetch of their sources.`,
    });
  }
  return records;
}

function isUnchanged(
  index: CatalogIndex,
  fresh: Map<string, FetchedRecord[]>,
  dropped: Set<string>,
): boolean {
  if (index.format !== CATALOG_FORMAT) return false;
  const stored = Map.groupBy(index.records, ({ source }) => source);
  if ([...dropped].some((source) => stored.has(source))) return false;
  return [...fresh].every(([source, records]) => {
    const hashes = new Map((stored.get(source) ?? []).map((record) => [record.id, record.hash]));
    return (
      hashes.size === records.length && records.every(({ record, hash }) => hashes.get(record.id) === hash)
    );
  });
}
