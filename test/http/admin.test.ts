import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createFailureLimiter } from '../../server/http/failure-limit.ts';
import { type Edge, SECRET, startEdge } from './edge.ts';
import { sendTarget, statusOf } from '../support/raw.ts';

const PATH = '/v1/admin/sync/history';
const NEXT = 'n7Hc2mVx9LqW4dKsTz8YbRp1JfGu6EaQi3Xo0MyBvZk';

/** Sends headers exactly as given; `Host` is one of them. */
async function ask(edge: Edge, headers: Record<string, string>, path = PATH): Promise<number> {
  const { Host: host = `127.0.0.1:${edge.port}`, ...others } = headers;
  const { request } = await import('node:http');
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port: edge.port, path, headers: { ...others, Host: host } },
      (answer) => {
        answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
      },
    );
    sent.on('error', reject).end();
  });
}

describe('the local door', () => {
  const open: [name: string, headers: (port: number) => Record<string, string>][] = [
    ['plain', () => ({})],
    ['localhost with a port', (port) => ({ Host: `localhost:${port}` })],
    ['localhost without a port', () => ({ Host: 'localhost' })],
    ['127.0.0.1', () => ({ Host: '127.0.0.1' })],
    ['[::1]', () => ({ Host: '[::1]:3000' })],
    ['Origin of itself', (port) => ({ Host: `localhost:${port}`, Origin: `http://localhost:${port}` })],
    ['typed into a browser', () => ({ 'Sec-Fetch-Site': 'none' })],
    [
      'Swagger UI',
      (port) => ({
        Host: `localhost:${port}`,
        Origin: `http://localhost:${port}`,
        'Sec-Fetch-Site': 'same-origin',
        'Sec-Fetch-Mode': 'cors',
        'Sec-Fetch-Dest': 'empty',
      }),
    ],
  ];
  test.each(open)('opens: %s', async (_, headers) => {
    const edge = await startEdge({ world: 'dev', secrets: [] });
    expect(await ask(edge, { 'x-admin': 'true', ...headers(edge.port) })).toBe(200);
  });

  const shut: [name: string, headers: Record<string, string>][] = [
    ['another host', { Host: 'evil.test' }],
    ['a host that starts alike', { Host: 'localhost.evil.test' }],
    ['a host that ends alike', { Host: 'evil-localhost' }],
    ['another address', { Host: '192.168.0.5:3000' }],
    ['X-Forwarded-For', { 'X-Forwarded-For': '127.0.0.1' }],
    ['X-Forwarded-Host', { 'X-Forwarded-Host': 'localhost' }],
    ['X-Forwarded-Proto', { 'X-Forwarded-Proto': 'http' }],
    ['X-Real-IP', { 'X-Real-IP': '127.0.0.1' }],
    ['Forwarded', { Forwarded: 'for=127.0.0.1' }],
    ['Via', { Via: '1.1 proxy' }],
    ['another Origin', { Origin: 'https://evil.test' }],
    ['Origin null', { Origin: 'null' }],
    ['Origin with another port', { Host: 'localhost:3000', Origin: 'http://localhost:3001' }],
    ['Origin with https', { Host: 'localhost:3000', Origin: 'https://localhost:3000' }],
    ['Origin by another name', { Host: 'localhost:3000', Origin: 'http://127.0.0.1:3000' }],
    ['a cross-site page', { 'Sec-Fetch-Site': 'cross-site' }],
    ['a same-site page', { 'Sec-Fetch-Site': 'same-site' }],
    ['another word', { 'x-admin': 'TRUE' }],
    ['two words', { 'x-admin': 'true, true' }],
  ];
  test.each(shut)('stays shut: %s', async (_, headers) => {
    const edge = await startEdge({ world: 'dev', secrets: [] });
    expect(await ask(edge, { 'x-admin': 'true', ...headers })).toBe(401);
  });

  test('stays shut for Bearer true, and in production', async () => {
    const dev = await startEdge({ world: 'dev', secrets: [] });
    expect(await ask(dev, { Authorization: 'Bearer true' })).toBe(401);
    const production = await startEdge({ world: 'production' });
    expect(await ask(production, { 'x-admin': 'true' })).toBe(401);
  });

  test('a secret works beside it, through a proxy too', async () => {
    const edge = await startEdge({ world: 'dev', secrets: [SECRET] });
    expect(
      await ask(edge, { 'x-admin': SECRET, 'X-Forwarded-For': '203.0.113.9', Host: 'models.example' }),
    ).toBe(200);
  });
});

describe('secrets', () => {
  test('in x-admin or as a Bearer token, old and new while rotating', async () => {
    const edge = await startEdge({ secrets: [SECRET, NEXT] });
    for (const secret of [SECRET, NEXT]) {
      expect(await ask(edge, { 'x-admin': secret })).toBe(200);
      expect(await ask(edge, { Authorization: `Bearer ${secret}` })).toBe(200);
      expect(await ask(edge, { authorization: `bearer ${secret}` })).toBe(200);
    }
  });

  test('the guard is the same for tRPC and for every admin path', async () => {
    const edge = await startEdge();
    for (const path of [PATH, '/v1/admin/sync/sync_1', '/trpc/admin.sync.history', '/trpc/admin.sync.get']) {
      expect(await ask(edge, {}, path)).toBe(401);
    }
    expect(await ask(edge, { 'x-admin': SECRET }, '/trpc/admin.sync.history')).toBe(200);
  });

  test('a refusal comes before anything is said about the input', async () => {
    const edge = await startEdge();
    expect(await ask(edge, {}, `${PATH}?limit=x`)).toBe(401);
    expect(await ask(edge, { 'x-admin': SECRET }, `${PATH}?limit=x`)).toBe(400);
  });

  test('missing and wrong are answered alike', async () => {
    const edge = await startEdge();
    const answers: string[] = [];
    for (const headers of [
      '',
      'x-admin: wrong\r\n',
      'x-admin: \r\n',
      'authorization: Basic YTpi\r\n',
      `x-admin: ${SECRET}, x\r\n`,
    ]) {
      const answer = await sendTarget(edge.port, PATH, { headers: `${headers}x-request-id: same\r\n` });
      answers.push(answer.replace(/^date: .*\r$/im, ''));
    }
    expect(new Set(answers).size).toBe(1);
    expect(answers[0]).toMatch(/^www-authenticate: Bearer realm="effect-models"\r$/im);
    expect(edge.logText()).not.toContain(SECRET);
  });
});

describe('guessing', () => {
  const guess = (edge: Edge, address: string, secret: string) =>
    ask(edge, { 'x-admin': secret, 'X-Forwarded-For': address });

  test('five wrong secrets a minute, then 429 even for the right one; other addresses are not affected', async () => {
    const edge = await startEdge({ trustedProxies: ['127.0.0.1'] });
    const statuses: number[] = [];
    for (let round = 0; round < 7; round++) statuses.push(await guess(edge, '203.0.113.9', `wrong${round}`));
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
    expect(await guess(edge, '203.0.113.9', SECRET)).toBe(429);
    expect(await guess(edge, '203.0.113.10', SECRET)).toBe(200);
    expect(await guess(edge, '2001:db8::1', SECRET)).toBe(200);
  });

  test('five are looked at, however many come at once', async () => {
    const edge = await startEdge();
    const statuses = await Promise.all(
      Array.from({ length: 60 }, (_, at) => ask(edge, { 'x-admin': `w${at}` })),
    );
    expect(statuses.filter((status) => status === 401).length).toBe(5);
    expect(statuses.filter((status) => status === 429).length).toBe(55);
  });

  test('each block is twice as long as the one before, up to 15 minutes', async () => {
    vi.useFakeTimers();
    onTestFinished(() => void vi.useRealTimers());
    const failures = createFailureLimiter({ redis: null });
    const waits: (number | null)[] = [];
    for (let block = 0; block < 6; block += 1) {
      for (let guess = 0; guess < 5; guess += 1) expect(await failures.fail('203.0.113.9')).toBeNull();
      const wait = await failures.blocked('203.0.113.9');
      waits.push(wait);
      expect(await failures.blocked('203.0.113.10')).toBeNull();
      await vi.advanceTimersByTimeAsync((wait ?? 0) * 1_000 - 1_000);
      expect(await failures.blocked('203.0.113.9')).toBe(1);
      await vi.advanceTimersByTimeAsync(1_000);
      expect(await failures.blocked('203.0.113.9')).toBeNull();
    }
    expect(waits).toEqual([60, 120, 240, 480, 900, 900]);
  });

  test('an IPv6 network counts as one address', async () => {
    const edge = await startEdge({ trustedProxies: ['127.0.0.1'] });
    for (let round = 0; round < 5; round++)
      expect(await guess(edge, `2001:db8:1:2::${round}`, 'wrong')).toBe(401);
    expect(await guess(edge, '2001:db8:1:2:ffff::1', SECRET)).toBe(429);
    expect(await guess(edge, '2001:db8:1:3::1', SECRET)).toBe(200);
  });

  test('forged forwarding headers of strangers are not believed', async () => {
    const edge = await startEdge();
    for (let round = 0; round < 5; round++)
      expect(await guess(edge, `203.0.113.${round}`, 'wrong')).toBe(401);
    expect(await guess(edge, '203.0.113.99', SECRET)).toBe(429);
  });

  test('a missing secret is not counted, a batch with a wrong one counts once', async () => {
    const edge = await startEdge();
    for (let round = 0; round < 10; round++) expect(await ask(edge, {})).toBe(401);
    const batch = `/trpc/${Array<string>(20).fill('admin.sync.history').join(',')}?batch=1`;
    expect(await ask(edge, { 'x-admin': 'wrong' }, batch)).toBe(401);
    expect(await ask(edge, { 'x-admin': SECRET })).toBe(200);
  });

  test('the refusal says when to come back', async () => {
    const edge = await startEdge();
    for (let round = 0; round < 5; round++) await ask(edge, { 'x-admin': 'wrong' });
    const answer = await sendTarget(edge.port, PATH, { headers: 'x-admin: wrong\r\n' });
    expect(statusOf(answer)).toBe(429);
    expect(Number(/^retry-after: (\d+)\r$/im.exec(answer)?.[1])).toBeGreaterThan(50);
  });
});
