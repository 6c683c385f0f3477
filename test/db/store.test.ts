import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../../server/db/database.ts';
import { createSyncStore } from '../../server/db/sync-store.ts';
import { LeaseLost, type CatalogChanges, type ModelRow, type RunEnd } from '../../sync/store.ts';
import { DATABASES, type TestDatabase } from '../support/databases.ts';

const AT = '2026-07-02T10:00:00.000Z';

function model(id: string, over: Partial<ModelRow> = {}): ModelRow {
  return {
    id,
    creator: id.split('/')[0] ?? '',
    nameKey: id,
    searchText: id,
    releaseDate: null,
    openReleaseDate: null,
    context: null,
    inputPrice: null,
    outputPrice: null,
    downloads: null,
    delisted: 0,
    target: null,
    targetSince: null,
    restricted: 0,
    steadyHash: 's',
    hash: 'h',
    document: '{}',
    openDocument: null,
    firstSeenAt: AT,
    updatedAt: AT,
    refreshedAt: AT,
    ...over,
  };
}

function changes(models: ModelRow[]): CatalogChanges {
  return {
    format: 1,
    sources: [],
    records: { upsert: [], added: 0, remove: [], moved: [] },
    models: { upsert: models, remove: [] },
    offers: { upsert: [], remove: [] },
    conflicts: { upsert: [], remove: [] },
    aliases: { upsert: [], remove: [] },
    providers: { upsert: [], remove: [] },
    delist: { ids: [], date: AT },
  };
}

const end = (id: string, status: RunEnd['status'] = 'completed'): RunEnd => ({
  id,
  status,
  message: 'Successfully synced from all sources',
  totalFetched: 1,
  sources: [],
});

describe.each(DATABASES)('the store on $name', ({ create }) => {
  let own: TestDatabase;
  let database: Database;
  const begin = (id: string, leaseMs?: number) =>
    createSyncStore(database, leaseMs).beginRun({ id, trigger: 'api', startedAt: AT });
  const statusOf = async (id: string) =>
    (await database.read.selectFrom('sync_runs').select('status').where('id', '=', id).executeTakeFirst())
      ?.status;

  beforeEach(async () => {
    own = await create();
    database = await openDatabase(own.url);
    await database.migrate();
  });
  afterEach(async () => {
    await database.close();
    await own.drop();
  });

  test('a second run is refused with the id of the first', async () => {
    expect(await begin('sync_a')).toEqual({ begun: true });
    expect(await begin('sync_b')).toEqual({ begun: false, runId: 'sync_a' });
    expect(await statusOf('sync_b')).toBeUndefined();
  });

  test('of many at once one begins', async () => {
    const other = await openDatabase(own.url);
    try {
      const stores = [createSyncStore(database), createSyncStore(other)];
      const attempts = Array.from(
        { length: 20 },
        (_, index) =>
          stores[index % 2]
            ?.beginRun({ id: `sync_${index}`, trigger: 'api', startedAt: AT })
            .catch(() => ({ begun: false })) ?? Promise.resolve({ begun: false }),
      );
      const begun = (await Promise.all(attempts)).filter((result) => result.begun);
      expect(begun).toHaveLength(1);
    } finally {
      await other.close();
    }
  });

  test('a run that died is taken over when its lease has run out, and marked interrupted', async () => {
    await begin('sync_dead', 50);
    await new Promise((resolve) => setTimeout(resolve, 120));
    expect(await begin('sync_next')).toEqual({ begun: true });
    expect(await statusOf('sync_dead')).toBe('interrupted');
    expect(await statusOf('sync_next')).toBe('running');
  });

  test('a renewed lease does not run out', async () => {
    const store = createSyncStore(database, 400);
    await store.beginRun({ id: 'sync_a', trigger: 'api', startedAt: AT });
    for (let turn = 0; turn < 4; turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, 150));
      expect(await store.renewLease('sync_a')).toBe(true);
    }
    expect(await begin('sync_b')).toEqual({ begun: false, runId: 'sync_a' });
  });

  test('a run that lost its lease writes nothing', async () => {
    const store = createSyncStore(database, 50);
    await store.beginRun({ id: 'sync_slow', trigger: 'api', startedAt: AT });
    await new Promise((resolve) => setTimeout(resolve, 120));
    await begin('sync_next');
    await expect(store.commit(changes([model('a/b')]), end('sync_slow'))).rejects.toThrow(LeaseLost);
    expect(await database.read.selectFrom('models').select('id').execute()).toEqual([]);
    expect(await store.renewLease('sync_slow')).toBe(false);
    expect(await statusOf('sync_next')).toBe('running');
  });

  test('the version grows with what is published, and with nothing else', async () => {
    const store = createSyncStore(database);
    const commit = async (id: string, what: CatalogChanges) => {
      await store.beginRun({ id, trigger: 'api', startedAt: AT });
      return store.commit(what, end(id));
    };
    expect(await commit('sync_1', changes([model('a/b'), model('a/c')]))).toMatchObject({
      catalogVersion: 1,
      models: 2,
    });
    const record = {
      source: 's',
      id: '1',
      hash: 'h',
      modelId: 'a/b',
      raw: '{}',
      firstSeenAt: AT,
      updatedAt: AT,
    };
    const onlyRecords = { ...changes([]), records: { upsert: [record], added: 0, remove: [], moved: [] } };
    expect(await commit('sync_2', onlyRecords)).toMatchObject({ catalogVersion: 1, models: 2 });
    expect(await commit('sync_3', { ...changes([]), delist: { ids: ['a/c'], date: AT } })).toMatchObject({
      catalogVersion: 2,
      models: 1,
    });
    const removal = changes([]);
    removal.models.remove = ['a/b'];
    expect(await commit('sync_4', removal)).toMatchObject({ catalogVersion: 3, models: 0 });
  });

  test('a failed commit leaves nothing behind', async () => {
    const store = createSyncStore(database);
    await store.beginRun({ id: 'sync_a', trigger: 'api', startedAt: AT });
    const broken = changes([
      ...Array.from({ length: 450 }, (_, index) => model(`a/m${index}`)),
      model('a/null', { document: null as never }),
    ]);
    await expect(store.commit(broken, end('sync_a'))).rejects.toThrow();
    expect(await database.read.selectFrom('models').select('id').execute()).toEqual([]);
    expect(await database.read.selectFrom('catalog').selectAll().execute()).toEqual([]);
  });

  test('readers see the old catalogue until the new one is whole', async () => {
    const store = createSyncStore(database);
    await store.beginRun({ id: 'sync_1', trigger: 'api', startedAt: AT });
    await store.commit(changes([model('a/b')]), end('sync_1'));
    await store.beginRun({ id: 'sync_2', trigger: 'api', startedAt: AT });
    const many = Array.from({ length: 3000 }, (_, index) => model(`b/m${index}`));
    const seen = new Set<string>();
    let done = false;
    const reading = (async () => {
      while (!done) {
        await database.snapshot(async (db) => {
          const version = await db.selectFrom('catalog').select('version').executeTakeFirstOrThrow();
          const { count } = await db
            .selectFrom('models')
            .select((eb) => eb.fn.countAll().as('count'))
            .executeTakeFirstOrThrow();
          seen.add(`${version.version}:${Number(count)}`);
        });
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    await store.commit(changes(many), end('sync_2'));
    done = true;
    await reading;
    expect([...seen].filter((state) => state !== '1:1' && state !== '2:3001')).toEqual([]);
    expect(seen).toContain('1:1');
  });
});
