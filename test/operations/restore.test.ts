import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { verifyFile, type Backup } from '../../ops/database/manifest.ts';
import { KNOWN_MIGRATIONS, ranMigrations } from '../../server/db/migrations.ts';
import { openOrm } from '../../server/db/orm.ts';
import { startApp } from '../support/app.ts';
import {
  BACKED_UP,
  editManifest,
  filesIn,
  manifestsIn,
  ownDatabase,
  ownFolder,
  pathWith,
  within,
} from '../support/backups.ts';
import { holdRows, rowsOf } from '../support/many.ts';
import { runOps, startOps } from '../support/ops.ts';
import { lasting, readPublished } from '../support/published.ts';
import { randomOf } from '../support/random-edits.ts';
import { startSynced, type Served } from '../support/synced.ts';

/** How many bytes of a backup are flipped, one at a time. */
const FLIPS = 60;

for (const kind of BACKED_UP) {
  describe.skipIf(kind.skipped)(`restore on ${kind.name}`, () => {
    let served: Served;
    beforeAll(async () => {
      served = await startSynced(kind.create, {
        arrange: (content) => holdRows(content, 'openrouter', rowsOf(content, 'openrouter', 60)),
      });
      const rows = rowsOf(served.upstream.content, 'openrouter', 60);
      for (const row of rows) row.context_length = 10_000;
      holdRows(served.upstream.content, 'openrouter', rows);
      await served.app.sync('?force=true');
    });
    afterAll(() => served.close());

    /** A backup of the service's database, in a folder of its own. */
    const backedUp = async () => {
      const folder = ownFolder();
      const environment = { DATABASE_URL: served.database.url, BACKUP_DIR: folder };
      expect(await runOps(['backup'], environment)).toMatchObject({ code: 0 });
      const [manifest] = manifestsIn(folder);
      if (manifest === undefined) throw new Error('There is no manifest');
      return { folder, manifest, environment, path: join(folder, manifest.file) };
    };
    /** The models of a database, by name. */
    const modelsOf = (url: string) =>
      within(url, async ({ read }) =>
        (await read.selectFrom('models').select('id').execute()).map(({ id }) => id),
      );
    /** A database with the schema, and one model that no backup has. */
    const withOneModel = async () => {
      const url = await ownDatabase(kind);
      await within(url, async (database) => {
        await database.migrate();
        const [model] = await served.app.database.read.selectFrom('models').selectAll().limit(1).execute();
        await database.write
          .insertInto('models')
          .values({ ...model!, id: 'mine/only' })
          .execute();
      });
      return url;
    };
    const lastRestore = (url: string) =>
      within(url, ({ read }) =>
        read
          .selectFrom('operations')
          .selectAll()
          .where('kind', '=', 'restore')
          .orderBy('started_at', 'desc')
          .executeTakeFirst(),
      );

    test('a service on the restored database answers as before', async () => {
      const { environment } = await backedUp();
      const to = await ownDatabase(kind);
      const { code, stdout } = await runOps(['restore', 'latest', '--to', to], environment);
      expect({ code, stdout }).toEqual({
        code: 0,
        stdout: expect.stringMatching(
          kind.isPostgres
            ? /^Restored in .*: catalogue version 2, every table as it was backed up\nNo role .* run ops\/sql\/roles\.sql on \S+ before/
            : /^Restored in .*: catalogue version 2, every table as it was backed up\n$/,
        ) as string,
      });
      expect(await lastRestore(to)).toMatchObject({ status: 'completed' });
      const app = await startApp({ DATABASE_URL: to });
      try {
        expect(lasting(await readPublished(app, null))).toEqual(
          lasting(await readPublished(served.app, null)),
        );
        expect(lasting(await readPublished(app, 1))).toEqual(lasting(await readPublished(served.app, 1)));
        const changes = '/v1/changes?limit=100';
        expect((await app.json(changes)).data).toEqual((await served.app.json(changes)).data);
      } finally {
        await app.stop();
      }
    });

    test('latest is the newest of the database of the service; another has to be named', async () => {
      const { environment, manifest } = await backedUp();
      const other = kind.isPostgres ? await ownDatabase(kind) : `file:${join(ownFolder(), 'other.db')}`;
      await within(other, (database) => database.migrate());
      const elsewhere = { ...environment, DATABASE_URL: other };
      const none = await runOps(['restore', 'latest', '--to', await ownDatabase(kind)], elsewhere);
      expect([none.code, none.stderr]).toEqual([
        1,
        expect.stringMatching(/there is no backup of \S+, the database of DATABASE_URL, in .*: name the one/),
      ]);
      expect(await runOps(['backup'], elsewhere)).toMatchObject({ code: 0 });
      const [, newest] = manifestsIn(environment.BACKUP_DIR);

      const to = await ownDatabase(kind);
      const latest = await runOps(['restore', 'latest', '--to', to], environment);
      expect(latest.stderr).toContain(`Restoring ${manifest.file}, a backup of ${manifest.database}, into `);
      expect(latest.stdout).toContain(`${manifest.file}, a backup of ${manifest.database} of `);
      const args = ['restore', newest?.file ?? '', '--to', to, '--replace'];
      const named = await runOps(args, environment);
      expect([named.code, named.stdout]).toEqual([
        0,
        expect.stringContaining(`a backup of ${newest?.database} of `),
      ]);
      expect(await modelsOf(to)).toEqual([]);
    });

    test('a target that has tables is refused, and replaced where that is wanted', async () => {
      const { environment, manifest } = await backedUp();
      const to = await withOneModel();
      const refused = await runOps(['restore', 'latest', '--to', to], environment);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toMatch(/restore failed: .* has \d+ tables already: .*--replace/);
      expect(await modelsOf(to)).toEqual(['mine/only']);
      expect(await lastRestore(served.database.url)).toMatchObject({ status: 'failed' });

      expect(await runOps(['restore', 'latest', '--to', to, '--replace'], environment)).toMatchObject({
        code: 0,
      });
      const restored = await modelsOf(to);
      expect(restored).toHaveLength(manifest.tables.models?.rows ?? 0);
      expect(restored).not.toContain('mine/only');
    });

    test('contents that are not what the manifest says are refused, and what was there is back', async () => {
      const { environment, folder } = await backedUp();
      editManifest(folder, ({ tables }) => Object.assign(tables.models ?? {}, { checksum: 'f'.repeat(32) }));
      editManifest(folder, ({ tables }) => Object.assign(tables.offers ?? {}, { rows: 1 }));
      const to = await withOneModel();
      const { code, stderr } = await runOps(['restore', 'latest', '--to', to, '--replace'], environment);
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /not what was backed up: models has other contents, offers has \d+ rows instead of 1\. Use another backup/,
      );
      expect(await modelsOf(to)).toEqual(['mine/only']);

      const empty = await ownDatabase(kind);
      expect(await runOps(['restore', 'latest', '--to', empty], environment)).toMatchObject({ code: 1 });
      expect(await within(empty, ({ read }) => read.introspection.getTables())).toEqual([]);
    });

    test('O3 a byte that is flipped anywhere in the file is found', async () => {
      const { manifest, path, environment } = await backedUp();
      const whole = readFileSync(path);
      const random = randomOf(4711);
      const places = Array.from({ length: FLIPS }, () => Math.floor(random() * whole.length));
      const backup: Backup = { path, manifestPath: '', manifest };
      for (const place of [0, whole.length - 1, ...places]) {
        const broken = Buffer.from(whole);
        broken.writeUInt8(broken.readUInt8(place) ^ (1 << Math.floor(random() * 8)), place);
        writeFileSync(path, broken);
        await expect(verifyFile(backup)).rejects.toThrow(/is broken: its contents are not/);
      }
      const to = await ownDatabase(kind);
      const { code, stderr } = await runOps(['restore', 'latest', '--to', to], environment);
      expect(code).toBe(1);
      expect(stderr).toMatch(/is broken: .*Use another backup/);
      expect(await within(to, ({ read }) => read.introspection.getTables())).toEqual([]);

      writeFileSync(path, whole.subarray(0, -1));
      await expect(verifyFile(backup)).rejects.toThrow(/it has \d+ bytes instead of \d+/);
      writeFileSync(path, whole);
      await verifyFile(backup);
    });

    test('O4 a backup of a newer build is refused', async () => {
      const { environment, folder } = await backedUp();
      editManifest(folder, (manifest) => {
        manifest.migrations.push('Migration29990101000000');
        manifest.version = '9.0.0';
      });
      const to = await ownDatabase(kind);
      const { code, stderr } = await runOps(['restore', 'latest', '--to', to], environment);
      expect(code).toBe(1);
      expect(stderr).toContain(
        'made by a newer build (9.0.0): this one does not know Migration29990101000000. Restore it with that build',
      );
      expect(await within(to, ({ read }) => read.introspection.getTables())).toEqual([]);
    });

    test('O4 a backup of an older build is restored, then migrated', async () => {
      const [first = '', second = ''] = KNOWN_MIGRATIONS;
      const old = await ownDatabase(kind);
      const orm = await openOrm(old, 'write');
      await orm.migrator.up({ to: second });
      await orm.close(true);
      const folder = ownFolder();
      const environment = { DATABASE_URL: old, BACKUP_DIR: folder };
      const { code, stderr } = await runOps(['backup'], environment);
      expect(code).toBe(0);
      expect(stderr).toContain('This backup could not be recorded in the database: ');
      expect(manifestsIn(folder)).toMatchObject([{ migrations: [first, second] }]);
      const to = await ownDatabase(kind);
      expect(await runOps(['restore', 'latest', '--to', to], environment)).toMatchObject({ code: 0 });
      expect(await within(to, ({ read, dialect }) => ranMigrations(read, dialect))).toEqual(KNOWN_MIGRATIONS);
    });

    test('a database that the service has open is left alone', async () => {
      const { environment } = await backedUp();
      const before = await modelsOf(served.database.url);
      const args = ['restore', 'latest', '--to', served.database.url, '--replace'];
      const { code, stderr } = await runOps(args, environment);
      expect(code).toBe(1);
      expect(stderr).toMatch(/restore failed: .*(is in use|the service has \d+ connections).*stop/);
      expect(await modelsOf(served.database.url)).toEqual(before);
    });

    test.each([
      ['no target', ['restore', 'latest'], 64, /Name the database to restore into with --to\.\nUsage: /],
      ['no backup', ['restore', '--to', 'file:x.db'], 64, /Name one backup, or latest\.\nUsage: /],
      ['no URL', ['restore', 'latest', '--to', 'mysql://x'], 64, /must start with file: or postgres:/],
      [
        'a backup that is not there',
        ['restore', 'other', '--to', 'file:x.db'],
        1,
        /there is no backup other/,
      ],
    ])('%s: it says what to do', async (_, args, exit, words) => {
      const { code, stderr } = await runOps(args, {
        DATABASE_URL: served.database.url,
        BACKUP_DIR: ownFolder(),
      });
      expect(code).toBe(exit);
      expect(stderr).toMatch(words);
    });
  });
}

const [sqlite, postgres] = BACKED_UP;

describe.skipIf(postgres?.skipped)(`restore on ${postgres?.name}`, () => {
  const own = () => ownDatabase(postgres as (typeof BACKED_UP)[number]);
  const migrated = async () => {
    const url = await own();
    await within(url, (database) => database.migrate());
    return url;
  };

  test('of a backup of the other kind is refused', async () => {
    const file = `file:${join(ownFolder(), 'x.db')}`;
    await within(file, (database) => database.migrate());
    for (const [from, to] of [
      [await migrated(), file],
      [file, await own()],
    ] as const) {
      const environment = { DATABASE_URL: from, BACKUP_DIR: ownFolder() };
      expect(await runOps(['backup'], environment)).toMatchObject({ code: 0 });
      const [name = ''] = filesIn(environment.BACKUP_DIR);
      const { code, stderr } = await runOps(['restore', name, '--to', to, '--replace'], environment);
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /the backup is of an? \w+ database, and .* is an? \w+ database: restore it into/,
      );
    }
    expect(sqlite?.skipped).toBe(false);
  });

  test.each([
    ['interrupted', `touch "$BACKUP_DIR/started"; exec sleep 60`, ['SIGTERM']],
    [
      'interrupted again, by whom does not want to wait,',
      `trap '' TERM; touch "$BACKUP_DIR/started"; exec sleep 60`,
      ['SIGTERM', 'SIGINT'],
    ],
  ] as const)('that is %s puts back what was there', async (_, script, signals) => {
    const url = await migrated();
    const folder = ownFolder();
    const environment = { DATABASE_URL: url, BACKUP_DIR: folder };
    expect(await runOps(['backup'], environment)).toMatchObject({ code: 0 });
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      await client.query('create table mine (a int)');
      const PATH = pathWith('pg_restore', script);
      const running = startOps(['restore', 'latest', '--to', url, '--replace'], { ...environment, PATH });
      await running.says(/pg_restore \.\.\./);
      const present = async () =>
        (await client.query(`select to_regclass('public.mine') is not null as there`)).rows;
      await expect.poll(() => existsSync(join(folder, 'started')), { timeout: 10_000 }).toBe(true);
      expect(await present()).toEqual([{ there: false }]);
      for (const signal of signals) {
        running.signal(signal);
        await sleep(1_200);
      }
      expect(await running.ended()).toBe(1);
      expect(running.output).toContain('restore failed: interrupted by SIGTERM');
      expect(running.output.includes('Not ended yet: ')).toBe(signals.length > 1);
      expect(await present()).toEqual([{ there: true }]);
      const { rows } = await client.query(`select nspname from pg_namespace where nspname like 'replaced%'`);
      expect(rows).toEqual([]);
      expect(await within(url, ({ read, dialect }) => ranMigrations(read, dialect))).toEqual(
        KNOWN_MIGRATIONS,
      );
    } finally {
      await client.end();
    }
  });

  test('leaves what depends on the tables replaced, and says where it is', async () => {
    const url = await migrated();
    const environment = { DATABASE_URL: url, BACKUP_DIR: ownFolder() };
    expect(await runOps(['backup'], environment)).toMatchObject({ code: 0 });
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      await client.query('create view mine as select id from models');
      const { code, stderr } = await runOps(['restore', 'latest', '--to', url, '--replace'], environment);
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /everything is restored, but the tables replaced are still in schema replaced_\d+: /,
      );
      expect((await client.query('select * from mine')).rows).toEqual([]);
    } finally {
      await client.end();
    }
  });
});
