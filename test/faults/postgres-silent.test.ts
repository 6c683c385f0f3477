import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startProxy, type Proxy } from '../support/proxy.ts';
import {
  ask,
  expectNoPoison,
  expectWithin,
  hold,
  POST,
  serve,
  startChangedSync,
  startLoad,
  UNAVAILABLE,
  uncached,
  untilServed,
  useScene,
  waiting,
} from './support/postgres-scene.ts';

const KEPT = '/v1/models?limit=7';

describe('Postgres that says nothing', () => {
  const scene = useScene();

  /** Asks old and new questions and an admin call while nothing is answered by the database. */
  async function whileSilent(url: string, { forMs, silence }: { forMs: number; silence: () => void }) {
    expect(await ask(url, KEPT)).toMatchObject({ status: 200 });
    const kept = startLoad(url, () => KEPT, { everyMs: 25 });
    const fresh = startLoad(url, uncached, { everyMs: 25 });
    await expect.poll(() => fresh.answers.length, { timeout: 10_000 }).toBeGreaterThan(20);
    silence();
    const since = fresh.answers.length;
    const post = ask(url, '/v1/admin/sync', POST);
    await sleep(forMs);
    const [keptAnswers, freshAnswers] = await Promise.all([kept.stop(), fresh.stop()]);
    return { kept: keptAnswers, fresh: freshAnswers.slice(since), post: await post };
  }

  test('P6 it hangs under load: every answer comes in time, and afterwards no connection is spoilt', async () => {
    const { app } = await serve(scene);
    onTestFinished(() => scene.server.thaw());
    for (let round = 0; round < 2; round += 1) {
      const { kept, fresh, post } = await whileSilent(app.url, {
        forMs: 3_000,
        silence: () => scene.server.freeze(),
      });
      expect(new Set(kept.map(({ status }) => status))).toEqual(new Set([200]));
      const refused = fresh.filter(({ status }) => status !== 200);
      expect(refused.length).toBeGreaterThan(5);
      for (const answer of refused) expect(answer).toMatchObject(UNAVAILABLE);
      expect(post).toMatchObject(UNAVAILABLE);
      expectWithin(2_000, [...kept, ...fresh, post]);
      expect(await ask(app.url, KEPT)).toMatchObject({
        status: 200,
        cache: expect.stringContaining('DATABASE_AWAY'),
      });
      expect((await ask(app.url, '/health/live')).status).toBe(200);
      expect((await ask(app.url, '/health')).status).toBe(503);
      expect((await ask(app.url, '/health/ready')).status).toBe(503);

      scene.server.thaw();
      const back = await untilServed(app.url);
      expect(back.length).toBeLessThanOrEqual(3);
      await expectNoPoison(app.url);
      await expect.poll(async () => (await ask(app.url, '/health')).status, { timeout: 5_000 }).toBe(200);
    }
  });

  test('P6a it hangs for a moment in the middle of what a sync writes: the run waits, and completes', async () => {
    const serving = await serve(scene);
    onTestFinished(() => scene.server.thaw());
    const release = await hold(serving, 'offers');
    const started = await startChangedSync(serving, scene);
    await waiting(serving, 'write');
    scene.server.freeze();
    const released = release();
    await sleep(1_500);
    scene.server.thaw();
    await released;
    expect(await started.finished).toMatchObject({ status: 'completed', catalogVersion: 2 });
  });

  async function throughProxy(): Promise<{ url: string; proxy: Proxy }> {
    const proxy = await startProxy(scene.server.port);
    const { app } = await serve(scene, { through: proxy.port });
    onTestFinished(() => proxy.close());
    return { url: app.url, proxy };
  }

  test('P7 open connections die in silence: others take their place while those are still dead', async () => {
    const { url, proxy } = await throughProxy();
    // As many as there can be are open and idle.
    await Promise.all(Array.from({ length: 40 }, () => ask(url, uncached())));
    const open = proxy.open();
    expect(open).toBeGreaterThanOrEqual(20);
    proxy.freeze();
    const answers = await untilServed(url);
    expectWithin(2_000, answers);
    expect(answers.length).toBeLessThanOrEqual(3);
    await expectNoPoison(url);
    expect((await ask(url, '/v1/admin/sync', POST)).status).toBe(202);
  });

  test('P7a nothing gets through, be it on connections that are open or on new ones, until it does again', async () => {
    const { url, proxy } = await throughProxy();
    const { kept, fresh, post } = await whileSilent(url, {
      forMs: 3_000,
      silence: () => {
        proxy.freeze();
        proxy.poison({ timeoutMs: Infinity });
      },
    });
    expect(new Set(kept.map(({ status }) => status))).toEqual(new Set([200]));
    for (const answer of fresh.filter(({ status }) => status !== 200))
      expect(answer).toMatchObject(UNAVAILABLE);
    expect(post).toMatchObject(UNAVAILABLE);
    expectWithin(2_000, [...kept, ...fresh, post]);
    await expect.poll(async () => (await ask(url, '/health')).status, { timeout: 5_000 }).toBe(503);
    proxy.poison({});
    expect((await untilServed(url)).length).toBeLessThanOrEqual(3);
    await expectNoPoison(url);
  });
});
