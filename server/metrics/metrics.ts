import { Counter, Histogram, Registry } from 'prom-client';
import type { SyncRun } from '../../contracts/sync.ts';
import type { Purpose } from '../db/orm.ts';
import type { RunEnd } from '../../sync/store.ts';
import { registerProcess } from './process.ts';

/** Upper bounds in seconds of the buckets of answers: the baselines of the operators' plan, and steps around them. */
export const ANSWER_BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 1.5, 2.5, 5, 10];
const QUERY_BUCKETS = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5];
/** The plan expects 30 to 45 minutes of a sync, and an alert after 60. */
const RUN_BUCKETS = [10, 30, 60, 300, 900, 1_800, 2_700, 3_600];

const KINDS = ['list', 'item'] as const;
/** Where an answer came from: kept before, kept and not to be confirmed now, made now, or made now since the store is away. */
export const CACHE_RESULTS = ['hit', 'stale', 'miss', 'bypass'] as const;
export type CacheResult = (typeof CACHE_RESULTS)[number];

/** One answer that has been sent. */
export interface AnswerEnd {
  /** Dotted name of the operation. */
  operation: string;
  status: number;
  cache: CacheResult | 'none';
  /** How much a list was asked for: up to 20, up to 100; none: not a list. */
  limit: '20' | '100' | 'none';
  seconds: number;
}

/** Everything that this process counts. */
export interface Metrics {
  registry: Registry;
  answered(answer: AnswerEnd): void;
  /** A request that was over a limit. */
  limited(limiter: 'requests' | 'admin'): void;
  /** A request that was refused since the process had more to do than it could. */
  shed(): void;
  /** A wrong admin secret. */
  adminRefused(): void;
  cached(kind: 'list' | 'item', result: CacheResult): void;
  cacheWriteFailed(): void;
  queried(side: Purpose, ms: number): void;
  slowQuery(operation: string): void;
  runEnded(run: Pick<RunEnd, 'status' | 'sources'> & { seconds: number }): void;
}

/** Makes the counters and histograms of a process, all beginning at 0. */
export function createMetrics({
  version,
  operations = [],
}: {
  version: string;
  /** The names of the operations that there are. */
  operations?: string[];
}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  registerProcess(registry, version);

  const answers = new Histogram({
    name: 'em_http_request_duration_seconds',
    help: 'Time from a request to the end of its answer, by operation',
    labelNames: ['operation', 'status', 'cache', 'limit'],
    buckets: ANSWER_BUCKETS,
    registers,
  });
  const errors = new Counter({
    name: 'em_http_errors_total',
    help: 'Answers with 5xx, by operation',
    labelNames: ['operation'],
    registers,
  });
  const limited = new Counter({
    name: 'em_rate_limited_total',
    help: 'Requests refused with 429, by limiter',
    labelNames: ['limiter'],
    registers,
  });
  const shed = new Counter({
    name: 'em_shed_total',
    help: 'Requests refused with 503 since the event loop lagged or the heap was nearly full',
    registers,
  });
  const adminRefused = new Counter({
    name: 'em_admin_refused_total',
    help: 'Requests with a wrong admin secret',
    registers,
  });
  const cacheRequests = new Counter({
    name: 'em_cache_requests_total',
    help: 'Cacheable answers: kept before (hit), also while the database is away (stale), made now (miss), or made now since the store is away (bypass)',
    labelNames: ['kind', 'result'],
    registers,
  });
  const cacheWriteErrors = new Counter({
    name: 'em_cache_write_errors_total',
    help: 'Answers that the store did not take',
    registers,
  });
  const queries = new Histogram({
    name: 'em_database_query_duration_seconds',
    help: 'Time that queries of the database took, by the side of the service that asked',
    labelNames: ['side'],
    buckets: QUERY_BUCKETS,
    registers,
  });
  const slowQueries = new Counter({
    name: 'em_database_slow_queries_total',
    help: 'Queries that took a second or more, by operation',
    labelNames: ['operation'],
    registers,
  });
  const runs = new Counter({
    name: 'em_sync_runs_total',
    help: 'Syncs that this process ran, by how they ended',
    labelNames: ['status'],
    registers,
  });
  const runDurations = new Histogram({
    name: 'em_sync_run_duration_seconds',
    help: 'Time that syncs of this process took',
    buckets: RUN_BUCKETS,
    registers,
  });
  const outcomes = new Counter({
    name: 'em_sync_source_outcomes_total',
    help: 'How sources fared in syncs of this process',
    labelNames: ['source', 'outcome'],
    registers,
  });
  const items = new Counter({
    name: 'em_sync_items_total',
    help: 'Items that sources sent to this process: parsed into records, or rejected',
    labelNames: ['source', 'result'],
    registers,
  });
  const quarantines = new Counter({
    name: 'em_sync_quarantines_total',
    help: 'Times that what a source brought was quarantined by this process',
    labelNames: ['source'],
    registers,
  });

  // A counter that appears with its first event loses it for rate(): those whose labels are known begin at 0.
  for (const operation of operations) errors.inc({ operation }, 0);
  for (const operation of [...operations, 'sync', 'background']) slowQueries.inc({ operation }, 0);
  for (const limiter of ['requests', 'admin']) limited.inc({ limiter }, 0);
  for (const kind of KINDS) for (const result of CACHE_RESULTS) cacheRequests.inc({ kind, result }, 0);
  const ends: SyncRun['status'][] = [
    'completed',
    'partial',
    'failed',
    'interrupted',
    'aborted',
    'superseded',
  ];
  for (const status of ends) runs.inc({ status }, 0);

  return {
    registry,
    answered({ operation, status, cache, limit, seconds }) {
      answers.observe({ operation, status: String(status), cache, limit }, seconds);
      if (status >= 500) errors.inc({ operation });
    },
    limited: (limiter) => limited.inc({ limiter }),
    shed: () => shed.inc(),
    adminRefused: () => adminRefused.inc(),
    cached: (kind, result) => cacheRequests.inc({ kind, result }),
    cacheWriteFailed: () => cacheWriteErrors.inc(),
    queried: (side, ms) => queries.observe({ side }, ms / 1_000),
    slowQuery: (operation) => slowQueries.inc({ operation }),
    runEnded({ status, sources, seconds }) {
      runs.inc({ status });
      runDurations.observe(seconds);
      for (const { source, status: outcome, parsed, rejected } of sources) {
        outcomes.inc({ source, outcome });
        items.inc({ source, result: 'parsed' }, parsed);
        items.inc({ source, result: 'rejected' }, rejected);
        quarantines.inc({ source }, outcome === 'quarantined' ? 1 : 0);
      }
    },
  };
}
