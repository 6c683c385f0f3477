import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Problem } from '../../contracts/errors.ts';
import { ADMIN_SECRET } from '../support/app.ts';
import { bodyOf, exchange, sendTarget, statusOf } from '../support/raw.ts';
import { SECRET } from './support/bodies.ts';
import { ask, startTarget, type Target } from './support/target.ts';

let target: Target;
let runs: number;
beforeAll(async () => {
  target = await startTarget();
  runs = await target.runs();
});
afterAll(async () => {
  expect(await target.runs()).toBe(runs);
  const { data } = await target.app.json<{ data: object[] }>('/v1/incidents');
  expect(data).toEqual([]);
  expect(target.app.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  await target.close();
});

/** Methods that HTTP knows, and that Node reads. */
const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'QUERY',
  'PROPFIND',
  'PROPPATCH',
  'MKCOL',
  'COPY',
  'MOVE',
  'LOCK',
  'SEARCH',
  'LINK',
  'PURGE',
  'REPORT',
  'SUBSCRIBE',
  'M-SEARCH',
];
const OVERRIDES = ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', 'X-Original-Method'];

/** Everything that can be asked for, and by which methods. */
function everything(): { path: string; methods: string[] }[] {
  const known = new Set(target.paths.map(({ path }) => path));
  const others = target.pages.filter((page) => !known.has(page.split('?')[0] ?? ''));
  return [
    ...target.paths,
    ...others.map((path) => ({ path, methods: ['GET', 'HEAD'] })),
    { path: '/trpc/admin.sync.start', methods: ['GET', 'POST'] },
  ];
}

describe('C20 methods', () => {
  test.each(METHODS)('C20a %s where it is not taken: 405 with Allow', async (method) => {
    let refused = 0;
    for (const { path, methods } of everything()) {
      if (methods.includes(method)) continue;
      const answer = await sendTarget(target.port, path, { method, headers: SECRET });
      expect([path, statusOf(answer)]).toEqual([path, 405]);
      const [, allow = ''] = /^allow: (.*)\r$/im.exec(answer) ?? [];
      expect(allow.split(', ').toSorted()).toEqual(methods.toSorted());
      if (method !== 'HEAD' && !path.startsWith('/trpc/'))
        expect(Problem.strict().parse(bodyOf(answer)).code).toBe('METHOD_NOT_SUPPORTED');
      refused += 1;
    }
    expect(refused).toBeGreaterThanOrEqual(3);
    expect(statusOf(await sendTarget(target.port, '/nothing', { method }))).toBe(404);
  });

  test.each(['FOO', 'get', 'Get', 'POSTS', 'G ET', '', 'DEBUG', 'TRACK', 'VERSION-CONTROL'])(
    'C20b "%s" is no method: 400 and the connection is closed',
    async (method) => {
      for (const path of ['/v1/models', '/v1/admin/sync']) {
        const sent = `${method} ${path} HTTP/1.1\r\nHost: x\r\n${SECRET}\r\n`;
        expect(await exchange(target.port, sent)).toMatchObject({ statuses: [400], closed: true });
      }
    },
  );

  test('C20c TRACE gives nothing back', async () => {
    const headers = 'X-Private: do-not-tell\r\nCookie: a=do-not-tell\r\n';
    for (const path of ['/', '/v1/models', '/nothing', '/v1/admin/sync'])
      expect(await sendTarget(target.port, path, { method: 'TRACE', headers })).not.toContain('do-not-tell');
  });

  test.each(['x:443', '127.0.0.1:5432', '/v1/models', '/v1/admin/sync', 'http://x/'])(
    'C20d CONNECT %s opens nothing',
    async (to) => {
      const sent = `CONNECT ${to} HTTP/1.1\r\nHost: x\r\n${SECRET}\r\nGET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n`;
      const { statuses, closed } = await exchange(target.port, sent);
      expect(closed).toBe(true);
      for (const status of statuses) expect([400, 405]).toContain(status);
      expect(statuses.length).toBeLessThan(2);
    },
  );

  test.each(OVERRIDES)('C20e %s overrides nothing', async (header) => {
    for (const { path, methods } of everything()) {
      for (const [method, wanted] of [
        ['POST', 'GET'],
        ['POST', 'DELETE'],
        ['GET', 'POST'],
        ['GET', 'PUT'],
        ['HEAD', 'POST'],
      ] as const) {
        if (methods.includes(method)) continue;
        const headers = `${SECRET}${header}: ${wanted}\r\n`;
        const answer = await sendTarget(target.port, path, { method, headers });
        expect([path, method, statusOf(answer)]).toEqual([path, method, 405]);
      }
    }
    for (const page of ['/v1/models', '/v1/providers', '/openapi.json']) {
      const asked = { 'accept-encoding': 'identity', 'x-admin': ADMIN_SECRET };
      const { status, body } = await ask(target.app, page, { ...asked, [header]: 'DELETE' });
      expect([status, body.toString()]).toEqual([200, (await ask(target.app, page, asked)).body.toString()]);
    }
    for (const name of ['_method', 'method', 'X-HTTP-Method-Override']) {
      const answer = await sendTarget(target.port, `/v1/admin/sync/history?${name}=POST`, {
        headers: SECRET,
      });
      expect(statusOf(answer)).toBe(400);
    }
  });
});
