import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest';
import { scramVerifier } from '../../ops/database/password.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { runOps } from '../support/ops.ts';
import { startPostgres, type OwnPostgres } from '../support/postgres.ts';
import { AA_KEY, startUpstream, type FakeUpstream } from '../support/upstream.ts';

const FIRST = 'first-Password-0815';
const ROTATIONS = 6;

let upstream: FakeUpstream;
let server: OwnPostgres;
let folder: string;
let file: string;
/** As the role of the service; the password is in the file alone. */
let url: string;

beforeAll(async () => {
  upstream = await startUpstream();
  server = await startPostgres({ settings: { log_statement: 'all' } });
  folder = mkdtempSync(join(tmpdir(), 'effect-models-password-'));
  file = join(folder, 'password');
  url = `postgres://em_service@127.0.0.1:${server.port}/effect_models`;
  await asSuperuser(`create role em_service login`);
  await asSuperuser('create database effect_models owner em_service');
});
afterAll(async () => {
  await server?.stop();
  await upstream?.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(async () => {
  await asSuperuser(`alter role em_service password '${FIRST}'`);
  rmSync(`${file}.next`, { force: true });
  writeFileSync(file, `${FIRST}\n`, { mode: 0o640 });
});

async function asSuperuser(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  await client.query(statement);
  await client.end();
}

/** Whether the server takes a password for the role of the service. */
async function takes(password: string): Promise<boolean> {
  const address = new URL(url);
  address.password = password;
  const client = new pg.Client({ connectionString: address.href });
  try {
    await client.connect();
    return true;
  } catch (error) {
    expect(error).toMatchObject({ code: '28P01' });
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

const password = () => readFileSync(file, 'utf8').trimEnd();
const rotate = () => runOps(['rotate-db-password'], { DATABASE_URL: url, DATABASE_PASSWORD_FILE: file });

/** A service whose connections live for a tenth of a second. */
async function startService(): Promise<TestApp> {
  const app = await startApp(
    {
      ...upstream.urls,
      ARTIFICIAL_ANALYSIS_API_KEY: AA_KEY,
      DATABASE_URL: url,
      DATABASE_PASSWORD_FILE: file,
    },
    { times: { connectionSeconds: 0.1 } },
  );
  onTestFinished(() => app.stop());
  return app;
}

/** Asks for what is in no cache, from several sides at once. `stop` answers with how often which status was seen. */
function load(app: TestApp): { stop: () => Promise<Record<number, number>> } {
  const seen: Record<number, number> = {};
  let going = true;
  let asked = 0;
  const ask = async () => {
    while (going) {
      const { status } = await app.get(`/v1/models?offset=${++asked}`);
      seen[status] = (seen[status] ?? 0) + 1;
    }
  };
  const sides = Array.from({ length: 6 }, ask);
  return {
    async stop() {
      going = false;
      await Promise.all(sides);
      return seen;
    },
  };
}

test('P16 the password is rotated again and again, and no request fails', async () => {
  const app = await startService();
  const requests = load(app);
  const passwords = new Set([password()]);
  for (let count = 0; count < ROTATIONS; count += 1) {
    const [{ code, stdout, stderr }, run] = await Promise.all([rotate(), app.sync()]);
    expect({ code, stderr, status: run.status }).toEqual({ code: 0, stderr: '', status: 'completed' });
    expect(stdout).toBe(
      `Role em_service has a new password, and ${file} holds it. New connections use it already.\n`,
    );
    passwords.add(password());
  }
  const { 200: ok = 0, ...others } = await requests.stop();
  expect(others).toEqual({});
  expect(ok).toBeGreaterThan(100);
  expect(passwords.size).toBe(ROTATIONS + 1);
  expect(await takes(password())).toBe(true);
  expect(await takes(FIRST)).toBe(false);
  expect(existsSync(`${file}.next`)).toBe(false);
  expect(statSync(file).mode & 0o777).toBe(0o640);
  // The server logs every statement, and holds no password of them.
  expect(server.log()).toContain('alter role current_user password');
  for (const one of passwords) if (one !== FIRST) expect(server.log()).not.toContain(one);
  const said = app.log.map((line) => JSON.stringify(line)).join('\n');
  for (const one of passwords) expect(said).not.toContain(one);
});

test('while the server has the new password and the file the old one, connections wait', async () => {
  const app = await startService();
  const requests = load(app);
  await sleep(300);
  await asSuperuser(`alter role em_service password 'second-Password'`);
  await sleep(700);
  writeFileSync(file, 'second-Password\n');
  await sleep(300);
  const { 200: ok = 0, ...others } = await requests.stop();
  expect(others).toEqual({});
  expect(ok).toBeGreaterThan(10);
});

test('a password that stays wrong is 503, and the next one in the file is taken without a restart', async () => {
  const app = await startService();
  await asSuperuser(`alter role em_service password 'second-Password'`);
  await sleep(200);
  expect((await app.get('/v1/models?offset=1')).status).toBe(503);
  writeFileSync(file, '');
  expect((await app.get('/v1/models?offset=2')).status).toBe(503);
  writeFileSync(file, 'second-Password');
  expect((await app.get('/v1/models?offset=3')).status).toBe(200);
});

test('a rotation that was killed between the server and the file is finished by the next', async () => {
  await asSuperuser(`alter role em_service password '${scramVerifier('half-Password')}'`);
  writeFileSync(`${file}.next`, 'half-Password\n');
  expect((await rotate()).code).toBe(0);
  expect(password()).not.toBe('half-Password');
  expect(await takes(password())).toBe(true);
});

test('a rotation that was killed before it reached the server is forgotten by the next', async () => {
  writeFileSync(`${file}.next`, 'never-Password\n');
  expect((await rotate()).code).toBe(0);
  expect(await takes(password())).toBe(true);
});

test.each([
  [
    'a password in the URL',
    () => ({ DATABASE_URL: `postgres://em_service:${FIRST}@127.0.0.1:${server.port}/effect_models` }),
    /move it into a file/,
  ],
  [
    'SQLite',
    () => ({ DATABASE_URL: `file:${join(folder, 'x.db')}`, DATABASE_PASSWORD_FILE: file }),
    /has no password/,
  ],
  [
    'a server that is away',
    () => ({ DATABASE_URL: 'postgres://em_service@127.0.0.1:1/x', DATABASE_PASSWORD_FILE: file }),
    /127\.0\.0\.1:1\/x can not be used .*ECONNREFUSED/,
  ],
])('with %s nothing is changed, and it says what to do', async (_, environment, words) => {
  const { code, stderr } = await runOps(['rotate-db-password'], environment());
  expect(code).toBe(1);
  expect(stderr).toMatch(words);
  expect(stderr).not.toContain(FIRST);
  expect(password()).toBe(FIRST);
  expect(await takes(FIRST)).toBe(true);
});
