import { describe, expect, test } from 'vitest';
import type { Problem } from '../../contracts/errors.ts';
import { type Edge, SECRET, startEdge } from './edge.ts';
import { bodyOf, sendRaw, sendTarget, statusOf } from '../support/raw.ts';

const get = (edge: Edge, path: string, init?: RequestInit) => fetch(edge.url + path, init);
const admin = { 'x-admin': SECRET };
const json = { ...admin, 'content-type': 'application/json' };

describe('queries', () => {
  const refused: [query: string, ...paths: string[]][] = [
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['limit=-1', 'limit'],
    ['limit=1e1', 'limit'],
    ['limit=0x10', 'limit'],
    ['limit=9e99', 'limit'],
    ['limit=NaN', 'limit'],
    ['limit=5.0', 'limit'],
    ['limit=%205', 'limit'],
    ['limit=+5', 'limit'],
    ['limit=5%20', 'limit'],
    ['limit=%EF%BC%95', 'limit'],
    ['limit=', 'limit'],
    ['limit', 'limit'],
    ['limit=1234567890', 'limit'],
    ['limit=1&limit=2', 'limit'],
    ['limit=5&limit=5', 'limit'],
    ['limit[]=5', 'limit[]'],
    ['limit=1,2', 'limit'],
    ['Limit=5', 'Limit'],
    ['offset=10001', 'offset'],
    ['offset=1000000000', 'offset'],
    ['sort=Name', 'sort'],
    ['sort=--name', 'sort'],
    ['search=', 'search'],
    ['search=%20%20', 'search'],
    [`search=${'a'.repeat(201)}`, 'search'],
    ['search=a%00b', 'search'],
    ['search=%', 'search'],
    ['search=%zz', 'search'],
    ['search=%C0%AF', 'search'],
    ['search=%ED%A0%80', 'search'],
    ['search=%FF', 'search'],
    ['__proto__=1', '__proto__'],
    ['constructor=1', 'constructor'],
    ['toString=1', 'toString'],
    ['constructor[prototype][x]=1', 'constructor[prototype][x]'],
    ['=5', ''],
    ['%00=1', '%00'],
    ['foo=1&bar=2&limit=0', 'foo', 'bar', 'limit'],
    ['foo=1&limit=x&sort=y', 'foo', 'limit', 'sort'],
  ];
  test.each(refused)('400 %s', async (query, ...paths) => {
    const edge = await startEdge();
    const answer = await get(edge, `/v1/models?${query}`);
    const problem = (await answer.json()) as Problem;
    expect(answer.status).toBe(400);
    expect(problem.code).toBe('BAD_REQUEST');
    expect(problem.errors.map(({ path }) => path)).toEqual(paths);
    expect(problem.errors.every(({ message }) => message.length > 5)).toBe(true);
    expect(edge.calls).toEqual([]);
  });

  const taken: [query: string, input: object][] = [
    ['', {}],
    ['?', {}],
    ['?&', {}],
    ['?limit=5', { limit: 5 }],
    ['?limit=005', { limit: 5 }],
    ['?l%69mit=%35', { limit: 5 }],
    ['?search=a+b%2Bc', { search: 'a b+c' }],
    ['?search=100%25_%5C%27%3B', { search: "100%_\\';" }],
    ['?search=%F0%9F%A6%99', { search: '🦙' }],
    ['?search=a=b', { search: 'a=b' }],
    ['?sort=-releaseDate&offset=40', { sort: '-releaseDate', offset: 40 }],
  ];
  test.each(taken)('200 %s', async (query, input) => {
    const edge = await startEdge();
    expect((await get(edge, `/v1/models${query}`)).status).toBe(200);
    expect(edge.calls).toEqual([
      { name: 'models.list', input: { limit: 20, offset: 0, sort: 'id', ...input } },
    ]);
  });

  test('400 for unknown names where an operation takes none, and for raw bytes beyond ASCII', async () => {
    const edge = await startEdge();
    expect((await get(edge, '/health?t=1')).status).toBe(400);
    expect((await get(edge, '/v1/admin/sync?force=maybe', { method: 'POST', headers: admin })).status).toBe(
      400,
    );
    const raw = Buffer.from('/v1/models?search=é').toString('latin1');
    expect(statusOf(await sendTarget(edge.port, raw))).toBe(400);
  });

  test('400 for a thousand parameters, each reported once, bounded', async () => {
    const edge = await startEdge();
    const query = Array.from({ length: 1_000 }, (_, index) => `p${index}=`).join('&');
    const answer = await get(edge, `/v1/models?${query}`);
    const problem = (await answer.json()) as Problem;
    expect(answer.status).toBe(400);
    expect(problem.errors.length).toBe(100);
    expect(problem.detail.length).toBeLessThanOrEqual(1_000);
  });
});

describe('paths', () => {
  test('parameters are decoded once', async () => {
    const edge = await startEdge();
    const slugs = ['a%2Fb', '100%2525', 'gpt%3Afree', '%F0%9F%A6%99', 'a;b', 'a+b'];
    for (const slug of slugs) await get(edge, `/v1/models/openai/${slug}`);
    const seen = edge.calls.map(({ input }) => (input as { slug: string }).slug);
    expect(seen).toEqual(['a/b', '100%25', 'gpt:free', '🦙', 'a;b', 'a+b']);
  });

  const refused: [target: string, status: number][] = [
    ['/v1/models/openai/%00', 400],
    ['/v1/models/openai/%', 400],
    ['/v1/models/openai/%C0%AF', 400],
    [`/v1/models/openai/${'a'.repeat(301)}`, 400],
    [`/v1/models/openai/${'a'.repeat(600)}`, 400],
    ['/%', 400],
    ['http://[', 400],
    ['/v1/models/openai', 404],
    ['/v1/models/openai%2Fgpt-4o', 404],
    ['/v1/models//gpt-4o', 404],
    ['/v1/models/openai/', 404],
    ['/v1/models/../gpt-4o', 404],
    ['/v1/models/openai/..', 404],
    ['/v1/models/openai/%2e%2E', 404],
    ['/v1/models/', 404],
    ['/V1/models', 404],
    ['/v1/Models', 404],
    ['/v1/%6dodels', 404],
    ['/v1%2Fmodels', 404],
    ['//v1/models', 404],
    ['//', 404],
    ['/v1/models;x=1', 404],
    ['/v1/models#x', 404],
    ['/v1\\models', 404],
    ['/v1/x/../models', 404],
    ['/./v1/models', 404],
    ['http://localhost/v1/models', 404],
    ['*', 404],
  ];
  test.each(refused)('%s', async (target, status) => {
    const edge = await startEdge();
    const answer = await sendTarget(edge.port, target);
    expect(statusOf(answer)).toBe(status);
    expect((bodyOf(answer) as Problem).status).toBe(status);
    expect(edge.calls).toEqual([]);
  });

  const spellings = [
    '/v1/ADMIN/sync',
    '/V1/admin/sync',
    '/v1/admin/sync/',
    '/v1//admin/sync',
    '//v1/admin/sync',
    '/v1/x/../admin/sync',
    '/v1/x/%2e%2e/admin/sync',
    '/v1/admin/./sync',
    '/v1/%61dmin/sync',
    '/v1/admin/%73ync',
    '/v1\\admin\\sync',
    '/v1/admin%2Fsync',
    '/v1/admin%5Csync',
    '/v1/admin/sync;x',
    '/v1/admin;x/sync',
    '/v1/admin/sync#x',
    'http://localhost/v1/admin/sync',
    '/v1/admin/sync%20',
    '/v1/admin/sync.json',
    '/v1/models/../admin/sync',
  ];
  test.each(spellings)('404 or 405 for POST %s, even with the secret', async (target) => {
    const edge = await startEdge();
    const answer = await sendTarget(edge.port, target, { method: 'POST', headers: `x-admin: ${SECRET}\r\n` });
    expect([404, 405]).toContain(statusOf(answer));
    expect(edge.calls).toEqual([]);
  });

  test('404 for an encoded spelling of a static path that a parameter would take', async () => {
    const edge = await startEdge();
    const answer = await sendTarget(edge.port, '/v1/admin/sync/%68istory', {
      headers: `x-admin: ${SECRET}\r\n`,
    });
    expect((bodyOf(answer) as Problem).detail).toContain('no such path');
  });
});

describe('methods', () => {
  const others = ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'QUERY', 'PROPFIND', 'PURGE'];
  test.each(others)('405 with Allow for %s where only GET is known', async (method) => {
    const edge = await startEdge();
    const answer = await sendTarget(edge.port, '/v1/models', { method, headers: 'content-length: 0\r\n' });
    expect(statusOf(answer)).toBe(405);
    expect(answer).toMatch(/^allow: GET, HEAD\r$/im);
  });

  test('405 whatever the body says, 404 where nothing is', async () => {
    const edge = await startEdge();
    const init = { method: 'PUT', headers: { 'content-type': 'application/json' }, body: '{' };
    expect((await get(edge, '/v1/models', init)).status).toBe(405);
    expect((await get(edge, '/v1/nothing', init)).status).toBe(404);
    const head = await get(edge, '/v1/admin/sync', { method: 'HEAD', headers: admin });
    expect([head.status, head.headers.get('allow')]).toEqual([405, 'POST']);
    const overridden = { method: 'POST', headers: { 'x-http-method-override': 'GET' } };
    expect((await get(edge, '/v1/models', overridden)).status).toBe(405);
  });

  test.each(['identity', 'gzip', 'br'])('HEAD has every header of GET and no body: %s', async (encoding) => {
    const edge = await startEdge();
    const headers = { 'accept-encoding': encoding, 'x-request-id': 'same', connection: 'close' };
    await get(edge, '/v1/models');
    const whole = await get(edge, '/v1/models', { headers });
    const head = await get(edge, '/v1/models', { method: 'HEAD', headers });
    const listed = (answer: Response) =>
      [...answer.headers].filter(([name]) => name !== 'date' && name !== 'keep-alive');
    expect(listed(head)).toEqual(listed(whole));
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(100);
    expect(await head.text()).toBe('');
  });
});

describe('bodies', () => {
  const start = (edge: Edge, init: RequestInit) => get(edge, '/v1/admin/sync', { method: 'POST', ...init });

  test('202 without a body and without a type, as curl -X POST sends it', async () => {
    const edge = await startEdge();
    const answer = await sendTarget(edge.port, '/v1/admin/sync', {
      method: 'POST',
      headers: `x-admin: ${SECRET}\r\n`,
    });
    expect(statusOf(answer)).toBe(202);
    expect(answer).toMatch(/^location: \/v1\/admin\/sync\/sync_1\r$/im);
    expect(answer).toMatch(/^cache-control: no-store\r$/im);
    expect(edge.calls).toEqual([{ name: 'admin.sync.start', input: { force: false } }]);
  });

  const bodies: [status: number, type: string, body: string][] = [
    [202, 'application/json', ''],
    [202, 'application/json', '{}'],
    [202, 'application/json; charset=utf-8', '{}'],
    [202, 'Application/JSON;charset=UTF-8', '{}'],
    [400, 'application/json', '{'],
    [400, 'application/json', '[]'],
    [400, 'application/json', '"text"'],
    [400, 'application/json', 'null'],
    [400, 'application/json', '5'],
    [400, 'application/json', '{"unknown":1}'],
    [400, 'application/json', '{"__proto__":{"admin":true}}'],
    [400, 'application/json', '{"constructor":{"prototype":{}}}'],
    [413, 'application/json', `{"a":"${'x'.repeat(16_384)}"}`],
    [415, 'text/plain', '{}'],
    [415, 'application/x-www-form-urlencoded', 'a=1'],
    [415, 'multipart/form-data; boundary=x', '--x--'],
    [415, 'application/problem+json', '{}'],
    [415, 'nonsense', '{}'],
  ];
  test.each(bodies)('%i for %s %.30s', async (status, type, body) => {
    const edge = await startEdge();
    const answer = await start(edge, { headers: { ...admin, 'content-type': type }, body });
    expect(answer.status).toBe(status);
    if (status !== 202) expect(((await answer.json()) as Problem).status).toBe(status);
  });

  test('415 for a compressed body and for a body without a type', async () => {
    const edge = await startEdge();
    expect((await start(edge, { headers: { ...json, 'content-encoding': 'gzip' }, body: '{}' })).status).toBe(
      415,
    );
    const chunked = { headers: `x-admin: ${SECRET}\r\ntransfer-encoding: chunked\r\n`, method: 'POST' };
    expect(statusOf(await sendTarget(edge.port, '/v1/admin/sync', chunked))).toBe(415);
  });

  test('413 for chunks without end', async () => {
    const edge = await startEdge();
    const chunk = `4000\r\n${'x'.repeat(0x4000)}\r\n`;
    const answer = await sendRaw(
      edge.port,
      `POST /v1/admin/sync HTTP/1.1\r\nHost: localhost\r\nx-admin: ${SECRET}\r\ncontent-type: application/json\r\n` +
        `transfer-encoding: chunked\r\n\r\n${chunk}${chunk}`,
    );
    expect(statusOf(answer)).toBe(413);
  });

  test('400 names unknown fields of the body', async () => {
    const edge = await startEdge();
    const answer = await start(edge, { headers: json, body: '{"force":true}' });
    expect(((await answer.json()) as Problem).errors.map(({ path }) => path)).toEqual(['force']);
  });
});

describe('answers', () => {
  test('equal questions in other spellings are one question to the cache', async () => {
    const edge = await startEdge();
    const states: (string | null)[] = [];
    for (const query of [
      '',
      '?limit=20',
      '?sort=id&offset=0',
      '?offset=0&limit=0020&sort=id',
      '?l%69mit=20',
    ]) {
      states.push((await get(edge, `/v1/models${query}`)).headers.get('cache-status'));
    }
    expect(states).toEqual(['effect-models; fwd=miss', ...Array<string>(4).fill('effect-models; hit')]);
    expect(edge.calls.length).toBe(1);
  });

  test('errors of cached operations are not kept', async () => {
    const edge = await startEdge();
    for (const _ of [1, 2]) {
      const answer = await get(edge, '/v1/models/openai/missing');
      expect([answer.status, answer.headers.get('cache-control')]).toEqual([404, 'no-store']);
    }
    expect(edge.calls.length).toBe(2);
  });

  test('304 for what the caller has, with the same headers', async () => {
    const edge = await startEdge();
    const first = await get(edge, '/v1/models');
    const tag = first.headers.get('etag') ?? '';
    expect(tag).toMatch(/^W\/"[\w-]{22}"$/);
    for (const known of [tag, tag.slice(2), `"x", ${tag}`, '*']) {
      const answer = await get(edge, '/v1/models', { headers: { 'if-none-match': known } });
      expect([answer.status, await answer.text(), answer.headers.get('etag')]).toEqual([304, '', tag]);
      expect(answer.headers.get('cache-control')).toBe(first.headers.get('cache-control'));
      expect(answer.headers.get('vary')).toBe('accept-encoding');
    }
    expect((await get(edge, '/v1/models', { headers: { 'if-none-match': '"x"' } })).status).toBe(200);
  });

  test('Range and Accept change nothing; gzip shrinks what is large', async () => {
    const edge = await startEdge();
    const headers = { range: 'bytes=0-3', accept: 'application/xml', 'accept-encoding': 'gzip' };
    const answer = await sendTarget(edge.port, '/v1/models', {
      headers: Object.entries(headers)
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join(''),
    });
    expect(statusOf(answer)).toBe(200);
    expect(answer).toMatch(/^content-encoding: gzip\r$/im);
    expect(answer).toMatch(/^content-type: application\/json; charset=utf-8\r$/im);
    const small = await get(edge, '/health', { headers: { 'accept-encoding': 'gzip' } });
    expect(small.headers.get('content-encoding')).toBeNull();
  });

  test('every answer names its request, and only sane names are taken over', async () => {
    const edge = await startEdge();
    const named = async (path: string, id: string) =>
      (await get(edge, path, { headers: { 'x-request-id': id } })).headers.get('x-request-id');
    expect(await named('/health', 'abc-1.2_3')).toBe('abc-1.2_3');
    expect(await named('/nothing', 'abc')).toBe('abc');
    for (const bad of ['a b', 'a,b', '<x>', 'x'.repeat(65)])
      expect(await named('/health', bad)).toMatch(/^[\w-]{36}$/);
  });

  test('while draining, every answer closes its connection', async () => {
    let draining = false;
    const edge = await startEdge({ isDraining: () => draining });
    expect((await get(edge, '/v1/models')).headers.get('connection')).toBe('keep-alive');
    draining = true;
    const answer = await get(edge, '/v1/models');
    expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close']);
    expect((await get(edge, '/nothing')).headers.get('connection')).toBe('close');
  });

  test('one access line a request, without query and headers', async () => {
    const edge = await startEdge();
    await get(edge, '/v1/models?search=private', { headers: { 'user-agent': 'evil', ...admin } });
    await get(edge, '/v1/models/openai/sql');
    await sendTarget(edge.port, '/%');
    const lines = edge.logs
      .map(({ msg }) => msg.replace(/\d+ ms$/, 'n ms'))
      .filter((msg) => msg.endsWith(' ms'));
    expect(lines).toEqual([
      'GET /v1/models 200 n ms',
      'GET /v1/models/openai/sql 500 n ms',
      'GET /% 400 n ms',
    ]);
    expect(edge.logText()).not.toMatch(/private|evil|k3Jx0pQv/);
  });
});

describe('cross-origin', () => {
  const preflight = (edge: Edge, path: string, method: string) =>
    get(edge, path, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://a.example',
        'access-control-request-method': method,
        'access-control-request-headers': 'x-admin',
      },
    });

  test('any origin may read what is public, errors and refusals too', async () => {
    const edge = await startEdge();
    for (const path of [
      '/v1/models',
      '/v1/models/openai/missing',
      '/nothing',
      '/openapi.json',
      '/trpc/health.get',
    ]) {
      const answer = await get(edge, path, { headers: { origin: 'https://a.example' } });
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
      expect(answer.headers.get('access-control-allow-credentials')).toBeNull();
    }
    const answer = await preflight(edge, '/v1/models', 'GET');
    expect([answer.status, answer.headers.get('access-control-allow-methods')]).toEqual([204, 'GET, HEAD']);
    expect(answer.headers.get('access-control-allow-headers')?.toLowerCase()).not.toMatch(
      /x-admin|authorization/,
    );
    const many = await preflight(edge, '/v1/resolve', 'POST');
    expect([many.status, many.headers.get('access-control-allow-methods')]).toEqual([204, 'GET, HEAD, POST']);
  });

  test('nobody may reach what is for admins', async () => {
    const edge = await startEdge();
    for (const path of [
      '/v1/admin/sync',
      '/v1/admin/sync/history',
      '/metrics',
      '/trpc/admin.sync.history',
      '/trpc/health.get,admin.sync.get',
    ]) {
      const answer = await preflight(edge, path, 'GET');
      expect([answer.status, answer.headers.get('access-control-allow-origin')]).toEqual([405, null]);
      const real = await get(edge, path, { headers: { ...admin, origin: 'https://a.example' } });
      expect(real.headers.get('access-control-allow-origin')).toBeNull();
    }
  });
});

describe('documentation', () => {
  test('Swagger UI and the document come from this server alone', async () => {
    const edge = await startEdge();
    const page = await get(edge, '/docs');
    const html = await page.text();
    expect(page.headers.get('content-security-policy')).toContain("script-src 'self'");
    expect(page.headers.get('strict-transport-security')).toBeNull();
    expect(html).not.toMatch(/https?:|<script>|upgrade-insecure/);
    const links = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(
      ([, link]) => new URL(link ?? '', page.url),
    );
    expect(links.length).toBe(4);
    for (const link of links) expect((await fetch(link)).status).toBe(200);
    const slash = await get(edge, '/docs/', { redirect: 'manual' });
    expect(slash.status).toBe(308);
    expect(new URL(slash.headers.get('location') ?? '', `${edge.url}/docs/`).pathname).toBe('/docs');
    expect((await get(edge, '/docs/../../package.json')).status).toBe(404);
  });

  test('the bundle is compressed and kept for long', async () => {
    const edge = await startEdge();
    const html = await (await get(edge, '/docs')).text();
    const path = /docs\/[\d.]+\/swagger-ui-bundle\.js/.exec(html)?.[0] ?? '';
    const answer = await get(edge, `/${path}`, { headers: { 'accept-encoding': 'gzip' } });
    expect(answer.headers.get('content-encoding')).toBe('gzip');
    expect(answer.headers.get('cache-control')).toContain('immutable');
    expect(Number(answer.headers.get('content-length'))).toBeLessThan(1_000_000);
    expect((await answer.text()).length).toBeGreaterThan(1_000_000);
  });

  test('the document as JSON and YAML, and a front page that links them', async () => {
    const edge = await startEdge();
    const document = (await (await get(edge, '/openapi.json')).json()) as { openapi: string };
    expect(document.openapi).toBe('3.1.0');
    const yaml = await get(edge, '/openapi.yaml');
    expect(yaml.headers.get('content-type')).toBe('application/yaml; charset=utf-8');
    expect(await yaml.text()).toMatch(/^openapi: 3\.1\.0\n/);
    const front = (await (await get(edge, '/')).json()) as Record<string, string>;
    for (const path of [front['docs'], front['openapi'], front['status']]) {
      expect((await get(edge, path ?? '/nothing')).status).toBe(200);
    }
  });
});
