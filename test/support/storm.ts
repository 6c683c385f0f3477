import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, inject, onTestFinished } from 'vitest';
import { openDatabase, type Database } from '../../server/db/database.ts';
import { generatedContent } from '../bench/generated.ts';
import type { DATABASES } from './databases.ts';
import { Command } from './process.ts';
import { startReaders } from './readers.ts';
import { environmentOn, PRODUCTION } from './service.ts';
import { startUpstream, type FakeUpstream, type UpstreamContent } from './upstream.ts';

/** Part of the generated set: several hundred offers, so that writing them takes a while. */
const SCALE = 0.06;
/** How far past the usual end of a run kills may fall. */
const PAST_THE_END = 1.15;

type Entry = { cost?: Record<string, number>; limit?: Record<string, number> };

/** Two upstreams that differ in price and context of every offer of models.dev. */
function twoContents(): [UpstreamContent, UpstreamContent] {
  const [one, other] = [generatedContent(SCALE), generatedContent(SCALE)];
  for (const provider of Object.values(other.modelsDevApi) as { models: Record<string, Entry> }[]) {
    for (const model of Object.values(provider.models)) {
      if (model.cost) model.cost = { ...model.cost, input: (model.cost.input ?? 1) * 1.5 + 1 };
      if (model.limit) model.limit = { ...model.limit, context: (model.limit.context ?? 1) + 1 };
    }
  }
  return [one, other];
}

/** Everything that is published, but for when it was written. */
function published({ snapshot }: Database): Promise<{ version: number; sum: string; models: number }> {
  return snapshot(async (db) => {
    const catalog = await db.selectFrom('catalog').select('version').executeTakeFirst();
    const models = await db.selectFrom('models').select(['id', 'hash', 'delisted']).execute();
    const offers = await db.selectFrom('offers').select(['provider', 'provider_model_id', 'hash']).execute();
    const records = await db.selectFrom('records').select(['source', 'id', 'model_id', 'hash']).execute();
    const conflicts = await db
      .selectFrom('conflicts')
      .select(['model_id', 'field', 'view', 'hash'])
      .execute();
    const names = await db.selectFrom('model_aliases').select(['alias', 'namespace', 'model_id']).execute();
    const providers = await db.selectFrom('providers').select(['id', 'hash']).execute();
    const tables = [models, offers, records, conflicts, names, providers];
    const rows = tables.map((table) => table.map((row) => JSON.stringify(row)).toSorted());
    return {
      version: catalog?.version ?? 0,
      sum: hash('sha256', JSON.stringify(rows)),
      models: models.length,
    };
  });
}

/** How many runs but for the newest are not in a terminal status: the run after them should have seen to that. */
async function forgotten({ read }: Database): Promise<number> {
  const runs = await read.selectFrom('sync_runs').select('status').orderBy('started_at', 'desc').execute();
  return runs.slice(1).filter(({ status }) => status === 'running').length;
}

const SOURCES = 4;

/** Resolves once a sync has begun to fetch. */
async function fetching({ requests }: FakeUpstream): Promise<void> {
  while (requests.length === 0) await sleep(3);
}

/** Resolves once a sync has all that it fetches, or has ended. */
async function fetched(command: Command): Promise<void> {
  let ended = false;
  void command.ended().then(() => (ended = true));
  while (!ended && outcomesOf(command) < SOURCES) await sleep(3);
}

const outcomesOf = ({ output }: Command) => output.match(/: (fetched|not modified)/g)?.length ?? 0;

/** How long the parts of an undisturbed run take. */
interface Usual {
  fetchMs: number;
  writeMs: number;
}

/** A sync to its end, and how long it took. */
async function undisturbed(environment: Record<string, string>, upstream: FakeUpstream): Promise<Usual> {
  upstream.requests.length = 0;
  const command = new Command('sync', environment);
  await fetching(upstream);
  const began = performance.now();
  await fetched(command);
  const wrote = performance.now();
  expect(await command.ended(), command.output).toBe(0);
  return { fetchMs: wrote - began, writeMs: performance.now() - wrote };
}

/** Opens the database of an environment for the rest of the test. */
async function opened({ DATABASE_URL: url = '' }: Record<string, string>): Promise<Database> {
  const database = await openDatabase(url);
  onTestFinished(() => database.close());
  return database;
}

/** Kills as many syncs as asked for, each at a random instant, while readers read. Answers with the figures. */
async function storm(kind: (typeof DATABASES)[number], kills: number) {
  const upstream = await startUpstream();
  onTestFinished(() => upstream.close());
  const own = () => environmentOn(upstream, kind);
  const [one, other] = twoContents();

  // What an undisturbed service publishes: nothing else may ever be seen.
  const calm = await own();
  const states = new Set<string>();
  let usual: Usual = { fetchMs: 0, writeMs: 0 };
  upstream.content = one;
  await undisturbed(calm, upstream);
  const calmDatabase = await opened(calm);
  for (const content of [other, one, other]) {
    upstream.content = content;
    usual = await undisturbed(calm, upstream);
    states.add((await published(calmDatabase)).sum);
  }
  expect(states.size).toBe(2);
  const expected = await published(calmDatabase);

  const environment = await own();
  upstream.content = one;
  await undisturbed(environment, upstream);
  const database = await opened(environment);
  const service = new Command('start', { ...environment, ...PRODUCTION });
  const address = await service.url();
  const readers = startReaders([address, address], { pauseMs: 200 });
  const figures = { kills: 0, whileFetching: 0, whileWriting: 0, afterTheEnd: 0, torn: 0, notInterrupted: 0 };
  let version = (await published(database)).version;

  for (let number = 0; number < kills; number++) {
    upstream.content = number % 2 === 0 ? other : one;
    upstream.requests.length = 0;
    const victim = new Command('sync', environment);
    await fetching(upstream);
    // Three of four fall after the fetching, up to a little past the end.
    if (number % 4 > 0) await fetched(victim);
    await sleep(Math.random() * (number % 4 > 0 ? usual.writeMs * PAST_THE_END : usual.fetchMs));
    const ended = await victim.end('SIGKILL');
    figures.kills += 1;
    if (ended !== 'SIGKILL' || / sync_\w+ (completed|partial)/.test(victim.output)) figures.afterTheEnd += 1;
    else if (outcomesOf(victim) < SOURCES) figures.whileFetching += 1;
    else figures.whileWriting += 1;
    const state = await published(database);
    if (!states.has(state.sum) || state.version < version) figures.torn += 1;
    version = state.version;
    figures.notInterrupted += await forgotten(database);
    await database.write.updateTable('leases').set({ expires_at_ms: 1 }).execute();
  }

  upstream.content = other;
  await undisturbed(environment, upstream);
  figures.notInterrupted += await forgotten(database);
  const final = await published(database);
  await expect.poll(readers.newest, { timeout: 10_000 }).toBe(final.version);
  const report = await readers.stop();
  expect(await service.end('SIGTERM')).toBe(0);
  const usualMs = Math.round(usual.fetchMs + usual.writeMs);
  return { figures, expected, final, report, usualMs };
}

/** Longer than the full storm takes on a slow machine. */
export const STORM_TIMEOUT_MS = 60 * 60_000;

/** The whole storm of `FAULT_KILLS` kills, and what must be true after it. */
export async function expectCalmAfterStorm(kind: (typeof DATABASES)[number]): Promise<void> {
  const { figures, expected, final, report, usualMs } = await storm(kind, inject('faultKills'));
  const { versions, violations, ...read } = report;
  console.log(
    `storm on ${kind.name}: ${JSON.stringify({ ...figures, usualMs, versions: versions.length, ...read })}`,
  );
  expect(violations).toEqual([]);
  expect(figures).toMatchObject({ kills: inject('faultKills'), torn: 0, notInterrupted: 0 });
  expect(read.refused).toBe(0);
  expect([final.sum, final.models]).toEqual([expected.sum, expected.models]);
}
