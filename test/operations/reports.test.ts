import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase } from '../../server/db/database.ts';
import { SAMPLE_MS } from '../../server/db/samples.ts';
import type { CapacityReport } from '../../ops/reports/capacity.ts';
import type { WeeklyReport } from '../../ops/reports/weekly.ts';
import { DATABASES, type TestDatabase } from '../support/databases.ts';
import { runOps } from '../support/ops.ts';
import { storeSamples } from '../support/samples.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const MONDAY = Date.parse('2026-11-09T00:00:00.000Z');

const time = (hours: number) => new Date(MONDAY + hours * HOUR_MS).toISOString();

/** The report of the recorded week, to the letter. */
const WEEKLY = `# Effect Models Weekly Operations Report

Week of: 2026-11-09

## Availability

- Uptime: 99.95 %
- Checks from outside answered: unknown
- Error rate: 0.03 %
- P99 latency: 299 ms
- Requests: 187100
- Measured: 92.86 % of the week

## Data sync

- Last 4 syncs: all completed
- Completed: 98.81 % of 84
- Avg sync duration: 30 min 0 s
- Models in database: 1,283

## Database

- Storage used: 1.0 GB / 20.0 GB
- Connections, most at once: 45 / 100
- Backup status: all 7 successful

## Performance

- Cache hit rate: 90.00 %
- Average query time: 5.0 ms
- Slow queries: 3
- Cost: $145.00 a month (within the budget of $200.00)

## Incidents

- Severity 1: 0
- Severity 2: 0
- Severity 3: 1 (Slow query, resolved)

## Maintenance completed

- [x] Backups: 7 completed, 0 failed
- [x] Backup restored and verified: 1 completed, 0 failed
- [ ] VACUUM ANALYZE, indexes looked at: 0 completed, 0 failed
- [ ] Reviewed error logs
- [ ] Updated dependencies
`;

/** A week of samples with half a day missing, five minutes without the database, and one burst of errors. */
async function record(url: string): Promise<void> {
  const database = await openDatabase(url);
  try {
    await database.migrate();
    await storeSamples(database, {
      from: MONDAY,
      count: 2_016,
      change: (index) => {
        if (index >= 1_000 && index < 1_144) return null;
        if (index === 500) return { ok: 0, requests: 0, durations: '[]' };
        return index === 600 ? { errors: 50, slow_queries: 3, connections: 45 } : {};
      },
    });
    const runs = Array.from({ length: 84 }, (_, index) => ({
      id: `sync_${String(index).padStart(3, '0')}`,
      status: index === 10 ? 'partial' : 'completed',
      message: '',
      trigger: 'schedule',
      started_at: time(index * 2),
      completed_at: time(index * 2 + 0.5),
      total_fetched: 100,
      total_stored: 1_200 + index,
      catalog_version: 1,
      forced: 0,
      sources: '[]',
    }));
    await database.write.insertInto('sync_runs').values(runs).execute();
    const operations = Array.from({ length: 8 }, (_, index) => ({
      id: `op_${index}`,
      kind: index === 7 ? 'drill' : 'backup',
      status: 'completed',
      message: '',
      details: '{}',
      started_at: time(index === 7 ? 30 : index * 24 + 3),
      completed_at: time(index === 7 ? 31 : index * 24 + 4),
    }));
    await database.write.insertInto('operations').values(operations).execute();
    await database.write
      .insertInto('incidents')
      .values({
        id: 'inc_1',
        kind: 'incident',
        title: 'Slow query',
        severity: 3,
        status: 'resolved',
        starts_at: time(50),
        ends_at: time(51),
        updated_at: time(51),
      })
      .execute();
  } finally {
    await database.close();
  }
}

describe.each(DATABASES)('reports on $name', ({ create }) => {
  let recorded: TestDatabase;
  beforeAll(async () => {
    recorded = await create();
    await record(recorded.url);
  });
  afterAll(() => recorded.drop());

  test('a recorded week, golden', async () => {
    const environment = {
      DATABASE_URL: recorded.url,
      STORAGE_LIMIT_GB: '20',
      MONTHLY_COST_USD: '145',
      MONTHLY_BUDGET_USD: '200',
    };
    const { code, stdout } = await runOps(['report', 'weekly', '--week', '2026-11-12'], environment);
    expect(stdout).toBe(WEEKLY);
    expect(code).toBe(0);
  });

  test('a week that nobody measured is unknown, and nothing is made up', async () => {
    const args = ['report', 'weekly', '--week', '2026-06-01', '--json'];
    const { stdout } = await runOps(args, { DATABASE_URL: recorded.url });
    const report = JSON.parse(stdout) as WeeklyReport;
    expect(report).toMatchObject({
      week: '2026-06-01',
      measured: 0,
      availability: { uptime: null, outside: null, errorRate: null, p99Ms: null, requests: null },
      syncs: { runs: 0, last: [], successRate: null, averageMs: null, models: null },
      database: { bytes: null, limitBytes: null, connections: null, connectionsMax: null },
      performance: { hitRate: null, averageQueryMs: null, slowQueries: null, costUsd: null, budgetUsd: null },
    });
    const text = await runOps(args.slice(0, -1), { DATABASE_URL: recorded.url });
    expect(text.stdout.match(/unknown/g)?.length).toBeGreaterThanOrEqual(12);
    expect(text.stdout).toContain('- Backup status: unknown: none was recorded\n');
  });

  test('a run whose process died counts, but neither its duration nor what it stored', async () => {
    const database = await openDatabase(recorded.url);
    const died = {
      id: 'sync_died',
      status: 'interrupted',
      message: 'Its process has died, or could not reach the database',
      trigger: 'schedule',
      started_at: time(-24),
      completed_at: time(-2),
      total_fetched: 0,
      total_stored: 0,
      catalog_version: null,
      forced: 0,
      sources: '[]',
    };
    const whole = {
      ...died,
      id: 'sync_whole',
      status: 'completed',
      started_at: time(-26),
      completed_at: time(-25),
      total_stored: 900,
      catalog_version: 1,
    };
    await database.write.insertInto('sync_runs').values([died, whole]).execute();
    await database.close();
    const { stdout } = await runOps(['report', 'weekly', '--week', '2026-11-02', '--json'], {
      DATABASE_URL: recorded.url,
    });
    expect(JSON.parse(stdout)).toMatchObject({
      syncs: { runs: 2, last: ['interrupted', 'completed'], averageMs: HOUR_MS, models: 900 },
    });
  });

  test('a week that has not begun is refused', async () => {
    const day = new Date(Date.now() + 8 * DAY_MS).toISOString().slice(0, 10);
    const { code, stderr } = await runOps(['report', 'weekly', '--week', day], {
      DATABASE_URL: recorded.url,
    });
    expect([code, stderr]).toEqual([64, expect.stringMatching(/^--week must be a week that has begun, /)]);
  });

  test('the default is the last whole week', async () => {
    const { stdout } = await runOps(['report', 'weekly', '--json'], { DATABASE_URL: recorded.url });
    const { week } = JSON.parse(stdout) as WeeklyReport;
    const age = Date.now() - Date.parse(week);
    expect([new Date(week).getUTCDay(), age >= 7 * DAY_MS, age < 14 * DAY_MS]).toEqual([1, true, true]);
  });
});

test('the review of capacity sees growth, and forecasts it', async () => {
  const { url, drop } = await DATABASES[1].create();
  try {
    const database = await openDatabase(url);
    await database.migrate();
    const start = Math.floor((Date.now() - 60 * DAY_MS) / SAMPLE_MS) * SAMPLE_MS;
    for (let day = 0; day < 60; day += 1)
      await storeSamples(database, {
        from: start + day * DAY_MS,
        count: 3,
        change: () => ({ database_bytes: 1e9 + day * 1e7, connections: 10 + day }),
      });
    await database.close();
    const environment = { DATABASE_URL: url, STORAGE_LIMIT_GB: '1' };
    const { stdout } = await runOps(['report', 'capacity', '--json'], environment);
    const report = JSON.parse(stdout) as CapacityReport;
    expect(report.growthBytesADay).toBeCloseTo(1e7, -4);
    const in3 = (report.forecast?.[2]?.bytes ?? 0) - report.bytes;
    expect(in3).toBeGreaterThan(0.89e9);
    expect(in3).toBeLessThan(0.91e9);
    expect(report.weeks.length).toBeGreaterThanOrEqual(9);
    expect(report.weeks.at(-1)).toMatchObject({ hitRate: 0.9, p99Ms: 299 });
    expect(report.rows).toContainEqual({ table: 'samples', rows: 180 });
    const days = (Date.parse(report.fullOn ?? '') - Date.now()) / DAY_MS;
    expect(Math.round(days)).toBeGreaterThan(70);
    expect(Math.round(days)).toBeLessThan(81);
    const { stdout: text } = await runOps(['report', 'capacity'], environment);
    expect(text).toMatch(/^- Storage: [\d.]+ MB of 1\.0 GB \([\d.]+ %\)$/m);
    expect(text).toMatch(/^- Growth: 10\.0 MB a day$/m);
    expect(text).toMatch(/^ {4}samples +180$/m);
    expect(text).toMatch(/^- 80 % of the storage reached: \d{4}-\d\d-\d\d$/m);
    const full = { ...environment, STORAGE_LIMIT_GB: '0.001' };
    expect((await runOps(['report', 'capacity'], full)).stdout).toMatch(
      /^- 80 % of the storage reached: already$/m,
    );
    const { stdout: json } = await runOps(['report', 'capacity', '--json'], full);
    const { at, fullOn } = JSON.parse(json) as CapacityReport;
    expect(fullOn).toBe(at.slice(0, 10));
  } finally {
    await drop();
  }
});

test('the review of a new service forecasts nothing', async () => {
  const { url, drop } = await DATABASES[0].create();
  try {
    const database = await openDatabase(url);
    await database.migrate();
    await database.close();
    const { stdout } = await runOps(['report', 'capacity'], { DATABASE_URL: url });
    expect(stdout).toContain('- Growth: unknown\n- In 1, 2, 3 months: unknown\n');
    expect(stdout).toContain('## By week\n\nunknown\n');
  } finally {
    await drop();
  }
});
