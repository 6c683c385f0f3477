import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { OPS } from './compose.ts';

const TEXT = readFileSync(join(OPS, 'alertmanager/alertmanager.yml'), 'utf8');

/** `name = value` or `name =~ "value"`. */
const MATCHER = /^(\w+) (=~?) "?([^"]+)"?$/;

/** What tests read of ops/alertmanager/alertmanager.yml. */
export interface AlertRoutes {
  route: { receiver: string; group_by: string[]; routes: { matchers: string[]; receiver: string }[] };
  receivers: { name: string; [configs: `${string}_configs`]: { send_resolved?: boolean }[] }[];
  inhibit_rules: { source_matchers: string[]; target_matchers: string[]; equal?: string[] }[];
}

/** Who is told of which alerts, as it is shipped. */
export const ROUTES = parse(TEXT) as AlertRoutes;

/** Which of the values given matchers are about; they look at `alertname` alone. */
export function matched(matchers: string[], names: string[]): string[] {
  return names.filter((name) =>
    matchers.every((matcher) => {
      const [, label, operator, value = ''] = MATCHER.exec(matcher) ?? [];
      if (label !== 'alertname') throw new Error(`${matcher} is not about names of alerts`);
      return operator === '=' ? name === value : new RegExp(`^(?:${value})$`).test(name);
    }),
  );
}

/** The names that matchers spell out, each part of a pattern by itself. */
export function named(matchers: string[]): string[] {
  return matchers.flatMap((matcher) => MATCHER.exec(matcher)?.[3]?.split('|') ?? []);
}

/** Where messages of each receiver go. */
export interface Destinations {
  pagerduty: string;
  slack: string;
  ticket: string;
}

/**
 * Writes the routes into a folder as they are shipped, but for where secrets are, and where PagerDuty is. `change` makes more of the
 * text. The webhook's address stands in it, since Alertmanager before 0.26 reads none from a file.
 */
export function writeRoutes(
  folder: string,
  { pagerduty, slack, ticket }: Destinations,
  change: (text: string) => string = (text) => text,
): string {
  const secrets = join(folder, 'secrets');
  mkdirSync(secrets, { recursive: true });
  writeFileSync(join(secrets, 'pagerduty_key'), '0123456789abcdef0123456789abcdef');
  writeFileSync(join(secrets, 'slack_url'), slack);
  const replaced = [
    ['url_file: /run/secrets/ticket_url', `url: ${ticket}`],
    ['global:\n', `global:\n  pagerduty_url: ${pagerduty}\n`],
    ['/run/secrets/pagerduty_key', join(secrets, 'pagerduty_key')],
    ['/run/secrets/slack_url', join(secrets, 'slack_url')],
  ] as const;
  const text = replaced.reduce((rest, [from, to]) => {
    if (!rest.includes(from)) throw new Error(`alertmanager.yml has no ${from}: the test has to follow`);
    return rest.replace(from, to);
  }, TEXT);
  const path = join(folder, 'alertmanager.yml');
  writeFileSync(path, change(text));
  return path;
}
