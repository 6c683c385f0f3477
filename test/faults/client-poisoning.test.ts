import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ADMIN_SECRET, startApp, type TestApp } from '../support/app.ts';
import { ask, startTarget, type Plain, type Target } from './support/target.ts';

let target: Target;
/** Another service on the same catalogue, which is only ever asked in plain words. */
let clean: TestApp;
beforeAll(async () => {
  target = await startTarget({ TRUSTED_PROXIES: '127.0.0.1' });
  clean = await startApp(target.environment, { world: 'production' });
});
afterAll(async () => {
  expect(target.app.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  await clean.stop();
  await target.close();
});

/** What an answer may not depend on, and proxies and frameworks have been made to. */
const HEADERS = [
  'Host',
  'X-Forwarded-Host',
  'X-Forwarded-Proto',
  'X-Forwarded-Port',
  'X-Forwarded-Prefix',
  'X-Forwarded-Path',
  'X-Forwarded-Scheme',
  'X-Forwarded-Server',
  'X-Forwarded-For',
  'Forwarded',
  'X-Host',
  'X-Original-Host',
  'X-Original-URL',
  'X-Rewrite-URL',
  'X-HTTP-Method-Override',
  'X-HTTP-Method',
  'X-Method-Override',
  'X-Real-IP',
  'True-Client-IP',
  'Accept',
  'Accept-Language',
  'Accept-Charset',
  'Accept-Version',
  'API-Version',
  'Prefer',
  'Origin',
  'Referer',
  'Cookie',
  'User-Agent',
  'Authorization',
  'X-Admin',
  'Content-Type',
  'Cache-Control',
  'Pragma',
  'Range',
  'If-Range',
  'If-Modified-Since',
  'Last-Event-ID',
  'X-Requested-With',
  'X-Request-ID',
  'X-Correlation-ID',
  'Traceparent',
  'Sec-Fetch-Mode',
  'Save-Data',
  'TE',
  'Via',
  'Priority',
  'Max-Forwards',
  'Upgrade-Insecure-Requests',
  'TRPC-Accept',
  '__proto__',
];
/** In every value: an answer in which it is found gives back what it was sent. */
const MARK = 'zqxmark';
const VALUES = [
  `${MARK}.test`,
  `https://${MARK}.test/"><script>`,
  `/${MARK}/../v1/admin/sync`,
  `a=${MARK}; b="${MARK}"`,
  `text/html, ${MARK}/x;q=0.9`,
  `fr-CH, ${MARK};q=0`,
  `host=${MARK}.test;proto=http;for=${MARK}`,
  `DELETE ${MARK}`,
  `bytes=0-1, ${MARK}`,
  `no-cache, ${MARK}`,
  `Bearer ${MARK}`,
];
const poison = fc
  .dictionary(fc.constantFrom(...HEADERS), fc.constantFrom(...VALUES), { minKeys: 1, maxKeys: 12 })
  // What is no host is refused.
  .map((headers) => ('Host' in headers ? { ...headers, Host: `${MARK}.test` } : headers));
const SEED = 20_260_701;

/** What two answers to the same question share. */
function shared({ status, headers, body }: Plain): object {
  const { date: _date, 'x-request-id': _id, 'cache-status': _status, 'keep-alive': _keep, ...rest } = headers;
  const text = body.toString().replace(/"requestId":"[\w-]+"/, '');
  return { status, headers: rest, text };
}

const plain = (app: TestApp, path: string) => ask(app, path, { 'accept-encoding': 'identity' });
const poisoned = (path: string, headers: Record<string, string>, method = 'GET') =>
  ask(target.app, path, { 'accept-encoding': 'identity', ...headers }, method);

/** Questions that nobody has asked before: the first answer is the one that is kept. */
const FRESH = [
  (number: number) => `/v1/models?limit=${1 + (number % 100)}&offset=${Math.floor(number / 100)}`,
  (number: number) => `/v1/models?search=gpt-${number}`,
  (number: number) => `/v1/models/openai/gpt-5-mini/offers?limit=${1 + (number % 100)}`,
  (number: number) => `/v1/changes?limit=${1 + (number % 100)}`,
  (number: number) => `/v1/changes.atom?limit=${1 + (number % 100)}`,
  (number: number) => `/v1/resolve?id=gpt-5-mini-${number}`,
  (number: number) => `/v1/providers?limit=${1 + (number % 100)}`,
];

describe('C27 headers that nobody asked about', () => {
  test.each(FRESH.map((path) => [path(0), path] as const))(
    'C27a are not in what is kept of %s',
    async (_, pathOf) => {
      let kept = 0;
      const sets = fc.sample(poison, { numRuns: 30, seed: SEED });
      for (const [number, headers] of sets.entries()) {
        const path = pathOf(number);
        const first = shared(await poisoned(path, headers));
        const second = await plain(target.app, path);
        if (String(second.headers['cache-status']).includes('hit')) kept += 1;
        const truth = shared(await plain(clean, path));
        expect(first, JSON.stringify(headers)).toEqual(truth);
        expect(shared(second)).toEqual(truth);
        expect(JSON.stringify(truth)).not.toContain(MARK);
      }
      if (!pathOf(0).startsWith('/v1/resolve')) expect(kept).toBe(sets.length);
    },
  );

  test('C27b each alone changes nothing, on any page', async () => {
    const pages = [
      ...target.pages,
      '/nothing',
      '/v1/models?limit=x',
      '/v1/admin/sync/history',
      '/trpc/models.list',
    ];
    for (const page of pages) {
      const truth = await plain(clean, page);
      const isLive = truth.headers['cache-control'] === 'no-store' && truth.status === 200;
      for (const [index, header] of HEADERS.entries()) {
        if (header === 'X-Admin' && page.includes('admin')) continue;
        const answer = await poisoned(page, { [header]: VALUES[index % VALUES.length] ?? '' });
        const { headers, body } = answer;
        expect(`${JSON.stringify(headers)}${body.toString()}`, `${page} ${header}`).not.toContain(MARK);
        if (isLive)
          expect([answer.status, headers['content-type']]).toEqual([200, truth.headers['content-type']]);
        else expect(shared(answer), `${page} ${header}`).toEqual(shared(truth));
      }
    }
  });

  test('C27c another way to ask first is not what others get', async () => {
    const ways: [method: string, headers: Record<string, string>][] = [
      ['HEAD', {}],
      ['GET', { 'if-none-match': '*' }],
      ['GET', { range: 'bytes=0-0' }],
      ['GET', { 'accept-encoding': 'gzip' }],
      ['GET', { 'accept-encoding': 'br' }],
      ['GET', { 'accept-encoding': '*;q=0' }],
      ['OPTIONS', { origin: 'https://a.example', 'access-control-request-method': 'GET' }],
      ['POST', { 'x-http-method-override': 'GET' }],
      ['GET', { host: '' }],
      ['GET', { 'cache-control': 'only-if-cached' }],
      ['GET', { connection: 'etag, content-type, x-admin' }],
    ];
    for (const [number, [method, headers]] of ways.entries()) {
      const path = `/v1/models?limit=${number + 1}&sort=-name`;
      await poisoned(path, headers, method);
      expect(shared(await plain(target.app, path)), method).toEqual(shared(await plain(clean, path)));
    }
  });

  test('C27d what was asked for with the secret is not what others get, and errors are not kept', async () => {
    const path = '/v1/admin/sync/history';
    const asked = await poisoned(path, { 'x-admin': ADMIN_SECRET });
    expect([asked.status, asked.headers['cache-control']]).toEqual([200, 'no-store']);
    expect(shared(await plain(target.app, path))).toEqual(shared(await plain(clean, path)));
    expect((await plain(target.app, path)).status).toBe(401);
    for (const wrong of ['/v1/models/openai/not-there', '/v1/models?limit=x', '/nothing']) {
      const { headers } = await plain(target.app, wrong);
      expect([headers['cache-control'], headers.etag]).toEqual(['no-store', undefined]);
    }
  });
});
