import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import type { TestApp } from '../support/app.ts';
import { startReaders } from '../support/readers.ts';
import type { OwnRedis } from '../support/redis.ts';
import { hold } from '../support/synced.ts';
import { has } from '../support/tools.ts';
import {
  ask,
  healthIs,
  hitOf,
  LIST,
  ownRedis,
  questions,
  serve,
  startLoad,
  useScene,
} from './support/redis-scene.ts';

const versionIn = (body: string) =>
  (JSON.parse(body) as { meta: { catalogVersion: number } }).meta.catalogVersion;

const versionAt = async (app: TestApp) => versionIn((await ask(app, LIST)).body);

/** The versions of which Redis has answers. */
async function versionsIn(redis: OwnRedis): Promise<Set<number>> {
  const keys = (await redis.command('KEYS', 'em:answers*')) as string[];
  return new Set(keys.map((key) => Number(/::v(\d+):/.exec(key)?.[1])));
}

/** How often Redis has been told to do something since it was started. */
async function callsOf(redis: OwnRedis, command: string): Promise<number> {
  const said = String(await redis.command('INFO', 'commandstats'));
  return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(said)?.[1] ?? 0);
}

describe.skipIf(!has('redis-server') && !process.env.CI)('answers by version', () => {
  const scene = useScene();
  let renamed = 0;

  /** Has the next sync find something else. */
  function change(): void {
    const [model, ...others] = scene.upstream.content.openrouter;
    scene.upstream.content.openrouter = [{ ...model, name: `Renamed ${(renamed += 1)}` }, ...others];
  }

  /** Reads all the while: no version may be followed by an older one, nor have two contents. */
  function watched(...apps: TestApp[]): void {
    const readers = startReaders(
      apps.map(({ url }) => url),
      { pauseMs: 10 },
    );
    onTestFinished(async () => expect((await readers.stop()).violations).toEqual([]));
  }

  beforeEach(change);

  test.each([
    ['R9', 'FLUSHDB'],
    ['R9a', 'FLUSHALL'],
  ])('%s %s under load fails no request, and each answer is made once', async (_row, flush) => {
    const redis = await ownRedis();
    const app = await serve(scene, redis);
    const paths = questions(5);
    await hitOf(app);
    const load = startLoad(app, paths, { everyMs: 5 });
    let flushed = 0;
    for (; flushed < 10; flushed += 1) {
      await redis.command(flush);
      await sleep(200);
    }
    const answers = await load.stop();
    expect(new Set(answers.map(({ cache }) => cache))).toEqual(new Set(['hit', 'fwd=miss']));
    const made = await callsOf(redis, 'set');
    expect(made).toBeGreaterThan(paths.length);
    expect(made).toBeLessThanOrEqual(paths.length * (1 + flushed));
  });

  test('R9b a hundred ask the same after a flush, and one answer is made', async () => {
    const redis = await ownRedis();
    const app = await serve(scene, redis);
    await hitOf(app);
    for (let round = 1; round <= 10; round += 1) {
      await redis.command('FLUSHALL');
      const answers = await Promise.all(Array.from({ length: 100 }, () => ask(app, LIST)));
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
      expect(new Set(answers.map(({ body }) => body)).size).toBe(1);
      expect(await callsOf(redis, 'set')).toBe(1 + round);
    }
  });

  test('R10 an answer that is written after the next version was published is never read', async () => {
    const redis = await ownRedis();
    const app = await serve(scene, redis);
    watched(app);
    for (let late = 0, round = 0; late < 2; round += 1) {
      expect(round).toBeLessThan(20);
      change();
      const before = await versionAt(app);
      await redis.command('FLUSHALL');
      const release = hold(scene.upstream, (path) => path.endsWith('/api.json'));
      const run = app.sync();
      await sleep(100);
      await redis.command('CLIENT', 'PAUSE', '10000', 'WRITE');
      expect(await versionAt(app)).toBe(before);
      release();
      expect((await run).catalogVersion).toBe(before + 1);
      expect(await versionAt(app)).toBe(before + 1);
      await redis.command('CLIENT', 'UNPAUSE');
      expect(versionIn((await hitOf(app)).body)).toBe(before + 1);
      if ((await versionsIn(redis)).has(before)) late += 1;
    }
  });

  test('R11 a sync commits while Redis is down: the new version is seen at once, and stays when Redis is back', async () => {
    const redis = await ownRedis({ appendonly: 'yes', appendfsync: 'always' });
    const [app, other] = [await serve(scene, redis), await serve(scene, redis)];
    const before = await versionAt(app);
    await hitOf(app);
    await hitOf(other);
    watched(app, other);
    await redis.kill();
    expect((await app.sync()).catalogVersion).toBe(before + 1);
    expect(versionIn((await ask(app, LIST)).body)).toBe(before + 1);
    await vi.waitFor(async () => expect(await versionAt(other)).toBe(before + 1), { timeout: 5_000 });

    await redis.start();
    expect(await versionsIn(redis)).toContain(before);
    for (const service of [app, other]) expect(versionIn((await hitOf(service)).body)).toBe(before + 1);
  });

  test('R12 Redis is restored from an old dump: what it has of old versions is never read', async () => {
    const redis = await ownRedis();
    const app = await serve(scene, redis);
    const before = await versionAt(app);
    await hitOf(app);
    await redis.command('SAVE');
    await app.sync();
    expect(versionIn((await hitOf(app)).body)).toBe(before + 1);
    watched(app);

    await redis.kill();
    await redis.start();
    expect(await versionsIn(redis)).toEqual(new Set([before]));
    for (let time = 0; time < 20; time += 1) expect(await versionAt(app)).toBe(before + 1);
    expect(versionIn((await hitOf(app)).body)).toBe(before + 1);
  });

  test('R13 nothing that was asked for while Redis was down is done when it is back', async () => {
    const redis = await ownRedis();
    const app = await serve(scene, redis, { RATE_LIMIT_PER_MINUTE: '100000' });
    await hitOf(app);
    await redis.kill();
    await healthIs(app, 'degraded');
    const answers = await Promise.all(questions(100).map((path) => ask(app, path)));
    expect(new Set(answers.map(({ cache }) => cache))).toEqual(new Set(['fwd=bypass']));

    await redis.start();
    await healthIs(app, 'ok');
    expect(await redis.command('DBSIZE')).toBe(0);
    for (const command of ['set', 'get', 'eval']) expect(await callsOf(redis, command)).toBe(0);
    await hitOf(app);
  });

  test('R13a what Redis does late of what it was asked before it hung is harmless', async () => {
    const redis = await ownRedis();
    const app = await serve(scene, redis);
    const before = await versionAt(app);
    watched(app);
    redis.freeze();
    onTestFinished(() => redis.thaw());
    const answers = await Promise.all(questions(100).map((path) => ask(app, path)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect((await app.sync()).catalogVersion).toBe(before + 1);
    redis.thaw();
    expect(versionIn((await hitOf(app)).body)).toBe(before + 1);
    for (let time = 0; time < 20; time += 1) expect(await versionAt(app)).toBe(before + 1);
  });
});
