import type { Insertable } from 'kysely';
import type { Database } from '../../server/db/database.ts';
import type { Tables } from '../../server/db/orm.ts';
import { SAMPLE_MS, storeSample } from '../../server/db/samples.ts';
import { ANSWER_BUCKETS } from '../../server/metrics/metrics.ts';

type Row = Insertable<Tables['samples']>;

/** A sample of five good minutes: 100 answers within 300 ms, 90 of 100 from the cache. */
export function goodSample(at: number): Row {
  return {
    at: new Date(at).toISOString(),
    instance: 'a',
    version: '0.0.1',
    checks: 60,
    ok: 60,
    degraded: 0,
    requests: 100,
    errors: 0,
    durations: JSON.stringify([...ANSWER_BUCKETS.map((bound) => (bound === 0.3 ? 100 : 0)), 0]),
    cache_hits: 90,
    cache_misses: 10,
    cache_bypassed: 0,
    queries: 10,
    query_ms: 50,
    slow_queries: 0,
    connections: 12,
    connections_max: 100,
    database_bytes: 1_000_000_000,
  };
}

/** Stores samples one after the other from a time on; `change` says how the one of an index differs from a good one. */
export async function storeSamples(
  { write }: Pick<Database, 'write'>,
  {
    from,
    count,
    change = () => ({}),
  }: { from: number; count: number; change?: (index: number) => Partial<Row> | null },
): Promise<void> {
  await write.transaction().execute(async (db) => {
    for (let index = 0; index < count; index += 1) {
      const changed = change(index);
      if (changed !== null) await storeSample(db, { ...goodSample(from + index * SAMPLE_MS), ...changed });
    }
  });
}
