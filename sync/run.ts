import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import type { SourceOutcome } from '../contracts/sync.ts';
import { buildCatalog, CATALOG_FORMAT } from './catalog.ts';
import { changesOf, onlyFrom } from './changes.ts';
import { fetchSource, type FetchedRecord, type FetchedSource, type SourceSettings } from './fetch.ts';
import type { HttpLimits } from './http.ts';
import { groupRecords, keyOfId } from './identity.ts';
import type { SourceRecord } from './record.ts';
import type { SourceDefinition } from './source.ts';
import {
  LeaseLost,
  type CatalogIndex,
  type RunEnd,
  type SourceState,
  type SyncStore,
  type Trigger,
} from './store.ts';

/** What a sync is made of. Stores, clock and HTTP reach it as arguments. */
export interface SyncPorts {
  sources: SourceDefinition[];
  settings: Record<string, SourceSettings>;
  /** Where no upstream answers and the catalogue is empty, this source is read instead, and dropped at the first good fetch of `replaces`. */
  fallback: { source: SourceDefinition; replaces: string; answerTimeoutMs: number } | null;
  store: SyncStore;
  limits: HttpLimits;
  userAgent: string;
  /** Longest that a run may take. */
  deadlineMs: number;
  /** How often the lease is renewed. */
  renewEveryMs: number;
  now: () => Date;
  onProgress: (progress: { source: SourceOutcome } | { note: string } | { error: unknown }) => void;
}

/** A run under way. `finished` settles when it has ended, and never rejects. */
export interface StartedRun {
  id: string;
  startedAt: string;
  finished: Promise<FinishedRun>;
  /** Ends it as `aborted`, unless it is already writing. */
  abort: () => void;
}

/** How a run ended. */
export type FinishedRun = RunEnd & { catalogVersion: number | null; models: number | null };

class Aborted extends Error {
  override name = 'Aborted';
}

/** Starts a run, unless one is under way: then answers with that one's id. */
export async function startRun(
  ports: SyncPorts,
  trigger: Trigger,
): Promise<StartedRun | { conflict: string }> {
  const startedAt = ports.now().toISOString();
  const id = `sync_${Date.parse(startedAt).toString(36)}${randomBytes(6).toString('hex')}`;
  const begun = await ports.store.beginRun({ id, trigger, startedAt });
  if (!begun.begun) return { conflict: begun.runId };
  const stop = new AbortController();
  const finished = carryOut(ports, id, stop);
  return { id, startedAt, finished, abort: () => stop.abort(new Aborted('The service is shutting down')) };
}

/** The run itself: everything between taking the lease and giving it back. */
async function carryOut(ports: SyncPorts, id: string, stop: AbortController): Promise<FinishedRun> {
  const { store } = ports;
  const renewal = setInterval(() => {
    store
      .renewLease(id)
      .then((kept) => kept || stop.abort(new LeaseLost()))
      .catch(() => {});
  }, ports.renewEveryMs);
  const signal = AbortSignal.any([stop.signal, AbortSignal.timeout(ports.deadlineMs)]);
  const outcomes: SourceOutcome[] = [];
  try {
    const index = await store.loadIndex();
    const fetched = await fetchAll(ports, index, signal, outcomes);
    stop.signal.throwIfAborted();
    return await publish(ports, id, index, fetched, stop.signal);
  } catch (error) {
    return await endBadly(ports, id, error, outcomes);
  } finally {
    clearInterval(renewal);
  }
}

/** Fetches every source at once; where none answers and nothing is stored, the fallback. */
async function fetchAll(
  ports: SyncPorts,
  index: CatalogIndex,
  signal: AbortSignal,
  outcomes: SourceOutcome[],
): Promise<FetchedSource[]> {
  const counts = Map.groupBy(index.records, ({ source }) => source);
  const fallback = ports.fallback && index.models.length === 0 ? ports.fallback : null;
  const limits =
    fallback === null ? ports.limits : { ...ports.limits, answerTimeoutMs: fallback.answerTimeoutMs };
  const fetchOne = async (source: SourceDefinition) => {
    const fetched = await fetchSource(source, ports.settings[source.id] ?? NO_SETTINGS, {
      // Validators are worth nothing without the records that they vouch for.
      validators: counts.has(source.id) ? (index.sources.get(source.id)?.validators ?? {}) : {},
      lastGoodCount: counts.get(source.id)?.length ?? 0,
      signal,
      limits,
      userAgent: ports.userAgent,
    });
    outcomes.push(fetched.outcome);
    ports.onProgress({ source: fetched.outcome });
    return fetched;
  };
  const fetched = await Promise.all(ports.sources.map(fetchOne));
  if (fallback === null || fetched.some(({ records }) => records !== null)) return fetched;
  const copy = await fetchOne(fallback.source);
  ports.onProgress({
    note: `No upstream answered: showing the ${fallback.source.name}, dated ${copy.asOf}, until the first good fetch of ${fallback.replaces} replaces it.`,
  });
  return [...fetched, copy];
}

const NO_SETTINGS: SourceSettings = { baseUrl: '', apiKey: null, maxItems: null };

/** Resolves, merges, compares and writes. */
async function publish(
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

  const end = runEnd(id, fetched, now);
  if (isUnchanged(index, fresh, dropped)) {
    const { version, models } = await store.endRun(end, sources);
    return { ...end, catalogVersion: version, models };
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
  const { version, models } = await store.commit(changes, end);
  return { ...end, catalogVersion: version, models };
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
  return items.map(({ source, id, raw }) => {
    const definition = kept.find((candidate) => candidate.id === source) as SourceDefinition;
    return definition.parse({ id, value: JSON.parse(raw) as unknown });
  });
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

function sourceStates(index: CatalogIndex, fetched: FetchedSource[], now: string): SourceState[] {
  return fetched.map(({ outcome, records, providers, asOf, validators }) => {
    const before = index.sources.get(outcome.source);
    const answered = outcome.status === 'ok' || outcome.status === 'not_modified';
    return {
      id: outcome.source,
      status: outcome.status,
      error: outcome.error,
      lastGoodAt: answered ? now : (before?.lastGoodAt ?? null),
      asOf: records === null ? (before?.asOf ?? null) : asOf,
      validators: records === null ? (before?.validators ?? {}) : validators,
      providers: records === null ? (before?.providers ?? []) : providers,
    };
  });
}

function runEnd(id: string, fetched: FetchedSource[], completedAt: string): RunEnd {
  const sources = fetched.map(({ outcome }) => outcome);
  const failed = sources.filter(({ status }) => status === 'failed');
  const answered = fetched.filter(({ outcome: { status } }) => status === 'ok' || status === 'not_modified');
  const names = answered.map(({ outcome: { source }, asOf }) =>
    asOf === null ? source : `${source} (of ${asOf})`,
  );
  const why = failed
    .map(({ source, error }) => `${source} failed (${error?.class}: ${error?.message})`)
    .join('; ');
  const [status, message] =
    failed.length === 0 && answered.length > 0
      ? (['completed', 'Successfully synced from all sources'] as const)
      : answered.length > 0
        ? (['partial', `Synced ${names.join(', ')}; ${why}`] as const)
        : (['failed', `No source could be synced: ${why || 'none is enabled'}`] as const);
  return { id, status, message, completedAt, totalFetched: totalOf(sources), sources };
}

function totalOf(outcomes: SourceOutcome[]): number {
  return outcomes.reduce((sum, { fetched }) => sum + fetched, 0);
}

/** Ends a run that could not publish. Where even that fails, the lease runs out and the next run marks it interrupted. */
async function endBadly(
  ports: SyncPorts,
  id: string,
  error: unknown,
  outcomes: SourceOutcome[],
): Promise<FinishedRun> {
  const status = error instanceof LeaseLost ? 'superseded' : error instanceof Aborted ? 'aborted' : 'failed';
  const message = error instanceof Error ? error.message : String(error);
  if (status === 'failed') ports.onProgress({ error });
  const end: RunEnd = {
    id,
    status,
    message: status === 'failed' ? `The catalogue could not be stored: ${message}` : message,
    completedAt: ports.now().toISOString(),
    totalFetched: totalOf(outcomes),
    sources: outcomes,
  };
  const stored = await ports.store.endRun(end, []).catch(() => null);
  return { ...end, catalogVersion: stored?.version ?? null, models: stored?.models ?? null };
}
