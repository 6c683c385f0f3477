import { Agent, get } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { DATABASES } from '../support/databases.ts';
import { Command, type Finish } from '../support/process.ts';
import { startReaders } from '../support/readers.ts';
import {
  environmentOn,
  expireLease,
  holdModelsDev,
  postSync,
  PRODUCTION,
  shownRuns,
  storedRuns,
} from '../support/service.ts';
import { startUpstream, type FakeUpstream } from '../support/upstream.ts';

const EXIT_MS = 10_000;

let upstream: FakeUpstream;

beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());
beforeEach(() => upstream.reset());

const statusOf = async (url: string) => (await fetch(url)).status;

/** What is answered over the connections of an agent, and whether the service keeps them. */
const heard = (
  url: string,
  agent: Agent,
): Promise<{ status: number | undefined; connection: string | undefined }> =>
  new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      response.resume();
      resolve({ status: response.statusCode, connection: response.headers.connection });
    }).on('error', reject);
  });

/** Starts a service on a database of its own. */
async function startOn(kind: (typeof DATABASES)[number], finish: Finish = onTestFinished) {
  const environment = { ...(await environmentOn(upstream, kind, finish)), ...PRODUCTION };
  const service = new Command('start', environment, [], { finish });
  return { environment, service, address: await service.url() };
}

describe.concurrent('at once', () => {
  test.for(DATABASES)(
    'S1a SIGTERM while idle, on $name',
    async (kind, { expect, onTestFinished: finish }) => {
      const { service, address } = await startOn(kind, finish);
      const readers = startReaders([address]);
      const began = performance.now();
      service.signal('SIGTERM');
      await expect.poll(() => statusOf(`${address}/health/ready`), { interval: 10 }).toBe(503);
      const { violations } = await readers.stop();
      expect(violations).toEqual([]);
      expect(await service.ended()).toBe(0);
      expect(performance.now() - began).toBeLessThan(EXIT_MS);
    },
  );

  test.for(DATABASES)(
    'S1b SIGTERM with requests in flight, one of them half sent, on $name',
    async (kind, { expect, onTestFinished: finish }) => {
      const { service, address } = await startOn(kind, finish);
      const { port } = new URL(address);
      const half = connect(Number(port), '127.0.0.1');
      half.on('error', () => {});
      half.write(
        'POST /v1/resolve HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 20\r\n\r\n{',
      );
      await sleep(100);
      const began = performance.now();
      service.signal('SIGTERM');
      const answers = await Promise.all(Array.from({ length: 50 }, () => statusOf(`${address}/v1/models`)));
      expect(new Set(answers)).toEqual(new Set([200]));
      expect(await service.ended()).toBe(0);
      expect(performance.now() - began).toBeLessThan(EXIT_MS);
      half.destroy();
    },
  );

  test.for(DATABASES)(
    'S1e SIGTERM with kept connections and a stream of changes open, on $name',
    async (kind, { expect, onTestFinished: finish }) => {
      const { service, address } = await startOn(kind, finish);
      const agent = new Agent({ keepAlive: true });
      const kept = await heard(`${address}/v1/models`, agent);
      expect(kept).toMatchObject({ status: 200, connection: 'keep-alive' });
      const stream = await fetch(`${address}/v1/changes/stream`);
      const began = performance.now();
      service.signal('SIGTERM');
      await expect.poll(() => statusOf(`${address}/health/ready`), { interval: 10 }).toBe(503);
      // On a kept connection the last answer says that it is the last.
      expect(await heard(`${address}/v1/models`, agent)).toMatchObject({ status: 200, connection: 'close' });
      // A stream ends as one that is whole, so that its reader resumes elsewhere.
      expect(await stream.text()).toMatch(/^retry: \d+\n/);
      expect(await service.ended()).toBe(0);
      expect(performance.now() - began).toBeLessThan(EXIT_MS);
      agent.destroy();
    },
  );
});

describe.each(DATABASES)('on $name', (kind) => {
  const started = () => startOn(kind);

  test('S1c SIGTERM in the middle of a sync', async () => {
    const { environment, service, address } = await started();
    const { asked, release } = holdModelsDev(upstream);
    await postSync(address);
    await asked;
    expect(await storedRuns(environment)).toMatchObject({ runs: ['running'] });
    expect(await statusOf(`${address}/health/ready`)).toBe(200);
    const began = performance.now();
    service.signal('SIGTERM');
    await expect.poll(async () => (await shownRuns(address))[0]?.status, { interval: 10 }).toBe('aborted');
    const [run] = await shownRuns(address);
    const models = run?.sources.find(({ source }) => source === 'models.dev');
    expect(models).toMatchObject({ status: 'failed', error: { class: 'aborted' } });
    expect((await postSync(address)).status).toBe(503);
    expect(await service.ended()).toBe(0);
    expect(performance.now() - began).toBeLessThan(EXIT_MS);
    release();
    expect(await storedRuns(environment)).toEqual({ runs: ['aborted'], leases: [] });
  });

  test('S1d SIGTERM while a run is being begun', async () => {
    const { environment, service, address } = await started();
    holdModelsDev(upstream);
    const posted = postSync(address).catch(() => null);
    service.signal('SIGTERM');
    await posted;
    expect(await service.ended()).toBe(0);
    const { runs, leases } = await storedRuns(environment);
    expect(leases).toEqual([]);
    expect(runs.filter((status) => status === 'running')).toEqual([]);
  });

  test('S2 a second SIGTERM ends it at once, and the next run sees to the first', async () => {
    const environment = await environmentOn(upstream, kind);
    const service = new Command('start', { ...environment, ...PRODUCTION });
    const address = await service.url();
    const half = connect(Number(new URL(address).port), '127.0.0.1');
    half.on('error', () => {});
    half.write('GET /health HTTP/1.1\r\n');
    await sleep(100);
    service.signal('SIGTERM');
    await expect.poll(() => statusOf(`${address}/health/ready`), { interval: 10 }).toBe(503);
    const began = performance.now();
    service.signal('SIGTERM');
    expect(await service.ended()).toBe(1);
    expect(performance.now() - began).toBeLessThan(1_500);
    half.destroy();
    expect(await new Command('sync', environment).ended()).toBe(0);
  });

  test('S3a SIGKILL of the service in the middle of a sync', async () => {
    const { environment, service, address } = await started();
    expect((await postSync(address)).status).toBe(202);
    await expect.poll(async () => (await shownRuns(address))[0]?.status).toBe('completed');
    const { asked, release } = holdModelsDev(upstream);
    const { id } = await postSync(address);
    await asked;
    await expect.poll(async () => (await shownRuns(address))[0]?.sources.length).toBe(3);
    expect(await service.end('SIGKILL')).toBe('SIGKILL');
    release();

    const next = new Command('start', { ...environment, SYNC_ON_START: 'always', ...PRODUCTION });
    const nextAddress = await next.url();
    const readers = startReaders([nextAddress]);
    await next.says(new RegExp(`run ${id} is under way, or its process has died`));
    await expireLease(environment);
    const dead = async () => (await shownRuns(nextAddress)).find((run) => run.id === id);
    await expect.poll(async () => (await dead())?.status, { timeout: 5_000 }).toBe('interrupted');
    // What it knew of its sources outlives it.
    expect((await dead())?.sources.map(({ source }) => source).toSorted()).toEqual([
      'artificialanalysis',
      'huggingface',
      'openrouter',
    ]);
    expect((await postSync(nextAddress)).status).toBe(202);
    await expect.poll(async () => (await shownRuns(nextAddress))[0]?.status).toBe('completed');
    expect((await readers.stop()).violations).toEqual([]);
    expect(await next.end('SIGTERM')).toBe(0);
  });

  test('S3b SIGKILL holds others off until its lease has run out', async () => {
    const environment = await environmentOn(upstream, kind);
    const { asked, release } = holdModelsDev(upstream);
    const killed = new Command('sync', environment);
    await asked;
    expect(await killed.end('SIGKILL')).toBe('SIGKILL');
    release();
    expect(await new Command('sync', environment).ended()).toBe(3);
    expect(await storedRuns(environment)).toMatchObject({ runs: ['running'] });
    await expireLease(environment);
    expect(await new Command('sync', environment).ended()).toBe(0);
    expect(await storedRuns(environment)).toEqual({ runs: ['interrupted', 'completed'], leases: [] });
  });
});
