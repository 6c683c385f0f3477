import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { TestApp } from '../support/app.ts';
import type { OwnRedis } from '../support/redis.ts';
import { has } from '../support/tools.ts';
import { ask, healthIs, hitOf, LIST, ownRedis, serve, useScene } from './support/redis-scene.ts';

const TEN = { RATE_LIMIT_PER_MINUTE: '10' };

/** How many of so many requests that come together are allowed; the others have to be 429 and say when to come again. */
async function allowed(times: number, ...apps: TestApp[]): Promise<number> {
  const all = apps.flatMap((app) => Array.from({ length: times }, () => app.get(LIST)));
  const answers = await Promise.all(all);
  for (const answer of answers) await answer.arrayBuffer();
  const refused = answers.filter(({ status }) => status === 429);
  for (const { headers } of refused) {
    expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
    expect(headers.get('ratelimit')).toMatch(/^"default";r=0;t=\d+$/);
  }
  const good = answers.filter(({ status }) => status === 200);
  expect(good.length + refused.length).toBe(answers.length);
  return good.length;
}

/** Waits until a service has its Redis. */
const connected = (app: TestApp) => healthIs(app, 'ok');

describe.skipIf(!has('redis-server') && !process.env.CI)('limits', () => {
  const scene = useScene();

  test('R14 ten of twenty at once are allowed, and of forty at two instances', async () => {
    const redis = await ownRedis();
    const app = await serve(scene, redis, TEN);
    await connected(app);
    expect(await allowed(20, app)).toBe(10);
    await redis.command('FLUSHALL');
    const apps = [await serve(scene, redis, TEN), await serve(scene, redis, TEN)];
    await Promise.all(apps.map(connected));
    expect(await allowed(20, ...apps)).toBe(10);
  });

  test('R14a Redis is not there at boot, or killed later: each process counts by itself, exactly', async () => {
    const redis = await ownRedis({}, { isThere: false });
    const apps = [await serve(scene, redis, TEN), await serve(scene, redis, TEN)];
    for (const app of apps) expect(await allowed(20, app)).toBe(10);
    await redis.start();
    const later = await serve(scene, redis, TEN);
    await connected(later);
    await redis.kill();
    expect(await allowed(20, later)).toBe(10);
    expect(await allowed(5, later)).toBe(0);
  });

  test('R14b Redis hangs: each process counts by itself, exactly, and only the first who ask wait', async () => {
    const redis = await ownRedis();
    const app = await serve(scene, redis, TEN);
    await hitOf(app);
    await redis.command('FLUSHALL');
    redis.freeze();
    onTestFinished(() => redis.thaw());
    expect(await allowed(20, app)).toBe(10);
    const began = performance.now();
    for (let time = 0; time < 30; time += 1) expect(await allowed(1, app)).toBe(0);
    expect(performance.now() - began).toBeLessThan(3_000);
    redis.thaw();
    await connected(app);
    // Redis has counted the twenty that it was sent.
    expect(await allowed(20, app)).toBe(0);
  });

  test('R14c Redis hangs, and that of the answers with it: requests are not held up one by one', async () => {
    const [answers, counts] = [await ownRedis(), await ownRedis()];
    const app = await serve(scene, answers, {
      RATE_LIMIT_PER_MINUTE: '100000',
      RATE_LIMIT_REDIS_URL: counts.url,
    });
    await hitOf(app);
    expect(await counts.command('DBSIZE')).toBe(1);
    for (const redis of [answers, counts]) {
      redis.freeze();
      onTestFinished(() => redis.thaw());
    }
    expect((await ask(app, LIST)).ms).toBeLessThan(1_500);
    const began = performance.now();
    for (let time = 0; time < 30; time += 1)
      expect(await ask(app, LIST)).toMatchObject({ status: 200, cache: 'fwd=bypass', body: scene.body });
    expect(performance.now() - began).toBeLessThan(3_000);
  });

  test('R14d Redis hangs under requests that come all the time: none waits for long', async () => {
    const redis = await ownRedis();
    const app = await serve(scene, redis, { RATE_LIMIT_PER_MINUTE: '100000' });
    await hitOf(app);
    redis.freeze();
    onTestFinished(() => redis.thaw());
    const waiting: Promise<{ status: number; ms: number }>[] = [];
    for (let time = 0; time < 200; time += 1) {
      waiting.push(ask(app, LIST));
      await sleep(5);
    }
    const answers = await Promise.all(waiting);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(1_000);
  });

  test('R14e counts are lost: addresses begin anew, and no request fails', async () => {
    const redis = await ownRedis();
    const app = await serve(scene, redis, TEN);
    await connected(app);
    expect(await allowed(5, app)).toBe(5);
    await redis.command('FLUSHALL');
    expect(await allowed(20, app)).toBe(10);
  });

  test.each<[string, string, (redis: OwnRedis) => Promise<unknown>]>([
    ['R14f', 'Redis takes no more', (redis) => redis.command('CONFIG', 'SET', 'maxmemory', '1')],
    ['R14g', 'Redis only reads', (redis) => redis.command('REPLICAOF', '127.0.0.1', '1')],
    [
      'R14h',
      'the key is another thing',
      async (redis) => {
        const [key = ''] = (await redis.command('KEYS', 'em:limit:*')) as string[];
        await redis.commands(['DEL', key], ['RPUSH', key, 'x']);
      },
    ],
    [
      'R14i',
      'Redis wants a password',
      (redis) =>
        redis.commands(['CONFIG', 'SET', 'requirepass', 'another'], ['CLIENT', 'KILL', 'TYPE', 'normal']),
    ],
  ])('%s %s: the process counts by itself, exactly', async (_row, _what, spoil) => {
    const redis = await ownRedis();
    const app = await serve(scene, redis, TEN);
    await connected(app);
    expect(await allowed(1, app)).toBe(1);
    await spoil(redis);
    // One more than Redis would have allowed.
    expect(await allowed(20, app)).toBe(10);
    expect(await allowed(20, app)).toBe(0);
  });
});
