import type { SourceOutcome } from '../contracts/sync.ts';
import type { FetchedSource } from './fetch.ts';
import type { CatalogState, RunEnd, SourceState } from './store.ts';

/** What is to be remembered of the sources of a run; `now` is null where an archive was read, and nothing fetched. */
export function sourceStates(
  state: CatalogState,
  fetched: FetchedSource[],
  now: string | null,
): SourceState[] {
  return fetched.map(({ outcome, records, providers, asOf, validators }) => {
    const before = state.sources.get(outcome.source);
    if (now === null)
      return {
        ...(before ?? neverFetched(outcome.source)),
        providers: records === null ? (before?.providers ?? []) : providers,
      };
    const answered = outcome.status === 'ok' || outcome.status === 'not_modified';
    return {
      id: outcome.source,
      status: outcome.status,
      error: outcome.error,
      lastGoodAt: answered ? now : (before?.lastGoodAt ?? null),
      asOf: records === null ? (before?.asOf ?? null) : asOf,
      fetched: records === null ? (before?.fetched ?? 0) : outcome.fetched,
      wholeAt: records === null ? (before?.wholeAt ?? null) : now,
      validators: records === null ? (before?.validators ?? {}) : validators,
      providers: records === null ? (before?.providers ?? []) : providers,
    };
  });
}

function neverFetched(id: string): SourceState {
  return {
    id,
    status: null,
    error: null,
    lastGoodAt: null,
    asOf: null,
    fetched: 0,
    wholeAt: null,
    validators: {},
    providers: [],
  };
}

/** How a run that fetched these ends: status, message and counts. */
export function runEnd(id: string, fetched: FetchedSource[]): RunEnd {
  const sources = fetched.map(({ outcome }) => outcome);
  const failed = sources.filter(({ status }) => status === 'failed' || status === 'quarantined');
  const answered = fetched.filter(({ outcome: { status } }) => status === 'ok' || status === 'not_modified');
  const names = answered.map(({ outcome: { source }, asOf }) =>
    asOf === null ? source : `${source} (of ${asOf})`,
  );
  const why = failed
    .map(({ source, status, error }) => `${source} ${status} (${error?.class}: ${error?.message})`)
    .join('; ');
  const [status, message] =
    failed.length === 0 && answered.length > 0
      ? (['completed', 'Successfully synced from all sources'] as const)
      : answered.length > 0
        ? (['partial', `Synced ${names.join(', ')}; ${why}`] as const)
        : (['failed', `No source could be synced: ${why || 'none is enabled'}`] as const);
  return { id, status, message, totalFetched: totalOf(sources), sources };
}

/** Items of all sources together. */
export function totalOf(outcomes: SourceOutcome[]): number {
  return outcomes.reduce((sum, { fetched }) => sum + fetched, 0);
}
