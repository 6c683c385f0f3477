import { randomInt } from 'node:crypto';
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@redis/client';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { startApp } from '../support/app.ts';
import { crowd, type Heard } from '../support/crowd.ts';
import { DATABASES } from '../support/databases.ts';
import { Command } from '../support/process.ts';
import { environmentOn, newestEnded, postSync, PRODUCTION } from '../support/service.ts';
import { AA_KEY, startUpstream, type FakeUpstream } from '../support/upstream.ts';

const CONNECTIONS = inject('faultConnections');
const [, POSTGRES] = DATABASES;

let upstream: FakeUpstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());

test(
  'C22 clients that leave in the middle of a request leave no connection of the database taken',
  { timeout: 120_000 },
  async () => {
    const { url, drop } = await POSTGRES.create();
    const app = await startApp({ ...upstream.urls, ARTIFICIAL_ANALYSIS_API_KEY: AA_KEY, DATABASE_URL: url });
    onTestFinished(async () => {
      await app.stop();
      await drop();
    });
    await app.sync();
    const { port } = new URL(app.url);
    let next = 0;
    const leave = async () => {
      while (next < CONNECTIONS) {
        // Each asks another question, so that none is answered from the cache.
        const number = next++;
        const path = `/v1/models?limit=${1 + (number % 100)}&offset=${Math.floor(number / 100)}`;
        const sent = request({ host: '127.0.0.1', port, path, agent: false }).on('error', () => {});
        sent.end();
        await sleep(randomInt(8));
        sent.destroy();
      }
    };
    await Promise.all(Array.from({ length: 50 }, leave));
    const taken = async () => (await app.database.pool('read'))?.used;
    await expect.poll(taken, { timeout: 3_000, interval: 20 }).toBe(0);
    expect((await app.get('/v1/models?limit=3&offset=2')).status).toBe(200);
    expect(app.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  },
);

test.skipIf(inject('redisUrl') === null && !process.env.CI)(
  'C23 of a burst exactly as many are answered as an address may send, by two instances together',
  async () => {
    const limits = new URL(inject('redisUrl') ?? '');
    limits.pathname = '/13';
    const client = createClient({ url: limits.href });
    await client.connect();
    onTestFinished(async () => {
      await client.flushDb();
      client.destroy();
    });
    const environment = {
      ...(await environmentOn(upstream, POSTGRES)),
      ...PRODUCTION,
      RATE_LIMIT_REDIS_URL: limits.href,
      RATE_LIMIT_PER_MINUTE: '40',
    };
    const instances = [new Command('start', environment), new Command('start', environment)];
    const addresses = await Promise.all(instances.map((instance) => instance.url()));
    const heard: Heard[] = [];
    const burst = (address: string) =>
      crowd(address, 60, () => ({ path: '/v1/status' }), { onAnswer: (answer) => heard.push(answer) });
    await Promise.all(addresses.map(burst));
    expect(heard.filter(({ status }) => status === 200).length).toBe(40);
    const refused = heard.filter(({ status }) => status === 429);
    expect(refused.length).toBe(80);
    for (const { headers, body } of refused) {
      expect(Number(headers['retry-after'])).toBeGreaterThan(30);
      expect([headers['ratelimit-policy'], headers.ratelimit]).toEqual([
        '"default";q=40;w=60',
        expect.stringMatching(/^"default";r=0;t=\d+$/),
      ]);
      expect(JSON.parse(body)).toMatchObject({ status: 429, 'violated-policies': ['default'] });
    }
    expect(await client.keys('*')).toEqual(['em:limit:127.0.0.1']);
    for (const instance of instances) expect(await instance.end('SIGTERM')).toBe(0);
  },
);

test(
  'S9c five times as many requests as can be answered end with a service that answers',
  { timeout: 120_000 },
  async () => {
    const environment = { ...(await environmentOn(upstream, POSTGRES)), ...PRODUCTION };
    const service = new Command('start', environment);
    const address = await service.url();
    await postSync(address);
    expect((await newestEnded(address)).status).toBe('completed');
    // Nothing here is answered from the cache.
    const path = (number: number) =>
      `/v1/models?limit=${1 + (number % 100)}&offset=${number % 9_973}&search=x${number}`;
    const began = performance.now();
    await crowd(address, 500, (number) => ({ path: path(number) }), { connections: 20 });
    const each = (performance.now() - began) / 500;

    const heard: Heard[] = [];
    let over = false;
    const live: number[] = [];
    const watch = (async () => {
      while (!over) {
        const asked = performance.now();
        expect((await fetch(`${address}/health/live`)).status).toBe(200);
        live.push(performance.now() - asked);
        await sleep(50);
      }
    })();
    // Three seconds of it, all sent as fast as they can be: many at once is what a burst is.
    const count = Math.min(20_000, Math.round((5 * 3_000) / each));
    await crowd(address, count, (number) => ({ path: path(1_000 + number) }), {
      connections: 1_000,
      onAnswer: (answer) => heard.push(answer),
    });
    over = true;
    await watch;
    expect(Math.max(...live)).toBeLessThan(2_000);
    const statuses = new Set(heard.map(({ status }) => status));
    expect([...statuses].filter((status) => status !== 200 && status !== 503)).toEqual([]);
    for (const { status, headers } of heard) if (status === 503) expect(headers['retry-after']).toBe('5');
    await expect
      .poll(
        async () => {
          const asked = performance.now();
          const { status } = await fetch(`${address}/v1/models?limit=7`);
          return status === 200 && performance.now() - asked < 500;
        },
        { timeout: 5_000 },
      )
      .toBe(true);
    expect(service.output).not.toMatch(/"level":60/);
    expect(await service.end('SIGTERM')).toBe(0);
  },
);
