import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SAMPLE_MS } from '../../server/db/samples.ts';
import { ownFolder } from '../support/backups.ts';
import { DATABASES } from '../support/databases.ts';
import { runOps } from '../support/ops.ts';
import { storeSamples } from '../support/samples.ts';
import { ADMIN, fail, startSynced, type Served } from '../support/synced.ts';

describe.each(DATABASES)('incidents on $name', ({ create }) => {
  let served: Served;
  let environment: Record<string, string>;
  beforeAll(async () => {
    served = await startSynced(create);
    environment = { DATABASE_URL: served.database.url, SERVICE_URL: served.app.url };
  });
  afterAll(() => served.close());

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
    const INCIDENTS_DIR = ownFolder();
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
    const INCIDENTS_DIR = ownFolder();
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

    const file = join(ownFolder(), 'file');
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
    const INCIDENTS_DIR = ownFolder();
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
});
