import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { BACKED_UP, filesIn, manifestsIn, ownFolder, pathWith, within } from '../support/backups.ts';
import { MAIN, runOps, startOps } from '../support/ops.ts';
import { startPostgres, type OwnPostgres } from '../support/postgres.ts';
import { OF_NODE } from '../support/process.ts';
import { startSynced, type Served } from '../support/synced.ts';

const run = promisify(execFile);

/** No other test's drills are on this server. */
let server: OwnPostgres;
beforeAll(async () => {
  server = await startPostgres();
});
afterAll(() => server.stop());

/** The databases that drills have made on a server and not removed. */
async function leftOn(url: string): Promise<string[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ datname: string }>(
    `select datname from pg_database where datname like 'effect\\_models\\_drill\\_%' order by 1`,
  );
  await client.end();
  return rows.map(({ datname }) => datname);
}

for (const kind of BACKED_UP) {
  describe.skipIf(kind.skipped)(`drill on ${kind.name}`, () => {
    let served: Served;
    beforeAll(async () => {
      served = await startSynced(kind.isPostgres ? server.create : kind.create);
    });
    afterAll(() => served.close());

    const environment = (folder: string) => ({ DATABASE_URL: served.database.url, BACKUP_DIR: folder });
    const left = () => (kind.isPostgres ? leftOn(server.url) : Promise.resolve([]));
    const lastDrill = () =>
      served.app.database.read
        .selectFrom('operations')
        .selectAll()
        .where('kind', '=', 'drill')
        .orderBy('started_at', 'desc')
        .executeTakeFirstOrThrow();
    /** A folder with a backup in which one byte is flipped. */
    const broken = async () => {
      const folder = ownFolder();
      expect(await runOps(['backup'], environment(folder))).toMatchObject({ code: 0 });
      const path = join(folder, manifestsIn(folder)[0]?.file ?? '');
      const bytes = readFileSync(path);
      const place = Math.floor(bytes.length * 0.7);
      bytes.writeUInt8(bytes.readUInt8(place) ^ 1, place);
      writeFileSync(path, bytes);
      return folder;
    };

    test('backs up, restores elsewhere, compares, removes, and says how long each took', async () => {
      const folder = ownFolder();
      const { code, stdout } = await runOps(['drill'], environment(folder));
      expect(code).toBe(0);
      for (const step of ['comparison with the manifest', 'migration', 'removal of the scratch database'])
        expect(stdout).toMatch(new RegExp(`^  ${step} +[\\d.]+ m?s$`, 'm'));
      expect(stdout).toMatch(
        /^The drill passed in .*: \S+ of \S+ was restored with \d+ rows in \d+ tables, each as it was$/m,
      );
      expect(filesIn(folder)).toEqual([]);
      expect(await left()).toEqual([]);
      const { status, details } = await lastDrill();
      expect(status).toBe('completed');
      expect(JSON.parse(details)).toMatchObject({
        steps: expect.any(Array) as unknown,
        ms: expect.any(Number) as unknown,
      });
    });

    test('comes to its end though nobody reads what it says any more', async () => {
      const folder = ownFolder();
      const script = `set -o pipefail; "${process.execPath}" "${MAIN}" drill 2>&1 | head -1`;
      const { stdout } = await run('bash', ['-c', script], { env: { ...OF_NODE, ...environment(folder) } });
      expect(stdout).not.toBe('');
      expect(filesIn(folder)).toEqual([]);
      expect(await left()).toEqual([]);
      expect(await lastDrill()).toMatchObject({ status: 'completed' });
    });

    test('takes a backup that is there', async () => {
      const folder = ownFolder();
      expect(await runOps(['backup'], environment(folder))).toMatchObject({ code: 0 });
      const before = filesIn(folder);
      const { code, stdout } = await runOps(['drill', '--backup', 'latest'], environment(folder));
      expect(code).toBe(0);
      expect(stdout).toContain(manifestsIn(folder)[0]?.file);
      expect(filesIn(folder)).toEqual(before);
      expect(await left()).toEqual([]);
    });

    test('O3 fails loudly with a byte that is flipped, and leaves nothing behind', async () => {
      const folder = await broken();
      const before = filesIn(folder);
      const { code, stdout, stderr } = await runOps(['drill', '--backup', 'latest'], environment(folder));
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/drill failed: the backup \S+ is broken/);
      expect(filesIn(folder)).toEqual(before);
      expect(await left()).toEqual([]);
      expect(await lastDrill()).toMatchObject({ status: 'failed' });
    });

    test('fails where what is restored differs though the file is whole', async () => {
      const folder = ownFolder();
      expect(await runOps(['backup'], environment(folder))).toMatchObject({ code: 0 });
      const name = filesIn(folder).find((one) => one.endsWith('.json')) ?? '';
      const text = readFileSync(join(folder, name), 'utf8');
      writeFileSync(join(folder, name), text.replace(/(?<="offers": \{\s+"rows": )\d+/, '99'));
      const { code, stderr } = await runOps(['drill', '--backup', 'latest'], environment(folder));
      expect(code).toBe(1);
      expect(stderr).toMatch(/drill failed: what was restored is not what was backed up: offers has/);
      expect(await left()).toEqual([]);
    });

    test.each(['SIGINT', 'SIGTERM'] as const)(
      'leaves nothing behind when %s ends it anywhere',
      async (signal) => {
        for (const step of [
          /Backing|pg_dump|vacuum into/,
          /SHA-256/,
          /scratch database/,
          /comparison with|copy/,
        ]) {
          const folder = ownFolder();
          const running = startOps(['drill'], environment(folder));
          await running.says(step);
          running.signal(signal);
          // It may have been done by then.
          expect([0, 1]).toContain(await running.ended());
          expect(filesIn(folder)).toEqual([]);
          expect(await left()).toEqual([]);
        }
      },
    );
  });
}

const postgres = BACKED_UP.find(({ isPostgres }) => isPostgres);

describe.skipIf(postgres?.skipped)(`drill on ${postgres?.name}`, () => {
  const migrated = async () => {
    const { url } = await server.create();
    await within(url, (database) => database.migrate());
    return url;
  };

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'that %s ends while it restores removes the scratch',
    async (signal) => {
      const folder = ownFolder();
      const PATH = pathWith('pg_restore', 'exec sleep 60');
      const running = startOps(['drill'], { DATABASE_URL: await migrated(), BACKUP_DIR: folder, PATH });
      await running.says(/pg_restore \.\.\./);
      expect(await leftOn(server.url)).toHaveLength(1);
      running.signal(signal);
      expect(await running.ended()).toBe(1);
      expect(running.output).toContain(`drill failed: interrupted by ${signal}`);
      expect(await leftOn(server.url)).toEqual([]);
      expect(filesIn(folder)).toEqual([]);
    },
  );

  test('restores on another server where one is named, whose password nobody sees', async () => {
    const elsewhere = await startPostgres();
    onTestFinished(elsewhere.stop);
    const folder = ownFolder();
    const seen = join(ownFolder(), 'seen');
    const PATH = pathWith('pg_restore', `echo "$@" > ${seen}; exec "$REAL" "$@"`);
    const { code, stdout, stderr } = await runOps(['drill', '--server', elsewhere.url], {
      DATABASE_URL: await migrated(),
      BACKUP_DIR: folder,
      PATH,
    });
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const args = readFileSync(seen, 'utf8');
    expect(args).toMatch(
      new RegExp(`--dbname=postgres://postgres@127.0.0.1:${elsewhere.port}/effect_models_drill_`),
    );
    expect(args + stdout + stderr).not.toContain(elsewhere.password);
    expect(await leftOn(elsewhere.url)).toEqual([]);
  });

  test('by a role that may make no database fails, and says which may', async () => {
    const url = new URL(await migrated());
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    await client.query(`create role narrow login password 'x'; grant pg_read_all_data to narrow`);
    await client.end();
    url.username = 'narrow';
    url.password = 'x';
    const { code, stderr } = await runOps(['drill'], { DATABASE_URL: url.href, BACKUP_DIR: ownFolder() });
    expect(code).toBe(1);
    expect(stderr).toContain(
      'drill failed: permission denied to create database: use the role that owns the schema',
    );
  });
});
