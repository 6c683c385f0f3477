import { hostname } from 'node:os';
import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Insertable } from 'kysely';
import { databaseFigures, type DatabaseFigures } from '../db/figures.ts';
import { whileBusy } from '../db/busy.ts';
import type { Database } from '../db/database.ts';
import type { Tables } from '../db/orm.ts';
import { forgetSamples, SAMPLE_MS, storeSample } from '../db/samples.ts';
import { since, type Totals } from '../metrics/totals.ts';
import { healthOf, type Probe } from './probe.ts';

/** How often the sampler looks and writes. */
export interface SamplerTimes {
  lookEveryMs: number;
  writeEveryMs: number;
}

/** The times of the running service. */
export const SAMPLER_TIMES: SamplerTimes = { lookEveryMs: 5_000, writeEveryMs: 60_000 };

const DAY_MS = 24 * 60 * 60_000;
/** The status page shows 90 days, the monthly review looks at three months. */
const KEPT_MS = 100 * DAY_MS;
/** A database that is away for longer than this loses the oldest samples. */
const MAX_PENDING = (7 * DAY_MS) / SAMPLE_MS;

const LAST_WRITE_MS = 2_000;

type Row = Insertable<Tables['samples']>;

/** Keeps what the process sees of itself, in samples of five minutes. */
export interface Sampler {
  /** Writes what has not been written. */
  write(): Promise<void>;
  /** Stops, and writes the last sample where the database can be reached. */
  stop(): Promise<void>;
}

/** Starts the sampler of a process. What was seen while the database was away is written when it is back. */
export function startSampler(options: {
  database: Database;
  /** What the process has counted so far. */
  totals: () => Promise<Totals>;
  probe: Probe;
  version: string;
  logger: Logger;
  isReady: () => boolean;
  times: SamplerTimes;
}): Sampler {
  const { database, totals, probe, version, logger, isReady, times } = options;
  const instance = `${hostname().slice(0, 40)}-${Date.now().toString(36)}`;
  const pending = new Map<string, Row>();
  let before: Totals | null = null;
  let current: { at: string; checks: number; ok: number; degraded: number } | null = null;

  const rowOf = (counted: Totals, figures: DatabaseFigures | null): Row | null => {
    if (current === null) return null;
    const { durations, ...counts } = counted;
    const earlier = pending.get(current.at);
    const connections = Math.max(figures?.connections?.used ?? 0, earlier?.connections ?? 0);
    const { cacheHits, cacheMisses, cacheBypassed, queryMs, slowQueries, ...rest } = counts;
    return {
      ...current,
      ...rest,
      instance,
      version,
      durations: JSON.stringify(durations),
      cache_hits: cacheHits,
      cache_misses: cacheMisses,
      cache_bypassed: cacheBypassed,
      query_ms: queryMs,
      slow_queries: slowQueries,
      connections: figures?.connections ? connections : (earlier?.connections ?? null),
      connections_max: figures?.connections?.max ?? earlier?.connections_max ?? null,
      database_bytes: figures?.bytes ?? earlier?.database_bytes ?? null,
    };
  };
  const readDatabase = (): Promise<DatabaseFigures | null> =>
    probe.state().database
      ? databaseFigures(database.read, database.dialect).catch(() => null)
      : Promise.resolve(null);

  /** Takes down what the present five minutes have brought so far; answers with the totals at which that ends. */
  const take = async (): Promise<Totals> => {
    const [now, figures] = [await totals(), await readDatabase()];
    const row = rowOf(before === null ? now : since(before, now), figures);
    if (row !== null) pending.set(row.at, row);
    while (pending.size > MAX_PENDING) pending.delete(pending.keys().next().value ?? '');
    return now;
  };
  const look = async (): Promise<void> => {
    if (!isReady()) return;
    const at = new Date(Math.floor(Date.now() / SAMPLE_MS) * SAMPLE_MS).toISOString();
    if (current?.at !== at) {
      // What was answered before the first look belongs to the first sample.
      if (current !== null) before = await take();
      current = { at, checks: 0, ok: 0, degraded: 0 };
    }
    const health = healthOf(probe.state());
    current.checks += 1;
    if (health !== 'unavailable') current[health] += 1;
  };
  const write = async (): Promise<void> => {
    await take();
    if (!probe.state().database) return;
    for (const [at, row] of pending) {
      await whileBusy(() => storeSample(database.write, row));
      if (at !== current?.at) pending.delete(at);
    }
    await whileBusy(() => forgetSamples(database.write, new Date(Date.now() - KEPT_MS).toISOString()));
  };

  let working: Promise<void> = Promise.resolve();
  const next = (work: () => Promise<void>): Promise<void> =>
    (working = working.then(work).catch((error: unknown) => {
      logger.debug({ err: error }, 'Samples can not be written: they are kept until they can');
    }));
  const timers = [
    setInterval(() => void next(look), times.lookEveryMs),
    setInterval(() => void next(write), times.writeEveryMs),
  ];
  for (const timer of timers) timer.unref();
  return {
    write: () =>
      next(async () => {
        await look();
        await write();
      }),
    async stop() {
      for (const timer of timers) clearInterval(timer);
      // A connection that says nothing any more must not hold the process back.
      await Promise.race([next(write), setTimeout(LAST_WRITE_MS, undefined, { ref: false })]);
    },
  };
}
