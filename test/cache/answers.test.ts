import { randomBytes } from 'node:crypto';
import { createClient, type RedisClientType } from '@redis/client';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, inject, test } from 'vitest';
import { createAnswerCache } from '../../server/cache/answers.ts';
import type { CatalogState } from '../../server/http/answer-cache.ts';
import { connectRedis } from '../../server/cache/redis.ts';
import { createMemoryStore, createRedisStore, type TextStore } from '../../server/cache/store.ts';
import type { AnswerRequest } from '../../server/http/answer-cache.ts';

const MINUTE_MS = 60_000;

const COMMITTED = '2026-07-02T10:00:00.000Z';
const stateOf = (version: number): CatalogState => ({ version, committedAt: COMMITTED });

/** A published catalogue, and how often an answer was made from it. */
class Catalog {
  version = 1;
  committedAt = COMMITTED;

  get state(): CatalogState {
    return { version: this.version, committedAt: this.committedAt };
  }
  loads = 0;

  /** A request whose answer says which version and which input it was made from. */
  request(input: unknown, over: Partial<AnswerRequest> = {}): AnswerRequest {
    return {
      operation: 'models.list',
      kind: 'list',
      input,
      load: () => {
        this.loads += 1;
        return Promise.resolve({ catalog: this.state, body: this.body(input) });
      },
      ...over,
    };
  }

  body(input: unknown): string {
    return JSON.stringify({ data: input, meta: { catalogVersion: this.version } });
  }
}

/** Runs until `attempt` no longer throws: answers are kept in the background. */
async function eventually<Result>(attempt: () => Promise<Result>): Promise<Result> {
  for (const giveUpAt = Date.now() + 5_000; ;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > giveUpAt) throw error;
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

/** What holds whatever the answers are kept in. */
function describeAnswers(openStore: () => TextStore): void {
  let store: TextStore;
  let catalog: Catalog;
  const open = () => createAnswerCache(store, { catalog: () => catalog.state });

  beforeEach(() => {
    store = openStore();
    catalog = new Catalog();
  });

  test('a second request is a hit, for this process and the next', async () => {
    const cache = open();
    const input = { limit: 20, search: 'gpt "4o" – ü' };
    const body = catalog.body(input);
    expect(await cache.serve(catalog.request(input))).toEqual({ body, state: 'miss' });
    await eventually(async () => {
      expect(await cache.serve(catalog.request(input))).toEqual({ body, state: 'hit' });
    });
    const loads = catalog.loads;
    expect(await open().serve(catalog.request(input))).toEqual({ body, state: 'hit' });
    expect(catalog.loads).toBe(loads);
  });

  test('operation and input tell answers apart', async () => {
    const cache = open();
    const requests = [
      catalog.request({ limit: 20 }),
      catalog.request({ limit: 21 }),
      catalog.request({ limit: '20' }),
      catalog.request({ limit: 20, offset: 0 }),
      catalog.request([{ limit: 20 }]),
      catalog.request({ limit: 20 }, { operation: 'providers.list' }),
      catalog.request({ limit: null }),
    ];
    for (const request of requests) expect((await cache.serve(request)).state).toBe('miss');
    expect(catalog.loads).toBe(requests.length);
  });

  test('the order of names does not, at any depth', async () => {
    const cache = open();
    const input = { limit: 20, sort: 'id', filter: { creator: 'openai', provider: ['a', 'b'] } };
    await eventually(async () => expect((await cache.serve(catalog.request(input))).state).toBe('hit'));
    const same = { filter: { provider: ['a', 'b'], creator: 'openai' }, sort: 'id', limit: 20 };
    expect((await cache.serve(catalog.request(same))).state).toBe('hit');
    const other = { filter: { provider: ['b', 'a'], creator: 'openai' }, sort: 'id', limit: 20 };
    expect((await cache.serve(catalog.request(other))).state).toBe('miss');
  });

  test('a new version of the catalogue needs no deleting', async () => {
    const cache = open();
    await cache.serve(catalog.request({}));
    await eventually(async () => expect((await cache.serve(catalog.request({}))).state).toBe('hit'));
    catalog.version = 2;
    expect(await cache.serve(catalog.request({}))).toEqual({ body: catalog.body({}), state: 'miss' });
    await eventually(async () => {
      expect(await cache.serve(catalog.request({}))).toEqual({ body: catalog.body({}), state: 'hit' });
    });
  });

  test('another catalogue of the same version is another catalogue', async () => {
    const cache = open();
    await cache.serve(catalog.request({}));
    catalog.committedAt = '2026-07-03T10:00:00.000Z';
    expect((await cache.serve(catalog.request({}))).state).toBe('miss');
  });

  test('a late writer of an old version is never served after the version rose', async () => {
    const cache = open();
    const old = catalog.body({});
    const slow = Promise.withResolvers<void>();
    const late = cache.serve(
      catalog.request({}, { load: () => slow.promise.then(() => ({ catalog: stateOf(1), body: old })) }),
    );
    // The request has been asked for, found nothing and begun to load.
    await new Promise((resolve) => setTimeout(resolve, 50));
    catalog.version = 2;
    expect((await cache.serve(catalog.request({}))).body).toBe(catalog.body({}));
    slow.resolve();
    expect(await late).toEqual({ body: old, state: 'miss' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    for (let times = 0; times < 5; times++) {
      expect((await cache.serve(catalog.request({}))).body).toBe(catalog.body({}));
      expect((await open().serve(catalog.request({}))).body).toBe(catalog.body({}));
    }
  });

  test('an answer from a newer version than was asked for is kept as the newer one', async () => {
    const cache = open();
    const newer = JSON.stringify({ meta: { catalogVersion: 2 } });
    const load = () => Promise.resolve({ catalog: stateOf(2), body: newer });
    expect(await cache.serve(catalog.request({}, { load }))).toEqual({ body: newer, state: 'miss' });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await cache.serve(catalog.request({}))).state).toBe('miss');
    catalog.version = 2;
    await eventually(async () => {
      expect(await cache.serve(catalog.request({}))).toEqual({ body: newer, state: 'hit' });
    });
  });

  test('fifty requests at once make one load', async () => {
    const cache = open();
    const load = async () => {
      catalog.loads += 1;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return { catalog: stateOf(1), body: catalog.body({}) };
    };
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => cache.serve(catalog.request({}, { load }))),
    );
    expect(catalog.loads).toBe(1);
    expect(new Set(answers.map(({ body }) => body))).toEqual(new Set([catalog.body({})]));
  });

  test('a load that failed is told to all who waited, and not kept', async () => {
    const cache = open();
    const load = async () => {
      catalog.loads += 1;
      await new Promise((resolve) => setTimeout(resolve, 50));
      throw new Error('no such model');
    };
    const failing = () => cache.serve(catalog.request({}, { load }));
    const answers = await Promise.allSettled([failing(), failing(), failing()]);
    expect(answers.map((answer) => answer.status === 'rejected' && String(answer.reason))).toEqual(
      Array.from({ length: 3 }, () => 'Error: no such model'),
    );
    expect(catalog.loads).toBe(1);
    expect(await cache.serve(catalog.request({}))).toEqual({ body: catalog.body({}), state: 'miss' });
    expect(catalog.loads).toBe(2);
  });
}

describe('answers kept in memory', () => {
  describeAnswers(() => createMemoryStore());

  test('an answer that is still being kept is not made again', async () => {
    const store = createMemoryStore();
    const { promise: held, resolve: release } = Promise.withResolvers<void>();
    const set = store.set.bind(store);
    store.set = async (...entry) => {
      await held;
      return set(...entry);
    };
    const catalog = new Catalog();
    const cache = createAnswerCache(store, { catalog: () => catalog.state });
    for (let times = 0; times < 3; times += 1)
      expect(await cache.serve(catalog.request({}))).toEqual({ body: catalog.body({}), state: 'miss' });
    expect(catalog.loads).toBe(1);
    release();
    await eventually(async () => expect((await cache.serve(catalog.request({}))).state).toBe('hit'));
    expect(catalog.loads).toBe(1);
  });

  test('of a newer catalogue that an answer was made from is told at once', async () => {
    const catalog = new Catalog();
    let known = stateOf(1);
    const cache = createAnswerCache(createMemoryStore(), {
      catalog: () => known,
      onNewer: (newer) => (known = newer),
    });
    await cache.serve(catalog.request({ limit: 1 }));
    await cache.serve(catalog.request({ limit: 2 }));
    catalog.version = 2;
    expect((await cache.serve(catalog.request({ limit: 3 }))).body).toBe(catalog.body({ limit: 3 }));
    expect(known).toEqual(stateOf(2));
    expect((await cache.serve(catalog.request({ limit: 1 }))).body).toBe(catalog.body({ limit: 1 }));
  });
});

const redisUrl = inject('redisUrl');

describe.skipIf(redisUrl === null && !process.env.CI)('answers kept in Redis', () => {
  let raw: RedisClientType;
  let client: RedisClientType;
  let namespace: string;

  beforeEach(async () => {
    namespace = `em:test:${randomBytes(6).toString('hex')}`;
    raw = createClient({ url: redisUrl ?? '' });
    await raw.connect();
    client = connectRedis(redisUrl ?? '', pino({ level: 'silent' }));
    await eventually(() => client.ping());
  });

  afterEach(async () => {
    const keys = await ownKeys();
    if (keys.length > 0) await raw.del(keys);
    client.destroy();
    raw.destroy();
  });

  const ownKeys = () => raw.keys(`${namespace}*`);

  describeAnswers(() => createRedisStore(client, namespace));

  /** The one key of the namespace, once it is there. */
  const onlyKey = () =>
    eventually(async () => {
      const keys = await ownKeys();
      expect(keys).toHaveLength(1);
      return keys[0] as string;
    });

  test.each([
    { what: 'a list', kind: 'list', minutes: 60, search: undefined },
    { what: 'an item', kind: 'item', minutes: 120, search: undefined },
    { what: 'a search', kind: 'list', minutes: 1, search: 'gpt' },
  ] as const)('$what lives for 90 to 100 % of $minutes min', async ({ kind, minutes, search }) => {
    const catalog = new Catalog();
    const cache = createAnswerCache(createRedisStore(client, namespace), { catalog: () => stateOf(1) });
    const inputs = Array.from({ length: 60 }, (_, limit) => ({ limit, search }));
    await Promise.all(inputs.map((input) => cache.serve(catalog.request(input, { kind }))));
    const keys = await eventually(async () => {
      const found = await ownKeys();
      expect(found).toHaveLength(60);
      return found;
    });
    const lives = await Promise.all(keys.map((key) => raw.pTTL(key)));
    const full = minutes * MINUTE_MS;
    expect(Math.max(...lives)).toBeLessThanOrEqual(full);
    expect(Math.min(...lives)).toBeGreaterThan(0.9 * full - Math.min(30_000, full / 10));
    // They do not end together.
    expect(Math.max(...lives) - Math.min(...lives)).toBeGreaterThan(0.02 * full);
  });

  test('are the JSON after a sum, under a key with version and namespace', async () => {
    const catalog = new Catalog();
    catalog.version = 41;
    const cache = createAnswerCache(createRedisStore(client, namespace), { catalog: () => stateOf(41) });
    await cache.serve(catalog.request({ name: 'Llämä' }));
    const key = await onlyKey();
    expect(key.startsWith(`${namespace}::v41:`)).toBe(true);
    expect((await raw.get(key))?.slice(8)).toBe(catalog.body({ name: 'Llämä' }));
  });

  test('do not hide those of another namespace', async () => {
    const catalog = new Catalog();
    const caches = ['a', 'b'].map((name) =>
      createAnswerCache(createRedisStore(client, `${namespace}:${name}`), { catalog: () => stateOf(1) }),
    );
    for (const cache of caches) expect((await cache.serve(catalog.request({}))).state).toBe('miss');
    await eventually(async () => expect(await ownKeys()).toHaveLength(2));
    expect(catalog.loads).toBe(2);
  });
});
