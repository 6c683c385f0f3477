import { readdirSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Status as StatusData } from '../../contracts/system.ts';
import { SAMPLE_MS } from '../../server/db/samples.ts';
import { ownFolder } from '../support/backups.ts';
import { DATABASES } from '../support/databases.ts';
import { runOps } from '../support/ops.ts';
import { portOf } from '../support/ports.ts';
import { storeSamples } from '../support/samples.ts';
import { fail, hold, startSynced, type Served } from '../support/synced.ts';

interface Status {
  data: StatusData;
}

/** A server of HTTP, until the end of the test. */
const startHttp = async (answer: RequestListener) => `http://127.0.0.1:${await portOf(createServer(answer))}`;

/** What runs before a service, answers some requests itself, and passes the others on. */
function startBefore(url: string, takes: (path: string) => number | null): Promise<string> {
  return startHttp((request, response) => {
    const status = takes(request.url ?? '');
    if (status === 0) return void request.socket.destroy();
    if (status !== null) return void response.writeHead(status).end();
    const headers = { 'x-admin': String(request.headers['x-admin']) };
    void fetch(url + request.url, { method: request.method ?? 'GET', headers }).then(async (passed) => {
      response.writeHead(passed.status).end(await passed.text());
    });
  });
}

describe.each(DATABASES)('operators on $name', ({ create }) => {
  let served: Served;
  let environment: Record<string, string>;
  beforeAll(async () => {
    served = await startSynced(create);
    environment = { DATABASE_URL: served.database.url, SERVICE_URL: served.app.url };
  });
  afterAll(() => served.close());

  test('triage: all is well', async () => {
    await storeSamples(served.app.database, { from: Date.now() - 3 * SAMPLE_MS, count: 3 });
    const { code, stdout } = await runOps(['triage'], environment);
    expect(stdout).toMatch(/^ok +service +http:\S+ answered in [\d.]+ m?s: ok, version \d/m);
    expect(stdout).toMatch(/^ok +5xx +0 of \d+ answers in the last 15 minutes \(0\.00 %\)$/m);
    expect(stdout).toMatch(/^ok +database +(sqlite|postgresql) answered in /m);
    expect(stdout).toMatch(/^ok +last sync +sync_\w+ completed, ended /m);
    expect(stdout).toMatch(/^\? +backup +none was recorded$/m);
    expect(code).toBe(0);
  });

  test('triage and sync history: which source failed, why, and since when', async () => {
    const heal = fail(served.upstream, 401, (path) => path.startsWith('/openrouter/'));
    const first = await served.app.sync();
    await served.app.sync();
    const since = first.startedAt.slice(0, 16).replace('T', ' ');
    const { code, stdout } = await runOps(['triage'], environment);
    expect(code).toBe(1);
    expect(stdout).toMatch(
      new RegExp(
        `^BAD +openrouter +failed \\(auth, last status 401\\) since ${since} UTC, 2 in a row: `,
        'm',
      ),
    );
    expect(stdout).toMatch(/^BAD +last sync +sync_\w+ partial, /m);
    const history = await runOps(['sync', 'history', '--limit', '2'], environment);
    expect(history.stdout).toMatch(/^sync_\w+ +partial +api +/m);
    expect(history.stdout).toMatch(/^ {4}openrouter: failed, 0 items in .*\(auth, last status 401\)/m);
    expect(history.stdout).toContain('… and 1 more: --limit');
    heal();
    const again = await runOps(['sync'], environment);
    expect([again.code, again.stdout]).toEqual([
      0,
      expect.stringMatching(/completed after .*: Successfully synced/),
    ]);
    expect((await runOps(['triage'], environment)).code).toBe(0);
  });

  test('triage looks past a sync whose process died, and as far as a source was good', async () => {
    const { write } = served.app.database;
    const good = await write.selectFrom('sources').select(['id', 'last_good_at as at']).execute();
    const heal = fail(served.upstream, 401, (path) => path.startsWith('/openrouter/'));
    const failed = await served.app.sync();
    heal();
    const started = Date.parse(failed.startedAt);
    const outcomes = JSON.stringify(failed.sources);
    const row = (id: string, status: string, ageMs: number, sources: string) => ({
      id,
      status,
      message: 'It broke',
      trigger: 'schedule',
      started_at: new Date(started - ageMs).toISOString(),
      completed_at: new Date(started - ageMs + 1_000).toISOString(),
      total_fetched: 0,
      total_stored: 0,
      catalog_version: null,
      forced: 0,
      sources,
    });
    await write
      .insertInto('sync_runs')
      .values(row('sync_died', 'interrupted', -2_000, '[]'))
      .execute();
    const told = async () => (await runOps(['triage'], environment)).stdout;
    expect(await told()).toMatch(/^BAD +last sync +sync_died interrupted, /m);
    expect(await told()).toMatch(
      /^BAD +openrouter +failed \(auth, last status 401\) since .* UTC, 1 in a row: /m,
    );

    // As if nothing but failures had been seen for longer than is looked back.
    const day = 24 * 3_600_000;
    const others = await write
      .selectFrom('sync_runs')
      .select(['id', 'sources'])
      .where('id', 'not in', ['sync_died', failed.id])
      .execute();
    for (const { id } of others)
      await write.updateTable('sync_runs').set({ sources: outcomes }).where('id', '=', id).execute();
    await write
      .insertInto('sync_runs')
      .values(row('sync_old', 'partial', 20 * day, outcomes))
      .execute();
    const lastGood = (at: string | null) =>
      write.updateTable('sources').set({ last_good_at: at }).where('id', '=', 'openrouter').execute();
    await lastGood('2026-01-02T03:04:05.000Z');
    expect(await told()).toMatch(
      /^BAD +openrouter +failed \(auth, .*\) for at least 14 d, last good 2026-01-02 03:04 UTC: /m,
    );
    await lastGood(null);
    expect(await told()).toMatch(/^BAD +openrouter +failed \(auth, .*\) in every sync so far, it has never/m);

    for (const { id, sources } of others)
      await write.updateTable('sync_runs').set({ sources }).where('id', '=', id).execute();
    await lastGood(good.find(({ id }) => id === 'openrouter')?.at ?? null);
    await write.deleteFrom('sync_runs').where('id', 'in', ['sync_died', 'sync_old']).execute();
    expect((await served.app.sync()).status).toBe('completed');
  });

  test('a service of which the status can not be told is none that is bad', async () => {
    const SERVICE_URL = await startBefore(served.app.url, (path) => (path === '/v1/status' ? 503 : null));
    const { code, stdout } = await runOps(['triage'], { ...environment, SERVICE_URL });
    expect(stdout).toMatch(/^ok +service +http:\S+ answered in /m);
    expect(stdout).toMatch(/^\? +next sync +the service answered 503/m);
    expect(code).toBe(0);
  });

  test('sync waits for its end though looks at it fail', async () => {
    const release = hold(served.upstream, (path) => path.startsWith('/openrouter/'));
    const answers = [503, 0, 429];
    const SERVICE_URL = await startBefore(served.app.url, (path) => {
      if (!path.startsWith('/v1/admin/sync/sync_')) return null;
      const [status = null] = answers.splice(0, 1);
      if (answers.length === 0) release();
      return status;
    });
    const { code, stdout, stderr } = await runOps(['sync'], { ...environment, SERVICE_URL });
    expect([code, stderr, answers]).toEqual([0, '', []]);
    expect(stdout).toMatch(/^Sync sync_\w+ completed after /m);
    const gone = await startBefore(served.app.url, (path) => (path.includes('/sync_') ? 404 : null));
    const refused = await runOps(['sync'], { ...environment, SERVICE_URL: gone });
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining('sync failed: the service answered 404'),
    ]);
    await expect.poll(async () => (await served.app.json<Status>('/v1/status')).data.runningSync).toBeNull();
  });

  test('commands that can not be used say why, and how they are', async () => {
    const cases: [string[], number, RegExp][] = [
      [['nothing'], 64, /^There is no command "nothing"\.\n\nnpm run ops -- <command>/],
      [['sync', 'history', '--limit', 'x'], 64, /^--limit must be .*\nUsage: npm run ops -- sync history /],
      [['triage', '--wrong'], 64, /Unknown option '--wrong'[\s\S]*Usage: npm run ops -- triage \[--json\]/],
      [['report', 'weekly', '--week', '2026-13-01'], 64, /^--week must be a day/],
      [['incident', 'new', '--severity', '4', '--title', 'x'], 64, /^--severity must be 1/],
    ];
    for (const [args, code, message] of cases) {
      const result = await runOps(args, environment);
      expect([args, result.code, result.stderr]).toEqual([args, code, expect.stringMatching(message)]);
    }
    const wrong = await runOps(['triage'], { ...environment, BACKUP_KEEP: '-1' });
    expect([wrong.code, wrong.stderr]).toEqual([78, expect.stringContaining('BACKUP_KEEP must be')]);
  });
});

test('triage without service, database and cache says so, and does not hang', async () => {
  const { code, stdout } = await runOps(['triage', '--json'], {
    DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
    REDIS_URL: 'redis://127.0.0.1:1',
    SERVICE_URL: 'http://127.0.0.1:1',
    ALERTMANAGER_URL: 'http://127.0.0.1:1',
  });
  const findings = JSON.parse(stdout) as { name: string; state: string; text: string }[];
  expect(code).toBe(1);
  expect(Object.fromEntries(findings.map(({ name, state }) => [name, state]))).toEqual({
    service: 'bad',
    database: 'bad',
    '5xx': 'unknown',
    sync: 'unknown',
    cache: 'bad',
    alerts: 'unknown',
  });
  expect(findings.find(({ name }) => name === 'database')?.text).toContain('ECONNREFUSED');
});

test('without a database nothing is made, and it says what to do', async () => {
  const cwd = ownFolder();
  const cases: [string[], number, 'stdout' | 'stderr'][] = [
    [['triage'], 1, 'stdout'],
    [['sync', 'history'], 1, 'stderr'],
    [['report', 'weekly'], 1, 'stderr'],
    [['report', 'capacity'], 1, 'stderr'],
    [['incident', 'new', '--title', 'x', '--severity', '1'], 0, 'stderr'],
    [['backup'], 1, 'stderr'],
    [['drill'], 1, 'stderr'],
    [['maintain'], 1, 'stderr'],
    [['db-health'], 1, 'stderr'],
  ];
  const elsewhere = ownFolder();
  for (const [args, code, where] of cases) {
    const result = await runOps(args, { BACKUP_DIR: elsewhere, INCIDENTS_DIR: elsewhere }, { cwd });
    expect([args, result.code, result[where]]).toEqual([
      args,
      code,
      expect.stringMatching(
        /there is no database at \.\/data\/effect-models\.db: check DATABASE_URL, or make one with `npm run migrate`/,
      ),
    ]);
    expect([args, readdirSync(cwd)]).toEqual([args, []]);
  }
});

test('triage names the alerts that fire', async () => {
  const seen: (string | undefined)[] = [];
  const manager = await startHttp((request, response) => {
    seen.push(request.headers.authorization);
    response.end(
      JSON.stringify([
        {
          labels: { alertname: 'CacheDown', severity: 'notify' },
          annotations: { summary: 'Redis is away' },
          startsAt: '2026-11-24T10:00:00.000Z',
        },
      ]),
    );
  });
  const ALERTMANAGER_URL = new URL(manager);
  [ALERTMANAGER_URL.username, ALERTMANAGER_URL.password] = ['em', 'only:Here-0815'];
  const environment = { SERVICE_URL: 'http://em:only-There@127.0.0.1:1/', REDIS_URL: 'redis://127.0.0.1:1' };
  const { stdout, stderr } = await runOps(['triage'], {
    ...environment,
    ALERTMANAGER_URL: ALERTMANAGER_URL.href,
  });
  expect(stdout).toMatch(/^BAD +alerts +CacheDown since 2026-11-24 10:00 UTC$/m);
  expect(stdout).toMatch(/^BAD +service +the service does not answer at http:\/\/127\.0\.0\.1:1 \(/m);
  expect(seen).toEqual([`Basic ${Buffer.from('em:only:Here-0815').toString('base64')}`]);
  expect(stdout + stderr).not.toMatch(/only/);
});
