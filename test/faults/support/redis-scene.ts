import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, onTestFinished, vi } from 'vitest';
import { startApp, type TestApp } from '../../support/app.ts';
import { DATABASES, type TestDatabase } from '../../support/databases.ts';
import { freePort } from '../../support/ports.ts';
import { OwnRedis, type RedisSettings } from '../../support/redis.ts';
import { startUpstream, type FakeUpstream } from '../../support/upstream.ts';

/** A list that is in every catalogue of these tests. */
export const LIST = '/v1/models?limit=5';

/** Different questions, as many as given up to 100. */
export const questions = (count: number): string[] =>
  Array.from({ length: count }, (_, at) => `/v1/models?limit=${at + 1}`);

/** How a request was answered. */
export interface Answered {
  path: string;
  status: number;
  /** What `Cache-Status` says of it. */
  cache: string | null;
  body: string;
  ms: number;
}

/** A synced catalogue that the tests of a file share. */
export interface Scene {
  upstream: FakeUpstream;
  database: TestDatabase;
  /** What `LIST` is answered with. */
  body: string;
}

/** Syncs a catalogue once for a file. */
export function useScene(create = DATABASES[0].create): Scene {
  const scene = {} as Scene;
  beforeAll(async () => {
    scene.upstream = await startUpstream();
    scene.database = await create();
    const app = await startApp({ ...scene.upstream.urls, DATABASE_URL: scene.database.url });
    await app.sync();
    scene.body = (await ask(app, LIST)).body;
    await app.stop();
  });
  afterAll(async () => {
    await scene.database?.drop();
    await scene.upstream?.close();
  });
  return scene;
}

/** Starts a Redis that goes with the test; `isThere` false: it is to be started later. */
export async function ownRedis(
  settings: RedisSettings = {},
  { isThere = true }: { isThere?: boolean } = {},
): Promise<OwnRedis> {
  const redis = new OwnRedis(await freePort(), settings);
  onTestFinished(() => redis.remove());
  if (isThere) await redis.start();
  return redis;
}

/** Starts a service on the catalogue and a Redis; in the end nothing may have been fatal to it. */
export async function serve(
  { upstream, database }: Scene,
  redis: Pick<OwnRedis, 'url'>,
  environment: Record<string, string> = {},
): Promise<TestApp> {
  const app = await startApp({
    ...upstream.urls,
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    ...environment,
  });
  onTestFinished(async () => {
    await app.stop();
    expect(app.log.filter(({ level }) => Number(level) >= 60)).toEqual([]);
  });
  return app;
}

/** GETs a path. */
export async function ask(app: Pick<TestApp, 'get'>, path: string): Promise<Answered> {
  const began = performance.now();
  const response = await app.get(path);
  const body = await response.text();
  const cache = response.headers.get('cache-status')?.replace('effect-models; ', '') ?? null;
  return { path, status: response.status, cache, body, ms: performance.now() - began };
}

/** Waits until the health of a service is so. */
export async function healthIs(app: TestApp, status: 'ok' | 'degraded'): Promise<void> {
  await vi.waitFor(
    async () => {
      const response = await app.get('/health');
      expect([response.status, (await response.json()) as object]).toMatchObject([200, { status }]);
    },
    { timeout: 10_000, interval: 50 },
  );
}

/** What a service has said of its Redis, oldest first. */
export const saidOf = (app: TestApp): string[] =>
  app.log.flatMap(({ msg }) => /^Redis is (away|back)/.exec(String(msg))?.[1] ?? []);

/** How often a service has said that Redis is away. */
export const farewells = (app: TestApp) => saidOf(app).filter((word) => word === 'away').length;

/** Waits until a service has its Redis and answers a path from what was kept, and answers with that. */
export async function hitOf(app: TestApp, path = LIST): Promise<Answered> {
  return vi.waitFor(
    async () => {
      expect(saidOf(app).at(-1)).not.toBe('away');
      const answer = await ask(app, path);
      expect(answer).toMatchObject({ status: 200, cache: 'hit' });
      return answer;
    },
    { timeout: 10_000, interval: 20 },
  );
}

/** Reads a counter of a service, all its labels taken together. */
export async function counted(app: TestApp, name: string): Promise<number> {
  const text = await (await app.get('/metrics', { 'x-admin': 'true' })).text();
  const values = [...text.matchAll(new RegExp(`^${name}(?:\\{[^}]*\\})? (\\S+)$`, 'gm'))];
  return values.reduce((sum, [, value]) => sum + Number(value), 0);
}

/** Requests that go on until they are stopped. */
export interface Load {
  /** What has been answered so far. */
  answers: Answered[];
  /** Stops it; every answer has to have been good, and the same to the same question. */
  stop(): Promise<Answered[]>;
}

/** Asks the same questions over and over, one every few milliseconds, whether or not those before have been answered. */
export function startLoad(app: Pick<TestApp, 'get'>, paths: string[], { everyMs = 10 } = {}): Load {
  const answers: Answered[] = [];
  const asked: Promise<unknown>[] = [];
  const timer = setInterval(() => {
    const path = paths[asked.length % paths.length] ?? LIST;
    asked.push(
      ask(app, path).then(
        (answer) => answers.push(answer),
        (error: unknown) => answers.push({ path, status: 0, cache: null, body: String(error), ms: 0 }),
      ),
    );
  }, everyMs);
  onTestFinished(() => clearInterval(timer));
  return {
    answers,
    async stop() {
      clearInterval(timer);
      await Promise.all(asked);
      expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
      const bodies = new Map(answers.map(({ path, body }) => [path, body]));
      expect(answers.filter(({ path, body }) => body !== bodies.get(path))).toEqual([]);
      return answers;
    },
  };
}

/** Waits until a service has given its Redis up, under load all the while; whoever asked by then has waited, and nobody after. */
export async function givesUp(app: TestApp, hang: () => void): Promise<void> {
  const load = startLoad(app, questions(20));
  await vi.waitFor(
    () => expect(load.answers.filter(({ cache }) => cache === 'hit').length).toBeGreaterThan(20),
    { timeout: 10_000 },
  );
  const farewellsBefore = farewells(app);
  hang();
  await sleep(1_000);
  const waited = load.answers.length;
  await sleep(1_000);
  const answers = await load.stop();
  expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(2_000);
  const after = answers.slice(waited);
  expect(after.length).toBeGreaterThan(5);
  expect(new Set(after.map(({ cache }) => cache))).toEqual(new Set(['fwd=bypass']));
  expect(after.filter(({ ms }) => ms > 250).length).toBeLessThan(after.length / 2);
  expect(farewells(app) - farewellsBefore).toBeLessThanOrEqual(1);
  await healthIs(app, 'degraded');
}
