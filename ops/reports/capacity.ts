import { sql, type Kysely } from 'kysely';
import type { Config } from '../../server/config.ts';
import type { Database } from '../../server/db/database.ts';
import { databaseFigures } from '../../server/db/figures.ts';
import { ENTITIES } from '../../server/db/entities.ts';
import type { Tables } from '../../server/db/orm.ts';
import { samplesBetween, type Sample } from '../../server/db/samples.ts';
import { addCounts, quantileMs } from '../../server/metrics/quantile.ts';
import { mondayOf } from './weekly.ts';

const DAY_MS = 24 * 60 * 60_000;
const MONTH_DAYS = 30;
const MONTHS = 3;
/** A trend of less is noise. */
const MIN_TREND_DAYS = 7;

/** One week of the past; null: nobody measured it. */
export interface CapacityWeek {
  week: string;
  bytes: number | null;
  connections: number | null;
  hitRate: number | null;
  p99Ms: number | null;
  requests: number;
}

/** What there is now, how it grew, and where it goes. */
export interface CapacityReport {
  at: string;
  bytes: number;
  limitBytes: number | null;
  connections: { used: number; max: number } | null;
  rows: { table: string; rows: number }[];
  weeks: CapacityWeek[];
  /** Growth of storage a day by least squares; null: measured for less than a week. */
  growthBytesADay: number | null;
  /** Storage in one, two and three months, if it goes on so; null: no trend. */
  forecast: { months: number; bytes: number }[] | null;
  /** The day on which 80 % of the limit are reached, if it goes on so, today where they are; null: no limit, no trend, or not within ten years. */
  fullOn: string | null;
}

/** The share of the limit at which there should be more storage. */
export const SCALE_AT = 0.8;
const TEN_YEARS_DAYS = 3_650;

/** Puts the monthly review of capacity together from the database. */
export function capacityReport(
  database: Database,
  { storageLimitBytes: limitBytes }: Pick<Config, 'storageLimitBytes'>,
): Promise<CapacityReport> {
  const now = Date.now();
  return database.snapshot(async (db): Promise<CapacityReport> => {
    const { bytes, connections } = await databaseFigures(db, database.dialect);
    const from = new Date(now - MONTHS * MONTH_DAYS * DAY_MS).toISOString();
    const samples = await samplesBetween(db, { from, to: new Date(now + DAY_MS).toISOString() });
    const growth = growthOf(samples);
    const left = limitBytes === null ? null : daysLeft(SCALE_AT * limitBytes - bytes, growth);
    return {
      at: new Date(now).toISOString(),
      bytes,
      limitBytes,
      connections,
      rows: await rowCounts(db),
      weeks: weeksOf(samples),
      growthBytesADay: growth,
      forecast:
        growth === null
          ? null
          : [1, 2, 3].map((months) => ({ months, bytes: Math.max(0, bytes + growth * months * MONTH_DAYS) })),
      fullOn:
        left === null || !(left >= 0 && left < TEN_YEARS_DAYS)
          ? null
          : new Date(now + left * DAY_MS).toISOString().slice(0, 10),
    };
  });
}

/** In how many days so much more is reached; null: it can not be told. */
function daysLeft(bytes: number, growth: number | null): number | null {
  if (bytes <= 0) return 0;
  return growth === null ? null : bytes / growth;
}

async function rowCounts(db: Kysely<Tables>): Promise<CapacityReport['rows']> {
  const counts = [];
  for (const { meta } of ENTITIES) {
    const table = meta.tableName;
    const { rows } = await sql<{ rows: string }>`select count(*) as rows from ${sql.table(table)}`.execute(
      db,
    );
    counts.push({ table, rows: Number(rows[0]?.rows) });
  }
  return counts.toSorted((a, b) => b.rows - a.rows);
}

/** Least squares through the sizes that were seen. */
function growthOf(samples: Sample[]): number | null {
  const points = samples.flatMap(({ at, database_bytes: size }) =>
    size === null ? [] : [{ day: Date.parse(at) / DAY_MS, size }],
  );
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last || last.day - first.day < MIN_TREND_DAYS) return null;
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [day, size] = [mean(points.map((point) => point.day)), mean(points.map((point) => point.size))];
  const above = points.reduce((sum, point) => sum + (point.day - day) * (point.size - size), 0);
  const below = points.reduce((sum, point) => sum + (point.day - day) ** 2, 0);
  return above / below;
}

function weeksOf(samples: Sample[]): CapacityWeek[] {
  const weeks = Map.groupBy(samples, ({ at }) => mondayOf(at.slice(0, 10)));
  return [...weeks].map(([week, inWeek]) => {
    const sum = (name: 'cache_hits' | 'cache_misses' | 'cache_bypassed' | 'requests') =>
      inWeek.reduce((total, sample) => total + sample[name], 0);
    const asked = sum('cache_hits') + sum('cache_misses') + sum('cache_bypassed');
    const connections = inWeek.flatMap((sample) => sample.connections ?? []);
    const counts = addCounts(inWeek.map(({ durations }) => JSON.parse(durations) as number[]));
    return {
      week,
      bytes: inWeek.findLast((sample) => sample.database_bytes !== null)?.database_bytes ?? null,
      connections: connections.length === 0 ? null : Math.max(...connections),
      hitRate: asked === 0 ? null : sum('cache_hits') / asked,
      p99Ms: quantileMs(counts, 0.99),
      requests: sum('requests'),
    };
  });
}
