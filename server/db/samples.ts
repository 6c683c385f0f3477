import { sql, type Insertable, type Kysely, type Selectable } from 'kysely';
import type { Tables } from './orm.ts';

/** What one instance saw of itself in five minutes. */
export type Sample = Selectable<Tables['samples']>;

/** Length of a sample. */
export const SAMPLE_MS = 5 * 60_000;

/** Stores a sample in place of what its instance stored before of the same five minutes. */
export async function storeSample(db: Kysely<Tables>, sample: Insertable<Tables['samples']>): Promise<void> {
  const { at: _, instance: __, ...values } = sample;
  await db
    .insertInto('samples')
    .values(sample)
    .onConflict((conflict) => conflict.columns(['at', 'instance']).doUpdateSet(values))
    .execute();
}

/** Forgets samples from before a time. */
export async function forgetSamples(db: Kysely<Tables>, before: string): Promise<void> {
  await db.deleteFrom('samples').where('at', '<', before).execute();
}

/** Samples of a time, oldest first; `to` is the first moment after it. */
export async function samplesBetween(
  db: Kysely<Tables>,
  { from, to }: { from: string; to: string },
): Promise<Sample[]> {
  const rows = await db
    .selectFrom('samples')
    .selectAll()
    .where('at', '>=', from)
    .where('at', '<', to)
    .orderBy('at')
    .orderBy('instance')
    .execute();
  // Kysely gives int8 of Postgres as it came: as text.
  const exact = (count: number | string): number => Number(count);
  return rows.map((row) => ({
    ...row,
    query_ms: exact(row.query_ms),
    database_bytes: row.database_bytes === null ? null : exact(row.database_bytes),
  }));
}

/** How much of a time the service was up, as shares of what was measured, and how many samples that was. */
export interface Uptime {
  /** Day, or all of the time. */
  date: string;
  up: number;
  degraded: number;
  samples: number;
}

/** Uptime by day from a time on, days without samples left out. Where one instance was up, the service was. */
export async function uptimeByDay(db: Kysely<Tables>, from: string): Promise<Uptime[]> {
  const { rows } = await sql<{ [Name in keyof Uptime]: string | number }>`
    select substr(at, 1, 10) as date, avg(up) as up, avg(degraded) as degraded, count(*) as samples
    from (
      select
        at,
        max((ok + degraded) * 1.0 / checks) as up,
        max((ok + degraded) * 1.0 / checks) - max(ok * 1.0 / checks) as degraded
      from samples
      where at >= ${from} and checks > 0
      group by at
    ) as moments
    group by substr(at, 1, 10)
    order by 1
  `.execute(db);
  return rows.map(({ date, up, degraded, samples }) => ({
    date: String(date),
    up: Number(up),
    degraded: Number(degraded),
    samples: Number(samples),
  }));
}

/** The share of samples' time in which the service was up; null: there are no samples. */
export function upShare(samples: Pick<Sample, 'at' | 'checks' | 'ok' | 'degraded'>[]): number | null {
  const best = new Map<string, number>();
  for (const { at, checks, ok, degraded } of samples)
    if (checks > 0) best.set(at, Math.max(best.get(at) ?? 0, (ok + degraded) / checks));
  return best.size === 0 ? null : [...best.values()].reduce((sum, share) => sum + share, 0) / best.size;
}
