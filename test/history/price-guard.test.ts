import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ModelDetail } from '../../contracts/models.ts';
import type { PriceName } from '../../contracts/offers.ts';
import { agree, jumps, shiftOf } from '../../sync/price-guard.ts';
import { pricingOf } from '../../sync/prices.ts';
import { DATABASES } from '../support/databases.ts';
import { changesOf, entriesOf, outcomeOf } from '../support/edits.ts';
import { rowsOf } from '../support/many.ts';
import { offered } from '../support/records.ts';
import { fail, startSynced, type Served } from '../support/synced.ts';

const MINI = 'openai/gpt-5-mini';
const FORCED = '?force=true';

/** An entry with these prices in USD. */
function priced(stated: Partial<Record<PriceName, number>>, tier: Partial<Record<PriceName, number>> = {}) {
  const of = (prices: typeof stated) =>
    Object.entries(prices).map(([name, value]) => ({ name: name as PriceName, value, shift: 0 }));
  const condition = { aboveInputTokens: 200_000, utcDays: null, utcStart: null, utcEnd: null };
  const tiers = Object.keys(tier).length === 0 ? [] : [{ ...condition, prices: of(tier) }];
  const pricing = pricingOf({ prices: of(stated), tiers, discount: null }, true);
  return offered('openai', 'gpt-5-mini', { offer: { pricing } });
}

const unpriced = { ...priced({}), offer: null };

describe('a price', () => {
  test.each([
    ['a hundred times', { input: 0.25 }, { input: 25 }, true],
    ['more', { input: 0.25 }, { input: 250 }, true],
    ['a hundredth', { input: 25 }, { input: 0.25 }, true],
    ['99 times', { input: 0.25 }, { input: 24.75 }, false],
    ['a 99th', { input: 24.75 }, { input: 0.25 }, false],
    ['one of several a hundred times', { input: 1, output: 2 }, { input: 1, output: 200 }, true],
    ['any kind of it', { input: 1, perSearch: 0.01 }, { input: 1, perSearch: 1 }, true],
    ['from 0', { input: 0, output: 0 }, { input: 500, output: 1_000 }, false],
    ['to 0', { input: 500, output: 1_000 }, { input: 0, output: 0 }, false],
    ['from unknown', { output: 1 }, { input: 500, output: 1 }, false],
    ['to unknown', { input: 500, output: 1 }, { output: 1 }, false],
    ['not at all', { input: 1 }, { input: 1 }, false],
  ])('%s what it was', (_, before, now, jumped) => {
    expect(jumps(priced(before), priced(now))).toBe(jumped);
  });

  test('of a tier or a mode jumps like any other', () => {
    const base = { input: 1 };
    const [before, now] = [priced(base, { input: 2 }), priced(base, { input: 200 })];
    expect(jumps(before, now)).toBe(true);
    expect(jumps(before, priced(base, { input: 198 }))).toBe(false);
    expect(jumps(before, priced(base))).toBe(false);
    const fast = (input: number) => {
      const entry = priced(base);
      const pricing = priced({ input }).offer?.pricing;
      if (entry.offer === null || pricing === undefined) throw new Error('No offer');
      const modes = [{ name: 'fast', request: { headers: {}, body: {} }, pricing }];
      return { ...entry, offer: { ...entry.offer, modes } };
    };
    expect(jumps(fast(2), fast(200))).toBe(true);
    expect(jumps(fast(2), fast(3))).toBe(false);
    expect(agree(fast(2), fast(3))).toBe(false);
  });

  test('of what is no offer, or was none, does not jump', () => {
    expect(jumps(unpriced, priced({ input: 500 }))).toBe(false);
    expect(jumps(priced({ input: 500 }), unpriced)).toBe(false);
  });

  test('is agreed upon where all prices are the same, whatever else is said', () => {
    const one = priced({ input: 1, output: 2 });
    const renamed = { ...one, facts: { ...one.facts, name: 'Another' } };
    expect(agree(one, renamed)).toBe(true);
    expect(agree(one, priced({ input: 1, output: 3 }))).toBe(false);
    expect(agree(one, priced({ input: 1, output: 2 }, { input: 2 }))).toBe(false);
    expect(agree(one, unpriced)).toBe(false);
  });
});

describe('the shift of a source', () => {
  const moved = (...times: number[]) =>
    times.map((by) => ({
      before: priced({ input: 2, output: 7 }),
      now: priced({ input: 2 * by, output: 7 }),
    }));
  test.each([
    ['three by a thousand', moved(1_000, 1_000, 1_000), 0, 1_000],
    ['three by a thousandth', moved(0.001, 0.001, 0.001), 0, 0.001],
    ['three by 999', moved(999, 999, 999), 0, null],
    ['two alone', moved(1_000, 1_000), 0, null],
    ['the one in the middle', moved(1, 1_100, 4_000), 0, 1_100],
    ['no more than have not', moved(1_000, 1_000, 1_000), 3, null],
    ['more than have not', moved(1_000, 2_000, 3_000, 4_000), 3, 1_000],
    ['most by little', moved(1.1, 1.1, 1.1, 1_000, 1_000), 0, null],
  ])('%s', (_, compared, unchanged, shift) => {
    expect(shiftOf(compared, unchanged)).toBe(shift);
  });

  test('what has no price says nothing', () => {
    const none = Array.from({ length: 9 }, () => ({
      before: priced({ input: 0 }),
      now: priced({ input: 9 }),
    }));
    expect(shiftOf([...none, ...moved(1_000, 1_000)], 0)).toBeNull();
  });
});

describe.each(DATABASES)('the price guard on $name', ({ create }) => {
  let served: Served;
  beforeEach(async () => {
    served = await startSynced(create);
  });
  afterEach(() => served.close());

  const state = (input: unknown, output: unknown = 2) => {
    const entry = entriesOf(served.upstream.content, 'azure')['gpt-5-mini'];
    Object.assign(entry ?? {}, { cost: { input, output, cache_read: 0.03 } });
  };
  /** What azure asks for a million input tokens, as it is published. */
  const published = async () => {
    const { data } = await served.app.json<{ data: ModelDetail }>(`/v1/models/${MINI}`);
    return data.offers.find(({ provider }) => provider === 'azure')?.pricing.input;
  };
  const sync = async (query = '') => {
    const run = await served.app.sync(query);
    return { run, outcome: outcomeOf(run, 'models.dev'), price: await published() };
  };
  const held = async () =>
    (
      await served.app.database.read
        .selectFrom('records')
        .select('id')
        .where('held', 'is not', null)
        .execute()
    ).map(({ id }) => id);
  const priceChanges = async () =>
    (await changesOf(served.app, 'since=1&kind=price&provider=azure')).map(
      ({ field, oldValue, newValue }) => [field, oldValue, newValue],
    );

  test.each([
    ['up', 25],
    ['down', 0.0025],
  ])('a price a hundred times %s waits, and is taken when the next fetch says the same', async (_, price) => {
    state(price);
    expect((await sync()).price).toBe(0.25);
    expect(await held()).toEqual(['azure/gpt-5-mini']);
    expect(await priceChanges()).toEqual([]);
    // What is not modified says the same once more.
    const { outcome, price: taken } = await sync();
    expect([outcome.status, taken]).toEqual(['not_modified', price]);
    expect(await held()).toEqual([]);
    expect(await priceChanges()).toEqual([['pricing.input', 0.25, price]]);
  });

  test('it is taken too when all of it is fetched anew, with whatever else changed since', async () => {
    state(25);
    await sync();
    Object.assign(entriesOf(served.upstream.content, 'azure')['gpt-5-mini'] ?? {}, { attachment: false });
    const { outcome, price } = await sync();
    expect([outcome.status, price]).toEqual(['ok', 25]);
    expect(await held()).toEqual([]);
  });

  test('while every fetch says something else it waits', async () => {
    for (const price of [25, 26, 2_500, 27]) {
      state(price);
      expect((await sync()).price).toBe(0.25);
      expect(await held()).toEqual(['azure/gpt-5-mini']);
    }
    expect((await sync()).price).toBe(27);
    expect(await priceChanges()).toEqual([['pricing.input', 0.25, 27]]);
  });

  test('fetches that fail agree with nothing', async () => {
    state(25);
    await sync();
    const heal = fail(served.upstream, 500, (path) => path.startsWith('/modelsdev'));
    expect((await sync()).price).toBe(0.25);
    expect((await sync()).price).toBe(0.25);
    expect(await held()).toEqual(['azure/gpt-5-mini']);
    heal();
    expect((await sync()).price).toBe(25);
  });

  test('back at the old price nothing waits, and the jump has to be said twice again', async () => {
    state(25);
    await sync();
    state(0.25);
    expect((await sync()).price).toBe(0.25);
    expect(await held()).toEqual([]);
    const { catalogVersion } = (await sync()).run;
    expect(catalogVersion).toBe(1);
    state(25);
    expect((await sync()).price).toBe(0.25);
    expect(await held()).toEqual(['azure/gpt-5-mini']);
  });

  test('an ordinary price in place of the jump is taken at once', async () => {
    state(25);
    await sync();
    state(0.3);
    expect((await sync()).price).toBe(0.3);
    expect(await held()).toEqual([]);
  });

  test('what else an entry says waits with its price, while others go on', async () => {
    state(25);
    Object.assign(entriesOf(served.upstream.content, 'azure')['gpt-5-mini'] ?? {}, {
      limit: { context: 300_000, output: 1_000 },
    });
    Object.assign(entriesOf(served.upstream.content, 'groq')['openai/gpt-oss-120b'] ?? {}, {
      cost: { input: 0.2, output: 0.6 },
    });
    await sync();
    const fields = async () =>
      (await changesOf(served.app, 'since=1')).flatMap(({ field, offer }) =>
        offer === null ? [] : [`${offer.provider} ${field}`],
      );
    expect(await fields()).toEqual(['groq pricing.cacheRead', 'groq pricing.input']);
    await sync();
    expect(await fields()).toContain('azure limits.context');
  });

  test.each([
    ['99 times as high', 24.75],
    ['a 99th', 0.0025253],
    ['unknown', null],
  ])('a price that is %s is taken at once', async (_, price) => {
    state(price);
    expect((await sync()).price).toBe(price);
    expect(await held()).toEqual([]);
  });

  test('from 0 and from unknown nothing jumps', async () => {
    state(0, 0);
    expect((await sync()).price).toBe(0);
    state(500, 900);
    expect((await sync()).price).toBe(500);
    state(null, null);
    expect((await sync()).price).toBeNull();
    state(1, 2);
    expect((await sync()).price).toBe(1);
    expect(await held()).toEqual([]);
  });

  test('by force a jump is taken at once', async () => {
    state(25);
    const { run, price } = await sync(FORCED);
    expect([run.forced, price]).toEqual([true, 25]);
    expect(await held()).toEqual([]);
  });

  /** Multiplies all prices of models.dev. */
  const shift = (times: number) => {
    const providers = Object.keys(served.upstream.content.modelsDevApi);
    for (const entry of providers.flatMap((id) => Object.values(entriesOf(served.upstream.content, id)))) {
      const { cost } = entry as { cost?: Record<string, unknown> };
      if (cost === undefined) continue;
      const moved = Object.entries(cost).map(([name, value]) => [
        name,
        typeof value === 'number' ? value * times : value,
      ]);
      entry.cost = Object.fromEntries(moved);
    }
  };

  test('a source whose prices moved by a thousand is quarantined, until it is forced or says as before', async () => {
    shift(0.001);
    for (let fetches = 0; fetches < 3; fetches++) {
      const { run, outcome, price } = await sync();
      expect([run.status, run.forced, run.catalogVersion, price]).toEqual(['partial', false, 1, 0.25]);
      expect(outcome).toMatchObject({
        status: 'quarantined',
        error: {
          class: 'sanity',
          message: expect.stringMatching(
            /^The prices that models\.dev sent are 1\/1000 of what they were, .* sync with force=true to accept it\.$/,
          ),
        },
      });
    }
    expect(await held()).toEqual([]);
    const { data } = await served.app.json<{ data: { id: string; status: string; error: object }[] }>(
      '/v1/sources',
    );
    expect(data.find(({ id }) => id === 'models.dev')).toMatchObject({
      status: 'quarantined',
      error: { class: 'sanity' },
    });
    shift(1_000);
    expect((await sync()).run.status).toBe('completed');

    shift(1_000);
    const { outcome } = await sync();
    expect(outcome.error?.message).toContain('are 1000 times what they were');
    const forced = await sync(FORCED);
    expect([forced.run.status, forced.run.forced, forced.price]).toEqual(['completed', true, 250]);
    const { data: kept } = await served.app.json<{ data: { forced: boolean } }>(
      `/v1/admin/sync/${forced.run.id}`,
      { 'x-admin': 'true' },
    );
    expect(kept.forced).toBe(true);
    expect((await sync()).run.status).toBe('completed');
  });

  test('what was accepted by force is warned of', async () => {
    const { content } = served.upstream;
    content.openrouter = content.openrouter.slice(0, 4);
    const before = outcomeOf(await served.app.sync(), 'openrouter');
    expect([before.status, before.error?.class]).toEqual(['quarantined', 'sanity']);
    const run = await served.app.sync(FORCED);
    expect(run).toMatchObject({ status: 'completed', forced: true });
    expect(outcomeOf(run, 'openrouter').warnings).toEqual([
      'Accepted by force: what OpenRouter sent has 4 records where 8 were expected, less than 80 %.',
    ]);
  });

  test('a shift that is accepted by force is warned of', async () => {
    shift(1_000);
    const { outcome } = await sync(FORCED);
    expect(outcome.warnings).toEqual([
      'Accepted by force: the prices that models.dev sent are 1000 times what they were, as if in another unit.',
    ]);
  });

  test('growth is never guarded', async () => {
    const { content } = served.upstream;
    content.openrouter = [...content.openrouter, ...rowsOf(content, 'openrouter', 400)];
    const outcome = outcomeOf(await served.app.sync(), 'openrouter');
    expect([outcome.status, outcome.fetched]).toEqual(['ok', 408]);
  });
});
