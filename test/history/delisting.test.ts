import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ListMeta } from '../../contracts/common.ts';
import type { ModelHistory } from '../../contracts/history.ts';
import type { Model, ModelDetail } from '../../contracts/models.ts';
import type { Offer } from '../../contracts/offers.ts';
import { DATABASES } from '../support/databases.ts';
import { changesOf, entriesOf, outcomeOf, takeAway } from '../support/edits.ts';
import { committedAt, fail, startSynced, type Served } from '../support/synced.ts';

const OPUS = 'anthropic/claude-3-opus-20240229';
const LLAMA = 'meta/llama-3.3-70b-instruct';
const SOURCE = 'models.dev';

describe.each(DATABASES)('delisting on $name', ({ create }) => {
  let served: Served;
  beforeEach(async () => {
    served = await startSynced(create);
  });
  afterEach(() => served.close());

  const model = async (id: string) => (await served.app.json<{ data: ModelDetail }>(`/v1/models/${id}`)).data;
  const ids = async (query = '') =>
    (await served.app.json<{ data: Model[]; meta: ListMeta }>(`/v1/models?limit=100&${query}`)).data.map(
      ({ id }) => id,
    );
  const offers = async (id: string, query = '') =>
    (await served.app.json<{ data: Offer[] }>(`/v1/models/${id}/offers?limit=100&${query}`)).data;
  const history = async (id: string) =>
    (await served.app.json<{ data: ModelHistory }>(`/v1/models/${id}/history`)).data;
  /** Syncs, and answers with how models.dev fared and whether the model is listed. */
  const sync = async () => [outcomeOf(await served.app.sync(), SOURCE).status, (await ids()).includes(OPUS)];
  const told = async (query: string) =>
    (await changesOf(served.app, query)).map(({ kind, modelId, offer, catalogVersion, source }) =>
      [
        catalogVersion,
        kind,
        modelId,
        ...(offer === null ? [] : [offer.provider]),
        ...(source === null ? ['?'] : []),
      ].join(' '),
    );

  test('the third good fetch without it delists a model and its offer, with the date', async () => {
    const before = await model(OPUS);
    const [stored] = await rowsOf();
    takeAway(served.upstream.content, 'anthropic', 'claude-3-opus-20240229');
    // What is not modified since still lacks it.
    expect([await sync(), await sync(), await sync()]).toEqual([
      ['ok', true],
      ['not_modified', true],
      ['not_modified', false],
    ]);
    const at = await committedAt(served.app);
    const day = at.slice(0, 10);
    expect(await rowsOf()).toEqual([{ ...stored, delisted: 1, delisted_at: at, offer_delisted_at: at }]);
    expect(await told('since=1')).toEqual([`2 model_delisted ${OPUS}`, `2 offer_removed ${OPUS} anthropic`]);

    const answer = await served.app.get(`/v1/models/${OPUS}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('deprecation')).toBe(`@${Date.parse(day) / 1000}`);
    expect(answer.headers.get('sunset')).toBe(new Date(day).toUTCString());
    const { data } = (await answer.json()) as { data: ModelDetail };
    const ended = { status: 'delisted', date: day, successor: null, source: null };
    expect(data).toEqual({
      ...before,
      lifecycle: ended,
      providers: [],
      sources: [],
      records: [],
      updatedAt: at,
      offers: before.offers.map((offer) => ({ ...offer, lifecycle: ended, sources: [] })),
    });
    expect(await offers(OPUS)).toEqual(data.offers);
    expect(await offers(OPUS, 'lifecycle=active,deprecated')).toEqual([]);
    expect(await history(OPUS)).toMatchObject({
      delistedAt: at,
      prices: [{ from: expect.any(String), to: at }],
    });

    expect(await ids('lifecycle=delisted')).toEqual([OPUS]);
    expect(await ids('lifecycle=active,deprecated,retiring,retired')).not.toContain(OPUS);
    expect(await ids('lifecycle=deprecated,delisted')).toEqual([OPUS]);
    expect(await ids('search=opus')).toEqual([]);
    expect(await ids('creator=anthropic')).not.toContain(OPUS);

    // Once delisted, it is not so again.
    await served.app.sync();
    await served.app.sync('?force=true');
    expect(await committedAt(served.app)).toBe(at);
  });

  /** The rows of the model and of its offer, but for what the date is noted in. */
  async function rowsOf() {
    const rows = await served.app.database.read
      .selectFrom('models')
      .innerJoin('offers', 'offers.model_id', 'models.id')
      .select(['models.document', 'offers.document as offer', 'first_seen_at', 'delisted'])
      .select(['models.delisted_at', 'offers.delisted_at as offer_delisted_at'])
      .where('models.id', '=', OPUS)
      .execute();
    return rows;
  }

  test('fetches that fail or are not believed do not count, and neither do those that have it', async () => {
    const { upstream } = served;
    for (let fetches = 0; fetches < 5; fetches++) expect(await sync()).toEqual(['not_modified', true]);
    takeAway(upstream.content, 'anthropic', 'claude-3-opus-20240229');
    expect(await sync()).toEqual(['ok', true]);
    const heal = fail(upstream, 503, (path) => path.startsWith('/modelsdev'));
    for (let fetches = 0; fetches < 3; fetches++) expect(await sync()).toEqual(['failed', true]);
    heal();
    const { modelsDevApi } = upstream.content;
    upstream.content.modelsDevApi = { openai: (modelsDevApi as { openai: object }).openai };
    for (let fetches = 0; fetches < 3; fetches++) expect(await sync()).toEqual(['quarantined', true]);
    upstream.content.modelsDevApi = modelsDevApi;
    expect((await sync())[1]).toBe(true);
    expect((await sync())[1]).toBe(false);
  });

  test('a model that is there again in time has to be missed three times anew', async () => {
    const { content } = served.upstream;
    const entry = takeAway(content, 'anthropic', 'claude-3-opus-20240229');
    await sync();
    expect(await sync()).toEqual(['not_modified', true]);
    entriesOf(content, 'anthropic')['claude-3-opus-20240229'] = entry;
    expect(await sync()).toEqual(['ok', true]);
    takeAway(content, 'anthropic', 'claude-3-opus-20240229');
    expect([await sync(), await sync(), await sync()].map(([, listed]) => listed)).toEqual([
      true,
      true,
      false,
    ]);
    expect(await told('since=1')).toEqual([`2 model_delisted ${OPUS}`, `2 offer_removed ${OPUS} anthropic`]);
  });

  test('a model that comes back is listed as it was, and its price goes on after a gap', async () => {
    const { content } = served.upstream;
    const [before, [stored]] = [await model(OPUS), await rowsOf()];
    const entry = takeAway(content, 'anthropic', 'claude-3-opus-20240229');
    for (let fetches = 0; fetches < 3; fetches++) await sync();
    const gone = await committedAt(served.app);
    entriesOf(content, 'anthropic')['claude-3-opus-20240229'] = entry;
    expect(await sync()).toEqual(['ok', true]);
    const back = await committedAt(served.app);
    expect(await told('since=2')).toEqual([`3 model_relisted ${OPUS}`, `3 offer_added ${OPUS} anthropic`]);
    expect(await rowsOf()).toEqual([stored]);
    const { records, updatedAt, ...rest } = await model(OPUS);
    const { records: _records, updatedAt: _updatedAt, ...former } = before;
    expect(rest).toEqual(former);
    expect(updatedAt).toBe(back);
    expect(records.map(({ id }) => id)).toEqual(before.records.map(({ id }) => id));
    expect((await served.app.get(`/v1/models/${OPUS}`)).headers.get('sunset')).toBeNull();
    const { delistedAt, prices } = await history(OPUS);
    expect(delistedAt).toBeNull();
    expect(prices.map(({ from, to }) => [from, to])).toEqual([
      [before.firstSeenAt, gone],
      [back, null],
    ]);
    expect(prices[1]?.pricing).toEqual(prices[0]?.pricing);
    expect(await ids('lifecycle=delisted')).toEqual([]);
  });

  test('a model that comes back otherwise says what is different', async () => {
    const { content } = served.upstream;
    const entry = takeAway(content, 'anthropic', 'claude-3-opus-20240229');
    for (let fetches = 0; fetches < 3; fetches++) await sync();
    const cost = { input: 5, output: 25, cache_read: 1.5, cache_write: 18.75 };
    entriesOf(content, 'anthropic')['claude-3-opus-20240229'] = { ...entry, cost };
    await sync();
    const changes = await changesOf(served.app, `since=2&model=${OPUS}&kind=price`);
    expect(
      changes.map(({ offer, field, oldValue, newValue }) => [offer?.provider, field, oldValue, newValue]),
    ).toEqual([
      [undefined, 'pricing.input', 15, 5],
      [undefined, 'pricing.output', 75, 25],
      ['anthropic', 'pricing.input', 15, 5],
      ['anthropic', 'pricing.output', 75, 25],
    ]);
  });

  test('an offer of a model that others serve goes alone, and comes back', async () => {
    const { content } = served.upstream;
    const providers = (list: Offer[]) => list.map(({ provider }) => provider);
    const entry = takeAway(content, 'groq', 'llama-3.3-70b-versatile');
    for (let fetches = 0; fetches < 3; fetches++) await sync();
    const gone = await committedAt(served.app);
    expect(await told('since=1&kind=offer_removed,model_delisted')).toEqual([
      `2 offer_removed ${LLAMA} groq`,
    ]);
    expect(providers(await offers(LLAMA))).not.toContain('groq');
    const [delisted, ...rest] = await offers(LLAMA, 'lifecycle=delisted');
    expect(rest).toEqual([]);
    expect(delisted).toMatchObject({
      provider: 'groq',
      pricing: { input: 0.59 },
      sources: [],
      lifecycle: { status: 'delisted', date: gone.slice(0, 10), source: null },
    });
    const shown = await model(LLAMA);
    expect([shown.lifecycle.status, providers(shown.offers).includes('groq')]).toEqual(['active', false]);
    expect(shown.providers).not.toContain('groq');
    expect(await ids('provider=groq')).not.toContain(LLAMA);

    entriesOf(content, 'groq')['llama-3.3-70b-versatile'] = entry;
    await sync();
    expect(await told('since=2&kind=offer_added,model_relisted,model_added')).toEqual([
      `3 offer_added ${LLAMA} groq`,
    ]);
    expect(await offers(LLAMA, 'lifecycle=delisted')).toEqual([]);
    expect((await model(LLAMA)).providers).toContain('groq');
    expect(await ids('provider=groq')).toContain(LLAMA);
  });
});
