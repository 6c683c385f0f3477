import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startApp, type TestApp } from '../support/app.ts';
import { BACKED_UP, ownFolder } from '../support/backups.ts';
import { runOps } from '../support/ops.ts';
import { ask as query, installedBinaries } from '../support/postgres.ts';
import { startReaders } from '../support/readers.ts';
import { ask, environmentOf, POST, UNAVAILABLE, uncached, useScene } from './support/postgres-scene.ts';

const run = promisify(execFile);
const PAGE = 8_192;
const MODEL = '/v1/models/openai/gpt-5-mini';

const postgres = BACKED_UP.find(({ isPostgres }) => isPostgres);
const binaries = installedBinaries();

describe('Postgres with pages that are damaged', () => {
  const scene = useScene({ autovacuum: 'off' });

  /** A copy of the catalogue, for its owner and for the superuser. */
  async function copy(): Promise<{ url: string; asSuperuser: string }> {
    const url = await scene.copy();
    return {
      url,
      asSuperuser: Object.assign(new URL(scene.server.url), { pathname: new URL(url).pathname }).href,
    };
  }

  /** Writes over every page of a table or an index while the server is stopped. */
  async function damage({ asSuperuser }: { asSuperuser: string }, relation: string): Promise<void> {
    const [row] = await query<{ path: string }>(
      asSuperuser,
      `select current_setting('data_directory') || '/' || pg_relation_filepath('${relation}') as path`,
    );
    await query(asSuperuser, 'checkpoint');
    await scene.server.halt();
    const path = row?.path ?? '';
    const bytes = readFileSync(path);
    expect(bytes.length % PAGE).toBe(0);
    expect(bytes.length).toBeGreaterThan(0);
    writeFileSync(path, bytes.fill(0x5a));
    await scene.server.start();
  }

  /** Starts a service on it; in the end nothing may have been fatal to it. */
  async function serve(url: string): Promise<TestApp> {
    const app = await startApp(environmentOf(scene, url), { times: { leaseMs: 2_000 } });
    onTestFinished(async () => {
      await app.stop();
      expect(app.log.filter(({ level }) => Number(level) >= 60)).toEqual([]);
    });
    return app;
  }

  test.each([
    ['a table', 'models', [uncached(), MODEL]],
    ['an index', 'models_pkey', [MODEL]],
  ])(
    'P18 those of %s: what needs them is 503, and everything else is served',
    async (_, relation, needing) => {
      const database = await copy();
      await damage(database, relation);
      const app = await serve(database.url);
      for (let time = 0; time < 3; time += 1) {
        for (const path of needing)
          expect([path, await ask(app.url, path)]).toMatchObject([path, UNAVAILABLE]);
        for (const path of ['/v1/incidents', '/v1/sources', '/health/live', '/health/ready'])
          expect([path, await ask(app.url, path)]).toMatchObject([path, { status: 200 }]);
      }
      const readers = startReaders([app.url]);
      const started = await ask(app.url, '/v1/admin/sync', POST);
      expect([202, 503]).toContain(started.status);
      const statuses = async () =>
        (await app.database.read.selectFrom('sync_runs').select('status').execute()).map(
          ({ status }) => status,
        );
      await expect.poll(statuses, { timeout: 15_000 }).not.toContain('running');
      expect((await readers.stop()).violations).toEqual([]);
    },
  );

  test.skipIf(binaries === null && !process.env.CI)(
    'P18 those of a table are found by pg_amcheck',
    async () => {
      const database = await copy();
      const program = join(binaries ?? '', 'pg_amcheck');
      const check = () =>
        run(program, ['--install-missing', '--no-password', database.asSuperuser], {
          cwd: dirname(program),
        }).then(
          () => 'whole',
          ({ stdout, code }: { stdout: string; code: number }) => `${code}: ${stdout}`,
        );
      expect(await check()).toBe('whole');
      await damage(database, 'models');
      expect(await check()).toMatch(/^2: [^]*models[^]*invalid page in block 0/);
    },
  );

  test.skipIf(postgres?.skipped && !process.env.CI)(
    `P18 those of a table keep it from being backed up, and a restored backup is served from, on ${postgres?.name}`,
    { timeout: 90_000 },
    async () => {
      const database = await copy();
      const before = await serve(database.url);
      const { data } = await before.json<{ data: unknown }>('/v1/models?limit=100');
      const environment = { DATABASE_URL: database.url, BACKUP_DIR: ownFolder() };
      expect(await runOps(['backup'], environment)).toMatchObject({ code: 0 });
      await damage(database, 'models');
      const failed = await runOps(['backup'], environment);
      expect(failed.code).toBe(1);
      expect(failed.stderr).toMatch(/^backup failed: .*invalid page in block 0/m);

      const elsewhere = await scene.server.create();
      const restored = await runOps(['restore', 'latest', '--to', elsewhere.url], environment);
      expect(restored).toMatchObject({ code: 0 });
      const app = await serve(elsewhere.url);
      expect((await app.json<{ data: unknown }>('/v1/models?limit=100')).data).toEqual(data);
      expect(await app.sync()).toMatchObject({ status: 'completed' });
    },
  );
});
