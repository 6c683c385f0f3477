import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ModelDetail } from '../../contracts/models.ts';
import { readConfig } from '../../server/config.ts';
import { openDatabase, type Database } from '../../server/db/database.ts';
import { findModel } from '../../server/db/models.ts';
import { createSyncStore } from '../../server/db/sync-store.ts';
import { createBreakers } from '../../sync/breaker.ts';
import { HTTP_LIMITS } from '../../sync/http.ts';
import { lastDayOf } from '../../sync/lifecycle.ts';
import type { FinishedRun } from '../../sync/ports.ts';
import { startRun } from '../../sync/run.ts';
import { BUNDLED, SOURCES } from '../../sync/sources/index.ts';
import { DATABASES, type TestDatabase } from '../support/databases.ts';
import { AA_KEY, startUpstream, type FakeUpstream } from '../support/upstream.ts';

test.each([
  ['2026-08-10', '2026-08-10'],
  ['2026-08', '2026-08-31'],
  ['2028-02', '2028-02-29'],
  ['2026', '2026-12-31'],
])('the last day of %s is %s', (date, day) => {
  expect(lastDayOf(date)).toBe(day);
});

describe.each(DATABASES)('ends over the days on $name', ({ create }) => {
  let upstream: FakeUpstream;
  let own: TestDatabase;
  let database: Database;
  beforeEach(async () => {
    upstream = await startUpstream();
    own = await create();
    database = await openDatabase(own.url);
    await database.migrate();
  });
  afterEach(async () => {
    await database.close();
    await own.drop();
    await upstream.close();
  });

  /** Syncs as if it were noon of a day. */
  async function syncOn(day: string): Promise<FinishedRun> {
    const environment = {
      ...upstream.urls,
      ARTIFICIAL_ANALYSIS_API_KEY: AA_KEY,
      DATABASE_URL: own.url,
    };
    const started = await startRun(
      {
        sources: SOURCES,
        settings: readConfig('dev', { command: 'once', environment }).sources,
        fallback: { source: BUNDLED, replaces: 'models.dev', answerTimeoutMs: null },
        store: createSyncStore(database),
        limits: { ...HTTP_LIMITS, attempts: 1 },
        breakers: createBreakers(HTTP_LIMITS),
        missesUntilDelisted: 3,
        userAgent: 'test',
        deadlineMs: 60_000,
        leaseMs: 90_000,
        renewEveryMs: 20_000,
        now: () => new Date(`${day}T12:00:00.000Z`),
        onProgress: () => {},
      },
      'api',
    );
    if ('conflict' in started) throw new Error(`Run ${started.conflict} is under way`);
    const run = await started.finished;
    expect(run.status, run.message).toBe('completed');
    return run;
  }

  /** Puts a row on OpenRouter, in place of the one with the same id. */
  function route(id: string, entry: object): void {
    const rows = upstream.content.openrouter as { id: string }[];
    const row = { ...rows[0]!, canonical_slug: id, name: id, hugging_face_id: null, ...entry, id };
    upstream.content.openrouter = [...rows.filter((one) => one.id !== id), row];
  }

  async function model(id: string): Promise<ModelDetail> {
    const found = await findModel(database.read, database.dialect, [id], { withheld: false });
    if (found === null) throw new Error(`No model ${id}`);
    return found;
  }

  const columns = async (id: string) => ({
    model: await database.read
      .selectFrom('models')
      .select(['lifecycle_status as status', 'lifecycle_date as date'])
      .where('id', '=', id)
      .executeTakeFirstOrThrow(),
    offers: await database.read
      .selectFrom('offers')
      .select(['lifecycle_status as status', 'lifecycle_date as date'])
      .where('model_id', '=', id)
      .execute(),
  });

  const retiring = (date: string) => ({
    status: 'retiring',
    date,
    successor: null,
    source: 'openrouter',
  });

  /** Since when a status has been published, that of noon of this day did. */
  const since = (day: string) => ({ since: `${day}T12:00:00.000Z` });

  test('what was to end has ended on its day, without a word from upstream, once', async () => {
    route('openrouter/owl-alpha', { expiration_date: '2026-08-10' });
    route('acme/nova-1', { expiration_date: '2026-08-10' });
    route('acme/nova-2', { expiration_date: '2026-08' });
    await syncOn('2026-08-08');
    const first = await syncOn('2026-08-09');
    expect(first.catalogVersion).toBe(1);
    const ending = { ...retiring('2026-08-10'), ...since('2026-08-08') };
    expect((await model('openrouter/owl-alpha')).lifecycle).toEqual(ending);
    expect((await model('acme/nova-1')).lifecycle.status).toBe('active');
    expect((await model('acme/nova-1')).offers[0]?.lifecycle).toEqual(ending);
    expect(await columns('acme/nova-2')).toEqual({
      model: { status: 'active', date: null },
      offers: [{ status: 'retiring', date: '2026-08-31' }],
    });

    expect((await syncOn('2026-08-10')).catalogVersion).toBe(2);
    const retired = { ...retiring('2026-08-10'), status: 'retired' };
    const owl = await model('openrouter/owl-alpha');
    const ended = { ...retired, ...since('2026-08-10') };
    expect([owl.lifecycle, owl.offers[0]?.lifecycle]).toEqual([ended, ended]);
    expect(owl.updatedAt).toBe('2026-08-10T12:00:00.000Z');
    expect((await model('acme/nova-1')).offers[0]?.lifecycle).toEqual(ended);
    expect((await model('acme/nova-2')).offers[0]?.lifecycle).toEqual({
      ...retiring('2026-08'),
      ...since('2026-08-08'),
    });
    const row = { status: 'retired', date: '2026-08-10' };
    expect(await columns('openrouter/owl-alpha')).toEqual({ model: row, offers: [row] });

    const told = await database.read
      .selectFrom('changes')
      .select(['model_id', 'provider', 'kind', 'field', 'new_value', 'source'])
      .where('version', '=', 2)
      .execute();
    const change = { kind: 'lifecycle', field: 'lifecycle', new_value: JSON.stringify(retired) };
    expect(told).toEqual([
      { model_id: 'acme/nova-1', provider: 'openrouter', ...change, source: 'openrouter' },
      { model_id: 'openrouter/owl-alpha', provider: '', ...change, source: 'openrouter' },
      { model_id: 'openrouter/owl-alpha', provider: 'openrouter', ...change, source: 'openrouter' },
    ]);

    expect((await syncOn('2026-08-30')).catalogVersion).toBe(2);
    expect((await syncOn('2026-08-31')).catalogVersion).toBe(3);
    expect((await model('acme/nova-2')).offers[0]?.lifecycle.status).toBe('retired');
  });

  test('documents of before stages and sources are written anew, which is no change of what they say', async () => {
    await syncOn('2026-08-01');
    const id = 'anthropic/claude-3-opus-20240229';
    const { document } = await database.read
      .selectFrom('models')
      .select('document')
      .where('id', '=', id)
      .executeTakeFirstOrThrow();
    const { stage: _, ...now } = JSON.parse(document) as { stage: null; lifecycle: object };
    const lifecycle = { status: 'deprecated', date: null, successor: null };
    expect(now.lifecycle).toEqual({ ...lifecycle, source: 'models.dev' });
    await database.write
      .updateTable('models')
      .set({ document: JSON.stringify({ ...now, lifecycle }), hash: 'before', steady_hash: 'before' })
      .where('id', '=', id)
      .execute();
    await database.write.updateTable('catalog').set({ format: 3 }).execute();
    expect((await model(id)).lifecycle).toEqual({ ...lifecycle, source: null, ...since('2026-08-01') });
    await syncOn('2026-08-02');
    expect((await model(id)).lifecycle).toEqual({ ...now.lifecycle, ...since('2026-08-01') });
    const changes = database.read.selectFrom('changes').select('field').where('version', '>', 1);
    expect(await changes.execute()).toEqual([]);
  });

  test('a date that moves is followed, also when it had come; one that nobody means is none', async () => {
    route('acme/nova-1', { expiration_date: '2026-06-19' });
    await syncOn('2026-06-20');
    const offer = async () => (await model('acme/nova-1')).offers[0]?.lifecycle;
    expect((await offer())?.status).toBe('retired');
    route('acme/nova-1', { expiration_date: '2026-12-31' });
    await syncOn('2026-06-21');
    expect(await offer()).toEqual({ ...retiring('2026-12-31'), ...since('2026-06-21') });
    route('acme/nova-1', { expiration_date: '2098-12-31' });
    await syncOn('2026-06-22');
    expect(await offer()).toEqual({ status: 'active', date: null, successor: null, source: null });
  });

  test.each([
    ['acme/orion-5', 'acme/orion-5'],
    ['mistralai/ministral-8b', 'mistral/ministral-8b'],
  ])(
    'successor %s, named as %s, is found when it comes, and kept whichever of the two changes',
    async (row, id) => {
      const description = `This model has been deprecated by its maker in favor of [another](/${id}).`;
      route('acme/nova-1', { description });
      await syncOn('2026-08-01');
      const successor = async () => (await model('acme/nova-1')).lifecycle.successor;
      expect((await model('acme/nova-1')).lifecycle.status).toBe('deprecated');
      expect(await successor()).toBeNull();
      route(row, {});
      await syncOn('2026-08-02');
      expect(await successor()).toBe(id);
      route('acme/nova-1', { description, context_length: 4_096 });
      await syncOn('2026-08-03');
      expect(await successor()).toBe(id);
      route(row, { context_length: 4_096 });
      await syncOn('2026-08-04');
      expect(await successor()).toBe(id);
      expect((await model('acme/nova-1')).offers[0]?.lifecycle.successor).toBe(id);
    },
  );
});
