import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished } from 'vitest';
import type { Problem } from '../../../contracts/errors.ts';
import type { Purpose } from '../../../server/db/orm.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { HTTP_LIMITS } from '../../../sync/http.ts';
import type { StartedRun } from '../../../sync/run.ts';
import { ask as query, startPostgres, type OwnPostgres } from '../../support/postgres.ts';
import { startPulse } from '../../support/pulse.ts';
import { startReaders } from '../../support/readers.ts';
import { ADMIN } from '../../support/synced.ts';
import { AA_KEY, startUpstream, type FakeUpstream } from '../../support/upstream.ts';

/** A server of Postgres for a file of tests, and a synced catalogue that each test has a copy of. */
export interface Scene {
  server: OwnPostgres;
  upstream: FakeUpstream;
  /** The URL of a copy of the synced catalogue. */
  copy: () => Promise<string>;
}

/** The role that the service connects as: one without privileges over the server. */
const ROLE = 'em_app';

/** Starts a server and syncs a catalogue once for a file. */
export function useScene(settings: Record<string, string> = {}): Scene {
  const scene = {} as Scene;
  beforeAll(async () => {
    scene.server = await startPostgres({ settings });
    scene.upstream = await startUpstream();
    const { url, password } = scene.server;
    await query(url, `create role ${ROLE} login password '${password}'`);
    const copyOf = async (template: string) => {
      const name = `copy_${randomBytes(6).toString('hex')}`;
      await query(url, `create database ${name} template ${template} owner ${ROLE}`);
      return Object.assign(new URL(url), { username: ROLE, pathname: `/${name}` });
    };
    const synced = await copyOf('template1');
    const app = await startApp({
      ...scene.upstream.urls,
      ARTIFICIAL_ANALYSIS_API_KEY: AA_KEY,
      DATABASE_URL: synced.href,
    });
    await app.sync();
    await app.stop();
    // Nobody may be connected to what is copied.
    const template = synced.pathname.slice(1);
    await query(url, `alter database ${template} allow_connections false`);
    await query(url, `select pg_terminate_backend(pid) from pg_stat_activity where datname = '${template}'`);
    scene.copy = async () => (await copyOf(template)).href;
  });
  afterAll(async () => {
    await scene.server?.stop();
    await scene.upstream?.close();
  });
  return scene;
}

/** The environment of a service on a database. */
export const environmentOf = ({ upstream }: Scene, databaseUrl: string): Record<string, string> => ({
  ...upstream.urls,
  ARTIFICIAL_ANALYSIS_API_KEY: AA_KEY,
  DATABASE_URL: databaseUrl,
});

/** A service on a catalogue, with readers that read all of it over and over. */
export interface Serving {
  app: TestApp;
  /** The URL of its database, for the superuser. */
  asSuperuser: string;
  /** Runs a statement on its database as the superuser. */
  run: (statement: string) => Promise<Record<string, unknown>[]>;
}

/**
 * Starts a service on a copy of the catalogue. In the end its readers must have seen nothing but whole catalogues and
 * refusals in time, and nothing may have been fatal to it.
 */
export async function serve(
  scene: Scene,
  { through, options = '' }: { through?: number; options?: string } = {},
): Promise<Serving> {
  const databaseUrl = (await scene.copy()) + options;
  const given = new URL(databaseUrl);
  if (through !== undefined) given.port = String(through);
  const app = await startApp(environmentOf(scene, given.href), {
    times: { http: { ...HTTP_LIMITS, attempts: 1 } },
  });
  const readers = startReaders([app.url], { pauseMs: 100 });
  onTestFinished(async () => {
    const { violations } = await readers.stop();
    await app.stop();
    expect(violations).toEqual([]);
    expect(app.log.filter(({ level }) => Number(level) >= 60)).toEqual([]);
  });
  const asSuperuser = Object.assign(new URL(scene.server.url), { pathname: given.pathname }).href;
  return { app, asSuperuser, run: (statement) => query(asSuperuser, statement) };
}

/** How a request was answered. */
export interface Answered {
  status: number;
  cache: string | null;
  retryAfter: string | null;
  /** The problem; null: it is none. */
  problem: Problem | null;
  ms: number;
  /** How much longer than promised it may have taken, since the machine was busy elsewhere. */
  allowanceMs: number;
}

const pulse = startPulse();

/** Asks a service. */
export async function ask(url: string, path: string, init: RequestInit = {}): Promise<Answered> {
  const allowance = pulse.since();
  const began = performance.now();
  const response = await fetch(url + path, init);
  const text = await response.text();
  const ms = performance.now() - began;
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json');
  return {
    status: response.status,
    cache: response.headers.get('cache-status')?.replace('effect-models; ', '') ?? null,
    retryAfter: response.headers.get('retry-after'),
    problem: isProblem ? (JSON.parse(text) as Problem) : null,
    ms,
    allowanceMs: allowance(),
  };
}

let asked = 0;

/** A question that has not been asked before, so that its answer is not kept. */
export const uncached = (): string => `/v1/models?limit=2&offset=${(asked += 1)}`;

/** Expects answers to have come within a time. */
export function expectWithin(milliseconds: number, answers: Answered[]): void {
  expect(answers.filter(({ ms, allowanceMs }) => ms > milliseconds + allowanceMs)).toEqual([]);
}

/** What a service says that can not use its database: away, or busy. */
export const UNAVAILABLE = {
  status: 503,
  retryAfter: '5',
  problem: { status: 503, code: 'SERVICE_UNAVAILABLE', requestId: expect.any(String) },
};

/** The same, of a database that has more to do than it can. */
export const BUSY = {
  ...UNAVAILABLE,
  problem: {
    ...UNAVAILABLE.problem,
    type: 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity',
    detail: 'The database is there, but has more to do than it can right now: try again in a few seconds.',
  },
};

/** Requests that go on until they are stopped, whether or not those before have been answered. */
export interface Load {
  answers: Answered[];
  stop(): Promise<Answered[]>;
}

/** Asks a question of `next` every few milliseconds. */
export function startLoad(url: string, next: () => string, { everyMs = 10 } = {}): Load {
  const answers: Answered[] = [];
  const under = new Set<Promise<unknown>>();
  const timer = setInterval(() => {
    const one = ask(url, next()).then((answer) => answers.push(answer));
    under.add(one);
    one.finally(() => under.delete(one)).catch(() => {});
  }, everyMs);
  const stop = async () => {
    clearInterval(timer);
    await Promise.all(under);
    return answers;
  };
  onTestFinished(() => clearInterval(timer));
  return { answers, stop };
}

/** Asks new questions one after the other until one is answered well; answers with how it went. */
export async function untilServed(url: string): Promise<Answered[]> {
  const answers: Answered[] = [];
  for (;;) {
    const answer = await ask(url, uncached());
    answers.push(answer);
    if (answer.status === 200) return answers;
    expect(answer).toMatchObject(UNAVAILABLE);
    await sleep(20);
  }
}

/** Expects every one of some new questions, one after the other, to be answered well: no connection is left that is not. */
export async function expectNoPoison(url: string, questions = 30): Promise<void> {
  const statuses: number[] = [];
  for (let number = 0; number < questions; number += 1) statuses.push((await ask(url, uncached())).status);
  expect(statuses).toEqual(statuses.map(() => 200));
}

/** How an admin starts a sync. */
export const POST: RequestInit = { method: 'POST', headers: ADMIN };

/** Another session of the database, as its superuser, which goes with the test at the latest. */
export async function session({ asSuperuser }: Serving): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: asSuperuser });
  client.on('error', () => {});
  await client.connect();
  onTestFinished(() => client.end().catch(() => {}));
  return client;
}

/** Keeps everybody from a table who writes to it, or who even reads it, until what it answers with is called. */
export async function hold(
  serving: Serving,
  table: string,
  who: 'writers' | 'everybody' = 'writers',
): Promise<() => Promise<void>> {
  const holder = await session(serving);
  await holder.query(
    `begin; lock table ${table} in ${who === 'writers' ? 'share' : 'access exclusive'} mode`,
  );
  return () => holder.end();
}

/** Waits until so many connections of one side wait for a lock, and answers with their process ids. */
export async function waiting({ run }: Serving, side: Purpose, count = 1): Promise<number[]> {
  const pids = async () => {
    const rows = await run(
      `select pid from pg_stat_activity where application_name = 'effect-models ${side}' and wait_event_type = 'Lock' and datname = current_database()`,
    );
    return rows.map(({ pid }) => Number(pid));
  };
  await expect
    .poll(async () => (await pids()).length, { timeout: 10_000, interval: 10 })
    .toBeGreaterThanOrEqual(count);
  return pids();
}

/** Starts a sync that finds every offer of models.dev changed. */
export async function startChangedSync(
  { app }: Pick<Serving, 'app'>,
  { upstream }: Scene,
): Promise<StartedRun> {
  const providers = Object.values(upstream.content.modelsDevApi) as { models: Record<string, PricedEntry> }[];
  for (const { models } of providers) {
    for (const { cost } of Object.values(models)) if (cost) cost.input = (cost.input ?? 0) + 0.5;
  }
  const started = await app.runner.start('api');
  if ('conflict' in started) throw new Error(`Run ${started.conflict} is under way`);
  return started;
}

interface PricedEntry {
  cost?: { input?: number };
}
