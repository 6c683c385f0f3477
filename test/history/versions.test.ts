import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ListMeta } from '../../contracts/common.ts';
import type { ModelHistory, PriceInterval } from '../../contracts/history.ts';
import type { Model } from '../../contracts/models.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { DATABASES } from '../support/databases.ts';
import { changesOf, entriesOf, outcomeOf, takeAway } from '../support/edits.ts';
import { holdRows, rowsOf } from '../support/many.ts';
import { follow } from '../support/events.ts';
import { committedAt, problemIn, startServed, startSynced, type Served } from '../support/synced.ts';

const MINI = 'openai/gpt-5-mini';
const DAY_MS = 24 * 60 * 60 * 1000;
const HISTORY = ['changes', 'catalog_versions', 'model_versions', 'offer_versions'] as const;
/** All tables but those that every run notes itself in. */
const TABLES = [
  ...HISTORY,
  ...(['models', 'offers', 'records', 'record_keys', 'conflicts', 'model_aliases', 'aliases'] as const),
  ...(['identity_changes', 'providers', 'catalog'] as const),
];

describe.each(DATABASES)('versions on $name', ({ create }) => {
  let served: Served;
  beforeEach(async () => {
    served = await startSynced(create);
  });
  afterEach(async () => {
    vi.useRealTimers();
    await served.close();
  });

  const rows = async (tables: readonly (typeof TABLES)[number][]) => {
    const counts: Record<string, number> = {};
    for (const table of tables) {
      const { count } = await served.app.database.read
        .selectFrom(table)
        .select((eb) => eb.fn.countAll().as('count'))
        .executeTakeFirstOrThrow();
      counts[table] = Number(count);
    }
    return counts;
  };
  const state = (input: number) =>
    Object.assign(entriesOf(served.upstream.content, 'azure')['gpt-5-mini'] ?? {}, {
      cost: { input, output: 2, cache_read: 0.03 },
    });
  const history = async (query = '') =>
    (await served.app.json<{ data: ModelHistory }>(`/v1/models/${MINI}/history?${query}`)).data;
  const versions = async () =>
    (
      await served.app.database.read.selectFrom('catalog_versions').selectAll().orderBy('version').execute()
    ).map(({ version, committed_at, run_id, changes }) => ({ version, committed_at, run_id, changes }));

  test('a sync that finds nothing new adds no row, be it told so, fetched whole, or forced', async () => {
    const before = await rows(TABLES);
    expect(before.changes).toBeGreaterThan(0);
    expect([before.catalog_versions, before.model_versions, before.offer_versions]).toEqual([1, 0, 0]);
    expect(outcomeOf(await served.app.sync(), 'models.dev').status).toBe('not_modified');
    expect(await rows(TABLES)).toEqual(before);
    const run = await served.app.sync('?force=true');
    expect([outcomeOf(run, 'models.dev').status, run.catalogVersion]).toEqual(['ok', 1]);
    expect(await rows(TABLES)).toEqual(before);
    await served.app.database.write.updateTable('sources').set({ validators: '{}' }).execute();
    expect(outcomeOf(await served.app.sync(), 'openrouter').status).toBe('ok');
    expect(await rows(TABLES)).toEqual(before);
  });

  test('every change says of which version and time it is, and which source said so', async () => {
    state(0.5);
    await served.app.sync();
    takeAway(served.upstream.content, 'groq', 'llama-3.3-70b-versatile');
    for (let fetches = 0; fetches < 3; fetches++) await served.app.sync();
    const told = await versions();
    expect(told.map(({ version }) => version)).toEqual(told.map((_, index) => index + 1));
    expect(told.length).toBeGreaterThan(2);
    const changes = await changesOf(served.app, '');
    for (const { version, committed_at, changes: count } of told) {
      const brought = changes.filter(({ catalogVersion }) => catalogVersion === version);
      expect(new Set(brought.map(({ observedAt }) => observedAt))).toEqual(new Set([committed_at]));
      expect(await rowsOfVersion(version)).toBe(count);
    }
    expect(changes.map(({ id }) => id)).toEqual(changes.map((_, index) => index + 1));
    const sources = new Set(['models.dev', 'openrouter', 'huggingface', 'artificialanalysis']);
    for (const { source } of changes) expect(sources).toContain(source);
    expect(await changesOf(served.app, 'since=1&until=2&provider=azure')).toMatchObject([
      { kind: 'price', field: 'pricing.input', oldValue: 0.25, newValue: 0.5, source: 'models.dev' },
    ]);
  });

  const rowsOfVersion = async (version: number) => {
    const found = await served.app.database.read
      .selectFrom('changes')
      .select('id')
      .where('version', '=', version)
      .execute();
    return found.length;
  };

  test('prices are told in intervals that touch, the last one open', async () => {
    const times = [await committedAt(served.app)];
    const asked = [0.5, 0.4, 0.5, 0.6];
    for (const price of asked) {
      state(price);
      await served.app.sync();
      times.push(await committedAt(served.app));
      // What else changes of an offer does not divide them.
      Object.assign(entriesOf(served.upstream.content, 'azure')['gpt-5-mini'] ?? {}, {
        limit: { context: 100_000 + price * 1_000, output: 1_000 },
      });
      await served.app.sync();
    }
    const { prices } = await history();
    const intervals = prices.filter(({ provider }) => provider === 'azure');
    expect(intervals.map(({ pricing }) => pricing.input)).toEqual([0.25, ...asked]);
    expect(intervals.map(({ from, to }) => [from, to])).toEqual(
      times.map((from, index) => [from, times[index + 1] ?? null]),
    );
    const byOffer = Map.groupBy(prices, ({ provider, providerModelId }) => `${provider} ${providerModelId}`);
    expect([...byOffer.keys()]).toEqual([
      'azure gpt-5-mini',
      'openai gpt-5-mini',
      'openrouter openai/gpt-5-mini',
    ]);
    const open = (own: PriceInterval[]) => own.filter(({ to }) => to === null);
    for (const own of byOffer.values()) expect(open(own)).toEqual([own.at(-1)]);
    expect((await history('provider=azure')).prices).toEqual(intervals);
    // An interval holds its beginning, and not its end.
    for (const { from, pricing } of intervals) {
      const { data } = await served.app.json<{ data: { pricing: object }[] }>(
        `/v1/models/${MINI}/offers?provider=azure&asOf=${from}`,
      );
      expect(data.map((offer) => offer.pricing)).toEqual([pricing]);
    }
  });

  test('times of versions go forward though the clock goes back, and each can be asked for', async () => {
    const first = await committedAt(served.app);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.parse(first) - 3 * DAY_MS });
    for (const price of [0.5, 0.6, 0.7]) {
      state(price);
      await served.app.sync();
    }
    const told = await versions();
    expect(told.map(({ committed_at }) => Date.parse(committed_at) - Date.parse(first))).toEqual([
      0, 1, 2, 3,
    ]);
    const priceAt = async (asOf: string | number) => {
      const answer = await served.app.get(`/v1/models/${MINI}/offers?provider=azure&asOf=${asOf}`);
      const { data } = (await answer.json()) as { data: { pricing: { input: number } }[] };
      return [answer.status, data?.[0]?.pricing.input];
    };
    for (const [index, { version, committed_at }] of told.entries()) {
      const expected = [200, [0.25, 0.5, 0.6, 0.7][index]];
      expect(await priceAt(version)).toEqual(expected);
      expect(await priceAt(committed_at)).toEqual(expected);
    }
    const { prices } = await history('provider=azure');
    expect(prices.map(({ from, to }) => [from, to])).toEqual(
      told.map(({ committed_at }, index) => [committed_at, told[index + 1]?.committed_at ?? null]),
    );
  });

  test('figures that move daily raise the version and are no change', async () => {
    const before = await rows(HISTORY);
    const { content } = served.upstream;
    content.huggingface = content.huggingface.map((row) => ({ ...row, downloads: 7, likes: 8 }));
    content.artificialAnalysis = content.artificialAnalysis.map((row) => ({
      ...row,
      performance: { median_output_tokens_per_second: 1 },
    }));
    // Within a day they wait.
    expect((await served.app.sync()).catalogVersion).toBe(1);
    expect(await rows(HISTORY)).toEqual(before);
    await served.app.database.write
      .updateTable('models')
      .set({ refreshed_at: '2026-01-01T00:00:00.000Z' })
      .execute();
    expect((await served.app.sync()).catalogVersion).toBe(2);
    const { data } = await served.app.json<{ data: Model }>('/v1/models/openai/gpt-oss-120b');
    expect(data.popularity).toMatchObject({ downloads: 7, likes: 8 });
    const { catalog_versions: _, ...rest } = await rows(HISTORY);
    const { catalog_versions: _versions, ...former } = before;
    expect(rest).toEqual(former);
    expect((await versions()).map(({ changes }) => changes)).toEqual([before.changes, 0]);
  });

  test('what is older than history is kept is forgotten, and asking for it says since when it is', async () => {
    state(0.5);
    await served.app.sync();
    await served.app.stop();
    const app: TestApp = await startApp(
      { ...served.upstream.urls, DATABASE_URL: served.database.url, HISTORY_RETENTION_DAYS: '30' },
      {},
    );
    served.app = app;
    const [, second] = await versions();
    const begin = Date.parse(second?.committed_at ?? '');
    vi.useFakeTimers({ toFake: ['Date'], now: begin + 29 * DAY_MS });
    const price = async (asOf: string) => {
      const { data } = await app.json<{ data: { pricing: { input: number } }[] }>(
        `/v1/models/${MINI}/offers?provider=azure&asOf=${asOf}`,
      );
      return data[0]?.pricing.input;
    };
    state(0.6);
    await app.sync();
    expect(await price('1')).toBe(0.25);
    expect(await rowsOfVersion(1)).toBeGreaterThan(0);

    vi.setSystemTime(begin + 40 * DAY_MS);
    state(0.65);
    await app.sync();
    expect(await rowsOfVersion(1)).toBeGreaterThan(0);
    const horizon = new Date(Date.parse(await committedAt(app)) - 30 * DAY_MS).toISOString();
    state(0.7);
    await app.sync();
    expect([await rowsOfVersion(1), await rowsOfVersion(2)]).toEqual([0, 0]);
    expect((await changesOf(app, '')).map(({ newValue }) => newValue)).toContain(0.6);
    const { historyFrom, prices } = await history('provider=azure');
    expect(historyFrom).toBe(horizon);
    // What held when history begins is kept whole.
    expect(prices.map(({ pricing }) => pricing.input)).toEqual([0.5, 0.6, 0.65, 0.7]);
    expect(prices[0]?.from).toBe(second?.committed_at);
    expect(await price(horizon)).toBe(0.5);
    for (const asOf of ['1', '2', new Date(Date.parse(horizon) - 1).toISOString()]) {
      const problem = await problemIn(await app.get(`/v1/models?asOf=${asOf}`));
      expect(problem).toMatchObject({ status: 400, code: 'BAD_REQUEST', errors: [{ path: 'asOf' }] });
      expect(problem.detail).toContain(`The history begins at ${horizon}`);
    }
    // Whoever asks since a forgotten time or version is told, and does not take what is left for all.
    for (const since of ['0', '1', '2020-01-01', second?.committed_at ?? '']) {
      const problem = await problemIn(await app.get(`/v1/changes?since=${since}`));
      expect(problem).toMatchObject({ status: 400, code: 'BAD_REQUEST', errors: [{ path: 'since' }] });
      expect(problem.detail).toContain(`The history begins at ${horizon}`);
    }
    expect((await changesOf(app, 'since=2')).map(({ newValue }) => newValue)).toContain(0.6);
    const late = await follow(app, '', { 'last-event-id': '1' });
    const [gap] = await late.count(1);
    expect(gap).toMatchObject({ event: 'gap', data: { historyFrom: horizon } });
    late.close();

    // Ids go on where all that had one before is forgotten.
    const last = (await changesOf(app, '')).at(-1)?.id ?? 0;
    vi.setSystemTime(begin + 400 * DAY_MS);
    state(0.75);
    await app.sync();
    vi.setSystemTime(begin + 440 * DAY_MS);
    state(0.8);
    await app.sync();
    state(0.85);
    await app.sync();
    expect((await changesOf(app, '')).map(({ id, newValue }) => [id, newValue])).toEqual([
      [last + 2, 0.8],
      [last + 3, 0.85],
    ]);

    // A clock that is far ahead for once makes nothing forgotten, nor stops what moves daily.
    vi.setSystemTime(begin + 2_000 * DAY_MS);
    state(0.9);
    await app.sync();
    vi.setSystemTime(begin + 442 * DAY_MS);
    const { content } = served.upstream;
    content.huggingface = content.huggingface.map((row) => ({ ...row, downloads: 4_321 }));
    state(0.95);
    await app.sync();
    expect((await changesOf(app, '')).map(({ newValue }) => newValue)).toEqual([0.8, 0.85, 0.9, 0.95]);
    const { data } = await app.json<{ data: Model }>('/v1/models/openai/gpt-oss-120b');
    expect(data.popularity.downloads).toBe(4_321);
  });
});

describe.each(DATABASES)('a version that changes thousands of rows on $name', ({ create }) => {
  test('puts each away, tells each, and is told of the past', async () => {
    const COUNT = 1_700;
    const served = await startServed(create, {
      arrange: (content) => holdRows(content, 'models.dev', rowsOf(content, 'models.dev', COUNT + 1)),
    });
    try {
      const { app, upstream } = served;
      await app.sync();
      const cheaper = rowsOf(upstream.content, 'models.dev', COUNT + 1).map((row) => ({
        ...row,
        cost: { input: 0.5, output: 2 },
      }));
      holdRows(upstream.content, 'models.dev', cheaper);
      expect((await app.sync()).catalogVersion).toBe(2);
      const count = async (table: 'model_versions' | 'offer_versions') => {
        const found = await app.database.read
          .selectFrom(table)
          .select((eb) => eb.fn.countAll().as('count'))
          .executeTakeFirstOrThrow();
        return Number(found.count);
      };
      expect([await count('model_versions'), await count('offer_versions')]).toEqual([COUNT, COUNT]);
      const totals = [];
      for (const query of ['kind=price&since=1', 'kind=price&since=1&provider=fern-lab'])
        totals.push((await app.json<{ meta: ListMeta }>(`/v1/changes?${query}`)).meta.total);
      expect(totals).toEqual([2 * COUNT, COUNT]);

      // Nearly all of them go at once, as they do when an operator accepts it.
      holdRows(upstream.content, 'models.dev', cheaper.slice(0, 100));
      for (let fetches = 0; fetches < 3; fetches++) await app.sync('?force=true');
      const gone = await app.json<{ meta: ListMeta }>('/v1/models?lifecycle=delisted');
      expect(gone.meta.total).toBe(COUNT - 100);
      const then = await app.json<{ data: Model[]; meta: ListMeta }>(
        '/v1/models?provider=fern-lab&asOf=1&limit=100',
      );
      expect(then.meta.total).toBe(COUNT);
      expect(new Set(then.data.map(({ pricing }) => pricing.input))).toEqual(new Set([1]));
    } finally {
      await served.close();
    }
  });
});
