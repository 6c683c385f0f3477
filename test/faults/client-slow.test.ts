import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { startApp } from '../support/app.ts';
import { DATABASES } from '../support/databases.ts';
import { Command } from '../support/process.ts';
import { environmentOn, PRODUCTION } from '../support/service.ts';
import { startUpstream, type FakeUpstream } from '../support/upstream.ts';
import { startEdge } from '../http/edge.ts';

const CONNECTIONS = inject('faultConnections');
const HEAD = 'GET /v1/models HTTP/1.1\r\nHost: x\r\n';
const BODY =
  'POST /v1/resolve HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9000\r\n\r\n{';

interface Dripping {
  /** When the connection was closed, and what was answered. */
  closed: Promise<{ ms: number; answer: string }>;
}

/** Opens a connection that sends a text at once, then a little every half second. */
async function drip(port: number, first: string, little: string): Promise<Dripping> {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  await once(socket, 'connect');
  const began = performance.now();
  socket.write(first);
  const dripping = setInterval(() => socket.write(little), 500);
  let answer = '';
  socket.setEncoding('latin1').on('data', (text: string) => (answer += text));
  const closed = once(socket, 'close').then(() => {
    clearInterval(dripping);
    return { ms: performance.now() - began, answer };
  });
  return { closed };
}

/** Opens many, no more at a time than are waited for to be accepted. */
async function dripMany(port: number, first: string, little: string): Promise<Dripping[]> {
  const open: Dripping[] = [];
  while (open.length < Math.min(CONNECTIONS, 2_000))
    open.push(...(await Promise.all(Array.from({ length: 100 }, () => drip(port, first, little)))));
  return open;
}

describe.concurrent('C15 slow clients', () => {
  test.for<[row: string, what: string, first: string, little: string, mostMs: number, said: RegExp]>([
    ['C15a', 'headers', HEAD, 'X-A: b\r\n', 12_000, /^HTTP\/1\.1 408 .*problem\+json/s],
    ['C15b', 'a body', BODY, ' ', 17_000, /^(HTTP\/1\.1 408 .*problem\+json.*)?$/s],
    ['C15c', 'nothing at all', '', '', 22_000, /^(HTTP\/1\.1 408 .*)?$/s],
  ])(
    '%s %s that come slowly cost their connection, and nobody else anything',
    { timeout: 40_000 },
    async ([, , first, little, mostMs, said], { expect, onTestFinished: finish }) => {
      const edge = await startEdge({ finish });
      const slow = await dripMany(edge.port, first, little);
      const began = performance.now();
      let most = 0;
      while (performance.now() - began < 3_000) {
        const asked = performance.now();
        expect((await fetch(`${edge.url}/health`)).status).toBe(200);
        most = Math.max(most, performance.now() - asked);
        await sleep(20);
      }
      expect(most).toBeLessThan(2_000);
      for (const { closed } of slow) {
        const { ms, answer } = await closed;
        expect(ms).toBeLessThan(mostMs);
        expect(answer).toMatch(said);
      }
      expect(edge.calls).toEqual([]);
    },
  );

  test(
    'C15d an answer that is hardly read is cut off',
    { timeout: 40_000 },
    async ({ expect, onTestFinished: finish }) => {
      const app = await startApp({ DATABASE_URL: 'file::memory:' }, { times: { answerDeadlineMs: 3_000 } });
      finish(() => app.stop());
      const page = await (await app.get('/docs')).text();
      const [bundle = ''] = /docs\/[\d.]+\/swagger-ui-bundle\.js/.exec(page) ?? [];
      const began = performance.now();
      const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
      // More answers than the buffers of both ends hold; of each second's, a little is read.
      socket.write(`GET /${bundle} HTTP/1.1\r\nHost: x\r\n\r\n`.repeat(20));
      socket.pause();
      const reading = setInterval(() => socket.read(4_096), 200);
      const closed = new Promise<void>((resolve) => void socket.on('close', resolve).on('error', resolve));
      const sockets = () =>
        new Promise<number>((resolve) => app.http.server.getConnections((_, count) => resolve(count)));
      await expect.poll(sockets, { timeout: 12_000 }).toBe(0);
      expect(performance.now() - began).toBeGreaterThan(2_500);
      clearInterval(reading);
      socket.resume();
      await closed;
      expect((await app.get('/health/live')).status).toBe(200);
    },
  );
});

describe('C16 idle connections', () => {
  let upstream: FakeUpstream;
  beforeAll(async () => {
    upstream = await startUpstream();
  });
  afterAll(() => upstream.close());

  test(
    `C16 of ${CONNECTIONS} that are kept are held, others are answered, and memory stays`,
    { timeout: 120_000 },
    async () => {
      const environment = {
        ...(await environmentOn(upstream, DATABASES[0])),
        ...PRODUCTION,
        TRUSTED_PROXIES: '127.0.0.2',
      };
      const service = new Command('start', environment);
      const address = await service.url();
      const { port } = new URL(address);
      const sockets: Socket[] = [];
      onTestFinished(() => {
        for (const socket of sockets) socket.destroy();
      });
      let lost = 0;
      const open = (localAddress: string) =>
        new Promise<void>((resolve, reject) => {
          const socket = connect({ port: Number(port), host: '127.0.0.1', localAddress });
          socket.on('error', reject).on('close', () => (lost += 1));
          socket.once('data', () => resolve());
          socket.write('GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n');
          sockets.push(socket);
        });
      for (let opened = 0; opened < CONNECTIONS; opened += 200)
        await Promise.all(
          Array.from({ length: Math.min(200, CONNECTIONS - opened) }, () => open('127.0.0.1')),
        );
      await sleep(6_000);
      const times: number[] = [];
      for (let asked = 0; asked < 200; asked += 1) {
        const began = performance.now();
        expect((await fetch(`${address}/v1/status`)).status).toBe(200);
        times.push(performance.now() - began);
      }
      expect(lost).toBe(0);
      expect(times.toSorted((a, b) => a - b)[197]).toBeLessThan(1_000);
      const [, rss = ''] =
        /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${service.pid}/status`, 'utf8')) ?? [];
      expect(Number(rss)).toBeLessThan(512 * 1_024);
      expect(await service.end('SIGTERM')).toBe(0);
      expect(service.output).not.toMatch(/"level":60/);
    },
  );
});
