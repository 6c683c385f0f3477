import { randomBytes } from 'node:crypto';
import type { SourceOutcome } from '../contracts/sync.ts';
import { fetchSource, type FetchedSource, type SourceSettings } from './fetch.ts';
import { totalOf } from './outcome.ts';
import type { FinishedRun, SyncPorts } from './ports.ts';
import { publish } from './publish.ts';
import type { SourceDefinition } from './source.ts';
import { LeaseLost, type CatalogState, type RunEnd, type Trigger } from './store.ts';

/** A run under way. `finished` settles when it has ended, and never rejects. */
export interface StartedRun {
  id: string;
  startedAt: string;
  finished: Promise<FinishedRun>;
  /** Ends it as `aborted`, unless it is already writing. */
  abort: () => void;
}

class Aborted extends Error {
  override name = 'Aborted';
}

/** Starts a run, unless one is under way: then answers with that one's id. With `force`, nothing counts as unchanged unseen. */
export async function startRun(
  ports: SyncPorts,
  trigger: Trigger,
  { force = false }: { force?: boolean } = {},
): Promise<StartedRun | { conflict: string }> {
  const startedAt = ports.now().toISOString();
  const id = `sync_${Date.parse(startedAt).toString(36)}${randomBytes(6).toString('hex')}`;
  const begun = await ports.store.beginRun({ id, trigger, startedAt });
  if (!begun.begun) return { conflict: begun.runId };
  const stop = new AbortController();
  const finished = carryOut(ports, id, stop, force);
  return { id, startedAt, finished, abort: () => stop.abort(new Aborted('The service is shutting down')) };
}

/** The run itself: everything between taking the lease and giving it back. */
async function carryOut(
  ports: SyncPorts,
  id: string,
  stop: AbortController,
  force: boolean,
): Promise<FinishedRun> {
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
    const stored = await store.loadState();
    const state = force ? withoutShortcuts(stored) : stored;
    const fetched = await fetchAll(ports, state, signal, outcomes, { guarded: !force });
    stop.signal.throwIfAborted();
    return await publish(ports, id, state, fetched, stop.signal);
  } catch (error) {
    return await endBadly(ports, id, error, outcomes);
  } finally {
    clearInterval(renewal);
  }
}

/** What is stored, as if no source had ever vouched for it: everything is fetched whole, and compared. */
function withoutShortcuts(state: CatalogState): CatalogState {
  const sources = [...state.sources].map(([id, source]) => [id, { ...source, validators: {} }] as const);
  return { ...state, format: 0, sources: new Map(sources) };
}

/** Fetches every source at once; where none answers and nothing is stored, the fallback. */
async function fetchAll(
  ports: SyncPorts,
  state: CatalogState,
  signal: AbortSignal,
  outcomes: SourceOutcome[],
  { guarded }: { guarded: boolean },
): Promise<FetchedSource[]> {
  const { fallback } = ports;
  const answerTimeoutMs = state.isEmpty ? fallback.answerTimeoutMs : null;
  const fetchOne = async (source: SourceDefinition) => {
    const fetched = await fetchSource(source, ports.settings[source.id] ?? NO_SETTINGS, {
      // Validators are worth nothing without the records that they vouch for.
      validators:
        (await ports.store.countRecords(source.id, null)) > 0
          ? (state.sources.get(source.id)?.validators ?? {})
          : {},
      lastGood: {
        held: (except) => ports.store.countRecords(source.id, except),
        items: state.sources.get(source.id)?.fetched ?? 0,
      },
      signal,
      guarded,
      limits: { ...ports.limits, answerTimeoutMs },
      userAgent: ports.userAgent,
    });
    outcomes.push(fetched.outcome);
    ports.onProgress({ source: fetched.outcome });
    return fetched;
  };
  const fetched = await Promise.all(ports.sources.map(fetchOne));
  if (answerTimeoutMs === null || fetched.some(({ records }) => records !== null)) return fetched;
  const copy = await fetchOne(fallback.source);
  ports.onProgress({
    note: `No upstream answered: showing the ${fallback.source.name}, dated ${copy.asOf}, until the first good fetch of ${fallback.replaces} replaces it.`,
  });
  return [...fetched, copy];
}

const NO_SETTINGS: SourceSettings = { baseUrl: '', apiKey: null, maxItems: null };

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
    totalFetched: totalOf(outcomes),
    sources: outcomes,
  };
  const stored = await ports.store.endRun(end, []).catch(() => null);
  return { ...end, ...(stored ?? { catalogVersion: null, committedAt: null, models: null }) };
}
