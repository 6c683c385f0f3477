import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { TestApp } from '../support/app.ts';
import { startProxy, type Proxy, type Toxics } from '../support/proxy.ts';
import { has } from '../support/tools.ts';
import {
  farewells,
  givesUp,
  healthIs,
  hitOf,
  ownRedis,
  questions,
  serve,
  startLoad,
  useScene,
} from './support/redis-scene.ts';

describe.skipIf(!has('redis-server') && !process.env.CI)('the way to Redis', () => {
  const scene = useScene();

  /** A service whose way to Redis can be made bad. */
  async function serveByProxy(): Promise<{ app: TestApp; proxy: Proxy }> {
    const redis = await ownRedis();
    const proxy = await startProxy(redis.port);
    onTestFinished(() => proxy.close());
    const app = await serve(scene, { url: `redis://127.0.0.1:${proxy.port}` });
    await hitOf(app);
    return { app, proxy };
  }

  test('R4 open connections to Redis die in silence under load: others take their place', async () => {
    const { app, proxy } = await serveByProxy();
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

  test.each<[string, string, Toxics]>([
    ['R4b', 'ends nowhere', { timeoutMs: Infinity }],
    ['R4c', 'takes long', { latencyMs: 1_000 }],
  ])('%s the way from Redis %s, also for new connections', async (_row, _what, toxics) => {
    const { app, proxy } = await serveByProxy();
    await givesUp(app, () => proxy.poison(toxics));
    proxy.poison({});
    await hitOf(app);
    await healthIs(app, 'ok');
  });

  test('R4d the way from Redis is wide enough for pings and for no answers: it is tried less and less', async () => {
    const { app, proxy } = await serveByProxy();
    const load = startLoad(app, questions(20));
    await vi.waitFor(() => expect(load.answers.length).toBeGreaterThan(20), { timeout: 10_000 });
    proxy.poison({ bytesPerSecond: 1_000 });
    const before = load.answers.length;
    await sleep(4_000);
    const answers = (await load.stop()).slice(before);
    expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(2_000);
    expect(answers.filter(({ ms }) => ms > 250).length).toBeLessThan(answers.length / 2);
    proxy.poison({});
    await hitOf(app);
  });
});
