import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { newestAdminCalls, protectAudit } from '../../server/db/audit.ts';
import { openDatabase } from '../../server/db/database.ts';
import { ADMIN_SECRET, startApp, type TestApp } from '../support/app.ts';
import { DATABASES } from '../support/databases.ts';
import { runOps } from '../support/ops.ts';
import { startUpstream, type FakeUpstream } from '../support/upstream.ts';

const NEXT = 'n7Hc2mVx9LqW4dKsTz8YbRp1JfGu6EaQi3Xo0MyBvZk';

let upstream: FakeUpstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());

describe.each(DATABASES)('the record of admin calls on $name', ({ create }) => {
  const start = async (environment: Record<string, string> = {}) => {
    const { url, drop } = await create();
    const settings = { ...upstream.urls, DATABASE_URL: url, ADMIN_SECRET_NEXT: NEXT, ...environment };
    const app = await startApp(settings, { world: 'production' });
    onTestFinished(async () => {
      await app.stop();
      await drop();
    });
    return { app, url };
  };
  const recorded = async (app: TestApp) =>
    (await newestAdminCalls(app.database.read, 1_000)).filter(({ result }) => result !== 'configured');
  const post = ({ url }: TestApp, headers: Record<string, string>) =>
    fetch(`${url}/v1/admin/sync?force=true`, { method: 'POST', headers });

  test('has each call with its key, its caller and its input, before it is carried out', async () => {
    const { app, url } = await start();
    const held = Promise.withResolvers<void>();
    upstream.script(
      () => true,
      (_req, _res, next) => void held.promise.then(next),
    );
    const posted = await post(app, { 'x-admin': NEXT, 'user-agent': 'u'.repeat(500), 'x-request-id': 'one' });
    expect(posted.status).toBe(202);
    expect(await recorded(app)).toMatchObject([
      {
        operation: 'admin.sync.start',
        result: 'admitted',
        key: 'ADMIN_SECRET_NEXT',
        address: '127.0.0.1',
        user_agent: 'u'.repeat(200),
        request_id: 'one',
        input_hash: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      },
    ]);
    held.resolve();
    upstream.reset();

    const batch =
      '/trpc/admin.sync.history,admin.sync.history?batch=1&input=%7B%220%22%3A%7B%22limit%22%3A1%7D%7D';
    expect((await app.get(batch, { authorization: `Bearer ${ADMIN_SECRET}` })).status).toBe(200);
    await expect.poll(async () => (await recorded(app)).length).toBe(3);
    const [one, other] = await recorded(app);
    expect([one?.key, one?.operation]).toEqual(['ADMIN_SECRET', 'admin.sync.history']);
    expect(one?.input_hash).not.toBe(other?.input_hash);

    const told = await runOps(['audit'], { DATABASE_URL: url });
    expect([told.code, told.stdout.split('\n').length]).toEqual([0, 6]);
    expect(told.stdout).toMatch(
      / admin\.sync\.start +admitted +ADMIN_SECRET_NEXT +127\.0\.0\.1 +request one$/m,
    );
    const json = await runOps(['audit', '--json', '--limit', '1'], { DATABASE_URL: url });
    expect(JSON.parse(json.stdout)).toMatchObject([{ operation: 'admin.sync.history', key: 'ADMIN_SECRET' }]);
    for (const text of [told.stdout, json.stdout, JSON.stringify(app.log)])
      for (const secret of [ADMIN_SECRET, NEXT]) expect(text).not.toContain(secret);
  });

  test('has each secret when it is first seen, and figures tell of its age', async () => {
    const { app, url } = await start();
    const again = await startApp({ DATABASE_URL: url, ADMIN_SECRET: NEXT }, { world: 'production' });
    onTestFinished(() => again.stop());
    const rows = await newestAdminCalls(app.database.read, 10);
    expect(rows.map(({ key }) => key).toSorted()).toEqual(['ADMIN_SECRET', 'ADMIN_SECRET_NEXT']);
    const { at = '' } = rows.find(({ key }) => key === 'ADMIN_SECRET_NEXT') ?? {};
    const figures = await (await again.get('/metrics', { 'x-admin': NEXT })).text();
    expect(figures).toContain(
      `em_admin_secret_first_seen_timestamp_seconds{key="ADMIN_SECRET"} ${Date.parse(at) / 1_000}\n`,
    );
  });

  test('has wrong guesses, not those that were not looked at, and no strangers', async () => {
    const { app } = await start();
    for (let guess = 0; guess < 8; guess += 1) await post(app, { 'x-admin': `guess ${guess}` });
    await app.get('/v1/admin/sync/history');
    await app.get('/trpc/admin.sync.history', { 'x-admin': 'guess' });
    await expect.poll(async () => (await recorded(app)).length).toBe(5);
    for (const call of await recorded(app))
      expect(call).toMatchObject({ operation: 'admin.sync.start', result: 'refused', key: null });
    expect(JSON.stringify(await recorded(app))).not.toContain('guess');
  });

  test('can not be filled by guessing', async () => {
    const { app } = await start({ TRUSTED_PROXIES: '127.0.0.1' });
    for (let guess = 0; guess < 150; guess += 1)
      await post(app, { 'x-admin': 'wrong', 'x-forwarded-for': `203.0.113.${guess}` });
    await expect.poll(async () => (await recorded(app)).length).toBe(100);
    expect((await post(app, { 'x-admin': ADMIN_SECRET })).status).toBe(202);
    await expect.poll(async () => (await recorded(app)).length).toBe(101);
  });

  test('refuses what changes something while it can not be written, and lets the rest be read', async () => {
    const { app } = await start();
    await sql`drop table admin_audit`.execute(app.database.write);
    const refused = await post(app, { 'x-admin': ADMIN_SECRET });
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({
      detail: expect.stringContaining('was not carried out') as string,
    });
    const history = await app.get('/v1/admin/sync/history', { 'x-admin': ADMIN_SECRET });
    expect([history.status, ((await history.json()) as { data: unknown[] }).data]).toEqual([200, []]);
    const lines = app.log.filter(({ msg }) => String(msg).startsWith('admin call '));
    expect(lines.map(({ msg }) => msg)).toEqual([
      'admin call admin.sync.start admitted',
      'admin call admin.sync.history admitted',
    ]);
  });
});

test('the record is nobody’s to change but its owner’s, on Postgres', async () => {
  const { url, drop } = await DATABASES[1].create();
  const role = `audit_${Date.now()}`;
  const database = await openDatabase(url);
  onTestFinished(async () => {
    await sql`drop owned by ${sql.id(role)}`.execute(database.write);
    await sql`drop role ${sql.id(role)}`.execute(database.write);
    await database.close();
    await drop();
  });
  await sql`create role ${sql.id(role)}`.execute(database.write);
  await sql`alter default privileges grant select, insert, update, delete, truncate on tables to ${sql.id(role)}`.execute(
    database.write,
  );
  await database.migrate();
  const may = async (privilege: string) => {
    const { rows } = await sql<{ may: boolean }>`
      select has_table_privilege(${role}, 'admin_audit', ${privilege}) as may`.execute(database.read);
    return rows[0]?.may;
  };
  const all = () => Promise.all(['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'].map(may));
  expect(await all()).toEqual([true, true, false, false, false]);
  await sql`grant update, delete, truncate on admin_audit to ${sql.id(role)}`.execute(database.write);
  await protectAudit(database.write);
  expect(await all()).toEqual([true, true, false, false, false]);
});
