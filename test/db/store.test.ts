import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../../server/db/database.ts';
import { findModelId } from '../../server/db/model-ids.ts';
import { createSyncStore } from '../../server/db/sync-store.ts';
import type {
  AliasRow,
  ConflictRow,
  IdentityChangeRow,
  ModelRow,
  OfferRow,
  RecordRow,
} from '../../sync/rows.ts';
import { LeaseLost, type CatalogChanges, type RunEnd, type SyncStore } from '../../sync/store.ts';
import { noPrices } from '../../sync/units.ts';
import { DATABASES, type TestDatabase } from '../support/databases.ts';

const AT = '2026-07-02T10:00:00.000Z';

function model(id: string, over: Partial<ModelRow> = {}): ModelRow {
  return {
    id,
    lifecycleSince: null,
    creator: id.split('/')[0] ?? '',
    nameKey: id,
    searchText: id,
    releaseDate: null,
    openReleaseDate: null,
    context: null,
    inputPrice: null,
    outputPrice: null,
    downloads: null,
    lifecycleStatus: 'active',
    lifecycleDate: null,
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
    validFrom: AT,
    delistedAt: null,
    ...over,
  };
}

function changes(models: ModelRow[]): CatalogChanges {
  return {
    format: 1,
    at: AT,
    sources: [],
    records: { upsert: [], added: 0, remove: [], moved: [], counts: { missed: [], seen: [], held: [] } },
    keys: [],
    models: { upsert: models, remove: [] },
    offers: { upsert: [], delist: [], remove: [] },
    conflicts: { upsert: [], remove: [] },
    aliases: { upsert: [], remove: [] },
    identity: [],
    providers: [],
    delist: [],
    history: { changes: [], models: [], offers: [] },
  };
}

function record(source: string, id: string, modelId: string, over: Partial<RecordRow> = {}): RecordRow {
  const times = { firstSeenAt: AT, updatedAt: AT };
  return {
    source,
    id,
    hash: 'h',
    modelId,
    match: null,
    raw: `{"id":"${id}"}`,
    missed: 0,
    held: null,
    ...times,
    ...over,
  };
}

function offer(provider: string, providerModelId: string, modelId: string): OfferRow {
  const prices = Object.fromEntries(Object.keys(noPrices()).map((name) => [`${name}Price`, null]));
  const row = {
    provider,
    providerModelId,
    modelId,
    hash: 'h',
    priceStatus: 'unknown',
    document: '{}',
    validFrom: AT,
    delistedAt: null,
  };
  return { ...row, ...prices } as OfferRow;
}

function alias(name: string, namespace: string, modelId: string): AliasRow {
  return { alias: name, namespace, modelId, source: namespace, recordId: name };
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
    createSyncStore(database, leaseMs === undefined ? {} : { leaseMs }).beginRun({
      id,
      trigger: 'api',
      forced: false,
    });
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
    expect(await begin('sync_a')).toMatchObject({ begun: true });
    expect(await begin('sync_b')).toEqual({ begun: false, runId: 'sync_a' });
    expect(await statusOf('sync_b')).toBeUndefined();
  });

  test('a run that another has made needless meanwhile does not begin, and leaves the lease free', async () => {
    const store = createSyncStore(database);
    const run = { trigger: 'start', forced: false } as const;
    expect(await store.beginRun({ id: 'sync_a', ...run, after: null })).toMatchObject({ begun: true });
    await store.endRun(end('sync_a'), []);
    expect(await store.beginRun({ id: 'sync_b', ...run, after: null })).toEqual({
      begun: false,
      runId: 'sync_a',
    });
    expect(await statusOf('sync_b')).toBeUndefined();
    expect(await store.beginRun({ id: 'sync_c', ...run, after: 'sync_a' })).toMatchObject({ begun: true });
  });

  test('of many at once one begins', async () => {
    const other = await openDatabase(own.url);
    try {
      const stores = [createSyncStore(database), createSyncStore(other)];
      const attempts = Array.from(
        { length: 20 },
        (_, index) =>
          stores[index % 2]
            ?.beginRun({ id: `sync_${index}`, trigger: 'api', forced: false })
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
    expect(await begin('sync_next')).toMatchObject({ begun: true });
    expect(await statusOf('sync_dead')).toBe('interrupted');
    expect(await statusOf('sync_next')).toBe('running');
  });

  test('a renewed lease does not run out', async () => {
    const store = createSyncStore(database, { leaseMs: 400 });
    await store.beginRun({ id: 'sync_a', trigger: 'api', forced: false });
    for (let turn = 0; turn < 4; turn += 1) {
      await new Promise((resolve) => setTimeout(resolve, 150));
      expect(await store.renewLease('sync_a')).toBe(true);
    }
    expect(await begin('sync_b')).toEqual({ begun: false, runId: 'sync_a' });
  });

  test('a run that lost its lease writes nothing', async () => {
    const store = createSyncStore(database, { leaseMs: 50 });
    await store.beginRun({ id: 'sync_slow', trigger: 'api', forced: false });
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
      await store.beginRun({ id, trigger: 'api', forced: false });
      return store.commit(what, end(id));
    };
    expect(await commit('sync_1', changes([model('a/b'), model('a/c')]))).toMatchObject({
      catalogVersion: 1,
      models: 2,
    });
    const onlyRecords = changes([]);
    onlyRecords.records.upsert = [record('s', '1', 'a/b')];
    expect(await commit('sync_2', onlyRecords)).toMatchObject({ catalogVersion: 1, models: 2 });
    expect(await commit('sync_3', { ...changes([]), delist: ['a/c'] })).toMatchObject({
      catalogVersion: 2,
      models: 1,
    });
    const removal = changes([]);
    removal.models.remove = ['a/b'];
    expect(await commit('sync_4', removal)).toMatchObject({ catalogVersion: 3, models: 0 });
  });

  test('a failed commit leaves nothing behind', async () => {
    const store = createSyncStore(database);
    await store.beginRun({ id: 'sync_a', trigger: 'api', forced: false });
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
    await store.beginRun({ id: 'sync_1', trigger: 'api', forced: false });
    await store.commit(changes([model('a/b')]), end('sync_1'));
    await store.beginRun({ id: 'sync_2', trigger: 'api', forced: false });
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

describe.each(DATABASES)('what a sync finds in the store on $name', ({ create }) => {
  let own: TestDatabase;
  let database: Database;
  let store: SyncStore;
  let runs = 0;
  const commit = async (over: Partial<CatalogChanges>) => {
    const id = `sync_${(runs += 1)}`;
    await store.beginRun({ id, trigger: 'api', forced: false });
    return store.commit({ ...changes([]), ...over }, end(id));
  };
  const records = (upsert: RecordRow[], over: Partial<CatalogChanges['records']> = {}) => ({
    ...changes([]).records,
    upsert,
    ...over,
  });
  const keysOf = (row: RecordRow, ...keys: string[]) => ({ source: row.source, recordId: row.id, keys });
  const named = (rows: { source: string; id: string }[]) =>
    rows.map(({ source, id }) => `${source} ${id}`).toSorted();

  beforeEach(async () => {
    own = await create();
    database = await openDatabase(own.url);
    await database.migrate();
    store = createSyncStore(database);
  });
  afterEach(async () => {
    await database.close();
    await own.drop();
  });

  const [one, two, other] = [record('s', '1', 'a/b'), record('t', '1', 'a/b'), record('s', '2', 'a/c')];
  const stored = () =>
    commit({
      records: records([one, two, other]),
      keys: [
        keysOf(one, 'family:a/b', 'name:b'),
        keysOf(two, 'family:a/b'),
        keysOf(other, 'family:a/c', 'name:b'),
      ],
    });

  test('the keys of records, each once', async () => {
    await stored();
    expect((await store.loadKeys([one, two])).toSorted()).toEqual(['family:a/b', 'name:b']);
    expect(await store.loadKeys([two])).toEqual(['family:a/b']);
    expect(await store.loadKeys([{ source: 't', id: '2' }])).toEqual([]);
    expect(await store.loadKeys([])).toEqual([]);
  });

  test('the neighbours that share a key, each once and whole, and those that stand behind a model', async () => {
    await stored();
    expect(await store.loadNeighbours({ keys: ['family:a/c'] })).toEqual([other]);
    expect(named(await store.loadNeighbours({ keys: ['name:b'] }))).toEqual(['s 1', 's 2']);
    expect(named(await store.loadNeighbours({ keys: ['family:a/b', 'name:b'] }))).toEqual([
      's 1',
      's 2',
      't 1',
    ]);
    expect(named(await store.loadNeighbours({ modelIds: ['a/b'] }))).toEqual(['s 1', 't 1']);
    expect(named(await store.loadNeighbours({ modelIds: ['a/b', 'a/c'] }))).toEqual(['s 1', 's 2', 't 1']);
    for (const of of [{ keys: ['name:c'] }, { keys: [] }, { modelIds: ['b'] }, { modelIds: [] }])
      expect(await store.loadNeighbours(of)).toEqual([]);
  });

  test('more neighbours than fit into one query', async () => {
    const many = Array.from({ length: 1201 }, (_, index) => record('s', `r${index}`, `a/m${index}`));
    await commit({
      records: records(many),
      keys: many.map((row) => keysOf(row, `name:${row.id}`, 'family:a')),
    });
    const keys = await store.loadKeys(many);
    expect(keys).toHaveLength(1202);
    expect(named(await store.loadNeighbours({ keys: keys.filter((key) => key !== 'family:a') }))).toEqual(
      named(many),
    );
    expect(named(await store.loadNeighbours({ keys: ['family:a'] }))).toEqual(named(many));
    expect(named(await store.loadNeighbours({ modelIds: many.map(({ modelId }) => modelId) }))).toEqual(
      named(many),
    );
    expect(
      named(
        await store.loadRecords(
          's',
          many.map(({ id }) => id),
        ),
      ),
    ).toEqual(named(many));
  });

  test('keys are replaced whole, and go with their record', async () => {
    await stored();
    await commit({ keys: [keysOf(one, 'name:b', 'name:new')] });
    expect((await store.loadKeys([one])).toSorted()).toEqual(['name:b', 'name:new']);
    expect(named(await store.loadNeighbours({ keys: ['family:a/b'] }))).toEqual(['t 1']);
    await commit({ records: records([], { remove: [one] }) });
    expect(await store.loadKeys([one])).toEqual([]);
    expect(named(await store.loadNeighbours({ keys: ['name:b', 'name:new'] }))).toEqual(['s 2']);
    expect(await store.loadKeys([two])).toEqual(['family:a/b']);
  });

  test('a record that moves keeps its contents, its keys and its times', async () => {
    await stored();
    const match = '{"kind":"rule","rule":"left-out","evidence":[]}';
    await commit({ records: records([], { moved: [{ source: 's', id: '1', modelId: 'a/c', match }] }) });
    expect(await store.loadRecords('s', ['1'])).toEqual([{ ...one, modelId: 'a/c', match }]);
    expect(named(await store.loadNeighbours({ modelIds: ['a/c'] }))).toEqual(['s 1', 's 2']);
    expect((await store.loadKeys([one])).toSorted()).toEqual(['family:a/b', 'name:b']);
  });

  test('what is published under some ids, and nothing else', async () => {
    const conflict = (modelId: string): ConflictRow => ({
      modelId,
      field: 'releaseDate',
      provider: '',
      providerModelId: '',
      view: 'both',
      hash: 'c',
      size: 2,
      sources: ',s,t,',
      document: '{}',
    });
    const rolling = model('a/b', { target: 'a/c', targetSince: AT, refreshedAt: '2026-07-03T10:00:00.000Z' });
    await commit({
      models: { upsert: [rolling, model('a/c'), model('a/d')], remove: [] },
      offers: { delist: [], upsert: [offer('p', 'x', 'a/b'), offer('p', 'y', 'a/c')], remove: [] },
      conflicts: { upsert: [conflict('a/b'), conflict('a/c')], remove: [] },
      aliases: { upsert: [alias('b-1', 's', 'a/b'), alias('b-1', 't', 'a/c')], remove: [] },
      delist: ['a/d'],
    });
    const active = { lifecycleStatus: 'active', lifecycleSince: null };
    const key = { ...active, hash: 'h', steadyHash: 's', delisted: 0, firstSeenAt: AT, validFrom: AT };
    expect(await store.loadPublished(['a/b', 'a/none'])).toEqual({
      models: [{ ...key, id: 'a/b', target: 'a/c', targetSince: AT, refreshedAt: rolling.refreshedAt }],
      offers: [
        { provider: 'p', providerModelId: 'x', modelId: 'a/b', hash: 'h', delistedAt: null, ...active },
      ],
      conflicts: [
        { modelId: 'a/b', field: 'releaseDate', provider: '', providerModelId: '', view: 'both', hash: 'c' },
      ],
      aliases: [alias('b-1', 's', 'a/b')],
    });
    expect((await store.loadPublished(['a/d'])).models).toMatchObject([
      { id: 'a/d', delisted: 1, validFrom: AT },
    ]);
    expect(await store.loadPublished([])).toEqual({ models: [], offers: [], conflicts: [], aliases: [] });
  });

  const find = (name: string) => findModelId(database.read, [name], { withheld: false });
  const became = (kind: IdentityChangeRow['kind'], fromId: string, toId: string): IdentityChangeRow => ({
    at: AT,
    kind,
    fromId,
    toId,
    reason: 'a test says so',
  });

  test('ids that were renamed or merged keep resolving, one after the other; split ones are remembered', async () => {
    await commit({ models: { upsert: [model('a/one'), model('a/two'), model('a/stays')], remove: [] } });
    await commit({
      models: { upsert: [], remove: ['a/one'] },
      identity: [became('merged', 'a/one', 'a/two'), became('split', 'a/stays', 'a/two')],
    });
    expect([await find('a/one'), await find('a/stays')]).toEqual(['a/two', 'a/stays']);
    await commit({
      models: { upsert: [model('a/three')], remove: ['a/two'] },
      identity: [became('renamed', 'a/two', 'a/three')],
    });
    for (const former of ['a/one', 'a/two']) expect(await find(former)).toBe('a/three');
    const rows = await database.read.selectFrom('identity_changes').selectAll().orderBy('from_id').execute();
    expect(rows.map(({ kind, from_id, to_id, at, reason }) => [kind, from_id, to_id, at, reason])).toEqual([
      ['merged', 'a/one', 'a/two', AT, 'a test says so'],
      ['split', 'a/stays', 'a/two', AT, 'a test says so'],
      ['renamed', 'a/two', 'a/three', AT, 'a test says so'],
    ]);
    // An id that is some model's again is that model's.
    await commit({ models: { upsert: [model('a/one')], remove: [] } });
    expect(await find('a/one')).toBe('a/one');
  });

  test('a name that two models have in different places stands for neither; a name removed in one place stays in the other', async () => {
    await commit({
      models: { upsert: [model('a/b'), model('a/c')], remove: [] },
      aliases: { upsert: [alias('x/y', 's', 'a/b'), alias('x/y', 't', 'a/b')], remove: [] },
    });
    expect(await find('x/y')).toBe('a/b');
    await commit({ aliases: { upsert: [alias('x/y', 't', 'a/c')], remove: [] } });
    expect(await find('x/y')).toBeNull();
    await commit({ aliases: { upsert: [], remove: [{ alias: 'x/y', namespace: 's' }] } });
    expect(await find('x/y')).toBe('a/c');
  });

  test('providers that are named are counted anew, and go when nobody offers or states them', async () => {
    const providers = async () => {
      const rows = await database.read
        .selectFrom('providers')
        .select(['id', 'document'])
        .orderBy('id')
        .execute();
      return rows.map(({ id, document }) => {
        const { name, models, offers } = JSON.parse(document) as Record<string, unknown>;
        return [id, name, models, offers];
      });
    };
    const facts = { id: 'p', name: 'P', docUrl: null, apiUrl: null, npmPackage: null, environment: [] };
    const source = {
      id: 's',
      status: 'ok' as const,
      error: null,
      lastGoodAt: AT,
      asOf: null,
      fetched: 1,
      wholeAt: null,
      validators: {},
      providers: [facts],
    };
    const first = await commit({
      sources: [source],
      offers: {
        upsert: [offer('p', 'x', 'a/b'), offer('p', 'y', 'a/b'), offer('q', 'x', 'a/b')],
        delist: [],
        remove: [],
      },
      providers: ['p', 'q', 'nobody'],
    });
    expect(await providers()).toEqual([
      ['p', 'P', 1, 2],
      ['q', 'q', 1, 1],
    ]);
    const again = await commit({ providers: ['p', 'q'] });
    expect(again.catalogVersion).toBe(first.catalogVersion);
    await commit({
      offers: { delist: [], upsert: [offer('p', 'y', 'a/c')], remove: [offer('q', 'x', 'a/b')] },
      providers: ['p', 'q'],
    });
    expect(await providers()).toEqual([['p', 'P', 2, 2]]);
    await commit({
      offers: { delist: [], upsert: [], remove: [offer('p', 'x', 'a/b'), offer('p', 'y', 'a/c')] },
      providers: ['p'],
    });
    expect(await providers()).toEqual([['p', 'P', 0, 0]]);
    // The source that is first by id is believed, whichever was written last.
    const other = { ...source, id: 'a', providers: [{ ...facts, name: 'A' }] };
    await commit({ sources: [other], providers: ['p'] });
    await commit({ sources: [other], providers: ['p'] });
    expect([...(await store.loadState()).sources.keys()]).toEqual(['a', 's']);
    expect(await providers()).toEqual([['p', 'A', 0, 0]]);
    await commit({ sources: [{ ...other, providers: [] }], providers: ['p'] });
    expect(await providers()).toEqual([['p', 'P', 0, 0]]);
    const before = (await store.loadState()).version;
    expect(await commit({ sources: [{ ...source, providers: [] }], providers: ['p'] })).toMatchObject({
      catalogVersion: before + 1,
    });
    expect(await providers()).toEqual([]);
  });
});
