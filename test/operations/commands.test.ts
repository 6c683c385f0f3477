import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { SAMPLE_MS } from '../../server/db/samples.ts';
import { DATABASES } from '../support/databases.ts';
import { runOps } from '../support/ops.ts';
import { storeSamples } from '../support/samples.ts';
import { ADMIN, fail, startSynced, type Served } from '../support/synced.ts';

/** A folder that is gone after the test. */
function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'effect-models-ops-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
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

test('triage names the alerts that fire', async () => {
  const manager = createServer((_, response) =>
    response.end(
      JSON.stringify([
        {
          labels: { alertname: 'CacheDown', severity: 'notify' },
          annotations: { summary: 'Redis is away' },
          startsAt: '2026-11-24T10:00:00.000Z',
        },
      ]),
    ),
  ).listen(0, '127.0.0.1');
  onTestFinished(() => void manager.close());
  await new Promise((resolve) => manager.once('listening', resolve));
  const database = await DATABASES[0].create();
  onTestFinished(database.drop);
  const { stdout } = await runOps(['triage'], {
    DATABASE_URL: database.url,
    SERVICE_URL: 'http://127.0.0.1:1',
    ALERTMANAGER_URL: `http://127.0.0.1:${(manager.address() as AddressInfo).port}`,
  });
  expect(stdout).toMatch(/^BAD +alerts +CacheDown since 2026-11-24 10:00 UTC$/m);
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

test('the cache of one process is no other process to clear', async () => {
  const { code, stdout } = await runOps(['cache', 'clear'], {});
  expect([code, stdout]).toEqual([0, expect.stringMatching(/^REDIS_URL is not set: .*restart/)]);
  const down = await runOps(['cache', 'clear'], { REDIS_URL: 'redis://127.0.0.1:1' });
  expect([down.code, down.stderr]).toEqual([
    1,
    expect.stringMatching(/^cache clear failed: Redis can not be used/),
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
  const printed = await runOps(['rotate-secret'], {});
  expect(printed.stdout).toMatch(/^New secret {2}[\w-]{43}\nIts hash {4}sha256:[0-9a-f]{64}\n/);
});
