import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { afterAll, beforeAll, describe, expect, inject, test, vi } from 'vitest';
import { parse } from 'yaml';
import { DATABASES } from '../support/databases.ts';
import { freePort } from '../support/ports.ts';
import { ROOT } from '../support/runbook.ts';
import { startSynced, type Served } from '../support/synced.ts';
import { has } from '../support/tools.ts';

const FOLDER = join(ROOT, 'ops/grafana/dashboards');
const METRICS_TOKEN = 'metrics-Token-4Rt8yUi2oPa6sDf0gHj3kLz7xCv1bNm5Q';

interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { h: number; w: number; x: number; y: number };
  datasource?: { uid: string };
  targets?: { refId: string; expr: string; datasource: { uid: string } }[];
}
interface Dashboard {
  uid: string;
  title: string;
  panels: Panel[];
  templating: { list: { name: string; type: string }[] };
}

const dashboards = readdirSync(FOLDER).map(
  (file) => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Dashboard,
);
const panels = dashboards.flatMap((dashboard) => dashboard.panels);
const queries = panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ refId, expr }) => ({ name: `${title} ${refId}`, expr })),
);

/** What rightly says nothing here, and why. */
const SILENT: Record<string, string> = {
  'Why sources failed A': 'no source failed',
  'Replication lag A': 'there is no replica',
  'Items rejected A': 'says nothing until a process has synced twice',
  'Memory of Redis B': 'this Redis has no limit',
};

describe('the dashboards', () => {
  test('have rows for overview, API, sync, database and cache, one after the other', () => {
    const rows = panels.filter(({ type }) => type === 'row');
    expect(rows.map(({ title }) => title)).toEqual(['Overview', 'API', 'Sync', 'Database', 'Cache']);
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    for (const { gridPos } of panels) expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24);
  });

  test('ask the Prometheus that is chosen, and say what they show', () => {
    for (const { uid, templating } of dashboards) {
      expect(uid).not.toBe('');
      expect(templating.list).toContainEqual(
        expect.objectContaining({ name: 'datasource', type: 'datasource' }),
      );
    }
    for (const { type, title, description, datasource, targets = [] } of panels) {
      if (type === 'row') continue;
      expect([title, description === undefined || description === '']).toEqual([title, false]);
      expect(targets.length).toBeGreaterThan(0);
      for (const used of [datasource, ...targets.map((target) => target.datasource)])
        expect(used?.uid).toBe('${datasource}');
    }
  });

  test('ask for nothing that the service does not count', () => {
    const folder = join(ROOT, 'server/metrics');
    const source = readdirSync(folder).map((file) => readFileSync(join(folder, file), 'utf8'));
    const counted = new Set(source.join().match(/\bem_\w+/g));
    const asked = queries.flatMap(({ expr }) => expr.match(/\bem_\w+/g) ?? []);
    expect(asked.filter((name) => !counted.has(name.replace(/_(bucket|count|sum)$/, '')))).toEqual([]);
  });

  test('are provisioned where the containers have them', () => {
    const read = (file: string) =>
      parse(readFileSync(join(ROOT, 'ops/grafana/provisioning', file), 'utf8')) as Record<string, never>;
    expect(read('dashboards/effect-models.yml')).toMatchObject({
      apiVersion: 1,
      providers: [{ type: 'file', options: { path: '/var/lib/grafana/dashboards' } }],
    });
    expect(read('datasources/prometheus.yml')).toMatchObject({
      apiVersion: 1,
      datasources: [{ type: 'prometheus', url: 'http://prometheus:9090', isDefault: true }],
    });
  });
});

describe.skipIf(!has('prometheus') || inject('redisUrl') === null)(
  'the dashboards, on a live Prometheus',
  () => {
    let served: Served;
    const started: ChildProcess[] = [];
    let folder: string;
    let address: string;
    let redis: string;

    beforeAll(async () => {
      const url = new URL(inject('redisUrl') ?? '');
      url.pathname = '/11';
      redis = url.href;
      served = await startSynced(DATABASES[1].create, {
        environment: {
          METRICS_TOKEN,
          REDIS_URL: redis,
          STORAGE_LIMIT_GB: '20',
          SYNC_CRON: '0 0 1 1 *',
          RATE_LIMIT_PER_MINUTE: '100000',
        },
      });
      const at = new Date().toISOString();
      const operation = { started_at: at, completed_at: at, status: 'completed', message: '', details: '{}' };
      await served.app.database.write
        .insertInto('operations')
        .values(['backup', 'drill', 'maintain'].map((kind) => ({ ...operation, id: kind, kind })))
        .execute();
      folder = mkdtempSync(join(tmpdir(), 'effect-models-prometheus-'));
      writeFileSync(join(folder, 'token'), METRICS_TOKEN);
      const run = (program: string, args: string[]) =>
        started.push(spawn(program, args, { stdio: 'ignore' }));
      const [port, prober] = [await freePort(), await freePort()];
      writeFileSync(
        join(folder, 'prometheus.yml'),
        configuration(new URL(served.app.url).host, `127.0.0.1:${prober}`),
      );
      run('prometheus-blackbox-exporter', [
        `--config.file=${join(ROOT, 'ops/prometheus/blackbox.yml')}`,
        `--web.listen-address=127.0.0.1:${prober}`,
      ]);
      address = `http://127.0.0.1:${port}`;
      run('prometheus', [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ]);
      await vi.waitFor(
        async () =>
          expect(await query('up')).toMatchObject([1, 1].map(() => ({ value: [expect.any(Number), '1'] }))),
        {
          timeout: 30_000,
          interval: 100,
        },
      );
      // Counts that grow while they are scraped: without, rates say nothing.
      for (let round = 0; round < 6; round += 1) {
        for (const path of [
          '/health',
          '/v1/models',
          '/v1/models?limit=100',
          '/v1/models/openai/gpt-5-mini',
          '/nowhere',
        ])
          await served.app.get(path);
        if (round === 2) await served.app.sync();
        await new Promise((resolve) => setTimeout(resolve, 600));
      }
    });
    afterAll(async () => {
      for (const child of started) {
        const exited = once(child, 'exit');
        child.kill();
        await exited;
      }
      await served?.close();
      rmSync(folder, { recursive: true, force: true });
      const client = createClient({ url: redis });
      await client.connect();
      await client.flushDb();
      client.destroy();
    });

    const configuration = (target: string, prober: string) => `
global: { scrape_interval: 500ms, evaluation_interval: 500ms }
scrape_configs:
  - job_name: effect-models
    authorization: { credentials_file: ${join(folder, 'token')} }
    static_configs: [{ targets: ['${target}'] }]
  - job_name: effect-models-health
    metrics_path: /probe
    params: { module: [health], target: ['http://${target}/health'] }
    static_configs: [{ targets: ['${prober}'] }]
`;

    async function query(expression: string): Promise<{ value: [number, string] }[]> {
      const response = await fetch(
        `${address}/api/v1/query?${new URLSearchParams({ query: expression }).toString()}`,
      );
      const body = (await response.json()) as {
        error?: string;
        data?: { result: { value: [number, string] }[] };
      };
      expect(body.error, expression).toBeUndefined();
      return body.data?.result ?? [];
    }

    test.each(queries)('$name', async ({ name, expr }) => {
      const expression = expr.replaceAll(/\$__(rate_interval|range)\b/g, '10s');
      const found = await query(expression);
      if (name in SILENT) return;
      expect(found.length).toBeGreaterThan(0);
      for (const { value } of found) expect(Number(value[1])).not.toBeNaN();
    });
  },
);
