import { expect } from 'vitest';
import { ALERTS, type Severity } from '../../../support/alert-rules.ts';
import type { Monitors } from './monitors.ts';

/** What becomes of an alert: whoever has its severity is told, or its cause silences it. */
export type Fate = 'told' | 'silenced';

/** Alerts that speak of how busy this machine is: they may fire in every test, and have to in the test about them. */
const BUSY = [
  'DatabaseCpuHigh',
  'EventLoopSlow',
  'HealthOverBaseline',
  'HealthSlow',
  'InstanceCpuHigh',
  'LatencyBudgetFast',
  'LatencyBudgetSlow',
];

const PATIENCE = { timeout: 180_000, interval: 250 };

const severityOf = (name: string): Severity | undefined =>
  ALERTS.find(({ alert }) => alert === name)?.labels.severity;

async function query<Labels>({ prometheusUrl }: Monitors, expression: string): Promise<Labels[]> {
  const search = new URLSearchParams({ query: expression }).toString();
  const response = await fetch(`${prometheusUrl}/api/v1/query?${search}`);
  const { data } = (await response.json()) as { data: { result: { metric: Labels }[] } };
  return data.result.map(({ metric }) => metric);
}

/** Waits until so many instances are seen, with their machine, and from outside. */
export async function expectWatched(monitors: Monitors, instances = 1): Promise<void> {
  const jobs = async () =>
    (await query<{ job: string }>(monitors, 'up == 1')).map(({ job }) => job).toSorted();
  const services = Array.from({ length: instances }, () => 'effect-models');
  await expect.poll(jobs, PATIENCE).toEqual([...services, 'effect-models-health', 'node']);
}

/** The alerts that have fired so far, or do now. */
async function firedSoFar(monitors: Monitors): Promise<string[]> {
  const expression = 'count by (alertname) (count_over_time(ALERTS{alertstate="firing"}[1d]))';
  const found = await query<{ alertname: string }>(monitors, expression);
  return found.map(({ alertname }) => alertname).toSorted();
}

const wasTold = ({ messages }: Monitors, name: string, status: 'firing' | 'resolved'): boolean =>
  messages.some(
    (message) => message.alert === name && message.status === status && message.to === severityOf(name),
  );

/** Waits until each alert has met its fate. */
export async function expectAlerts(monitors: Monitors, fates: Record<string, Fate>): Promise<void> {
  const missing = () =>
    Object.entries(fates).filter(([name, fate]) =>
      fate === 'told' ? !wasTold(monitors, name, 'firing') : !monitors.silenced.has(name),
    );
  await expect.poll(missing, PATIENCE).toEqual([]);
}

/** Waits until those who were told of alerts are told that they are over. */
export async function expectResolved(monitors: Monitors, names: string[]): Promise<void> {
  const left = () => names.filter((name) => !wasTold(monitors, name, 'resolved'));
  await expect.poll(left, PATIENCE).toEqual([]);
}

/** Expects that no other alert has fired than those given and those of a busy machine. */
export async function expectNoOthers(monitors: Monitors, names: string[]): Promise<void> {
  const others = (await firedSoFar(monitors)).filter((name) => ![...names, ...BUSY].includes(name));
  expect(others).toEqual([]);
}

/** Expects that nobody was told of alerts. */
export function expectNotTold({ messages }: Monitors, names: string[]): void {
  const told = messages.filter(({ alert, status }) => names.includes(alert) && status === 'firing');
  expect(told).toEqual([]);
}
