import { randomUUID } from 'node:crypto';
import { createClient } from '@redis/client';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Problem } from '../../contracts/errors.ts';
import { createFailureLimiter } from '../../server/http/failure-limit.ts';
import { addressKey, createRateLimiter, type RateLimiter } from '../../server/http/rate-limit.ts';
import { SECRET, startEdge } from './edge.ts';

async function count(limiter: RateLimiter, times: number, address = '203.0.113.1'): Promise<boolean[]> {
  const states = await Promise.all(Array.from({ length: times }, () => limiter.check(address)));
  return states.map(({ allowed }) => allowed);
}

describe('addresses', () => {
  test.each([
    ['203.0.113.1', '203.0.113.1'],
    ['::ffff:203.0.113.1', '203.0.113.1'],
    ['::FFFF:cb00:7101', '203.0.113.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:DB8:1:2::6', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['unknown', 'unknown'],
  ])('%s counts as %s', (address, key) => {
    expect(addressKey(address)).toBe(key);
  });
});

describe('in memory', () => {
  test('exactly the limit is allowed in a window, for each address', async () => {
    const limiter = createRateLimiter({ perMinute: 10, redis: null });
    expect((await count(limiter, 25)).filter(Boolean).length).toBe(10);
    expect(await limiter.check('203.0.113.1')).toMatchObject({ limit: 10, remaining: 0, allowed: false });
    expect(await limiter.check('203.0.113.2')).toEqual({
      limit: 10,
      remaining: 9,
      resetSeconds: 60,
      allowed: true,
    });
  });

  test('0 is no limit', async () => {
    const limiter = createRateLimiter({ perMinute: 0, redis: null });
    expect((await count(limiter, 100)).every(Boolean)).toBe(true);
  });
});

describe('over HTTP', () => {
  test('headers on every answer, and 429 past the limit', async () => {
    const edge = await startEdge({ perMinute: 3 });
    const paths = ['/v1/models', '/nothing', '/v1/models?limit=x', '/v1/models', '/trpc/health.get'];
    const answers: Response[] = [];
    for (const path of paths) answers.push(await fetch(edge.url + path));
    expect(answers.map(({ status }) => status)).toEqual([200, 404, 400, 429, 429]);
    for (const [index, { headers }] of answers.entries()) {
      expect(headers.get('ratelimit-policy')).toBe('"default";q=3;w=60');
      expect(headers.get('ratelimit')).toMatch(
        new RegExp(`^"default";r=${Math.max(0, 2 - index)};t=(60|59|58)$`),
      );
    }
    const [problem, shape] = (await Promise.all(answers.slice(3).map((answer) => answer.json()))) as [
      Problem,
      { error: { data: Problem } },
    ];
    expect(problem.type).toBe('https://iana.org/assignments/http-problem-types#quota-exceeded');
    expect(Number(answers[3]?.headers.get('retry-after'))).toBeGreaterThan(50);
    expect(shape.error.data.code).toBe('TOO_MANY_REQUESTS');
    expect(answers[3]?.headers.get('access-control-allow-origin')).toBe('*');
  });

  test('what monitors and balancers ask all day is not limited', async () => {
    const edge = await startEdge({ perMinute: 1 });
    for (const path of ['/health', '/health/live', '/health', '/metrics']) {
      const answer = await fetch(edge.url + path, { headers: { 'x-admin': SECRET } });
      expect([answer.status, answer.headers.get('ratelimit')]).toEqual([200, null]);
    }
    expect((await fetch(`${edge.url}/healthy`)).headers.get('ratelimit')).not.toBeNull();
  });

  test.each<[what: string, path: string, init: RequestInit]>([
    ['documentation', '/docs', {}],
    ['a path that can not be decoded', '/v1/models/%zz/x', {}],
    ['no path of ours', '/nothing', {}],
    ['another method', '/v1/models', { method: 'DELETE' }],
    ['a preflight', '/v1/models', { method: 'OPTIONS', headers: { 'access-control-request-method': 'GET' } }],
    ['an admin path', '/v1/admin/sync/history', {}],
  ])('everything else counts: %s', async (_, path, init) => {
    const edge = await startEdge({ perMinute: 1 });
    const first = await fetch(edge.url + path, init);
    expect(first.headers.get('ratelimit')).toBe('"default";r=0;t=60');
    const second = await fetch(edge.url + path, init);
    expect(second.status).toBe(429);
    expect(await second.json()).toMatchObject({
      code: 'TOO_MANY_REQUESTS',
      'violated-policies': ['default'],
    });
  });

  test('forged addresses share a bucket; addresses from a trusted proxy do not', async () => {
    const ask = async (url: string, address: string) =>
      (await fetch(`${url}/v1/models`, { headers: { 'x-forwarded-for': address } })).status;
    const alone = await startEdge({ perMinute: 1 });
    expect([await ask(alone.url, '203.0.113.1'), await ask(alone.url, '203.0.113.2')]).toEqual([200, 429]);
    const proxied = await startEdge({ perMinute: 1, trustedProxies: ['127.0.0.1'] });
    expect([await ask(proxied.url, '203.0.113.1'), await ask(proxied.url, '203.0.113.2')]).toEqual([
      200, 200,
    ]);
    expect(await ask(proxied.url, '203.0.113.99, 203.0.113.1')).toBe(429);
  });

  test('nothing is limited by 0', async () => {
    const edge = await startEdge({ perMinute: 0 });
    expect((await fetch(`${edge.url}/v1/models`)).headers.get('ratelimit')).toBeNull();
  });
});

const redisUrl = process.env['TEST_REDIS_URL'] ?? 'redis://127.0.0.1:6379';

function newClient(url: string) {
  const socket = { connectTimeout: 500, socketTimeout: 500, reconnectStrategy: false } as const;
  const client = createClient({ url, socket, disableOfflineQueue: true });
  client.on('error', () => undefined);
  return client;
}

async function isReachable(url: string): Promise<boolean> {
  const client = newClient(url);
  const reached = await client.connect().then(
    () => true,
    () => false,
  );
  if (client.isOpen) client.destroy();
  return reached;
}

describe('in Redis', async () => {
  const here = await isReachable(redisUrl);

  async function connect(keyPrefix: string) {
    const client = newClient(redisUrl);
    await client.connect();
    onTestFinished(async () => {
      const keys = await client.keys(`${keyPrefix}*`);
      if (keys.length > 0) await client.del(keys);
      client.destroy();
    });
    return client;
  }

  test.skipIf(!here)('two processes share one count, exactly', async () => {
    const keyPrefix = `em:test:${randomUUID()}`;
    const limiters = [
      createRateLimiter({ perMinute: 10, redis: await connect(keyPrefix), keyPrefix }),
      createRateLimiter({ perMinute: 10, redis: await connect(keyPrefix), keyPrefix }),
    ];
    const allowed = await Promise.all(limiters.map((limiter) => count(limiter, 20)));
    expect(allowed.flat().filter(Boolean).length).toBe(10);
    expect(await limiters[0]?.check('203.0.113.1')).toMatchObject({ remaining: 0, allowed: false });
    expect(await limiters[0]?.check('203.0.113.2')).toMatchObject({ remaining: 9, allowed: true });
  });

  test.skipIf(!here)('wrong secrets are counted for all processes', async () => {
    const keyPrefix = `em:test:${randomUUID()}`;
    const one = createFailureLimiter({ redis: await connect(keyPrefix), keyPrefix });
    const other = createFailureLimiter({ redis: await connect(keyPrefix), keyPrefix });
    expect(await one.blocked('203.0.113.1')).toBeNull();
    for (let round = 0; round < 5; round++) expect(await one.fail('203.0.113.1')).toBeNull();
    expect(await other.blocked('203.0.113.1')).toBeGreaterThan(50);
    expect(await other.fail('203.0.113.1')).toBeGreaterThan(50);
    expect(await other.blocked('203.0.113.2')).toBeNull();
  });

  test('a store that is away is no limit reached: each process counts by itself', async () => {
    const client = newClient('redis://127.0.0.1:1');
    await client.connect().catch(() => undefined);
    const limiter = createRateLimiter({ perMinute: 5, redis: client });
    expect((await count(limiter, 8)).filter(Boolean).length).toBe(5);
    const failures = createFailureLimiter({ redis: client });
    expect(await failures.blocked('203.0.113.1')).toBeNull();
    for (let round = 0; round < 5; round++) expect(await failures.fail('203.0.113.1')).toBeNull();
    expect(await failures.blocked('203.0.113.1')).toBeGreaterThan(50);
  });

  test('a store that fails is no limit reached', async () => {
    const broken = { isReady: true, eval: () => Promise.reject(new Error('ERR out of memory')) };
    const limiter = createRateLimiter({ perMinute: 5, redis: broken });
    expect((await count(limiter, 8)).filter(Boolean).length).toBe(5);
  });
});
