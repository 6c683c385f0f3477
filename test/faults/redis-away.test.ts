import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { TestApp } from '../support/app.ts';
import { DATABASES } from '../support/databases.ts';
import { startProxy } from '../support/proxy.ts';
import { has } from '../support/tools.ts';
import {
  type Answered,
  ask,
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

/** Asked one after the other; what each was answered with, but for how long it took. */
async function asked(app: TestApp, times: number): Promise<Omit<Answered, 'ms' | 'path'>[]> {
  const answers = [];
  for (let time = 0; time < times; time += 1) {
    const { ms: _, path: __, ...answer } = await ask(app, LIST);
    answers.push(answer);
  }
  return answers;
}

/** How often a service has said that Redis is away. */
const farewells = (app: TestApp) => saidOf(app).filter((word) => word === 'away').length;

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

  /** Waits until a service has given its Redis up, under load all the while; whoever asked by then has waited, and nobody after. */
  async function givesUp(app: TestApp, hang: () => void): Promise<void> {
    const load = startLoad(app, questions(20));
    await vi.waitFor(() =>
      expect(load.answers.filter(({ cache }) => cache === 'hit').length).toBeGreaterThan(20),
    );
    const farewellsBefore = farewells(app);
    hang();
    await sleep(1_000);
    const waited = load.answers.length;
    await sleep(1_000);
    const answers = await load.stop();
    expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(2_000);
    const after = answers.slice(waited);
    expect(after.length).toBeGreaterThan(30);
    expect(new Set(after.map(({ cache }) => cache))).toEqual(new Set(['fwd=bypass']));
    expect(after.filter(({ ms }) => ms > 250).length).toBeLessThan(after.length / 2);
    expect(farewells(app) - farewellsBefore).toBeLessThanOrEqual(1);
    await healthIs(app, 'degraded');
  }

  test('R3 Redis hangs under load: it is given up at once, and used again when it goes on', async () => {
    const redis = await ownRedis();
    const app = await serve(scene, redis);
    onTestFinished(() => redis.thaw());
    for (let round = 0; round < 2; round += 1) {
      await hitOf(app);
      await givesUp(app, () => redis.freeze());
      redis.thaw();
      await hitOf(app);
      await healthIs(app, 'ok');
    }
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

  test('R4 open connections to Redis die in silence under load: others take their place', async () => {
    const redis = await ownRedis();
    const proxy = await startProxy(redis.port);
    onTestFinished(() => proxy.close());
    const app = await serve(scene, { url: `redis://127.0.0.1:${proxy.port}` });
    const load = startLoad(app, questions(20));
    for (let round = 0; round < 2; round += 1) {
      await hitOf(app);
      const before = farewells(app);
      proxy.freeze();
      await vi.waitFor(() => expect(farewells(app)).toBeGreaterThan(before), { timeout: 5_000 });
      await hitOf(app);
      await healthIs(app, 'ok');
    }
    const answers = await load.stop();
    expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(2_000);
  });

  test('R4a the way to Redis swallows all that is sent, also what would open a connection', async () => {
    const redis = await ownRedis({ 'tcp-backlog': '1' });
    const app = await serve(scene, redis);
    onTestFinished(() => redis.thaw());
    await hitOf(app);
    const sockets: Socket[] = [];
    await givesUp(app, () => {
      redis.freeze();
      // When these have filled its queue the system answers nobody who knocks.
      for (let number = 0; number < 5; number += 1)
        sockets.push(connect(redis.port, '127.0.0.1').on('error', () => {}));
    });
    expect(sockets.map(({ connecting }) => connecting)).toContain(true);
    for (const socket of sockets) socket.destroy();
    redis.thaw();
    await hitOf(app);
    await healthIs(app, 'ok');
  });
});
