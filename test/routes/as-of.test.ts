import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ListMeta } from '../../contracts/common.ts';
import type { Model, ModelDetail } from '../../contracts/models.ts';
import type { Offer } from '../../contracts/offers.ts';
import type { SyncRun } from '../../contracts/sync.ts';
import { DATABASES } from '../support/databases.ts';
import { problemIn, startSynced, type Served } from '../support/synced.ts';

type Catalogue = Record<string, { models: Record<string, Record<string, unknown>> }>;

const ID = 'openai/gpt-5-mini';
const GONE = 'anthropic/claude-3-opus-20240229';

describe.each(DATABASES)('asOf on $name', ({ create }) => {
  let served: Served & { run: SyncRun };
  /** After the first sync; after the price and limit changed and an offer went; and what was published then. */
  let first: string;
  let second: string;
  let before: { model: ModelDetail; list: Model[]; offers: Offer[] };
  let after: typeof before;

  const get = async (path: string) => (await served.app.json<{ data: never }>(path)).data;
  const published = async (at = ''): Promise<typeof before> => ({
    model: await get(`/v1/models/${ID}${at && `?asOf=${at}`}`),
    list: await get(`/v1/models?limit=100${at && `&asOf=${at}`}`),
    offers: await get(`/v1/models/${ID}/offers${at && `?asOf=${at}`}`),
  });

  beforeAll(async () => {
    served = await startSynced(create);
    before = await published();
    first = new Date().toISOString();

    const catalogue = structuredClone(served.upstream.content.modelsDevApi) as Catalogue;
    const entry = catalogue.openai?.models['gpt-5-mini'];
    Object.assign(entry ?? {}, {
      cost: { input: 0.5, output: 4 },
      limit: { context: 500_000, input: 272_000, output: 128_000 },
    });
    for (const { models } of Object.values(catalogue))
      for (const key of Object.keys(models)) if (key === 'claude-3-opus-20240229') delete models[key];
    served.upstream.content.modelsDevApi = catalogue;
    for (let fetches = 0; fetches < 3; fetches++) await served.app.sync();
    after = await published();
    second = new Date().toISOString();
  });
  afterAll(() => served?.close());

  /** What does not depend on the entries behind a model or on figures that move daily. */
  const kept = ({ model, list, offers }: typeof before) => {
    const steady = ({ popularity: _popularity, benchmarks, updatedAt: _updatedAt, ...rest }: Model) => ({
      ...rest,
      benchmarks: benchmarks.filter(({ unit }) => !['tokens per second', 'seconds'].includes(unit ?? '')),
    });
    const { records: _records, ...detail } = model;
    return { model: { ...steady(detail), offers: detail.offers }, list: list.map(steady), offers };
  };

  test('200: the model, the list and the offers that were published then, and are published now', async () => {
    expect(before.model.pricing.input).not.toBe(after.model.pricing.input);
    expect(after.offers.map(({ limits }) => limits.context)).toContain(500_000);
    expect(kept(await published(first))).toEqual(kept(before));
    expect(kept(await published(second))).toEqual(kept(after));
  });

  test('200: the same by catalogue version', async () => {
    expect(kept(await published('1'))).toEqual(kept(before));
  });

  test('200: popularity, speeds and the entries behind a model are not told of the past', async () => {
    const { model } = await published(first);
    expect(model.records).toEqual([]);
    expect(model.popularity).toEqual({ downloads: null, downloadsAllTime: null, likes: null });
  });

  test('200: a model that is delisted now was listed then; both say so', async () => {
    expect(before.list.map(({ id }) => id)).toContain(GONE);
    expect(after.list.map(({ id }) => id)).not.toContain(GONE);
    const now: ModelDetail = await get(`/v1/models/${GONE}`);
    expect(now.lifecycle).toMatchObject({ status: 'delisted', date: second.slice(0, 10) });
    expect(now.offers.map(({ lifecycle }) => lifecycle.status)).toEqual(now.offers.map(() => 'delisted'));
    expect(now.offers.length).toBeGreaterThan(0);
    const then: ModelDetail = await get(`/v1/models/${GONE}?asOf=${first}`);
    expect(then.lifecycle.status).toBe('deprecated');
    const delisted: Model[] = await get('/v1/models?lifecycle=delisted');
    expect(delisted.map(({ id }) => id)).toEqual([GONE]);
    const { data, meta } = await served.app.json<{ data: Model[]; meta: ListMeta }>(
      `/v1/models?limit=1&asOf=${first}&sort=name`,
    );
    expect([data.length, meta.total]).toEqual([1, before.list.length]);
  });

  test('200: pages by cursor, filters and sorting hold for the past', async () => {
    const ids: string[] = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const page: { data: Model[]; meta: ListMeta } = await served.app.json(
        `/v1/models?limit=3&sort=-context&asOf=${first}${cursor && `&cursor=${cursor}`}`,
      );
      ids.push(...page.data.map(({ id }) => id));
      cursor = page.meta.nextCursor;
    }
    expect(ids.toSorted()).toEqual(before.list.map(({ id }) => id).toSorted());
    const sold: Model[] = await get(`/v1/models?provider=openai&search=mini&asOf=${first}`);
    expect(sold.map(({ id }) => id)).toContain(ID);
  });

  test('200: the history of a model has its prices in intervals that touch', async () => {
    const { data } = await served.app.json<{ data: { prices: Record<string, never>[]; changes: object[] } }>(
      `/v1/models/${ID}/history?provider=openai`,
    );
    const prices = data.prices.filter(({ providerModelId }) => providerModelId === 'gpt-5-mini');
    expect(prices).toMatchObject([
      { to: prices[1]?.from, pricing: { input: before.model.pricing.input } },
      { to: null, pricing: { input: 0.5, output: 4 } },
    ]);
    expect(data.changes).toContainEqual(
      expect.objectContaining({
        kind: 'price',
        field: 'pricing.input',
        oldValue: before.model.pricing.input,
        newValue: 0.5,
        source: 'models.dev',
        catalogVersion: 2,
      }),
    );
    const gone = await served.app.json<{ data: { delistedAt: string; prices: { to: string }[] } }>(
      `/v1/models/${GONE}/history`,
    );
    expect(gone.data.prices.map(({ to }) => to)).toEqual(gone.data.prices.map(() => gone.data.delistedAt));
  });

  test('400: a time before the history, one to come, a version that never was, provenance of the past', async () => {
    for (const [asOf, says] of [
      ['2020-01-01', 'The history begins at'],
      ['2999-01-01', 'is yet to come'],
      ['4711', 'There is no catalogue version 4711'],
    ] as const) {
      for (const path of ['/v1/models', `/v1/models/${ID}`, `/v1/models/${ID}/offers`]) {
        const problem = await problemIn(await served.app.get(`${path}?asOf=${asOf}`));
        expect(problem).toMatchObject({ status: 400, errors: [{ path: 'asOf' }] });
        expect(problem.detail).toContain(says);
      }
    }
    const both = await problemIn(await served.app.get(`/v1/models/${ID}?asOf=${first}&include=provenance`));
    expect(both).toMatchObject({ status: 400, errors: [{ path: 'include' }] });
    expect((await served.app.get('/v1/models?asOf=yesterday')).status).toBe(400);
  });

  test('404: a model that was not published then', async () => {
    const problem = await problemIn(await served.app.get(`/v1/models/openai/nothing?asOf=${first}`));
    expect(problem).toMatchObject({ status: 404 });
  });
});
