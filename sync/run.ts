import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SourceOutcome } from '../contracts/sync.ts';
import { fetchSource, type FetchedSource, type SourceSettings } from './fetch.ts';
import { UpstreamError } from './http.ts';
import { totalOf } from './outcome.ts';
import type { Validators } from './http.ts';
import type { FinishedRun, SyncPorts } from './ports.ts';
import { publish } from './publish.ts';
import type { SourceDefinition } from './source.ts';
import { LeaseLost, type CatalogState, type RunEnd, type Stored, type Trigger } from './store.ts';

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
  constructor() {
    super('The service was shut down; nothing of this run was written.');
  }
}

/** Starts a run, unless one is under way: then answers with that one's id. With `force`, nothing counts as unchanged unseen, nothing is quarantined, and no upstream left alone. With `after`, none begins where another than that run was completed last. */
export async function startRun(
  ports: SyncPorts,
  trigger: Trigger,
  { force = false, after }: { force?: boolean; after?: string | null } = {},
): Promise<StartedRun | { conflict: string }> {
  const id = `sync_${ports.now().getTime().toString(36)}${randomBytes(6).toString('hex')}`;
  const begun = await ports.store.beginRun({
    id,
    trigger,
    forced: force,
    ...(after === undefined ? {} : { after }),
  });
  if (!begun.begun) return { conflict: begun.runId };
  if (force) ports.breakers.reset();
  const stop = new AbortController();
  const finished = carryOut(ports, id, stop, force);
  return { id, startedAt: begun.startedAt, finished, abort: () => stop.abort(new Aborted()) };
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
  const { signal, release } = fetchingEnds(stop.signal, ports.deadlineMs);
  const outcomes: SourceOutcome[] = [];
  try {
    const stored = await store.loadState();
    const state = force ? withoutShortcuts(stored) : stored;
    const onOutcome = noteOutcomes(ports, id, outcomes);
    const guarded = !force && ports.archive === undefined;
    const fetched = await fetchAll(ports, state, signal, onOutcome, { guarded });
    stop.signal.throwIfAborted();
    return await publish(ports, id, state, fetched, { guarded, signal: stop.signal });
  } catch (error) {
    return await endBadly(ports, id, error, { outcomes, stopped: stop.signal });
  } finally {
    clearInterval(renewal);
    release();
  }
}

/** Ends what sources fetch when the run is stopped or has taken too long, each time saying why. */
function fetchingEnds(
  stopped: AbortSignal,
  deadlineMs: number,
): { signal: AbortSignal; release: () => void } {
  const ends = new AbortController();
  const onStop = () => ends.abort(new UpstreamError('aborted', 'Its run was stopped before it was done.'));
  if (stopped.aborted) onStop();
  else stopped.addEventListener('abort', onStop, { once: true });
  const late = `It was not done when its run had taken ${deadlineMs / 60_000} min, the longest that one may. The next run tries again.`;
  const timer = setTimeout(() => ends.abort(new UpstreamError('timeout', late)), deadlineMs);
  return {
    signal: ends.signal,
    release: () => {
      // Where the run has failed meanwhile, its sources are not to go on beside the next one.
      onStop();
      clearTimeout(timer);
      stopped.removeEventListener('abort', onStop);
    },
  };
}

/** Keeps the outcomes of a run as they come, in the store too: a process that dies leaves behind what it knew. */
function noteOutcomes(ports: SyncPorts, id: string, outcomes: SourceOutcome[]) {
  let noted: Promise<void> = Promise.resolve();
  return (outcome: SourceOutcome): void => {
    outcomes.push(outcome);
    ports.onProgress({ source: outcome });
    const soFar = [...outcomes];
    noted = noted.then(() => ports.store.noteOutcomes(id, soFar)).catch(() => {});
  };
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
  onOutcome: (outcome: SourceOutcome) => void,
  { guarded }: { guarded: boolean },
): Promise<FetchedSource[]> {
  const { fallback } = ports;
  const answerTimeoutMs = state.isEmpty ? fallback.answerTimeoutMs : null;
  const fetchOne = async (source: SourceDefinition) => {
    const fetched = await fetchSource(source, ports.settings[source.id] ?? NO_SETTINGS, {
      validators: await validatorsOf(ports, source, state),
      lastGood: {
        held: (except) => ports.store.countRecords(source.id, except),
        items: state.sources.get(source.id)?.fetched ?? 0,
      },
      signal,
      guarded,
      limits: { ...ports.limits, answerTimeoutMs },
      breaker: ports.breakers.of(source.id),
      userAgent: ports.userAgent,
    });
    onOutcome(fetched.outcome);
    return fetched;
  };
  const sources = ports.archive === undefined ? ports.sources : [ports.archive];
  const fetched = await Promise.all(sources.map(fetchOne));
  if (answerTimeoutMs === null || fetched.some(({ records }) => records !== null)) return fetched;
  const copy = await fetchOne(fallback.source);
  ports.onProgress({
    note: `No upstream answered: showing the ${fallback.source.name}, dated ${copy.asOf}, until the first good fetch of ${fallback.replaces} replaces it.`,
  });
  return [...fetched, copy];
}

/** An upstream whose validators lie is found out within this time. */
const WHOLE_EVERY_MS = 7 * 24 * 60 * 60_000;

/** The validators to ask with: none without the records that they vouch for, nor where the last whole fetch is long ago. */
async function validatorsOf(
  { store, now }: SyncPorts,
  { id }: SourceDefinition,
  { sources }: CatalogState,
): Promise<Validators> {
  const state = sources.get(id);
  const ageMs = now().getTime() - Date.parse(state?.wholeAt ?? '');
  if (state === undefined || !(Math.abs(ageMs) < WHOLE_EVERY_MS)) return {};
  return (await store.countRecords(id, null)) > 0 ? state.validators : {};
}

const NO_SETTINGS: SourceSettings = { baseUrl: '', apiKey: null, maxItems: null };

/** Ends a run that could not publish. */
async function endBadly(
  ports: SyncPorts,
  id: string,
  error: unknown,
  { outcomes, stopped }: { outcomes: SourceOutcome[]; stopped: AbortSignal },
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
  const stored = await noteEnd(ports, end, stopped);
  return { ...end, ...(stored ?? { catalogVersion: null, committedAt: null, models: null }) };
}

const NOTE_AGAIN_MS = 1_000;

/**
 * Notes how a run ended, as soon as the store takes it: what kept it from publishing may keep it from that too. null: it was
 * stopped meanwhile, or the lease has run out, and the next run marks it interrupted.
 */
async function noteEnd(
  { store, leaseMs }: SyncPorts,
  end: RunEnd,
  stopped: AbortSignal,
): Promise<Stored | null> {
  const giveUpAt = performance.now() + leaseMs;
  for (;;) {
    try {
      return await store.endRun(end, []);
    } catch {
      if (stopped.aborted || performance.now() > giveUpAt) return null;
      await sleep(NOTE_AGAIN_MS, undefined, { signal: stopped }).catch(() => {});
    }
  }
}
