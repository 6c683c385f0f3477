import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WeeklyReport } from '../../ops/reports/weekly.ts';
import { answers, startProgram } from '../faults/support/alerts/program.ts';
import { DATABASES } from '../support/databases.ts';
import { runOps } from '../support/ops.ts';
import { freePort } from '../support/ports.ts';
import { startSynced, type Served } from '../support/synced.ts';
import { has } from '../support/tools.ts';

const run = promisify(execFile);

const MINUTE_S = 60;
const HOUR_S = 60 * MINUTE_S;
const WEEK = '2026-11-09';
const MONDAY_S = Date.parse(WEEK) / 1_000;
/** One of twenty checks of the week is not answered. */
const CHECKS = Array.from(
  { length: 7 * 24 * 12 },
  (_, index) => `em:health_answers:avg ${index % 20 === 0 ? 0 : 1} ${MONDAY_S + index * 5 * MINUTE_S}`,
);

describe.skipIf(!['prometheus', 'promtool'].every(has))('what Prometheus remembers', () => {
  const finishing: (() => void | Promise<void>)[] = [];
  let served: Served;
  let prometheus: string;
  let firedAt: number;
  let resolvedAt: number;

  beforeAll(async () => {
    served = await startSynced(DATABASES[0].create);
    const folder = mkdtempSync(join(tmpdir(), 'effect-models-prometheus-'));
    finishing.push(
      () => rmSync(folder, { recursive: true, force: true }),
      () => served.close(),
    );
    firedAt = Math.floor(Date.now() / 1_000) - HOUR_S;
    resolvedAt = firedAt + 10 * MINUTE_S;
    const alert = 'ALERTS{alertname="DatabaseDown",alertstate="firing",severity="page"}';
    const firing = Array.from({ length: 40 }, (_, index) => `${alert} 1 ${firedAt + index * 15}`);
    const recorded = join(folder, 'recorded.txt');
    writeFileSync(recorded, [...CHECKS, ...firing, '# EOF', ''].join('\n'));
    const data = join(folder, 'data');
    await run('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', recorded, data]);
    const config = join(folder, 'prometheus.yml');
    writeFileSync(config, '{}\n');
    const address = `127.0.0.1:${await freePort()}`;
    startProgram(
      'prometheus',
      [
        `--config.file=${config}`,
        `--storage.tsdb.path=${data}`,
        '--storage.tsdb.retention.time=10y',
        '--query.lookback-delta=15s',
        `--web.listen-address=${address}`,
        '--log.level=error',
      ],
      { finish: (work) => void finishing.push(work) },
    );
    prometheus = `http://${address}`;
    await answers(`${prometheus}/-/ready`);
  });
  afterAll(async () => {
    for (const work of finishing.toReversed()) await work();
  });

  const environment = (more: Record<string, string> = {}) => ({
    DATABASE_URL: served.database.url,
    PROMETHEUS_URL: prometheus,
    ...more,
  });
  const weekly = async (week: string, more: Record<string, string> = {}) => {
    const { code, stdout, stderr } = await runOps(
      ['report', 'weekly', '--json', '--week', week],
      environment(more),
    );
    expect(code).toBe(0);
    return { outside: (JSON.parse(stdout) as WeeklyReport).availability.outside, stderr };
  };

  test('of the checks from outside is in the report of its week', async () => {
    const { outside, stderr } = await weekly(WEEK);
    expect([outside?.toFixed(3), stderr]).toEqual(['0.950', '']);
  });

  test('of no checks is unknown, and so is what can not be asked', async () => {
    expect(await weekly('2026-06-01')).toEqual({
      outside: null,
      stderr: `What was seen from outside is unknown: ${prometheus} remembers no checks of that week\n`,
    });
    const { outside, stderr } = await weekly(WEEK, { PROMETHEUS_URL: 'http://127.0.0.1:1' });
    expect(outside).toBeNull();
    expect(stderr).toMatch(/^What was seen from outside is unknown: http:\/\/127\.0\.0\.1:1 can not be read/);
  });

  test('of alerts is in the timeline of an incident', async () => {
    const INCIDENTS_DIR = mkdtempSync(join(tmpdir(), 'effect-models-incidents-'));
    finishing.push(() => rmSync(INCIDENTS_DIR, { recursive: true, force: true }));
    const { code, stderr } = await runOps(
      ['incident', 'new', '--title', 'Database away', '--severity', '1', '--since', '2h'],
      environment({ INCIDENTS_DIR }),
    );
    expect([code, stderr]).toEqual([0, '']);
    const report = readFileSync(join(INCIDENTS_DIR, readdirSync(INCIDENTS_DIR)[0] ?? ''), 'utf8');
    const timeOf = (what: string) => {
      const [, at = ''] =
        new RegExp(`^- (.*) UTC: Alert DatabaseDown \\(page\\) ${what}$`, 'm').exec(report) ?? [];
      return Date.parse(`${at.replace(' ', 'T')}Z`) / 1_000;
    };
    // To within a step of two hours' 500, and the minute that is written.
    expect(Math.abs(timeOf('fired') - firedAt)).toBeLessThanOrEqual(90);
    expect(Math.abs(timeOf('resolved') - resolvedAt)).toBeLessThanOrEqual(120);
  });
});
