import type { Config } from '../../server/config.ts';
import { countModels } from '../../server/db/catalog.ts';
import type { Database } from '../../server/db/database.ts';
import { databaseFigures } from '../../server/db/figures.ts';
import { listIncidents } from '../../server/db/incidents.ts';
import { operationsBetween } from '../../server/db/operations.ts';
import { runsBetween } from '../../server/db/runs.ts';
import { SAMPLE_MS, samplesBetween, upShare, type Sample } from '../../server/db/samples.ts';
import { addCounts, quantileMs } from '../../server/metrics/quantile.ts';
import type { OpsConfig } from '../config.ts';

const WEEK_MS = 7 * 24 * 60 * 60_000;

/** Figures of a week; null: nobody measured it. */
export interface WeeklyReport {
  /** First day, a Monday. */
  week: string;
  /** Share of the week in which anything was measured. */
  measured: number;
  availability: {
    /** By what the service saw of itself. */
    uptime: number | null;
    /** Share of the checks from outside that were answered; null: Prometheus has none, or was not asked. */
    outside: number | null;
    errorRate: number | null;
    p99Ms: number | null;
    requests: number | null;
  };
  syncs: {
    runs: number;
    /** How the last four ended, newest first. */
    last: string[];
    successRate: number | null;
    averageMs: number | null;
    models: number | null;
  };
  database: {
    bytes: number | null;
    limitBytes: number | null;
    connections: number | null;
    connectionsMax: number | null;
    backups: { completed: number; failed: number };
  };
  performance: {
    hitRate: number | null;
    averageQueryMs: number | null;
    slowQueries: number | null;
    costUsd: number | null;
    budgetUsd: number | null;
  };
  incidents: { severity: 1 | 2 | 3; count: number; titles: string[] }[];
  /** What was done to the database: how often it completed, how often it failed. */
  maintenance: { kind: string; completed: number; failed: number }[];
}

/** The Monday of the week that a day is in. */
export function mondayOf(day: string): string {
  const date = new Date(`${day}T00:00:00.000Z`);
  date.setUTCDate(date.getUTCDate() - ((date.getUTCDay() + 6) % 7));
  return date.toISOString().slice(0, 10);
}

/** The first moment of a week, and the first after it. */
export function spanOf(week: string): { from: string; to: string } {
  const start = Date.parse(`${week}T00:00:00.000Z`);
  return { from: new Date(start).toISOString(), to: new Date(start + WEEK_MS).toISOString() };
}

/** Puts the report of a week together from the database, and from what was seen `outside`. */
export function weeklyReport(
  database: Database,
  {
    week,
    outside,
    service,
    ops,
  }: {
    week: string;
    outside: number | null;
    service: Pick<Config, 'storageLimitBytes'>;
    ops: Pick<OpsConfig, 'monthlyCostUsd' | 'monthlyBudgetUsd'>;
  },
): Promise<WeeklyReport> {
  const span = spanOf(week);
  const isNow = new Date().toISOString() < span.to;
  return database.snapshot(async (db): Promise<WeeklyReport> => {
    const samples = await samplesBetween(db, span);
    const runs = (await runsBetween(db, span)).filter(({ status }) => status !== 'running');
    const operations = await operationsBetween(db, span);
    const open = { kind: 'incident' as const, open: null, from: span.from };
    const { incidents } = await listIncidents(db, open, { limit: 1_000, offset: 0 });
    const now = isNow ? await databaseFigures(db, database.dialect) : null;
    const ended = (kind: string, status: string) =>
      operations.filter((operation) => operation.kind === kind && operation.status === status).length;
    // One whose process died ended when that was noticed, and stored nothing.
    const stored = runs.filter(({ status }) => status === 'completed' || status === 'partial');
    const took = stored.flatMap(({ durationMs }) => (durationMs === null ? [] : [durationMs]));
    return {
      week,
      measured: Math.min(1, (new Set(samples.map(({ at }) => at)).size * SAMPLE_MS) / WEEK_MS),
      availability: { ...availabilityOf(samples), outside },
      syncs: {
        runs: runs.length,
        last: runs.slice(0, 4).map(({ status }) => status),
        successRate: share(runs.filter(({ status }) => status === 'completed').length, runs.length),
        averageMs: took.length === 0 ? null : took.reduce((sum, ms) => sum + ms, 0) / took.length,
        models: isNow ? await countModels(db, { withheld: false }) : (stored[0]?.totalStored ?? null),
      },
      database: {
        bytes: now?.bytes ?? lastOf(samples, 'database_bytes'),
        limitBytes: service.storageLimitBytes,
        connections: mostOf(samples, 'connections'),
        connectionsMax: lastOf(samples, 'connections_max'),
        backups: { completed: ended('backup', 'completed'), failed: ended('backup', 'failed') },
      },
      performance: {
        ...performanceOf(samples),
        costUsd: ops.monthlyCostUsd,
        budgetUsd: ops.monthlyBudgetUsd,
      },
      incidents: ([1, 2, 3] as const).map((severity) => {
        const found = incidents.filter(
          (incident) => incident.severity === severity && incident.startsAt < span.to,
        );
        return {
          severity,
          count: found.length,
          titles: found.map(({ title, status }) => `${title}, ${status}`),
        };
      }),
      maintenance: ['backup', 'drill', 'maintain'].map((kind) => ({
        kind,
        completed: ended(kind, 'completed'),
        failed: ended(kind, 'failed'),
      })),
    };
  });
}

const total = (
  samples: Sample[],
  name: 'requests' | 'errors' | 'queries' | 'query_ms' | 'slow_queries',
): number => samples.reduce((sum, sample) => sum + sample[name], 0);

const share = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);

function availabilityOf(samples: Sample[]): Omit<WeeklyReport['availability'], 'outside'> {
  const counts = addCounts(samples.map(({ durations }) => JSON.parse(durations) as number[]));
  const requests = total(samples, 'requests');
  return {
    uptime: upShare(samples),
    errorRate: share(total(samples, 'errors'), requests),
    p99Ms: quantileMs(counts, 0.99),
    requests: samples.length === 0 ? null : requests,
  };
}

function performanceOf(
  samples: Sample[],
): Pick<WeeklyReport['performance'], 'hitRate' | 'averageQueryMs' | 'slowQueries'> {
  const hits = samples.reduce((sum, { cache_hits: count }) => sum + count, 0);
  const others = samples.reduce(
    (sum, { cache_misses: misses, cache_bypassed: bypassed }) => sum + misses + bypassed,
    0,
  );
  return {
    hitRate: share(hits, hits + others),
    averageQueryMs: share(total(samples, 'query_ms'), total(samples, 'queries')),
    slowQueries: samples.length === 0 ? null : total(samples, 'slow_queries'),
  };
}

type Nullable = 'connections' | 'connections_max' | 'database_bytes';

function lastOf(samples: Sample[], name: Nullable): number | null {
  return samples.findLast((sample) => sample[name] !== null)?.[name] ?? null;
}

function mostOf(samples: Sample[], name: Nullable): number | null {
  const seen = samples.flatMap((sample) => sample[name] ?? []);
  return seen.length === 0 ? null : Math.max(...seen);
}
