import { OpsError } from './command.ts';
import type { Endpoint } from './config.ts';

const TIMEOUT_MS = 5_000;

/** An alert that is or was firing. */
export interface FiringAlert {
  name: string;
  severity: string;
  summary: string;
  since: string;
}

async function getJson<Body>({ url, headers }: Endpoint, path: string): Promise<Body> {
  try {
    const response = await fetch(url + path, { headers, signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    return (await response.json()) as Body;
  } catch (error) {
    throw new OpsError(`${url} can not be read: ${(error as Error).message}`);
  }
}

interface ManagedAlert {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  startsAt: string;
}

/** The alerts that Alertmanager has now, the oldest first. */
export async function firingAlerts(alertmanager: Endpoint): Promise<FiringAlert[]> {
  const alerts = await getJson<ManagedAlert[]>(alertmanager, '/api/v2/alerts?active=true&inhibited=false');
  return alerts
    .map(({ labels, annotations, startsAt }) => ({
      name: labels.alertname ?? '',
      severity: labels.severity ?? '',
      summary: annotations.summary ?? '',
      since: startsAt,
    }))
    .toSorted((a, b) => (a.since < b.since ? -1 : 1));
}

interface InstantAnswer {
  data: { result: { value: [at: number, value: string] }[] };
}

/**
 * Share of the checks from outside that were answered in a time, 0 to 1, as Prometheus remembers it (the recording rule of
 * `ops/prometheus/rules/availability.yml`); null: it has none of that time.
 */
export async function uptimeFromOutside(
  prometheus: Endpoint,
  { from, to }: { from: string; to: string },
): Promise<number | null> {
  const seconds = (Date.parse(to) - Date.parse(from)) / 1_000;
  const query = new URLSearchParams({
    query: `avg_over_time(em:health_answers:avg[${seconds}s])`,
    time: String(Date.parse(to) / 1_000),
  });
  const { data } = await getJson<InstantAnswer>(prometheus, `/api/v1/query?${query.toString()}`);
  const value = data.result[0]?.value[1];
  return value === undefined ? null : Number(value);
}

interface RangeAnswer {
  data: { result: { metric: Record<string, string>; values: [at: number, value: string][] }[] };
}

const STEPS = 500;
const MIN_STEP_SECONDS = 15;

/** When alerts began and ceased to fire in a time, as Prometheus remembers it, to within its steps. */
export async function alertHistory(
  prometheus: Endpoint,
  { from, to }: { from: string; to: string },
): Promise<{ at: string; text: string }[]> {
  const [start, end] = [Date.parse(from) / 1_000, Date.parse(to) / 1_000];
  const step = Math.max(MIN_STEP_SECONDS, Math.ceil((end - start) / STEPS));
  const query = new URLSearchParams({
    query: 'max by (alertname, severity) (ALERTS{alertstate="firing"})',
    start: String(start),
    end: String(end),
    step: String(step),
  });
  const { data } = await getJson<RangeAnswer>(prometheus, `/api/v1/query_range?${query.toString()}`);
  const time = (seconds: number) => new Date(seconds * 1_000).toISOString();
  return data.result.flatMap(({ metric, values }) => {
    const name = `Alert ${metric.alertname} (${metric.severity})`;
    const events: { at: string; text: string }[] = [];
    let before: number | null = null;
    for (const [at] of values) {
      if (before === null || at - before > step) {
        if (before !== null) events.push({ at: time(before + step), text: `${name} resolved` });
        events.push({ at: time(at), text: `${name} fired` });
      }
      before = at;
    }
    if (before !== null && before + step <= end)
      events.push({ at: time(before + step), text: `${name} resolved` });
    return events;
  });
}
