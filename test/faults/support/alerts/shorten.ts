import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import {
  durationMs,
  PROMETHEUS,
  RULE_FILES,
  type AlertRule,
  type RuleFile,
} from '../../../support/alert-rules.ts';

// How the shipped rules are made quick, mechanically: two minutes become four seconds, and so does every other time in them. What
// fires, at which share, count or latency, after which order of waits, stays as it is.

/** How many times as fast as in production it all goes. */
export const FACTOR = 30;

/** No alert waits longer than this, however long it waits in production: days would still be hours. */
export const LONGEST_WAIT_MS = 30_000;

/** Thresholds that are seconds which a test would have to wait for; days that have to pass stay, and rows are made older. */
const THRESHOLDS: Record<string, { from: string; to: string }> = {
  SyncTooLong: { from: '> 3600', to: `> ${3_600 / FACTOR}` },
  ReplicaBehind: { from: '> 60', to: `> ${60 / FACTOR}` },
};

/** One thing that is not as it is shipped. */
export interface Change {
  where: string;
  what: 'for' | 'keep_firing_for' | 'interval' | 'window' | 'threshold';
  from: string;
  to: string;
}

const shortened = (text: string): string => `${Math.ceil(durationMs(text) / FACTOR)}ms`;

/** Times of ranges in an expression. */
const WINDOW = /\[(\w+)\]/g;

function shortenedAlert(rule: AlertRule, note: (change: Omit<Change, 'where'>) => void): AlertRule {
  const { for: wait, keep_firing_for: keep } = rule;
  const quick: AlertRule = { ...rule };
  if (wait !== undefined) {
    const to = `${Math.min(LONGEST_WAIT_MS, durationMs(shortened(wait)))}ms`;
    quick.for = to;
    note({ what: 'for', from: wait, to });
  }
  if (keep !== undefined) {
    quick.keep_firing_for = shortened(keep);
    note({ what: 'keep_firing_for', from: keep, to: quick.keep_firing_for });
  }
  const threshold = THRESHOLDS[rule.alert];
  if (threshold !== undefined) {
    if (!rule.expr.includes(threshold.from))
      throw new Error(`${rule.alert} has no ${threshold.from}: the test has to follow`);
    quick.expr = rule.expr.replaceAll(threshold.from, threshold.to);
    note({ what: 'threshold', ...threshold });
  }
  return quick;
}

/** Makes rules quick. Answers with them, and with everything that was changed. */
export function shortenRules(files: RuleFile[] = RULE_FILES): { files: RuleFile[]; changes: Change[] } {
  const changes: Change[] = [];
  const quick = files.map(({ name, groups }) => ({
    name,
    groups: groups.map((group) => {
      const interval = group.interval === undefined ? undefined : shortened(group.interval);
      if (group.interval !== undefined && interval !== undefined)
        changes.push({ where: group.name, what: 'interval', from: group.interval, to: interval });
      const rules = group.rules.map((rule) => {
        const where = 'alert' in rule ? rule.alert : rule.record;
        const note = (change: Omit<Change, 'where'>) => void changes.push({ where, ...change });
        const timed = 'alert' in rule ? shortenedAlert(rule, note) : rule;
        const expr = timed.expr.replace(WINDOW, (_, window: string) => {
          note({ what: 'window', from: window, to: shortened(window) });
          return `[${shortened(window)}]`;
        });
        return { ...timed, expr };
      });
      return { ...group, ...(interval === undefined ? {} : { interval }), rules };
    }),
  }));
  return { files: quick, changes };
}

/** A file of rules as Prometheus reads it. */
export const writtenRules = ({ groups }: RuleFile): string => stringify({ groups }, { lineWidth: 0 });

interface Scrape {
  job_name: string;
  scrape_interval?: string;
  scrape_timeout?: string;
  authorization?: { credentials_file: string };
  file_sd_configs: { files: string[] }[];
  relabel_configs?: { target_label: string; replacement?: string }[];
}

interface PrometheusConfig {
  global: { scrape_interval: string; scrape_timeout: string; evaluation_interval: string };
  alerting: { alertmanagers: { static_configs: { targets: string[] }[] }[] };
  scrape_configs: Scrape[];
}

/** Checks from outside take up to 1.8 s before they are given up. */
const CHECK_INTERVAL = '2s';

/** Prometheus' configuration as it is shipped, but for times, and for where things are. */
export function quickPrometheus(where: {
  token: string;
  alertmanager: string;
  blackbox: string;
}): PrometheusConfig {
  const config = parse(readFileSync(join(PROMETHEUS, 'prometheus.yml'), 'utf8')) as PrometheusConfig;
  const { global, alerting, scrape_configs: scrapes } = config;
  global.scrape_interval = shortened(global.scrape_interval);
  global.evaluation_interval = shortened(global.evaluation_interval);
  // It can not be longer than the interval.
  global.scrape_timeout = global.scrape_interval;
  alerting.alertmanagers = [{ static_configs: [{ targets: [where.alertmanager] }] }];
  for (const scrape of scrapes) {
    // A check may be slow, and that is seen: it has to be waited for.
    if (scrape.relabel_configs !== undefined) scrape.scrape_interval = scrape.scrape_timeout = CHECK_INTERVAL;
    if (scrape.authorization !== undefined) scrape.authorization.credentials_file = where.token;
    for (const relabel of scrape.relabel_configs ?? [])
      if (relabel.replacement !== undefined) relabel.replacement = where.blackbox;
  }
  return config;
}

/** Alertmanager's routes with shorter waits between messages. */
export const quickRoutes = (text: string): string =>
  text.replace(
    /^( +group_(?:wait|interval): )(\w+)$/gm,
    (_, name: string, time: string) => name + shortened(time),
  );
