import type { Registry } from 'prom-client';
import { ANSWER_BUCKETS } from './metrics.ts';

/** What a process has counted since it started, in the numbers that are kept of the past. */
export interface Totals {
  requests: number;
  errors: number;
  /** Answers by duration: one count for each of `ANSWER_BUCKETS`, and one for what took longer. */
  durations: number[];
  cacheHits: number;
  cacheMisses: number;
  cacheBypassed: number;
  queries: number;
  queryMs: number;
  slowQueries: number;
}

/** Probes and scrapes are not what users ask for. */
const NOT_ASKED_BY_USERS = /^(health\.|metrics$)/;

interface Sample {
  value: number;
  labels: Partial<Record<string, string | number>>;
  metricName?: string;
}

async function samplesOf(registry: Registry, name: string): Promise<Sample[]> {
  return (await registry.getSingleMetric(name)?.get())?.values ?? [];
}

const sum = (samples: Sample[]): number => samples.reduce((total, { value }) => total + value, 0);

/** Reads what has been counted so far. */
export async function totalsOf(registry: Registry): Promise<Totals> {
  const answers = (await samplesOf(registry, 'em_http_request_duration_seconds')).filter(
    ({ labels }) => !NOT_ASKED_BY_USERS.test(String(labels.operation)),
  );
  const counts = answers.filter(({ metricName }) => metricName?.endsWith('_count'));
  const atMost = [...ANSWER_BUCKETS, '+Inf'].map((bound) =>
    sum(answers.filter(({ labels }) => String(labels.le) === String(bound))),
  );
  const queries = await samplesOf(registry, 'em_database_query_duration_seconds');
  const named = (suffix: string) => sum(queries.filter(({ metricName }) => metricName?.endsWith(suffix)));
  const cache = await samplesOf(registry, 'em_cache_requests_total');
  const cached = (result: string) => sum(cache.filter(({ labels }) => labels.result === result));
  return {
    requests: sum(counts),
    errors: sum(counts.filter(({ labels }) => Number(labels.status) >= 500)),
    durations: atMost.map((count, index) => count - (atMost[index - 1] ?? 0)),
    cacheHits: cached('hit') + cached('stale'),
    cacheMisses: cached('miss'),
    cacheBypassed: cached('bypass'),
    queries: named('_count'),
    queryMs: Math.round(named('_sum') * 1_000),
    slowQueries: sum(await samplesOf(registry, 'em_database_slow_queries_total')),
  };
}

/** What has been counted between two readings. */
export function since(before: Totals, now: Totals): Totals {
  const difference = (name: Exclude<keyof Totals, 'durations'>) => now[name] - before[name];
  return {
    requests: difference('requests'),
    errors: difference('errors'),
    durations: now.durations.map((count, index) => count - (before.durations[index] ?? 0)),
    cacheHits: difference('cacheHits'),
    cacheMisses: difference('cacheMisses'),
    cacheBypassed: difference('cacheBypassed'),
    queries: difference('queries'),
    queryMs: difference('queryMs'),
    slowQueries: difference('slowQueries'),
  };
}
