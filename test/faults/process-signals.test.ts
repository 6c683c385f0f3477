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

/** Makes the service do something bad at SIGWINCH, which means nothing to it otherwise. */
const planted = (code: string) => ({
  NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(`process.on('SIGWINCH', () => { ${code} })`)}`,
});

test.each([
  ['S11a', 'an unhandled rejection', "void Promise.reject(new Error('planted'))"],
  ['S11b', 'an uncaught exception', "throw new Error('planted')"],
])('%s %s ends the service with 1, and is in the log with its stack', async (_row, _what, code) => {
  const environment = { ...(await environmentOn(upstream, DATABASES[0])), ...PRODUCTION };
  const service = new Command('start', { ...environment, ...planted(code) });
  await service.url();
  const began = performance.now();
  service.signal('SIGWINCH');
  expect(await service.ended()).toBe(1);
  expect(performance.now() - began).toBeLessThan(EXIT_MS);
  const line = service.output.split('\n').find((text) => text.includes('"level":60')) ?? '';
  expect(line).toContain('"message":"planted"');
  expect(line).toMatch(/"stack":"Error: planted\\n/);
});

test('S11c what goes wrong behind a request is in the log with its id', async () => {
  const environment = { ...(await environmentOn(upstream, DATABASES[0])), ...PRODUCTION };
  // Whatever is done for the request with this id ends in an exception that nobody catches.
  const code = `
    import { AsyncLocalStorage } from 'node:async_hooks';
    const run = AsyncLocalStorage.prototype.run;
    AsyncLocalStorage.prototype.run = function (part, work) {
      return run.call(this, part, () => {
        if (part?.requestId === 'planted') setTimeout(() => { throw new Error('planted'); }, 1);
        return work();
      });
    };`;
  const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(code)}`;
  const service = new Command('start', { ...environment, NODE_OPTIONS });
  const address = await service.url();
  await fetch(`${address}/v1/status`, { headers: { 'x-request-id': 'planted' } }).catch(() => {});
  expect(await service.ended()).toBe(1);
  const fatal = service.output.split('\n').filter((line) => line.includes('"level":60'));
  expect(fatal.length).toBe(1);
  expect(JSON.parse(fatal[0] ?? '')).toMatchObject({
    operation: 'status.get',
    requestId: 'planted',
    err: { message: 'planted' },
  });
});

test('S9a an event loop that lags sheds requests, answers monitors, and takes requests again', async () => {
  const environment = { ...(await environmentOn(upstream, DATABASES[0])), ...PRODUCTION };
  // Six seconds in which hardly anything else is done.
  const code = `
    const until = Date.now() + 6000;
    const block = () => { const end = Date.now() + 700; while (Date.now() < end); if (end < until) setImmediate(block); };
    block();`;
  const service = new Command('start', { ...environment, ...planted(code) });
  const address = await service.url();
  service.signal('SIGWINCH');
  await expect.poll(() => statusOf(`${address}/v1/models`), { timeout: 10_000 }).toBe(503);
  const refused = await fetch(`${address}/v1/models`);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
  expect(await refused.json()).toMatchObject({
    code: 'SERVICE_UNAVAILABLE',
    type: 'https://iana.org/assignments/http-problem-types#temporary-reduced-capacity',
  });
  expect(await statusOf(`${address}/health/live`)).toBe(200);
  await expect.poll(() => statusOf(`${address}/v1/models`), { timeout: 15_000 }).toBe(200);
  expect(service.output).not.toMatch(/"level":60/);
  expect(await service.end('SIGTERM')).toBe(0);
});

test('S9b an event loop that was blocked for 2 s answers whoever waited', async () => {
  const environment = { ...(await environmentOn(upstream, DATABASES[0])), ...PRODUCTION };
  const code = 'const end = Date.now() + 2000; while (Date.now() < end);';
  const service = new Command('start', { ...environment, ...planted(code) });
  const address = await service.url();
  service.signal('SIGWINCH');
  await sleep(100);
  const live = await Promise.all(['/health/live', '/health/ready'].map((path) => statusOf(address + path)));
  expect(live).toEqual([200, 200]);
  await expect.poll(() => statusOf(`${address}/v1/models`), { timeout: 5_000 }).toBe(200);
  expect(await service.end('SIGTERM')).toBe(0);
});
