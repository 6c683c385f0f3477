import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { parse } from 'yaml';
import { OPS } from './compose.ts';

/** The folder of what Prometheus is given. */
export const PROMETHEUS = join(OPS, 'prometheus');

/** Severities, the worst first. */
export const SEVERITIES = ['page', 'notify', 'ticket'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** A rule that raises an alert. */
export interface AlertRule {
  alert: string;
  expr: string;
  for?: string;
  keep_firing_for?: string;
  labels: { severity: Severity };
  annotations: Record<string, string>;
}

/** A rule that records a series. */
export interface RecordingRule {
  record: string;
  expr: string;
}

/** Rules that are evaluated together. */
export interface RuleGroup {
  name: string;
  interval?: string;
  rules: (AlertRule | RecordingRule)[];
}

/** A file of rules. */
export interface RuleFile {
  name: string;
  groups: RuleGroup[];
}

/** Every file of rules that is shipped. */
export const RULE_FILES: RuleFile[] = globSync(join(PROMETHEUS, 'rules/*.yml'))
  .toSorted()
  .map((path) => ({
    name: basename(path),
    ...(parse(readFileSync(path, 'utf8')) as { groups: RuleGroup[] }),
  }));

/** Every rule that raises an alert. */
export const ALERTS: AlertRule[] = RULE_FILES.flatMap(({ groups }) =>
  groups.flatMap(({ rules }) => rules.filter((rule) => 'alert' in rule)),
);

const MS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

/** A duration as Prometheus writes it, in milliseconds. */
export function durationMs(text: string): number {
  if (!/^(\d+(ms|[smhdw]))+$/.test(text)) throw new Error(`${text} is no duration`);
  const parts = [...text.matchAll(/(\d+)(ms|[smhdw])/g)];
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * MS[unit as keyof typeof MS], 0);
}
