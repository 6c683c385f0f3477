import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { TestApp } from '../support/app.ts';
import { DATABASES } from '../support/databases.ts';
import { has } from '../support/tools.ts';
import {
  type Answered,
  ask,
  farewells,
  givesUp,
  healthIs,
  hitOf,
  LIST,
  ownRedis,
  questions,
  serve,
  startLoad,
  useScene,
} from './support/redis-scene.ts';

/** Asked one after the other; what each was answered with, but for how long it took. */
async function asked(app: TestApp, times: number): Promise<Omit<Answered, 'ms' | 'path'>[]> {
  const answers = [];
  for (let time = 0; time < times; time += 1) {
    const { ms: _, path: __, ...answer } = await ask(app, LIST);
    answers.push(answer);
  }
  return answers;
}

describe.skipIf(!has('redis-server') && !process.env.CI)('Redis that is away', () => {
  const scene = useScene();
  const bypassed = () => ({ status: 200, cache: 'fwd=bypass', body: scene.body });

  test('R1 Redis is down at boot: answers come from the database, and it is used once it is there', async () => {
    const redis = await ownRedis({}, { isThere: false });
    const app = await serve(scene, redis);
    const first = await ask(app, LIST);
    expect(first).toMatchObject(bypassed());
    expect(first.ms).toBeLessThan(2_000);
    await healthIs(app, 'degraded');
    expect((await app.get('/health/ready')).status).toBe(200);
    expect(farewells(app)).toBe(1);

    await redis.start();
    expect(await hitOf(app)).toMatchObject({ body: scene.body });
    await healthIs(app, 'ok');
  });

  test('R1a Redis is down at boot, and a sync fills an empty catalogue', async () => {
    const empty = await DATABASES[0].create();
    onTestFinished(() => empty.drop());
    const redis = await ownRedis({}, { isThere: false });
    const app = await serve({ ...scene, database: empty }, redis);
    expect(await app.sync()).toMatchObject({ status: 'completed', catalogVersion: 1 });
    expect(await ask(app, '/v1/models/openai/gpt-5-mini')).toMatchObject({
      status: 200,
      cache: 'fwd=bypass',
    });
  });

  test('R2 Redis is killed under load and comes back: no request fails, and hits resume', async () => {
    const redis = await ownRedis();
    const app = await serve(scene, redis);
    const load = startLoad(app, questions(20));
    await hitOf(app);
    const before = farewells(app);
    await redis.kill();
    expect(await asked(app, 30)).toEqual(Array.from({ length: 30 }, bypassed));
    await healthIs(app, 'degraded');
    await sleep(1_000);

    await redis.start();
    const back = performance.now();
    await hitOf(app);
    expect(performance.now() - back).toBeLessThan(2_000);
    await healthIs(app, 'ok');
    const answers = await load.stop();
    expect(new Set(answers.map(({ cache }) => cache))).toEqual(new Set(['hit', 'fwd=miss', 'fwd=bypass']));
    expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(2_000);
    expect(farewells(app) - before).toBeLessThanOrEqual(1);
  });

  test('R3 Redis hangs under load: it is given up at once, and used again when it goes on', async () => {
    const redis = await ownRedis();
    const app = await serve(scene, redis);
    onTestFinished(() => redis.thaw());
    await givesUp(app, () => redis.freeze());
    redis.thaw();
    await hitOf(app);
    await healthIs(app, 'ok');
  });

  test('R3a Redis hangs when many ask at once', async () => {
    const redis = await ownRedis();
    const app = await serve(scene, redis);
    await hitOf(app);
    redis.freeze();
    onTestFinished(() => redis.thaw());
    const answers = await Promise.all(questions(50).map((path) => ask(app, path)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(2_000);
  });

  test('R3b Redis hangs before a quiet service is asked again', async () => {
    const redis = await ownRedis();
    const app = await serve(scene, redis);
    await hitOf(app);
    redis.freeze();
    onTestFinished(() => redis.thaw());
    await healthIs(app, 'degraded');
    expect(await ask(app, LIST)).toMatchObject(bypassed());
  });
});
