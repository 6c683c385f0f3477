import { spawnSync } from 'node:child_process';
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { matched, named, ROUTES, writeRoutes } from '../support/alert-routes.ts';
import { ALERTS, durationMs, PROMETHEUS, SEVERITIES, type AlertRule } from '../support/alert-rules.ts';
import { ROOT } from '../support/runbook.ts';
import { has } from '../support/tools.ts';

interface RuleTest {
  name: string;
  alert_rule_test?: { alertname: string; exp_alerts: object[] }[];
}

const TEST_FILES = globSync(join(PROMETHEUS, 'tests/*.yml')).toSorted();
const cases = TEST_FILES.flatMap(
  (path) => (parse(readFileSync(path, 'utf8')) as { tests: RuleTest[] }).tests,
).map(({ name, alert_rule_test: checks = [] }) => ({ name, checks }));

const names = ALERTS.map(({ alert }) => alert);
const byName = new Map(ALERTS.map((rule) => [rule.alert, rule]));
const ruleOf = (name: string): AlertRule => byName.get(name) ?? expect.unreachable(`There is no ${name}`);

/** Pairs of alerts of which the first silences the second. */
const silencing = ROUTES.inhibit_rules.flatMap(({ source_matchers: causes, target_matchers: targets }) =>
  matched(causes, names).flatMap((cause) =>
    matched(targets, names).map((consequence) => ({ cause, consequence })),
  ),
);

/** Runs a tool. Answers with what it said, and whether it was content; why it was not may be said on either stream. */
function run(program: string, args: string[]): { ok: boolean; output: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  const ok = status === 0;
  return { ok, output: ok ? stdout : `${stdout}${stderr}` };
}

function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'effect-models-alerts-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe('alert rules', () => {
  test('have names of their own', () => {
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });

  test.each(ALERTS)('$alert says how bad it is, what is wrong, and where to read on', (rule) => {
    expect(SEVERITIES).toContain(rule.labels.severity);
    expect(rule.annotations).toEqual({
      summary: expect.stringMatching(/\S/),
      description: expect.stringMatching(/\S/),
      runbook: expect.stringMatching(/^OPERATIONS\.md#[a-z0-9-]+$/),
    });
    const headings = readFileSync(join(ROOT, 'OPERATIONS.md'), 'utf8').matchAll(/^#+ (.+)$/gm);
    const anchors = [...headings].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replace(/[^\w\s-]/g, '')
        .replaceAll(' ', '-'),
    );
    expect(anchors).toContain(rule.annotations.runbook?.split('#')[1]);
  });

  test.each(ALERTS)('$alert is tested where it fires, and where it is silent', ({ alert }) => {
    const about = cases
      .map(({ checks }) => checks.filter(({ alertname }) => alertname === alert))
      .filter((checks) => checks.length > 0);
    const fires = about.map((checks) => checks.some(({ exp_alerts: expected }) => expected.length > 0));
    expect(new Set(fires)).toEqual(new Set([true, false]));
  });

  test('are tested under names that exist', () => {
    const tested = cases.flatMap(({ checks }) => checks.map(({ alertname }) => alertname));
    expect(tested.filter((name) => !byName.has(name))).toEqual([]);
  });
});

describe.skipIf(!has('promtool') && !process.env.CI)('promtool', () => {
  test('finds the configuration right, and every rule', () => {
    const folder = temporary();
    cpSync(PROMETHEUS, folder, { recursive: true });
    const token = join(folder, 'metrics_token');
    writeFileSync(token, 'token');
    const path = join(folder, 'prometheus.yml');
    const text = readFileSync(path, 'utf8');
    expect(text).toContain('/run/secrets/metrics_token');
    writeFileSync(path, text.replace('/run/secrets/metrics_token', token));
    const { ok, output } = run('promtool', ['check', 'config', '--lint=all', '--lint-fatal', path]);
    expect([ok, output]).toEqual([true, expect.stringContaining('SUCCESS')]);
  });

  test.each(TEST_FILES.map((path) => basename(path)))('is content with the tests in %s', (file) => {
    const { ok, output } = run('promtool', ['test', 'rules', join(PROMETHEUS, 'tests', file)]);
    expect([ok, output]).toEqual([true, expect.stringContaining('SUCCESS')]);
  });
});

describe('alert routes', () => {
  test('tell when it is over', () => {
    const configs = ROUTES.receivers.flatMap((receiver) =>
      Object.values(receiver).flatMap((value) => (typeof value === 'string' ? [] : value)),
    );
    expect(configs.map(({ send_resolved: resolved }) => resolved)).toEqual([true, true, true]);
  });

  test('silence consequences by alerts that exist', () => {
    const wrong = ROUTES.inhibit_rules
      .flatMap(({ source_matchers: causes, target_matchers: targets }) => [
        ...named(causes),
        ...named(targets),
      ])
      .filter((name) => matched([`alertname =~ "${name}"`], names).length === 0);
    expect(wrong).toEqual([]);
    expect(silencing.length).toBeGreaterThan(ROUTES.inhibit_rules.length);
  });

  test('silence nothing by what is less severe, and nothing by itself', () => {
    const rank = (name: string) => SEVERITIES.indexOf(ruleOf(name).labels.severity);
    const wrong = silencing.filter(
      ({ cause, consequence }) => cause === consequence || rank(cause) > rank(consequence),
    );
    expect(wrong).toEqual([]);
  });

  test('silence what fires on when its fault is over by what fires on for longer', () => {
    const keeps = (name: string) => durationMs(ruleOf(name).keep_firing_for ?? '0s');
    const wrong = silencing.filter(
      ({ cause, consequence }) => keeps(consequence) > 0 && keeps(cause) <= keeps(consequence),
    );
    expect(wrong).toEqual([]);
  });
});

describe.skipIf(!has('amtool') && !process.env.CI)('amtool', () => {
  const written = () =>
    writeRoutes(temporary(), {
      pagerduty: 'http://127.0.0.1:9/page',
      slack: 'http://127.0.0.1:9/notify',
      ticket: 'http://127.0.0.1:9/ticket',
    });

  test('finds the configuration right', () => {
    const { ok, output } = run('amtool', ['check-config', written()]);
    expect([ok, output]).toEqual([true, expect.stringContaining('SUCCESS')]);
  });

  test.each([
    { severity: 'page', receiver: 'on-call' },
    { severity: 'notify', receiver: 'channel' },
    { severity: 'ticket', receiver: 'tickets' },
    { severity: 'unheard-of', receiver: 'channel' },
  ])('sends $severity to $receiver', ({ severity, receiver }) => {
    const labels = [`severity=${severity}`, 'alertname=Anything'];
    const { ok, output } = run('amtool', [
      'config',
      'routes',
      'test',
      `--config.file=${written()}`,
      `--verify.receivers=${receiver}`,
      ...labels,
    ]);
    expect([ok, output.trim()]).toEqual([true, receiver]);
  });
});
