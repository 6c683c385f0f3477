import {
  chmodSync,
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { sqlitePath } from '../../server/db/orm.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { ownFolder, within } from '../support/backups.ts';
import { DATABASES } from '../support/databases.ts';
import { runOps } from '../support/ops.ts';
import { Command } from '../support/process.ts';
import { ADMIN, problemIn, startSynced, type Served } from '../support/synced.ts';
import { postSync, PRODUCTION } from '../support/service.ts';

const PAGE = 4_096;
/** Who may do no more than rights say: tests may run as root. */
const NOBODY = 65_534;
const asNobody =
  process.getuid?.() === 0 ? ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] : [];

let served: Served;
/** What the list of models is answered with. */
let body: unknown;
/** A database with a catalogue, closed as it should be. */
let whole: string;
/** The same as a backup leaves it: no log belongs to it. */
let backedUp: string;
/** Where a backup of it is. */
let backups: string;
/** A copy of it that a test may break. */
let path: string;

const LIST = '/v1/models?limit=5';
const listOf = async (url: string): Promise<unknown> =>
  ((await (await fetch(url + LIST)).json()) as { data: unknown }).data;

beforeAll(async () => {
  served = await startSynced(DATABASES[0].create);
  body = await listOf(served.app.url);
  const folder = dirname(sqlitePath(served.database.url));
  [whole, backedUp] = [join(folder, 'whole.db'), join(folder, 'backed-up.db')];
  await sql`vacuum into ${backedUp}`.execute(served.app.database.write);
  copyFileSync(backedUp, whole);
  backups = join(folder, 'backups');
  const named = join(folder, 'catalog.db');
  copyFileSync(backedUp, named);
  const backup = await runOps(['backup'], { DATABASE_URL: `file:${named}`, BACKUP_DIR: backups });
  expect(backup).toMatchObject({ code: 0 });
  // Opened once, so that it is kept as the service keeps it.
  await within(`file:${whole}`, ({ write }) => sql`select 1`.execute(write));
});
afterAll(() => served.close());
beforeEach(() => {
  path = join(ownFolder(), 'own', 'catalog.db');
  mkdirSync(dirname(path));
  copyFileSync(whole, path);
  giveToNobody(dirname(path));
  giveToNobody(path);
});

function giveToNobody(what: string): void {
  // The folder above is private as well.
  chmodSync(dirname(what), 0o755);
  if (asNobody.length > 0) chownSync(what, NOBODY, NOBODY);
}

/** Starts `npm start` on the file, as somebody whom rights bind. */
function start(): Command {
  return new Command(
    'start',
    {
      ...served.upstream.urls,
      ...PRODUCTION,
      DATABASE_URL: `file:${path}`,
      PORT: '0',
      SYNC_CRON: 'off',
      SYNC_ON_START: 'never',
    },
    [],
    { within: asNobody },
  );
}

/** Starts the service on the file in this process. */
async function startHere(): Promise<TestApp> {
  const environment = { ...served.upstream.urls, DATABASE_URL: `file:${path}` };
  const app = await startApp(environment, { times: { leaseMs: 2_000 } });
  onTestFinished(() => app.stop());
  return app;
}

/** Writes over a part of the file. */
function spoil(from: number, to: number): void {
  const bytes = readFileSync(path);
  bytes.fill(0x5a, from, to);
  writeFileSync(path, bytes);
}

/** Writes over every page of a table and its indexes. */
async function spoilTable(name: string): Promise<void> {
  const pages = await within(`file:${path}`, async ({ read }) => {
    const { rows } = await sql<{ page: number }>`
      select pageno as page from dbstat
      where name in (select name from sqlite_schema where tbl_name = ${name})`.execute(read);
    return rows;
  });
  expect(pages.length).toBeGreaterThan(3);
  for (const { page } of pages) spoil((page - 1) * PAGE, page * PAGE);
}

describe('a file that may only be read', () => {
  test.each([
    ['as the service leaves it', () => whole],
    ['as a backup is', () => backedUp],
  ])('P19b is served from, and what writes is 503: %s', async (_, from) => {
    copyFileSync(from(), path);
    chmodSync(path, 0o444);
    const service = start();
    const address = await service.url();
    // A machine that has just started it may be too busy for a moment.
    await expect.poll(() => listOf(address), { timeout: 10_000 }).toEqual(body);
    for (let time = 0; time < 3; time += 1) expect(await postSync(address)).toMatchObject({ status: 503 });
    expect((await fetch(`${address}/health`)).status).toBe(200);
    chmodSync(path, 0o644);
    expect(await service.end('SIGTERM')).toBe(0);
    expect(service.output).not.toMatch(/"level":60/);
  });

  test('P19b ends the start where its schema has to be changed, saying what to do', async () => {
    writeFileSync(path, '');
    chmodSync(path, 0o444);
    const service = start();
    expect(await service.ended()).toBe(1);
    expect(service.output).toContain(
      `The database file ${path} can not be written: let the user that runs the service write the file and its folder`,
    );
  });
});

describe('a damaged file', () => {
  test.each([
    [
      'text',
      () => writeFileSync(path, 'This is a text and no database.\n'.repeat(500)),
      'is not an SQLite database',
    ],
    ['one whose header is gone', () => spoil(0, 100), 'is not an SQLite database'],
    ['one whose schema is gone', () => spoil(100, PAGE), 'is damaged'],
  ])('P19d ends the start, saying what to do: %s', async (_, harm, says) => {
    harm();
    const before = readFileSync(path);
    const service = start();
    expect(await service.ended()).toBe(1);
    expect(service.output).toContain(`The database file ${path} ${says}`);
    expect(service.output).toContain('npm run ops -- restore');
    expect(service.output).not.toMatch(/\n +at /);
    // Nothing is made worse.
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  test.each([
    ['text', () => writeFileSync(path, 'This is a text and no database.\n'.repeat(500))],
    ['one whose schema is gone', () => spoil(100, PAGE)],
  ])('P19d gives way to a backup, where that is asked for: %s', async (_, harm) => {
    harm();
    writeFileSync(`${path}-wal`, 'This is no log.');
    const environment = { DATABASE_URL: `file:${path}`, BACKUP_DIR: backups };
    const restore = ['restore', 'latest', '--to', environment.DATABASE_URL];
    const refused = await runOps(restore, environment);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('is damaged: replace it with --replace');
    expect((await runOps([...restore, '--replace'], environment)).code).toBe(0);
    const app = await startHere();
    expect(await listOf(app.url)).toEqual(body);
  });

  test('P19d is 503 where it is damaged and served where it is whole, until a backup is restored', async () => {
    const environment = { DATABASE_URL: `file:${path}`, BACKUP_DIR: backups };
    await spoilTable('models');
    const app = await startHere();
    const ask = async (what: string) => (await app.get(what)).status;
    for (const what of [LIST, '/v1/models/openai/gpt-5-mini']) {
      const response = await app.get(what);
      expect([what, response.status, response.headers.get('retry-after')]).toEqual([what, 503, '5']);
      expect(await problemIn(response)).toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
    }
    expect([await ask('/v1/incidents'), await ask('/v1/sources'), await ask('/health/live')]).toEqual([
      200, 200, 200,
    ]);
    expect((await app.sync()).status).toMatch(/^(failed|interrupted)$/);
    expect(app.log.map(({ msg }) => msg)).toContainEqual(
      expect.stringMatching(/^sync \w+ failed \(failed\): .* database disk image is malformed/),
    );
    expect(app.log.filter(({ level }) => Number(level) >= 60)).toEqual([]);
    await app.stop();

    const restore = ['restore', 'latest', '--to', environment.DATABASE_URL, '--replace'];
    const health = await runOps(['db-health'], environment);
    expect(health.stdout).toContain('The file is damaged: restore the newest backup');
    expect((await runOps(restore, environment)).code).toBe(0);
    const again = await startHere();
    expect(await listOf(again.url)).toEqual(body);
    expect(await again.sync()).toMatchObject({ status: 'completed' });
  });
});

describe('the files beside the file', () => {
  const beside = ['-wal', '-shm'];

  test('P19e are not there at the start, or are not what they should be', async () => {
    for (const text of [null, 'This is no log.'.repeat(1_000)]) {
      for (const ending of beside) {
        rmSync(path + ending, { force: true });
        if (text === null) continue;
        writeFileSync(path + ending, text);
      }
      const app = await startHere();
      expect(await listOf(app.url)).toEqual(body);
      await app.stop();
    }
  });

  test('P19e are removed under the service: it goes on, and nothing is lost', async () => {
    const app = await startHere();
    expect(await app.sync()).toMatchObject({ status: 'completed' });
    expect(beside.map((ending) => existsSync(path + ending))).toEqual([true, true]);
    for (const ending of beside) rmSync(path + ending);
    expect(await app.sync()).toMatchObject({ status: 'completed' });
    const told = await tell(app);
    expect([await listOf(app.url), told.status]).toEqual([body, 200]);
    const { data } = (await told.json()) as { data: { id: string } };
    await app.stop();

    const again = await startHere();
    const { data: incidents } = await again.json<{ data: { id: string }[] }>('/v1/incidents');
    expect(incidents.map(({ id }) => id)).toContain(data.id);
    const { rows } = await sql<object>`pragma integrity_check`.execute(again.database.read);
    expect(rows).toEqual([{ integrity_check: 'ok' }]);
  });

  test.each([
    ['that may not be written', 'written', () => chmodSync(dirname(path), 0o555)],
    ['that is a file', 'opened', () => (path = join(path, 'catalog.db'))],
  ])('P19e are in a folder %s: the start ends, saying what to do', async (_, what, harm) => {
    const folder = dirname(path);
    onTestFinished(() => chmodSync(folder, 0o755));
    harm();
    const service = start();
    expect(await service.ended()).toBe(1);
    expect(service.output).toContain(
      `The database file ${path} can not be ${what}: let the user that runs the service write the file and its folder`,
    );
    expect(service.output).not.toMatch(/\n +at /);
  });
});

function tell({ url }: Pick<TestApp, 'url'>): Promise<Response> {
  const text = JSON.stringify({ title: 'Slow', severity: 3, message: 'Lists take longer.' });
  const headers = { ...ADMIN, 'content-type': 'application/json' };
  return fetch(`${url}/v1/admin/incidents`, { method: 'POST', headers, body: text });
}
