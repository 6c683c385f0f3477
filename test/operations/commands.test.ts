import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import type { Status as StatusData } from '../../contracts/system.ts';
import { SAMPLE_MS } from '../../server/db/samples.ts';
import { DATABASES } from '../support/databases.ts';
import { runOps } from '../support/ops.ts';
import { storeSamples } from '../support/samples.ts';
import { ADMIN, fail, hold, startSynced, type Served } from '../support/synced.ts';

interface Status {
  data: StatusData;
}

/** A folder that is gone after the test. */
function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'effect-models-ops-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** The port of loopback on which a server listens, until the end of the test. */
async function portOf(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

/** A server of HTTP, until the end of the test. */
const startHttp = async (answer: RequestListener) =>
  `http://127.0.0.1:${await portOf(createHttpServer(answer))}`;

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

  test('the timeline of an incident has what ended in its time, whenever it began', async () => {
    const { write } = served.app.database;
    const time = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString();
    const times = { started_at: time(50), completed_at: time(10) };
    const early = { started_at: time(50), completed_at: time(40) };
    const run = {
      status: 'failed',
      trigger: 'schedule',
      total_fetched: 0,
      total_stored: 0,
      catalog_version: null,
      forced: 0,
      sources: '[]',
    };
    await write
      .insertInto('sync_runs')
      .values([
        { ...run, ...times, id: 'sync_long', message: 'It took long' },
        { ...run, ...early, id: 'sync_early', message: 'It was before' },
      ])
      .execute();
    const operation = { id: 'op_long', kind: 'backup', status: 'failed', message: 'No room', details: '{}' };
    await write
      .insertInto('operations')
      .values({ ...operation, ...times })
      .execute();
    const INCIDENTS_DIR = folder();
    const args = ['incident', 'new', '--title', 'Störung', '--severity', '3', '--since', '30m'];
    expect(await runOps(args, { ...environment, INCIDENTS_DIR })).toMatchObject({ code: 0 });
    const report = readFileSync(join(INCIDENTS_DIR, readdirSync(INCIDENTS_DIR)[0] ?? ''), 'utf8');
    const at = (iso: string) => iso.slice(0, 16).replace('T', ' ');
    expect(report).toContain(`- ${at(times.completed_at)} UTC: Sync sync_long failed: It took long\n`);
    expect(report).toContain(`- ${at(times.completed_at)} UTC: backup failed: No room\n`);
    expect(report).not.toContain('It was before');
    await write.deleteFrom('sync_runs').where('id', 'in', ['sync_long', 'sync_early']).execute();
    await write.deleteFrom('operations').where('id', '=', 'op_long').execute();
  });

  test('an incident report never takes the place of another, and is there where it can not be published', async () => {
    const INCIDENTS_DIR = folder();
    const away = { ...environment, INCIDENTS_DIR, SERVICE_URL: 'http://127.0.0.1:1' };
    const args = ['incident', 'new', '--title', '障害', '--severity', '2'];
    const unpublished = await runOps([...args, '--publish', 'We look.'], away);
    expect([unpublished.code, unpublished.stderr]).toEqual([
      1,
      expect.stringMatching(
        /incident new failed: the report is written, but .* does not answer at .*POST \/v1\/admin\/incidents, or/,
      ),
    ]);
    expect(unpublished.stdout).toMatch(/^Wrote /);
    for (let count = 0; count < 2; count += 1) expect((await runOps(args, away)).code).toBe(0);
    const names = readdirSync(INCIDENTS_DIR).join(' ');
    expect(names).toMatch(/^\S+-incident(-2)?\.md \S+-incident(-2|-3)?\.md \S+-incident(-2|-3)?\.md$/);

    const file = join(folder(), 'file');
    writeFileSync(file, '');
    const closed = await runOps(args, { ...away, INCIDENTS_DIR: join(file, 'incidents') });
    expect([closed.code, closed.stderr]).toEqual([
      1,
      expect.stringMatching(/could not be written \(ENOTDIR\): name a folder in INCIDENTS_DIR/),
    ]);
  });

  test('an incident report has its timeline filled in, and the status page tells of it', async () => {
    const heal = fail(served.upstream, 500, (path) => path.startsWith('/huggingface/'));
    await served.app.sync();
    heal();
    const from = Math.floor(Date.now() / SAMPLE_MS) * SAMPLE_MS - 12 * SAMPLE_MS;
    await storeSamples(served.app.database, {
      from,
      count: 10,
      change: (index) => (index === 4 || index === 5 ? { errors: 7 } : index > 7 ? { version: '0.0.2' } : {}),
    });
    const INCIDENTS_DIR = folder();
    const { code, stdout, stderr } = await runOps(
      ['incident', 'new', '--title', 'Lists fail: 5xx', '--severity', '2', '--publish', 'We are on it.'],
      { ...environment, INCIDENTS_DIR },
    );
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^Wrote .*lists-fail-5xx\.md: \d+ lines of timeline/),
    ]);
    expect(stderr).toContain('The timeline has no alerts: set PROMETHEUS_URL or ALERTMANAGER_URL');
    const [file = ''] = readdirSync(INCIDENTS_DIR);
    const report = readFileSync(join(INCIDENTS_DIR, file), 'utf8');
    expect(report).toMatch(
      /^# Incident Report: Lists fail: 5xx\n\n\*\*Date\*\*: \d{4}-\d\d-\d\d\n\*\*Severity\*\*: 2 \(High\)\n/,
    );
    const minute = (index: number) =>
      new Date(from + index * SAMPLE_MS).toISOString().slice(0, 16).replace('T', ' ');
    expect(report).toContain(`- ${minute(4)} UTC: Errors began: 7 of 100 answers in five minutes\n`);
    expect(report).toContain(`- ${minute(6)} UTC: Errors ended\n`);
    expect(report).toContain(`- ${minute(8)} UTC: Version 0.0.2 instead of 0.0.1\n`);
    expect(report).toMatch(/UTC: Sync sync_\w+ partial: .*huggingface failed \(http: /);
    for (const heading of [
      'Summary',
      'Timeline',
      'Root Cause',
      'Resolution',
      'Prevention',
      'Owner',
      'Reviewers',
    ])
      expect(report).toContain(`\n## ${heading}\n`);
    const { data } = await served.app.json<{ data: object[] }>('/v1/incidents');
    expect(data).toMatchObject([
      { title: 'Lists fail: 5xx', severity: 2, updates: [{ message: 'We are on it.' }] },
    ]);

    const update = (...args: string[]) => runOps(['incident', 'update', ...args], environment);
    const identified = await update('--status', 'identified', '--message', 'It is the disk.');
    expect([identified.code, identified.stdout]).toEqual([
      0,
      expect.stringMatching(/^The status page says of inc_\w+ \(Lists fail: 5xx\): identified\.$/m),
    ]);
    const wrong = await update('--status', 'scheduled', '--message', 'x');
    expect([wrong.code, wrong.stderr]).toEqual([
      1,
      expect.stringContaining('Of an incident, use investigating'),
    ]);
    const other = { title: 'Another', severity: 3, message: 'x' };
    const opened = await fetch(`${served.app.url}/v1/admin/incidents`, {
      method: 'POST',
      headers: { ...ADMIN, 'content-type': 'application/json' },
      body: JSON.stringify(other),
    });
    expect(opened.status).toBe(200);
    const several = await update('--status', 'resolved', '--message', 'It works again.');
    expect([several.code, several.stderr]).toEqual([
      1,
      expect.stringMatching(
        /several incidents are under way: name one of inc_\w+ \(Another\), inc_\w+ \(Lists/,
      ),
    ]);
    for (const { id } of (await served.app.json<{ data: { id: string }[] }>('/v1/incidents')).data)
      expect((await update(id, '--status', 'resolved', '--message', 'It works again.')).code).toBe(0);
    const none = await update('--status', 'resolved', '--message', 'x');
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining('no incident is under way')]);
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
  const cwd = folder();
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
  const elsewhere = folder();
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

describe.skipIf(inject('redisUrl') === null)('the cache in Redis', () => {
  test('is cleared of answers, and of nothing else', async () => {
    const url = new URL(inject('redisUrl') ?? '');
    url.pathname = '/14';
    const client = createClient({ url: url.href });
    await client.connect();
    onTestFinished(async () => {
      await client.flushDb();
      client.destroy();
    });
    const answers = Array.from({ length: 2_500 }, (_, index) => `em:answers::v1:${index}`);
    await client.mSet(
      [...answers, 'em:answers:open::v1:1', 'em:limit:127.0.0.1'].flatMap((key) => [key, '1']),
    );
    const { code, stdout } = await runOps(['cache', 'clear'], { REDIS_URL: url.href });
    expect([code, stdout]).toEqual([0, 'Forgot 2501 answers. They are made anew as they are asked for.\n']);
    expect(await client.keys('*')).toEqual(['em:limit:127.0.0.1']);
  });
});

test('a cache that can not be cleared is told of', async () => {
  const { code, stdout, stderr } = await runOps(['cache', 'clear'], {});
  expect([code, stdout, stderr]).toEqual([
    1,
    '',
    expect.stringMatching(/^cache clear failed: nothing was forgotten: REDIS_URL is not set\. .*restarted/),
  ]);
  const down = await runOps(['cache', 'clear'], { REDIS_URL: 'redis://127.0.0.1:1' });
  expect([down.code, down.stderr]).toEqual([
    1,
    expect.stringMatching(/^cache clear failed: Redis can not be used/),
  ]);
  const silent = await portOf(createServer((socket) => void socket.on('error', () => {}).resume()));
  const hangs = await runOps(['cache', 'clear'], { REDIS_URL: `redis://127.0.0.1:${silent}` });
  expect([hangs.code, hangs.stderr]).toEqual([
    1,
    expect.stringMatching(/^cache clear failed: Redis can not be used: .*restart it where it hangs/),
  ]);
});

test('a secret is rotated in an env file: beside the old one, then in place of it', async () => {
  const file = join(folder(), 'service.env');
  const OLD = 'old-Secret-7Qm2vXk9LpR4sTw8ZbN3cJh6Fy1Dg5Ea0Uo';
  writeFileSync(file, `# production\nPORT=3000\nADMIN_SECRET=${OLD}\nADMIN_SECRET_NEXT=\n`);
  const early = await runOps(['rotate-secret', '--file', file, '--finish'], {});
  expect([early.code, early.stderr]).toEqual([1, expect.stringContaining('ADMIN_SECRET_NEXT in ')]);

  const begun = await runOps(['rotate-secret', '--file', file], {});
  expect([begun.code, begun.stdout]).toEqual([
    0,
    expect.stringContaining('--finish, and restart once more.'),
  ]);
  const [, next = ''] = /^ADMIN_SECRET_NEXT=(.+)$/m.exec(readFileSync(file, 'utf8')) ?? [];
  expect(next).toMatch(/^[\w-]{43}$/);
  expect(begun.stdout).not.toContain(next);
  expect(readFileSync(file, 'utf8')).toBe(
    `# production\nPORT=3000\nADMIN_SECRET=${OLD}\nADMIN_SECRET_NEXT=${next}\n`,
  );
  const twice = await runOps(['rotate-secret', '--file', file], {});
  expect([twice.code, twice.stderr]).toEqual([1, expect.stringContaining('a rotation is under way')]);

  expect((await runOps(['rotate-secret', '--file', file, '--finish'], {})).code).toBe(0);
  expect(readFileSync(file, 'utf8')).toBe(
    `# production\nPORT=3000\nADMIN_SECRET=${next}\nADMIN_SECRET_NEXT=\n`,
  );
  const missing = await runOps(['rotate-secret', '--file', `${file}.missing`], {});
  expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('can not be read (ENOENT)')]);
  const printed = await runOps(['rotate-secret'], {});
  expect(printed.stdout).toMatch(/^New secret {2}[\w-]{43}\nIts hash {4}sha256:[0-9a-f]{64}\n/);
});

test('a secret in a file of others is rotated as it is there: owner, rights, and hash', async () => {
  const file = join(folder(), 'service.env');
  const hashOf = (secret: string) => `sha256:${createHash('sha256').update(secret).digest('hex')}`;
  writeFileSync(file, `ADMIN_SECRET=${hashOf('old')}\n`);
  chmodSync(file, 0o640);
  if (process.getuid?.() === 0) chownSync(file, 4_711, 4_712);
  const { uid, gid, mode } = statSync(file);
  const begun = await runOps(['rotate-secret', '--file', file], {});
  expect(begun.code).toBe(0);
  const [, secret = ''] = /^New secret {2}([\w-]{43})$/m.exec(begun.stdout) ?? [];
  expect(readFileSync(file, 'utf8')).toBe(
    `ADMIN_SECRET=${hashOf('old')}\nADMIN_SECRET_NEXT=${hashOf(secret)}\n`,
  );
  expect((await runOps(['rotate-secret', '--file', file, '--finish'], {})).code).toBe(0);
  expect(readFileSync(file, 'utf8')).toBe(`ADMIN_SECRET=${hashOf(secret)}\nADMIN_SECRET_NEXT=\n`);
  const after = statSync(file);
  expect([after.uid, after.gid, after.mode]).toEqual([uid, gid, mode]);
});
