import { rmSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import type { TestApp } from '../support/app.ts';
import { freePort } from '../support/ports.ts';
import type { OwnRedis } from '../support/redis.ts';
import { has } from '../support/tools.ts';
import {
  type Answered,
  ask,
  counted,
  healthIs,
  hitOf,
  LIST,
  ownRedis,
  questions,
  saidOf,
  serve,
  startLoad,
  useScene,
} from './support/redis-scene.ts';

/** Waits until a service has its Redis; then answers with how to ask how many answers have not been kept since. */
async function unkeptOf(app: TestApp): Promise<() => Promise<number>> {
  await hitOf(app);
  const read = () => counted(app, 'em_cache_write_errors_total');
  const before = await read();
  return async () => (await read()) - before;
}

/** A number out of what Redis says about itself. */
async function infoOf(redis: OwnRedis, name: string): Promise<number> {
  const said = String(await redis.command('INFO'));
  return Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(said)?.[1]);
}

/** Lets Redis use so many bytes more than it does now. */
async function allowMore(redis: OwnRedis, bytes: number, policy: string): Promise<void> {
  const used = await infoOf(redis, 'used_memory');
  await redis.commands(
    ['CONFIG', 'SET', 'maxmemory-policy', policy],
    ['CONFIG', 'SET', 'maxmemory', String(used + Math.round(bytes))],
  );
}

/** Asks each question, and expects every answer to be good. */
async function askAll(app: TestApp, paths: string[]): Promise<Answered[]> {
  const answers = [];
  for (const path of paths) answers.push(await ask(app, path));
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  return answers;
}

/** Two nodes of a cluster; the one that is given back knows that all keys are the other's. */
async function clustered(): Promise<OwnRedis> {
  const node = async () =>
    ownRedis({
      'cluster-enabled': 'yes',
      'cluster-port': String(await freePort()),
      'cluster-config-file': 'nodes.conf',
    });
  const [redis, owner] = [await node(), await node()];
  await owner.command('CLUSTER', 'ADDSLOTSRANGE', '0', '16383');
  const port = String(((await owner.command('CONFIG', 'GET', 'cluster-port')) as string[])[1]);
  await redis.command('CLUSTER', 'MEET', '127.0.0.1', String(owner.port), port);
  await vi.waitFor(() => expect(redis.command('GET', 'key')).rejects.toThrow('MOVED'), {
    timeout: 20_000,
    interval: 50,
  });
  return redis;
}

describe.skipIf(!has('redis-server') && !process.env.CI)('Redis that refuses', () => {
  const scene = useScene();
  const isGood = {
    status: 200,
    get body() {
      return scene.body;
    },
  };

  test('R5 Redis takes no more: answers are made, what was not kept is counted, and it is used again', async () => {
    const redis = await ownRedis();
    const app = await serve(scene, redis);
    const unkept = await unkeptOf(app);
    await allowMore(redis, -200_000, 'noeviction');
    const answers = await askAll(app, questions(60));
    expect(answers.filter(({ cache }) => cache === 'hit').map(({ path }) => path)).toEqual([LIST]);
    await vi.waitFor(async () => expect(await unkept()).toBe(59), { timeout: 10_000 });
    await healthIs(app, 'ok');

    await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    for (const path of questions(60)) await hitOf(app, path);
    expect(await unkept()).toBe(59);
  });

  test('R6 Redis drops what was used longest ago: that is made anew, and counts elsewhere stay exact', async () => {
    const [redis, counts] = [await ownRedis(), await ownRedis()];
    const app = await serve(scene, redis, {
      RATE_LIMIT_PER_MINUTE: '3000',
      RATE_LIMIT_REDIS_URL: counts.url,
    });
    const unkept = await unkeptOf(app);
    await counts.command('FLUSHALL');
    const paths = questions(100);
    await askAll(app, paths);
    const all = await infoOf(redis, 'used_memory');
    await redis.command('FLUSHALL');
    await allowMore(redis, (all - (await infoOf(redis, 'used_memory'))) / 10, 'allkeys-lru');
    const first = await askAll(app, paths);
    const again = await askAll(app, paths);
    expect(new Set([...first, ...again].map(({ cache }) => cache))).toContain('fwd=miss');
    expect(new Set([...first, ...again].map(({ cache }) => cache))).not.toContain('fwd=bypass');
    expect(again.map(({ body }) => body)).toEqual(first.map(({ body }) => body));
    expect(await infoOf(redis, 'evicted_keys')).toBeGreaterThan(100);
    expect(await unkept()).toBe(0);
    expect((await app.get(LIST)).headers.get('ratelimit')).toContain('r=2699;');
  });

  test('R8 Redis becomes a replica that only reads', async () => {
    const redis = await ownRedis();
    const app = await serve(scene, redis);
    const unkept = await unkeptOf(app);
    await redis.command('REPLICAOF', '127.0.0.1', '1');
    expect(await hitOf(app)).toMatchObject(isGood);
    const others = questions(20).filter((path) => path !== LIST);
    for (const { cache } of await askAll(app, [...others, ...others])) expect(cache).not.toBe('hit');
    await vi.waitFor(async () => expect(await unkept()).toBe(38), { timeout: 10_000 });
    await redis.command('REPLICAOF', 'NO', 'ONE');
    for (const path of others) await hitOf(app, path);
  });

  test('R8a Redis can not save, and takes no more for it', async () => {
    const redis = await ownRedis({ save: '3600 1', 'stop-writes-on-bgsave-error': 'yes' });
    const app = await serve(scene, redis);
    const unkept = await unkeptOf(app);
    rmSync(redis.folder, { recursive: true });
    await redis.command('BGSAVE');
    await vi.waitFor(() => expect(redis.command('SET', 'key', '1')).rejects.toThrow('MISCONF'), {
      timeout: 10_000,
    });
    expect(await hitOf(app)).toMatchObject(isGood);
    const others = questions(20).filter((path) => path !== LIST);
    for (const { cache } of await askAll(app, others)) expect(cache).not.toBe('hit');
    await vi.waitFor(async () => expect(await unkept()).toBe(19), { timeout: 10_000 });
  });

  test('R8b Redis is restarted with much to load', async () => {
    const redis = await ownRedis({
      'key-load-delay': '1000',
      'loading-process-events-interval-bytes': '1024',
    });
    const app = await serve(scene, redis);
    await hitOf(app);
    await redis.commands(
      ['EVAL', "for i = 1, 3000 do redis.call('SET', 'filler:' .. i, string.rep('x', 100)) end", '0'],
      ['SAVE'],
    );
    const load = startLoad(app, questions(20));
    await redis.kill();
    await redis.start();
    await vi.waitFor(() => expect(redis.command('GET', 'key')).rejects.toThrow('LOADING'), {
      timeout: 10_000,
    });
    await healthIs(app, 'degraded');
    await expect(redis.command('GET', 'key')).rejects.toThrow('LOADING');
    expect(await ask(app, LIST)).toMatchObject({ ...isGood, cache: 'fwd=bypass' });
    await hitOf(app);
    await healthIs(app, 'ok');
    await load.stop();
  });

  test('R8c Redis wants a password from one moment to the next', async () => {
    const redis = await ownRedis();
    const app = await serve(scene, redis);
    await hitOf(app);
    await redis.commands(['CONFIG', 'SET', 'requirepass', 'another'], ['CLIENT', 'KILL', 'TYPE', 'normal']);
    await healthIs(app, 'degraded');
    for (const answer of await askAll(app, [LIST, LIST, LIST]))
      expect(answer).toMatchObject({ ...isGood, cache: 'fwd=bypass' });
    await redis.commands(['AUTH', 'another'], ['CONFIG', 'SET', 'requirepass', '']);
    expect(await hitOf(app)).toMatchObject(isGood);
    await healthIs(app, 'ok');
    expect(saidOf(app).slice(-2)).toEqual(['away', 'back']);
  });

  test('R8d Redis is a node of a cluster, and says that the keys are elsewhere', async () => {
    const redis = await clustered();
    const app = await serve(scene, redis);
    for (const answer of await askAll(app, [LIST, LIST, LIST]))
      expect(answer).toMatchObject({ ...isGood, cache: 'fwd=bypass' });
    expect(await counted(app, 'em_cache_write_errors_total')).toBe(3);
  });

  test('R8e Redis is busy with a script that does not end', async () => {
    const redis = await ownRedis({ 'busy-reply-threshold': '50' });
    const app = await serve(scene, redis);
    await hitOf(app);
    redis.command('EVAL', 'while true do end', '0').catch(() => {});
    await vi.waitFor(() => expect(redis.command('GET', 'key')).rejects.toThrow('BUSY'), { timeout: 10_000 });
    await healthIs(app, 'degraded');
    for (const answer of await askAll(app, [LIST, LIST, LIST]))
      expect(answer).toMatchObject({ ...isGood, cache: 'fwd=bypass' });
    await redis.command('SCRIPT', 'KILL');
    expect(await hitOf(app)).toMatchObject(isGood);
    await healthIs(app, 'ok');
  });
});
