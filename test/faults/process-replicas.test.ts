import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { CATALOG_FORMAT } from '../../sync/catalog.ts';
import { DATABASES } from '../support/databases.ts';
import { Command } from '../support/process.ts';
import { startReaders } from '../support/readers.ts';
import { startRoundRobin } from '../support/round-robin.ts';
import {
  environmentOn,
  expireLease,
  holdModelsDev,
  newestEnded,
  postSync,
  PRODUCTION,
  shownRuns,
  storedRuns,
  withDatabase,
} from '../support/service.ts';
import { startUpstream, type FakeUpstream } from '../support/upstream.ts';

const [, postgres] = DATABASES;

let upstream: FakeUpstream;

beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());
beforeEach(() => upstream.reset());

const onPostgres = async () => ({ ...(await environmentOn(upstream, postgres)), ...PRODUCTION });

/** Starts replicas on one database. */
async function replicas(count: number, environment: Record<string, string>) {
  const services = Array.from({ length: count }, () => new Command('start', environment));
  return { services, addresses: await Promise.all(services.map((service) => service.url())) };
}

/** Changes the name of one model. */
function rename(name: string): void {
  const [model, ...others] = upstream.content.openrouter as { name: string }[];
  upstream.content.openrouter = [{ ...model, name }, ...others];
}

test('S4a a hundred POSTs at two replicas start one run', { timeout: 60_000 }, async () => {
  const environment = await onPostgres();
  const { addresses } = await replicas(2, environment);
  const readers = startReaders(addresses);
  const { asked, release } = holdModelsDev(upstream);
  // Who is told to come again, since so many wait for the database, does.
  const patiently = async (address: string) => {
    for (;;) {
      const answer = await postSync(address);
      if (answer.status !== 503) return answer;
    }
  };
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, number) => patiently(addresses[number % 2] ?? '')),
  );
  await asked;
  const started = answers.filter(({ status }) => status === 202);
  expect(started).toHaveLength(1);
  expect(answers.filter(({ status }) => status === 409)).toHaveLength(99);
  expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
  release();
  expect((await newestEnded(addresses[0] ?? '')).status).toBe('completed');
  expect((await readers.stop()).violations).toEqual([]);
  expect(await storedRuns(environment)).toEqual({ runs: ['completed'], leases: [] });
});

test('S4b three replicas fire the same ticks, and each tick is one run', { timeout: 90_000 }, async () => {
  const environment = { ...(await onPostgres()), SYNC_CRON: '*/4 * * * * *' };
  const { services, addresses } = await replicas(3, environment);
  const ticked = async () =>
    (await shownRuns(addresses[0] ?? '')).filter(({ status }) => status !== 'running');
  await expect
    .poll(async () => (await ticked()).length, { timeout: 60_000, interval: 200 })
    .toBeGreaterThan(2);
  await Promise.all(services.map((service) => service.end('SIGTERM')));
  const starts = await withDatabase(environment, ({ read }) =>
    read.selectFrom('sync_runs').select('started_at as at').orderBy('started_at').execute(),
  );
  const gaps = starts.slice(1).map(({ at }, index) => Date.parse(at) - Date.parse(starts[index]?.at ?? ''));
  expect(gaps.filter((gap) => gap < 2_000)).toEqual([]);
});

describe.each(DATABASES)('on $name', (kind) => {
  test.each([
    ['S5a', 'changed', true],
    ['S5b', 'unchanged', false],
  ])(
    '%s a frozen holder wakes late with an upstream that is %s',
    { timeout: 60_000 },
    async (_row, _what, changes) => {
      const environment = await environmentOn(upstream, kind);
      expect(await new Command('sync', environment).ended()).toBe(0);
      const service = new Command('start', { ...environment, ...PRODUCTION });
      const readers = startReaders([await service.url()]);
      const { asked, release } = holdModelsDev(upstream);
      if (changes) rename('Seen by the frozen one');
      const frozen = new Command('sync', environment);
      await asked;
      await frozen.says(/huggingface: /);
      await frozen.says(/openrouter: /);
      // What it writes down of them is written by then: frozen over that it would keep SQLite from everybody.
      await sleep(500);
      frozen.signal('SIGSTOP');
      await expireLease(environment);
      release();
      rename('Seen by the other');
      expect(await new Command('sync', environment).ended()).toBe(0);
      const before = await stateOf(environment);
      frozen.signal('SIGCONT');
      expect(await frozen.ended()).toBe(1);
      expect(frozen.output).toMatch(/superseded/);
      expect(await storedRuns(environment)).toEqual({
        runs: ['completed', 'superseded', 'completed'],
        leases: [],
      });
      expect(await stateOf(environment)).toEqual(before);
      expect((await readers.stop()).violations).toEqual([]);
    },
  );
});

/** What a run that was superseded may not touch. */
function stateOf(environment: Record<string, string>) {
  return withDatabase(environment, async ({ read }) => ({
    catalog: await read.selectFrom('catalog').selectAll().execute(),
    sources: await read.selectFrom('sources').selectAll().orderBy('id').execute(),
    models: await read.selectFrom('models').select(['id', 'hash']).orderBy('id').execute(),
  }));
}

test('S15 a rolling restart loses no request', { timeout: 120_000 }, async () => {
  const environment = await onPostgres();
  expect(await new Command('sync', environment).ended()).toBe(0);
  const balancer = await startRoundRobin();
  onTestFinished(() => balancer.close());
  const first = await replicas(2, environment);
  for (const address of first.addresses) balancer.add(address);
  let services = first.services.map((service, index) => ({ service, address: first.addresses[index] ?? '' }));
  await sleep(1_000);
  const readers = startReaders([balancer.address, balancer.address, balancer.address]);
  for (let round = 0; round < first.services.length; round++) {
    const [oldest, ...others] = services;
    if (oldest === undefined) throw new Error('No replica is left');
    const service = new Command('start', environment);
    const address = await service.url();
    balancer.add(address);
    await sleep(1_000);
    expect(await oldest.service.end('SIGTERM')).toBe(0);
    balancer.remove(oldest.address);
    services = [...others, { service, address }];
  }
  const { violations, refused, requests } = await readers.stop();
  expect(violations).toEqual([]);
  expect(refused).toBe(0);
  expect(requests).toBeGreaterThan(100);
});

describe.each(DATABASES)('on $name', (kind) => {
  test('S16 a database that a newer version has migrated and written is served and synced', async () => {
    const environment = await environmentOn(upstream, kind);
    expect(await new Command('sync', environment).ended()).toBe(0);
    await withDatabase(environment, async ({ write }) => {
      await write
        .updateTable('catalog')
        .set({ format: CATALOG_FORMAT + 1 })
        .execute();
      await write.schema.alterTable('models').addColumn('of_the_next_version', 'text').execute();
      await write.schema.createTable('of_the_next_version').addColumn('id', 'integer').execute();
    });
    const older = new Command('start', { ...environment, ...PRODUCTION });
    const address = await older.url();
    const readers = startReaders([address]);
    rename('After the rollback');
    await postSync(address);
    expect((await newestEnded(address)).status).toBe('completed');
    expect((await readers.stop()).violations).toEqual([]);
  });
});
