import { describe, expect, test } from 'vitest';
import { SECRET, startEdge, type Edge } from '../http/edge.ts';
import { crowd, type Asked } from '../support/crowd.ts';

const LIMIT = 100;

/** How many of a thousand requests are answered. */
async function answeredOf({ url }: Edge, ask: (number: number) => Record<string, string>): Promise<number> {
  let answered = 0;
  const asked = (number: number): Asked => ({ path: '/v1/models', headers: ask(number) });
  await crowd(url, 1_000, asked, { onAnswer: ({ status }) => (answered += status === 200 ? 1 : 0) });
  return answered;
}

const forwarded = (address: string) => ({ 'x-forwarded-for': address });
const some = (number: number) => `203.0.${113 + (number >> 8)}.${number & 255}`;

describe('C24 forged addresses', () => {
  test.each<[what: string, headers: (number: number) => Record<string, string>]>([
    ['X-Forwarded-For', (number) => forwarded(some(number))],
    ['X-Forwarded-For of many hops', (number) => forwarded(`${some(number)}, 10.0.0.1, ${some(number + 1)}`)],
    ['X-Real-IP', (number) => ({ 'x-real-ip': some(number) })],
    ['Forwarded', (number) => ({ forwarded: `for=${some(number)}` })],
    ['CF-Connecting-IP', (number) => ({ 'cf-connecting-ip': some(number), 'true-client-ip': some(number) })],
    ['no address at all', (number) => forwarded(`'"><script>${number}</script>`)],
  ])('C24a of strangers are one address: %s', async (_, headers) => {
    expect(await answeredOf(await startEdge({ perMinute: LIMIT }), headers)).toBe(LIMIT);
  });

  test.each<[what: string, headers: (number: number) => Record<string, string>]>([
    ['before the one that the proxy saw', (number) => forwarded(`${some(number)}, 198.51.100.1`)],
    ['as proxies', (number) => forwarded(`${some(number)}, 198.51.100.1, 127.0.0.1`)],
    ['in other headers', (number) => ({ ...forwarded('198.51.100.1'), 'x-real-ip': some(number) })],
  ])('C24b behind a proxy are one address: %s', async (_, headers) => {
    const edge = await startEdge({ perMinute: LIMIT, trustedProxies: ['127.0.0.1'] });
    expect(await answeredOf(edge, headers)).toBe(LIMIT);
  });

  test('C24c clients of a proxy are told apart', async () => {
    const edge = await startEdge({ perMinute: LIMIT, trustedProxies: ['127.0.0.1'] });
    expect(await answeredOf(edge, (number) => forwarded(some(number % 5)))).toBe(5 * LIMIT);
  });
});

test('C25 the addresses of one IPv6 network are one, those of others are not', async () => {
  const edge = await startEdge({ perMinute: LIMIT, trustedProxies: ['127.0.0.1'] });
  const hex = (number: number) => number.toString(16);
  const within = (number: number) =>
    forwarded(`2001:db8:0:1:${hex(number)}:${hex(number * 7)}::${hex(number)}`);
  expect(await answeredOf(edge, within)).toBe(LIMIT);
  expect(await answeredOf(edge, (number) => forwarded(`2001:db8:0:${hex(2 + (number % 3))}::1`))).toBe(
    3 * LIMIT,
  );
  expect(await answeredOf(edge, (number) => forwarded(`::ffff:198.51.100.${number % 2}`))).toBe(2 * LIMIT);
});

describe('C32 pages of other origins', () => {
  const ORIGINS = ['https://a.example', 'http://localhost:3000', 'null', 'file://'];
  const ask = (edge: Edge, path: string, method: string, headers: Record<string, string>) =>
    fetch(edge.url + path, { method, headers });
  const preflight = (edge: Edge, path: string, method: string, header: string) =>
    ask(edge, path, 'OPTIONS', {
      origin: 'https://a.example',
      'access-control-request-method': method,
      'access-control-request-headers': header,
    });

  test('C32a may read what is public, without credentials', async () => {
    const edge = await startEdge();
    for (const origin of ORIGINS) {
      for (const path of ['/v1/models', '/health', '/openapi.json', '/v1/changes.atom', '/nothing']) {
        const { headers } = await ask(edge, path, 'GET', { origin });
        expect(headers.get('access-control-allow-origin')).toBe('*');
        expect(headers.get('access-control-allow-credentials')).toBeNull();
        expect(headers.get('vary') ?? '').not.toMatch(/origin/i);
      }
    }
    for (const [path, method] of [
      ['/v1/models', 'GET'],
      ['/v1/resolve', 'POST'],
      ['/trpc/models.list', 'GET'],
    ] as const) {
      const answer = await preflight(edge, path, method, 'content-type');
      expect([answer.status, answer.headers.get('access-control-allow-methods')]).toEqual([
        204,
        expect.stringContaining(method),
      ]);
    }
  });

  test.each(['x-admin', 'X-ADMIN', 'authorization', 'x-admin, content-type', 'cookie', 'x-forwarded-for'])(
    'C32b may not send %s, wherever to',
    async (header) => {
      const edge = await startEdge();
      for (const path of [
        '/v1/models',
        '/v1/resolve',
        '/v1/admin/sync',
        '/trpc/admin.sync.start',
        '/trpc/%61dmin.sync.start',
        '/metrics',
      ]) {
        for (const method of ['GET', 'POST']) {
          const { headers } = await preflight(edge, path, method, header);
          const allowed = (headers.get('access-control-allow-headers') ?? '').toLowerCase().split(/, */);
          expect(allowed).not.toContain(header.toLowerCase().split(',')[0]);
          expect(headers.get('access-control-allow-credentials')).toBeNull();
        }
      }
    },
  );

  test('C32c are told nothing of what is for admins, even with the secret', async () => {
    const edge = await startEdge();
    for (const path of [
      '/v1/admin/sync/history',
      '/trpc/admin.sync.history',
      '/trpc/health.get,admin.sync.history?batch=1',
      '/metrics',
    ]) {
      const answer = await ask(edge, path, 'GET', { origin: 'https://a.example', 'x-admin': SECRET });
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([200, null]);
    }
  });
});
