import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DATABASES } from '../support/databases.ts';
import { freePort } from '../support/ports.ts';
import { Command } from '../support/process.ts';
import { environmentOn, holdModelsDev, newestEnded, postSync, PRODUCTION } from '../support/service.ts';
import { startUpstream, type FakeUpstream } from '../support/upstream.ts';

const EXIT_MS = 10_000;

let upstream: FakeUpstream;

beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());

const statusOf = async (url: string) => (await fetch(url)).status;

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

test('S11d what a supervisor starts in place of one that crashed serves what was there, and syncs', async () => {
  const port = String(await freePort());
  const environment = { ...(await environmentOn(upstream, DATABASES[0])), ...PRODUCTION, PORT: port };
  const first = new Command('start', { ...environment, ...planted("throw new Error('planted')") });
  const address = await first.url();
  await postSync(address);
  expect((await newestEnded(address)).status).toBe('completed');
  const before = await (await fetch(`${address}/v1/models`)).text();
  const { asked } = holdModelsDev(upstream);
  await postSync(address);
  await asked;
  first.signal('SIGWINCH');
  expect(await first.ended()).toBe(1);
  upstream.reset();

  const next = new Command('start', environment);
  expect(await next.url()).toBe(address);
  expect(await (await fetch(`${address}/v1/models`)).text()).toBe(before);
  expect((await postSync(address)).status).toBe(202);
  expect((await newestEnded(address)).status).toBe('completed');
  expect(await next.end('SIGTERM')).toBe(0);
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
