import { setImmediate } from 'node:timers/promises';
import { buildCatalog, CATALOG_FORMAT } from './catalog.ts';
import { changesOf, onlyFrom } from './changes.ts';
import type { FetchedRecord, FetchedSource } from './fetch.ts';
import { groupRecords, keyOfId } from './identity.ts';
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
  const fresh = new Map(good.map(({ outcome, records }) => [outcome.source, records ?? []]));
  const dropped = new Set<string>();
  if (ports.fallback && fresh.has(ports.fallback.replaces)) dropped.add(ports.fallback.source.id);

  const end = runEnd(id, fetched);
  if (end.status === 'failed' || isUnchanged(index, fresh, dropped)) {
    return { ...end, ...(await store.endRun(end, sources)) };
  }
  const records = [...fresh.values()].flat().map(({ record }) => record);
  records.push(...(await keptRecords(ports, index, (source) => fresh.has(source) || dropped.has(source))));
  await setImmediate();
  const shortLived = onlyFrom(dropped, index);
  const published = new Map(
    index.models.filter((model) => !shortLived.has(model.id)).map((model) => [keyOfId(model.id), model.id]),
  );
  const groups = groupRecords(records, published);
  await setImmediate();
  const known = new Map([...index.sources, ...sources.map((state) => [state.id, state] as const)]);
  for (const source of dropped) known.delete(source);
  const catalog = buildCatalog(groups, [...known.values()]);
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
  const known = [...ports.sources, ...(ports.fallback ? [ports.fallback.source] : [])];
  const stored = new Set(index.records.map(({ source }) => source));
  const kept = known.filter(({ id }) => stored.has(id) && !isReplaced(id));
  if (kept.length === 0) return [];
  const items = await ports.store.loadItems(kept.map(({ id }) => id));
  const byId = new Map(kept.map((source) => [source.id, source]));
  const records: SourceRecord[] = [];
  let unreadable = 0;
  for (const { source, id, raw } of items) {
    try {
      const record = byId.get(source)?.parse({ id, value: JSON.parse(raw) as unknown });
      if (record !== undefined) records.push(record);
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
