import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { has } from '../support/tools.ts';
import type { OwnRedis } from '../support/redis.ts';
import { healthIs, hitOf, questions, serve, startLoad, useScene } from './support/redis-scene.ts';
import { startWatched, type Watched } from './support/sentinels.ts';

const PROGRAMS = ['redis-server', 'haproxy'];
const isMissing = PROGRAMS.some((program) => !has(program));
const PATIENCE = { timeout: 30_000, interval: 100 };

describe.skipIf(isMissing && !process.env.CI)('Redis behind sentinels', () => {
  const scene = useScene();

  /** Takes the master away under load, waits until the other has taken its place, and has it come back. */
  async function failsOver(
    { servers: [first, second], url, roleOf }: Watched,
    takeAway: (redis: OwnRedis) => unknown,
    bringBack: (redis: OwnRedis) => unknown,
  ): Promise<void> {
    onTestFinished(() => first.thaw());
    const app = await serve(scene, { url });
    await hitOf(app);
    const load = startLoad(app, questions(20));
    await takeAway(first);
    await healthIs(app, 'degraded');
    await vi.waitFor(async () => expect(await roleOf(second)).toBe('master'), PATIENCE);
    await hitOf(app);
    await healthIs(app, 'ok');

    await bringBack(first);
    for (const path of questions(20)) await hitOf(app, path);
    await healthIs(app, 'ok');
    const answers = await load.stop();
    expect(new Set(answers.map(({ cache }) => cache))).toContain('fwd=bypass');
    expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(2_000);
  }

  test(
    'R15 the master is killed under load, comes back as one, and is told otherwise',
    { timeout: 90_000 },
    async () => {
      const watched = await startWatched();
      await failsOver(
        watched,
        (redis) => redis.kill(),
        async (redis) => {
          await redis.start();
          await vi.waitFor(async () => expect(await watched.roleOf(redis)).toBe('slave'), PATIENCE);
        },
      );
    },
  );

  test(
    'R15a the master hangs under load, and goes on as if nothing had been',
    { timeout: 90_000 },
    async () => {
      await failsOver(
        await startWatched(),
        (redis) => redis.freeze(),
        (redis) => redis.thaw(),
      );
    },
  );
});
