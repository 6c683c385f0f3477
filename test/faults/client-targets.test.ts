import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Problem } from '../../contracts/errors.ts';
import { ADMIN_SECRET } from '../support/app.ts';
import { bodyOf, exchange, sendRaw, sendTarget, statusOf } from '../support/raw.ts';
import { startTarget, type Target } from './support/target.ts';

let target: Target;
beforeAll(async () => {
  target = await startTarget();
});
afterAll(async () => {
  expect(target.app.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  await target.close();
});

const hex = (text: string, convert = (code: string) => code) =>
  [...Buffer.from(text)].map((byte) => `%${convert(byte.toString(16).padStart(2, '0'))}`).join('');

describe('C10 ids in paths', () => {
  let ids: string[] = [];
  beforeAll(async () => {
    const { data, meta } = await target.app.json<{ data: { id: string }[]; meta: { total: number } }>(
      '/v1/models?limit=100',
    );
    expect(data.length).toBe(meta.total);
    ids = data.map(({ id }) => id);
  });

  const modelAt = async (path: string) => {
    const answer = await target.app.get(path);
    const { data } = (await answer.json()) as { data?: { id?: string } };
    return [answer.status, data?.id, answer.headers.get('etag')];
  };

  test('C10a name the same model, with the same tag, however their characters are spelled', async () => {
    const seen = new Set(ids.flatMap((id) => id.replaceAll(/[a-z0-9/]/g, '').split('')));
    expect([...seen].toSorted()).toEqual(expect.arrayContaining(['-', '.', ':']));
    for (const id of ids) {
      const [creator = '', slug = ''] = id.split('/');
      const plain = await modelAt(`/v1/models/${id}`);
      expect(plain).toEqual([200, id, expect.stringMatching(/^W\/"[\w-]{22}"$/)]);
      for (const spell of [
        encodeURIComponent,
        (text: string) => hex(text),
        (text: string) => hex(text, (code) => code.toUpperCase()),
        (text: string) => text.replaceAll(/[^a-z0-9]/g, (character) => hex(character)),
        (text: string) => text.replaceAll(/[a-z]/g, (letter) => hex(letter)),
      ])
        expect(await modelAt(`/v1/models/${spell(creator)}/${spell(slug)}`)).toEqual(plain);
    }
  });

  test('C10b are the same as a parameter, with an encoded slash and with a plain one', async () => {
    for (const id of ids) {
      const tags = new Set<string | null>();
      for (const spelled of [id, encodeURIComponent(id), hex(id)]) {
        const answer = await target.app.get(`/v1/resolve?id=${spelled}`);
        const { data } = (await answer.json()) as { data: { model: { id: string } } };
        expect([answer.status, data.model.id]).toEqual([200, id]);
        tags.add(answer.headers.get('etag'));
      }
      expect(tags.size).toBe(1);
    }
  });

  test('C10c are two segments of a path: an encoded slash parts nothing', async () => {
    for (const id of ids) {
      for (const slash of ['%2F', '%2f', '%252F', '%5C', '\\', '//', '/./'])
        for (const rest of ['', '/offers', '/history']) {
          const answer = await sendTarget(target.port, `/v1/models/${id.replace('/', slash)}${rest}`);
          expect(statusOf(answer), `${slash} in ${id}${rest}`).toBe(404);
          expect(Problem.parse(bodyOf(answer)).code).toBe('NOT_FOUND');
        }
      const twice = id.replaceAll(/[^/]/g, (character) => hex(hex(character)));
      for (const path of [`${id}%2Foffers`, twice])
        expect(statusOf(await sendTarget(target.port, `/v1/models/${path}`)), path).toBe(404);
    }
  });
});

const line = (text: string) => `${text}\r\nHost: x\r\nConnection: close\r\n\r\n`;

describe('C11 request lines', () => {
  test.each<[line: string, status: number]>([
    ['GET // HTTP/1.1', 404],
    ['GET /// HTTP/1.1', 404],
    ['GET http://[ HTTP/1.1', 400],
    ['GET https://[::1 HTTP/1.1', 400],
    ['GET http:// HTTP/1.1', 400],
    ['GET http://x/v1/models HTTP/1.1', 404],
    ['GET http://x HTTP/1.1', 404],
    ['GET http://user:word@x/v1/models HTTP/1.1', 404],
    ['GET ftp://x/v1/models HTTP/1.1', 404],
    ['GET //x/v1/models HTTP/1.1', 404],
    ['GET * HTTP/1.1', 404],
    ['OPTIONS * HTTP/1.1', 404],
    ['GET  HTTP/1.1', 400],
    ['GET HTTP/1.1', 400],
    ['GET', 400],
    ['GET /v1/models', 400],
    ['GET ? HTTP/1.1', 400],
    ['GET # HTTP/1.1', 400],
    ['GET v1/models HTTP/1.1', 400],
    ['GET x:80 HTTP/1.1', 400],
    ['GET :// HTTP/1.1', 400],
    ['GET /v1/models#x HTTP/1.1', 404],
    ['GET /v1/models?# HTTP/1.1', 400],
    ['GET /% HTTP/1.1', 400],
    ['GET /%zz HTTP/1.1', 400],
    ['GET /%C0%AF HTTP/1.1', 400],
    ['GET /\u00ff HTTP/1.1', 400],
    ['GET /\u0001 HTTP/1.1', 400],
    ['GET /\0 HTTP/1.1', 400],
    ['GET /\u007f HTTP/1.1', 400],
    ['GET\t/v1/models\tHTTP/1.1', 400],
    ['GET /v1/models x HTTP/1.1', 400],
    ['GET /v1/models HTTP/1.1 x', 400],
    ['GET /v1/models HTTP/1.2', 400],
    ['GET /v1/models HTTP/3.0', 400],
    ['GET /v1/models HTTP/1.10', 400],
    ['GET /v1/models http/1.1', 400],
    ['GET /v1/models XTTP/1.1', 400],
    ['GETX /v1/models HTTP/1.1', 400],
    ['get /v1/models HTTP/1.1', 400],
    ['G\u00cbT /v1/models HTTP/1.1', 400],
    ['PRI * HTTP/2.0', 400],
    ['\u0016\u0003\u0001\u0002\0\u0001\0\u0001\u00fc\u0003\u0003', 400],
    ['GET /trpc HTTP/1.1', 404],
    ['GET /trpc/ HTTP/1.1', 404],
    ['GET /trpc// HTTP/1.1', 404],
    ['GET /trpc/% HTTP/1.1', 400],
    [`GET /${'a'.repeat(9_000)} HTTP/1.1`, 431],
    [`GET /v1/models?${'a'.repeat(9_000)} HTTP/1.1`, 431],
  ])('C11 %j', async (text, status) => {
    const answer = await sendRaw(target.port, Buffer.from(line(text), 'latin1'));
    expect(statusOf(answer)).toBe(status);
    const body = bodyOf(answer) as { error?: { data: unknown } };
    expect(Problem.strict().parse(body.error?.data ?? body).status).toBe(status);
    expect((await target.app.get('/health/live')).status).toBe(200);
  });
});

describe('C14 Host', () => {
  const ask = (host: string, version = '1.1') =>
    sendRaw(target.port, `GET /v1/models HTTP/${version}\r\n${host}Connection: close\r\n\r\n`);

  test.each([
    '',
    'Host: a\r\nHost: b\r\n',
    'Host: a\r\nHost: a\r\n',
    'Host: a\r\nhOST: a\r\n',
    'Host : a\r\n',
    ' Host: a\r\n',
    'Host: a\r\n b\r\n',
    'X: y\r\n Host: a\r\n',
    'Host\r\n',
  ])('C14a there is exactly one: %j', async (host) => {
    const answer = await ask(host);
    expect(statusOf(answer)).toBe(400);
    expect(Problem.strict().parse(bodyOf(answer)).code).toBe('BAD_REQUEST');
  });

  test('C14a HTTP/1.0 may have none, but not two', async () => {
    expect(statusOf(await ask('', '1.0'))).toBe(200);
    expect(statusOf(await ask('Host: a\r\nHost: b\r\n', '1.0'))).toBe(400);
  });

  test.each(['a b', 'a/b', 'a\\b', 'me@a', '<a>', 'a?b', 'a#b', '"a"', 'a:b', 'a:80:80', '\u00e4'])(
    'C14b it is a name or an address: %j is none',
    async (host) => {
      const answer = await ask(`Host: ${host}\r\n`);
      expect(statusOf(answer)).toBe(400);
      expect(Problem.strict().parse(bodyOf(answer)).code).toBe('BAD_REQUEST');
    },
  );

  test('C14c it is never given back, whatever it is', async () => {
    const headers = [
      'X-Forwarded-Host: evil.test',
      'X-Forwarded-Server: evil.test',
      'X-Forwarded-Proto: https',
      'X-Host: evil.test',
      'X-Original-Host: evil.test',
      'Forwarded: host=evil.test;proto=https',
      'Origin: https://evil.test',
      'Referer: https://evil.test/',
    ];
    const requests = [
      ...target.pages.map((page) => `GET ${page}`),
      ...target.paths.map(({ path }) => `PATCH ${path}`),
      'GET /nothing',
      'GET /%',
      'GET /v1/models?limit=x',
      'GET /v1/admin/sync/history',
      'POST /v1/admin/sync',
      'GET /trpc/models.list',
      'OPTIONS /v1/models',
    ];
    const said = new Map<string, number>();
    for (const request of requests) {
      for (const host of ['evil.test', 'evil.test:80']) {
        const secret = request.includes('/v1/admin/sync') ? [`x-admin: ${ADMIN_SECRET}`] : [];
        const head = [`${request} HTTP/1.1`, `Host: ${host}`, ...headers, ...secret].join('\r\n');
        const { text, statuses } = await exchange(target.port, `${head}\r\n\r\n`, 50);
        said.set(request, statuses[0] ?? 0);
        expect(text, request).not.toContain('evil');
        expect(text).not.toMatch(/^location: (?!\/|\.\.\/docs)/im);
      }
    }
    expect(said.get('GET /docs/')).toBe(308);
    expect([202, 409]).toContain(said.get('POST /v1/admin/sync'));
    const { servers } = await target.app.json<{ servers: { url: string }[] }>('/openapi.json');
    expect(servers).toEqual([{ url: '/' }]);
  });
});
