import packageJson from '../package.json' with { type: 'json' };
import { createBreakers } from '../sync/breaker.ts';
import { HTTP_LIMITS, type HttpLimits } from '../sync/http.ts';
import type { SyncPorts } from '../sync/ports.ts';
import { BUNDLED, SOURCES } from '../sync/sources/index.ts';
import type { Config } from './config.ts';
import type { Database } from './db/database.ts';
import { CONNECTION_SECONDS } from './db/orm.ts';
import { LEASE_MS } from './db/run-lease.ts';
import { createSyncStore } from './db/sync-store.ts';
import { SAMPLER_TIMES, type SamplerTimes } from './services/sampler.ts';
import { STREAM_TIMES, type StreamTimes } from './services/change-streams.ts';

/** Version of the service. */
export const VERSION = packageJson.version;

const MINUTE_MS = 60_000;
const MISSES_UNTIL_DELISTED = 3;

/** Times that tests shorten. */
export interface Times {
  leaseMs: number;
  renewEveryMs: number;
  /** Longest that a run may take. */
  syncDeadlineMs: number;
  /** Under `npm run dev`: how long upstreams have to answer before the bundled copy is shown. */
  answerTimeoutMs: number;
  /** A catalogue that has not been synced completely for so long is stale. */
  staleMs: number;
  /** From being told to stop to refusing connections: what a load balancer has to notice that `/health/ready` says 503. */
  drainDelayMs: number;
  /** By how much the event loop may lag, in the mean of a second, before requests are shed; 0: by any time. */
  maxLoopDelayMs: number;
  /** How long an answer may take to be made and read; live streams aside. */
  answerDeadlineMs: number;
  /** How long a connection to the database is used before another takes its place. */
  connectionSeconds: number;
  http: HttpLimits;
  streams: StreamTimes;
  sampler: SamplerTimes;
}

/** The times of the running service. */
export const TIMES: Times = {
  leaseMs: LEASE_MS,
  renewEveryMs: 20_000,
  syncDeadlineMs: 60 * MINUTE_MS,
  answerTimeoutMs: 20_000,
  staleMs: 120 * MINUTE_MS,
  drainDelayMs: 2_000,
  // One long task alone does not make it: only a loop that can not keep up.
  maxLoopDelayMs: 500,
  answerDeadlineMs: 60_000,
  connectionSeconds: CONNECTION_SECONDS,
  http: HTTP_LIMITS,
  streams: STREAM_TIMES,
  sampler: SAMPLER_TIMES,
};

/** What the syncs of a process are made of. */
export function syncPorts(
  config: Config,
  database: Database,
  times: Times = TIMES,
): Omit<SyncPorts, 'onProgress'> {
  return {
    sources: SOURCES,
    settings: config.sources,
    fallback: {
      source: BUNDLED,
      replaces: 'models.dev',
      answerTimeoutMs: config.world === 'dev' ? times.answerTimeoutMs : null,
    },
    store: createSyncStore(database, { leaseMs: times.leaseMs, historyDays: config.historyDays }),
    limits: times.http,
    breakers: createBreakers(times.http),
    userAgent: `effect-models/${VERSION} (+https://effectmodels.com)`,
    missesUntilDelisted: MISSES_UNTIL_DELISTED,
    deadlineMs: times.syncDeadlineMs,
    leaseMs: times.leaseMs,
    renewEveryMs: times.renewEveryMs,
    now: () => new Date(),
  };
}
