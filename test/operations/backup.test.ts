import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { KNOWN_MIGRATIONS } from '../../server/db/migrations.ts';
import { libpqOf } from '../../ops/database/address.ts';
import { digestOf } from '../../ops/database/manifest.ts';
import {
  BACKED_UP,
  filesIn,
  manifestsIn,
  ownDatabase,
  ownFolder,
  pathWith,
  within,
} from '../support/backups.ts';
import { holdRows, rowsOf } from '../support/many.ts';
import { runOps, startOps } from '../support/ops.ts';
import { startProxy } from '../support/proxy.ts';
import { startSynced, type Served } from '../support/synced.ts';

const BACKUP = /^effect-models-\d{8}T\d{9}Z\.(db|dump)$/;
const ROWS = 400;

for (const kind of BACKED_UP) {
  describe.skipIf(kind.skipped)(`backup on ${kind.name}`, () => {
    let served: Served;
    beforeAll(async () => {
      served = await startSynced(kind.create, {
        arrange: (content) => holdRows(content, 'openrouter', rowsOf(content, 'openrouter', ROWS)),
      });
    });
    afterAll(() => served.close());

    const environment = (folder: string, more: Record<string, string> = {}) => ({
      DATABASE_URL: served.database.url,
      BACKUP_DIR: folder,
      ...more,
    });
    /** What is remembered of the last operation. */
    const lastOperation = () =>
      served.app.database.read
        .selectFrom('operations')
        .selectAll()
        .orderBy('started_at', 'desc')
        .executeTakeFirstOrThrow();
    const backUp = async (folder: string, more: Record<string, string> = {}) => {
      const result = await runOps(['backup'], environment(folder, more));
      expect(result).toMatchObject({ code: 0 });
      return result;
    };

    test('writes a file, and a manifest that says what is in it', async () => {
      const folder = ownFolder();
      const { stdout, stderr } = await backUp(folder);
      const [manifest] = manifestsIn(folder);
      const file = manifest?.file ?? '';
      expect(file).toMatch(BACKUP);
      expect(filesIn(folder).sort()).toEqual([file, file.replace(/\.\w+$/, '.json')].sort());
      for (const name of filesIn(folder)) expect(statSync(join(folder, name)).mode & 0o777).toBe(0o600);
      expect(await digestOf(join(folder, file))).toEqual({
        bytes: manifest?.bytes,
        sha256: manifest?.sha256,
      });
      const { read } = served.app.database;
      const { count } = await read
        .selectFrom('models')
        .select((eb) => eb.fn.countAll().as('count'))
        .executeTakeFirstOrThrow();
      expect(manifest?.tables.models?.rows).toBe(Number(count));
      expect(manifest?.tables.models?.rows).toBeGreaterThan(ROWS);
      expect(manifest).toMatchObject({ migrations: KNOWN_MIGRATIONS, catalogVersion: 1, format: 1 });
      expect(stdout).toMatch(
        /^Backed up in \S+ m?s: \S+: [\d.]+ [kM]B, \d+ rows in \d+ tables, catalogue version 1\n$/,
      );
      expect(stderr).toMatch(/checksums of the tables: \d+ ms/);
      expect(await lastOperation()).toMatchObject({ kind: 'backup', status: 'completed' });
      expect(JSON.parse((await lastOperation()).details)).toMatchObject({ file, catalogVersion: 1 });

      const { stdout: list } = await runOps(['backup', 'list'], environment(folder));
      expect(list).toContain(file);
      const verified = await runOps(['backup', 'verify', 'latest'], environment(folder));
      expect(verified).toMatchObject({ code: 0, stderr: '' });
    });

    test('O1 while a sync commits, holds one version of the catalogue whole', async () => {
      const folder = ownFolder();
      let going = true;
      const syncing = (async () => {
        for (let count = 1; going; count += 1) {
          const rows = rowsOf(served.upstream.content, 'openrouter', ROWS);
          for (const row of rows) row.context_length = 10_000 + count;
          holdRows(served.upstream.content, 'openrouter', rows);
          await served.app.sync('?force=true');
        }
      })();
      for (let count = 0; count < 4; count += 1) await backUp(folder);
      going = false;
      await syncing;
      const manifests = manifestsIn(folder);
      expect(new Set(manifests.map(({ catalogVersion }) => catalogVersion)).size).toBeGreaterThan(1);
      for (const { file, catalogVersion, tables } of manifests) {
        const to = await ownDatabase(kind);
        expect(await runOps(['restore', file, '--to', to], environment(folder))).toMatchObject({ code: 0 });
        const told = async (url: string) =>
          within(url, async ({ read }) => {
            const most = (table: 'changes' | 'catalog_versions') =>
              read
                .selectFrom(table)
                .select((eb) => [eb.fn.max('version').as('version'), eb.fn.countAll().as('count')])
                .where('version', '<=', catalogVersion)
                .executeTakeFirstOrThrow();
            return [await most('changes'), await most('catalog_versions')];
          });
        const { version } = await within(to, ({ read }) =>
          read.selectFrom('catalog').select('version').executeTakeFirstOrThrow(),
        );
        expect(version).toBe(catalogVersion);
        expect(await told(to)).toEqual(await told(served.database.url));
        expect(tables.catalog_versions?.rows).toBe(Number((await told(to))[1]?.count));
      }
    }, 120_000);

    test('keeps the newest backups of the same database, and touches nothing else', async () => {
      const folder = ownFolder();
      const foreign = ['notes.txt', 'effect-models-old.dump', 'effect-models-20200101T000000000Z.json'];
      for (const name of foreign) writeFileSync(join(folder, name), '{}');
      const others = kind.isPostgres ? await ownDatabase(kind) : `file:${join(ownFolder(), 'other.db')}`;
      await within(others, (database) => database.migrate());
      await runOps(['backup'], { ...environment(folder), DATABASE_URL: others, BACKUP_KEEP: '1' });
      for (let count = 0; count < 4; count += 1) await backUp(folder, { BACKUP_KEEP: '2' });
      const own = filesIn(folder).filter((name) => BACKUP.test(name));
      expect(own).toHaveLength(3);
      expect(filesIn(folder)).toHaveLength(3 * 2 + foreign.length);
      expect(filesIn(folder)).toEqual(expect.arrayContaining(foreign));
      expect(JSON.parse((await lastOperation()).details)).toMatchObject({ forgotten: [expect.any(String)] });
    });

    test('O2 on a full disk fails, says so, and keeps what there is', async () => {
      const folder = ownFolder();
      await backUp(folder);
      const before = filesIn(folder);
      const kilobytes = Math.floor(statSync(join(folder, before[0] ?? '')).size / 2_048);
      const limited = startOps(['backup'], environment(folder, { BACKUP_KEEP: '1' }), {
        within: ['bash', '-c', `ulimit -f ${kilobytes}; exec "$@"`, 'bash'],
      });
      expect(await limited.ended()).toBe(1);
      expect(limited.output).toMatch(/backup failed: .* could not be written \(\w+\): the disk is full\./);
      expect(filesIn(folder)).toEqual(before);
      expect(await runOps(['backup', 'verify', 'latest'], environment(folder))).toMatchObject({ code: 0 });
      expect(await lastOperation()).toMatchObject({
        kind: 'backup',
        status: 'failed',
        message: expect.stringContaining('the disk is full') as string,
      });
    });

    test('into a folder that can not be written fails, and says so', async () => {
      const file = join(ownFolder(), 'file');
      writeFileSync(file, '');
      const { code, stderr } = await runOps(['backup'], environment(join(file, 'backups')));
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /could not be written \(ENOTDIR\): name a folder in BACKUP_DIR that may be written/,
      );
    });
  });
}

const [sqlite, postgres] = BACKED_UP;

describe('backup of SQLite', () => {
  test('of a file that is not there makes none', async () => {
    const folder = ownFolder();
    const path = join(folder, 'missing.db');
    const { code, stderr } = await runOps(['backup'], {
      DATABASE_URL: `file:${path}`,
      BACKUP_DIR: join(folder, 'b'),
    });
    expect(code).toBe(1);
    expect(stderr).toContain(`backup failed: there is no database at ${path}`);
    expect(filesIn(folder)).toEqual(['b']);
    expect(filesIn(join(folder, 'b'))).toEqual([]);
  });

  test('of an empty one makes none', async () => {
    const folder = ownFolder();
    writeFileSync(join(folder, 'empty.db'), '');
    const { code, stderr } = await runOps(['backup'], {
      DATABASE_URL: `file:${join(folder, 'empty.db')}`,
      BACKUP_DIR: join(folder, 'b'),
    });
    expect(code).toBe(1);
    expect(stderr).toContain('backup failed: the database has no tables');
    expect(filesIn(join(folder, 'b'))).toEqual([]);
  });

  test('while another process holds the file waits', async () => {
    const url = await ownDatabase(sqlite as (typeof BACKED_UP)[number]);
    await within(url, async (database) => {
      await database.migrate();
      const { promise: held, resolve: release } = Promise.withResolvers<void>();
      const holding = database.write.transaction().execute(async (transaction) => {
        await transaction.deleteFrom('leases').execute();
        await held;
      });
      const folder = ownFolder();
      const running = startOps(['backup'], { DATABASE_URL: url, BACKUP_DIR: folder });
      await running.says(/vacuum into/);
      setTimeout(release, 500);
      expect(await running.ended()).toBe(0);
      await holding;
    });
  });
});

describe.skipIf(postgres?.skipped)(`backup of ${postgres?.name}`, () => {
  const migrated = async () => {
    const url = await ownDatabase(postgres as (typeof BACKED_UP)[number]);
    await within(url, (database) => database.migrate());
    return url;
  };

  test('of a server that is away fails, and says so', async () => {
    const folder = ownFolder();
    const { code, stderr } = await runOps(['backup'], {
      DATABASE_URL: 'postgres://em:hidden-Password@127.0.0.1:1/catalog',
      BACKUP_DIR: folder,
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(
      /backup failed: the database 127\.0\.0\.1:1\/catalog can not be used .*ECONNREFUSED/,
    );
    expect(stderr).not.toContain('hidden-Password');
    expect(filesIn(folder)).toEqual([]);
  });

  test('without pg_dump fails, and says what to install', async () => {
    const [url, folder] = [await migrated(), ownFolder()];
    const { code, stderr } = await runOps(['backup'], {
      DATABASE_URL: url,
      BACKUP_DIR: folder,
      PATH: folder,
    });
    expect(code).toBe(1);
    expect(stderr).toMatch(/backup failed: pg_dump is not installed: install .*postgresql-client/);
    expect(filesIn(folder)).toEqual([]);
  });

  test('gives the password to nobody but pg_dump, and not in its arguments', async () => {
    const [url, folder] = [new URL(await migrated()), ownFolder()];
    url.password = 'only-Here-0815';
    const seen = join(folder, 'seen');
    const PATH = pathWith('pg_dump', `echo "$PGPASSWORD" > ${seen}; echo "$@" >> ${seen}; exec "$REAL" "$@"`);
    const { code, stdout, stderr } = await runOps(['backup'], {
      DATABASE_URL: url.href,
      BACKUP_DIR: join(folder, 'b'),
      PATH,
    });
    expect(code).toBe(0);
    const [password, args] = readFileSync(seen, 'utf8').split('\n');
    expect(password).toBe('only-Here-0815');
    expect(args).toMatch(/--snapshot=\S+ .*--dbname=postgres:\/\//);
    expect(args).not.toContain('only-Here-0815');
    expect(stdout + stderr).not.toContain('only-Here-0815');
  });

  test.each([
    ['?sslmode=no-verify&sslrootcert=/ca.pem&application_name=x', '?sslmode=require'],
    ['?sslmode=verify-full&sslrootcert=/ca.pem', '?sslmode=verify-full&sslrootcert=%2Fca.pem'],
    ['?connect_timeout=3', ''],
  ])('tells pg_dump of %s in its own words', async (given, told) => {
    const url = `postgres://em:secret@db.example/catalog${given}`;
    expect(await libpqOf({ url, passwordFile: null })).toEqual({
      url: `postgres://em@db.example/catalog${told}`,
      password: 'secret',
    });
  });

  test('with a pg_dump that fails in the middle leaves nothing', async () => {
    const [url, folder] = [await migrated(), ownFolder()];
    const PATH = pathWith('pg_dump', `head -c 100000 /dev/zero; echo "pg_dump: error: it broke" >&2; exit 1`);
    const { code, stderr } = await runOps(['backup'], { DATABASE_URL: url, BACKUP_DIR: folder, PATH });
    expect(code).toBe(1);
    expect(stderr).toContain('backup failed: pg_dump exited with 1: pg_dump: error: it broke');
    expect(filesIn(folder)).toEqual([]);
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('that is interrupted by %s leaves nothing', async (signal) => {
    const [url, folder] = [await migrated(), ownFolder()];
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    onTestFinished(() => client.end());
    await client.query('begin; lock table models in access exclusive mode');
    const running = startOps(['backup'], { DATABASE_URL: url, BACKUP_DIR: folder });
    await running.says(/pg_dump \.\.\./);
    await expect.poll(() => filesIn(folder).join()).toMatch(/\.dump\.partial/);
    running.signal(signal);
    expect(await running.ended()).toBe(1);
    expect(running.output).toContain(`backup failed: interrupted by ${signal}`);
    expect(filesIn(folder)).toEqual([]);
    const { rows } = await client.query(`select from pg_stat_activity where datname = current_database()`);
    expect(rows).toHaveLength(1);
  });

  /** A backup that waits for a table, through connections that then freeze. */
  const frozen = async () => {
    const [url, folder] = [new URL(await migrated()), ownFolder()];
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    onTestFinished(() => client.end());
    await client.query('begin; lock table models in access exclusive mode');
    const proxy = await startProxy(Number(url.port));
    onTestFinished(() => proxy.close());
    url.port = String(proxy.port);
    const running = startOps(['backup'], { DATABASE_URL: url.href, BACKUP_DIR: folder });
    await running.says(/pg_dump \.\.\./);
    await expect.poll(() => filesIn(folder).join()).toMatch(/\.dump\.partial/);
    proxy.freeze();
    return { running, folder };
  };

  test('that is interrupted while its connections are frozen gives them up, and leaves nothing', async () => {
    const { running, folder } = await frozen();
    running.signal('SIGINT');
    running.signal('SIGINT');
    expect(await running.ended()).toBe(1);
    expect(running.output).toContain('backup failed: interrupted by SIGINT');
    expect(filesIn(folder)).toEqual([]);
  });

  test('that is interrupted once more ends at once, and leaves nothing', async () => {
    const { running, folder } = await frozen();
    running.signal('SIGTERM');
    await sleep(1_200);
    const startedAt = performance.now();
    running.signal('SIGTERM');
    expect(await running.ended()).toBe(1);
    expect(performance.now() - startedAt).toBeLessThan(2_000);
    expect(running.output).toContain('Ended at once by another SIGTERM');
    expect(filesIn(folder)).toEqual([]);
  });
});
