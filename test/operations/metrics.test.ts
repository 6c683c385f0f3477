import { execFile, execFileSync } from 'node:child_process';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sql } from 'kysely';
import type { SyncRun } from '../../contracts/sync.ts';
import type { Status } from '../../contracts/system.ts';
import { within } from '../../server/operation-scope.ts';
import { DATABASES } from '../support/databases.ts';
import { ADMIN, startServed, startSynced, type Served } from '../support/synced.ts';

/** The value of one series, by its name and labels as they are written; null: it is not there. */
async function valueOf({ app }: Served, series: string): Promise<number | null> {
  const text = await (await app.get('/metrics', ADMIN)).text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? null : Number(line.slice(series.length + 1));
}

function hasPromtool(): boolean {
  try {
    execFileSync('promtool', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe.each(DATABASES)('metrics on $name', ({ name, create }) => {
  let served: Served;
  beforeAll(async () => {
    served = await startSynced(create);
  });
  afterAll(() => served.close());

  test('are for admins alone', async () => {
    expect((await served.app.get('/metrics')).status).toBe(401);
    const answer = await served.app.get('/metrics', ADMIN);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([
      200,
      'text/plain; version=0.0.4; charset=utf-8',
    ]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  test('count answers by operation, status, cache and size of list', async () => {
    const counts = async (labels: string) =>
      (await valueOf(served, `em_http_request_duration_seconds_count{${labels}}`)) ?? 0;
    const list = 'operation="models.list",status="200"';
    const before = await counts(`${list},cache="miss",limit="20"`);
    await served.app.get('/v1/models?limit=3&search=gpt');
    await served.app.get('/v1/models?limit=3&search=gpt');
    await served.app.get('/v1/models?limit=100');
    await served.app.get('/v1/models?limit=101');
    await served.app.get('/nowhere');
    await served.client.models.list.query({ limit: 2 });
    expect(await counts(`${list},cache="miss",limit="20"`)).toBe(before + 1);
    expect(await counts(`${list},cache="hit",limit="20"`)).toBe(1);
    expect(await counts(`${list},cache="miss",limit="100"`)).toBe(1);
    expect(await counts('operation="models.list",status="400",cache="none",limit="none"')).toBe(1);
    expect(await counts('operation="unmatched",status="404",cache="none",limit="none"')).toBe(1);
    expect(await counts('operation="trpc.models.list",status="200",cache="none",limit="none"')).toBe(1);
    expect(await valueOf(served, 'em_cache_requests_total{kind="list",result="hit"}')).toBe(1);
  });

  test('tell of the last sync and of the catalogue', async () => {
    const run = (await served.app.json<{ data: { durationMs: number }[] }>('/v1/admin/sync/history', ADMIN))
      .data[0];
    expect(await valueOf(served, 'em_sync_runs_total{status="completed"}')).toBe(1);
    expect(await valueOf(served, 'em_sync_last_run_ok')).toBe(1);
    expect(await valueOf(served, 'em_sync_last_run_stored')).toBe(1);
    expect(await valueOf(served, 'em_sync_last_run_duration_seconds')).toBe(Number(run?.durationMs) / 1_000);
    expect(await valueOf(served, 'em_sync_running')).toBe(0);
    expect(await valueOf(served, 'em_sync_source_up{source="openrouter"}')).toBe(1);
    expect(await valueOf(served, 'em_catalog_version')).toBe(1);
    expect(await valueOf(served, 'em_catalog_models')).toBe(14);
    expect(await valueOf(served, 'em_health{status="ok"}')).toBe(1);
    expect(await valueOf(served, 'em_sync_next_timestamp_seconds')).toBeNull();
  });

  test('tell of the database, and log what is slow with its operation', async () => {
    expect(await valueOf(served, 'em_database_up')).toBe(1);
    expect(await valueOf(served, 'em_database_size_bytes')).toBeGreaterThan(100_000);
    const max = name === 'Postgres' ? 20 : null;
    expect(await valueOf(served, 'em_database_pool_max{side="read"}')).toBe(max);
    if (name === 'SQLite') return;
    await within({ operation: 'models.list' }, () =>
      sql`select pg_sleep(1.2)`.execute(served.app.database.read),
    );
    expect(await valueOf(served, 'em_database_slow_queries_total{operation="models.list"}')).toBe(1);
    const line = served.app.log.find(({ msg }) => String(msg).startsWith('slow query'));
    expect(line).toMatchObject({ operation: 'models.list', side: 'read' });
    expect(line?.msg).toMatch(/^slow query of models\.list: 1[2-9]\d\d ms$/);
  });

  test('count failed answers and slow queries of every operation from 0 on', async () => {
    expect(await valueOf(served, 'em_http_errors_total{operation="models.get"}')).toBe(0);
    expect(await valueOf(served, 'em_database_slow_queries_total{operation="changes.atom"}')).toBe(0);
    expect(await valueOf(served, 'em_memory_limit_bytes')).toBeGreaterThan(1e8);
  });

  test('judge runs, and not those that a shutdown stopped', async () => {
    const { write } = served.app.database;
    const [last] = (await served.app.json<{ data: SyncRun[] }>('/v1/admin/sync/history', ADMIN)).data;
    const add = (id: string, status: SyncRun['status'], minutes: number) =>
      write
        .insertInto('sync_runs')
        .values({
          id,
          status,
          message: '',
          trigger: 'schedule',
          started_at: new Date(Date.parse(last?.startedAt ?? '') + minutes * 60_000).toISOString(),
          completed_at: new Date(Date.parse(last?.startedAt ?? '') + minutes * 60_000 + 1_000).toISOString(),
          total_fetched: 0,
          total_stored: 0,
          catalog_version: null,
          forced: 0,
          sources: '[]',
        })
        .execute();
    const judged = async () => [
      await valueOf(served, 'em_sync_last_run_ok'),
      await valueOf(served, 'em_sync_last_run_stored'),
    ];
    const storedAt = await valueOf(served, 'em_sync_last_stored_timestamp_seconds');
    expect(storedAt).toBe(Date.parse(last?.completedAt ?? '') / 1_000);
    await add('sync_1', 'aborted', 10);
    expect(await judged()).toEqual([1, 1]);
    await add('sync_2', 'interrupted', 20);
    expect(await judged()).toEqual([0, 0]);
    expect(await valueOf(served, 'em_sync_last_stored_timestamp_seconds')).toBe(storedAt);
    await add('sync_3', 'partial', 30);
    expect(await judged()).toEqual([0, 1]);
  });

  test('are clean by the rules of Prometheus', async ({ skip }) => {
    skip(!hasPromtool(), 'promtool is not installed');
    const text = await (await served.app.get('/metrics', ADMIN)).text();
    const complaints = await new Promise<string>((resolve, reject) => {
      const child = execFile('promtool', ['check', 'metrics'], (error, stdout, stderr) =>
        error && stderr === '' && stdout === '' ? reject(error) : resolve(stdout + stderr),
      );
      child.stdin?.end(text);
    });
    expect(complaints).toBe('');
  });
});

test('a token opens the metrics and nothing else, and is no way to guess the admin secret', async () => {
  const METRICS_TOKEN = 'metrics-Token-4Rt8yUi2oPa6sDf0gHj3kLz7xCv1bNm5Q';
  const served = await startServed(DATABASES[0].create, { environment: { METRICS_TOKEN } });
  try {
    const bearer = { authorization: `Bearer ${METRICS_TOKEN}` };
    expect((await served.app.get('/metrics', bearer)).status).toBe(200);
    expect((await served.app.get('/v1/admin/sync/history', bearer)).status).toBe(401);
    expect(await valueOf(served, 'em_admin_refused_total')).toBe(1);
    for (let guess = 0; guess < 5; guess += 1)
      await served.app.get('/metrics', { authorization: `Bearer wrong-${guess}` });
    expect((await served.app.get('/metrics', bearer)).status).toBe(429);
    expect(await valueOf(served, 'em_rate_limited_total{limiter="admin"}')).toBeGreaterThan(0);
  } finally {
    await served.close();
  }
});

test('a worker answers monitors alone; a server runs no schedule, but syncs when it is asked to', async () => {
  const worker = await startServed(DATABASES[0].create, {
    environment: { ROLE: 'worker', SYNC_ON_START: 'always' },
  });
  try {
    for (const path of ['/health', '/health/live', '/health/ready'])
      expect((await worker.app.get(path)).status).toBe(200);
    expect((await worker.app.get('/metrics', ADMIN)).status).toBe(200);
    for (const path of ['/v1/models', '/docs', '/openapi.json', '/trpc/health.get'])
      expect((await worker.app.get(path)).status).toBe(404);
    while ((await valueOf(worker, 'em_sync_last_run_ok')) !== 1) await setTimeout(20);
  } finally {
    await worker.close();
  }
  const server = await startServed(DATABASES[0].create, {
    environment: { ROLE: 'serve', SYNC_ON_START: 'always', SYNC_CRON: '* * * * * *' },
  });
  try {
    // It says when workers do, and leaves it to them.
    expect(await valueOf(server, 'em_sync_interval_seconds')).toBe(1);
    const { data: status } = await server.app.json<{ data: Status }>('/v1/status');
    expect(Date.parse(status.nextSyncAt ?? '')).toBeGreaterThan(Date.now() - 5_000);
    await setTimeout(1_500);
    expect((await server.app.sync()).trigger).toBe('api');
    expect((await server.app.json<{ data: unknown[] }>('/v1/admin/sync/history', ADMIN)).data).toHaveLength(
      1,
    );
  } finally {
    await server.close();
  }
});
