import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Problem } from '../../contracts/errors.ts';
import { bodyOf, sendTarget } from '../support/raw.ts';
import { ask, startTarget, type Plain, type Target } from './support/target.ts';

let target: Target;
let bundle: string;
beforeAll(async () => {
  target = await startTarget();
  const page = await (await target.app.get('/docs')).text();
  bundle = `/${/docs\/[\d.]+\/swagger-ui-bundle\.js/.exec(page)?.[0]}`;
});
afterAll(async () => {
  expect((await target.app.get('/health/live')).status).toBe(200);
  expect(target.app.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  await target.close();
});

const CACHED = ['/v1/models?limit=50', '/v1/models/openai/gpt-5-mini', '/v1/changes.atom', '/v1/lifecycle'];
const get = (page: string, headers: Record<string, string> = {}) => ask(target.app, page, headers);

/** The headers of an answer but for those that no two requests share, and for how the body travels. */
function steady({ headers }: Plain): object {
  const {
    date: _date,
    'keep-alive': _keep,
    'cache-status': _status,
    'transfer-encoding': _transfer,
    'content-length': length,
    ...rest
  } = headers;
  // What is made anew for everybody may be longer at another time.
  return rest['cache-control'] === 'no-store' || length === '0' ? rest : { ...rest, length };
}

describe('C21 HEAD', () => {
  test.each(['identity', 'gzip', 'br'])('C21a has every header of GET, and no body: %s', async (coding) => {
    const asked = { 'accept-encoding': coding, 'x-request-id': 'same' };
    for (const page of [
      ...target.pages,
      bundle,
      '/nothing',
      '/v1/models?limit=x',
      '/v1/admin/sync/history',
    ]) {
      const whole = await get(page, asked);
      const head = await ask(target.app, page, asked, 'HEAD');
      expect([head.status, head.body.length]).toEqual([whole.status, 0]);
      expect(steady(head), page).toEqual(steady(whole));
    }
  });

  test('C21b of a stream that never ends is answered at once', async () => {
    const { status, headers, body } = await ask(target.app, '/v1/changes/stream', {}, 'HEAD');
    expect([status, headers['content-type'], body.length]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
      0,
    ]);
  });
});

describe('C21 conditions', () => {
  const spellings: [what: string, status: number, spell: (tag: string) => string][] = [
    ['the tag', 304, (tag) => tag],
    ['without its W/', 304, (tag) => tag.slice(2)],
    ['among others', 304, (tag) => `"a", W/"b",${tag} , "c"`],
    ['after 400 others', 304, (tag) => `${'"a", '.repeat(400)}${tag}`],
    ['any', 304, () => '*'],
    ['nothing', 200, () => ''],
    ['another', 200, () => '"a"'],
    ['without quotes', 200, (tag) => tag.slice(3, -1)],
    ['with a lower-case w/', 200, (tag) => tag.toLowerCase()],
    ['a part of it', 200, (tag) => `${tag.slice(0, -3)}"`],
    ['half a tag', 200, (tag) => tag.slice(0, -1)],
    ['commas alone', 200, () => ',,, ,,'],
    ['no tag at all', 200, () => '<script>%00\u00ff'],
  ];
  test.each(spellings)('C21c If-None-Match with %s: %i', async (_, status, spell) => {
    for (const page of CACHED) {
      const whole = await get(page);
      const answer = await get(page, { 'if-none-match': spell(String(whole.headers.etag)) });
      expect([page, answer.status]).toEqual([page, status]);
      if (status === 200) expect(answer.body.equals(whole.body)).toBe(true);
      else expect(answer.body.length).toBe(0);
      for (const name of ['etag', 'cache-control', 'vary'])
        expect(answer.headers[name]).toBe(whole.headers[name]);
    }
  });

  test('C21d dates and ranges change nothing', async () => {
    const whole = new Map<string, Plain>();
    for (const page of [...CACHED, '/openapi.json', bundle]) whole.set(page, await get(page));
    const future = 'Fri, 01 Jan 2100 00:00:00 GMT';
    for (const headers of [
      { 'if-modified-since': future },
      { 'if-unmodified-since': 'Thu, 01 Jan 1970 00:00:00 GMT' },
      { 'if-modified-since': 'yesterday' },
      { 'if-none-match': '"a"', 'if-modified-since': future },
      { range: 'bytes=0-0' },
      { range: 'bytes=-1' },
      { range: 'bytes=99999999-' },
      { range: 'bytes=5-2' },
      { range: `bytes=0-${',0-'.repeat(1_500)}` },
      { range: 'lines=1-2' },
      { range: 'bytes=0-0', 'if-range': '"a"' },
    ] as Record<string, string>[]) {
      for (const [page, { body }] of whole) {
        const answer = await get(page, headers);
        expect([page, answer.status]).toEqual([page, 200]);
        expect(answer.body.equals(body)).toBe(true);
        expect([answer.headers['content-range'], answer.headers['accept-ranges']]).toEqual([
          undefined,
          undefined,
        ]);
      }
    }
  });
});

/** A text beside the beginning of it, which names a test. */
const named = (text: string): [name: string, text: string] => [JSON.stringify(text.slice(0, 40)), text];

describe('C21 wishes', () => {
  const WISHES = [
    'application/xml',
    'text/html',
    'image/*',
    'application/json;q=0',
    '*/*;q=0',
    'application/jsonl',
    '',
    ';;;=,',
    '\u00ff',
    'a/b,'.repeat(1_500),
    `text/html;q=${'9'.repeat(5_000)}`,
  ];
  test.each(WISHES.map(named))('C21e Accept: %s is answered as ever', async (_, accept) => {
    for (const page of [...CACHED, '/nothing', '/openapi.yaml', '/status/style.css']) {
      const usual = await get(page, { 'x-request-id': 'same' });
      const answer = await get(page, { accept, 'x-request-id': 'same' });
      expect([answer.status, answer.body.equals(usual.body)]).toEqual([usual.status, true]);
      expect(steady(answer)).toEqual(steady(usual));
    }
    const answer = await get('/trpc/health.get', { accept });
    const isRefused = accept === 'application/jsonl';
    expect(answer.status).toBe(isRefused ? 400 : 200);
    expect(JSON.parse(answer.body.toString())).toEqual({
      [isRefused ? 'error' : 'result']: expect.anything(),
    });
  });

  const decode = ({ headers, body }: Plain): Buffer => {
    const coding = headers['content-encoding'];
    if (coding === 'gzip') return gunzipSync(body);
    if (coding === 'br') return brotliDecompressSync(body);
    expect(coding).toBeUndefined();
    return body;
  };
  const FORBIDDEN: Record<string, string[]> = {
    'gzip;q=0': ['gzip'],
    'gzip;q=0.000': ['gzip'],
    'GZIP;Q=0': ['gzip'],
    'br;q=0, gzip;q=0': ['br', 'gzip'],
    '*;q=0': ['br', 'gzip'],
    'gzip;q=0, *;q=0': ['br', 'gzip'],
    identity: ['br', 'gzip'],
    '': ['br', 'gzip'],
  };
  const CODINGS = [
    ...Object.keys(FORBIDDEN),
    'gzip;q=1e9',
    'gzip;q=-1',
    'gzip;q=NaN',
    'gzip;q=',
    'gzip;q=1.0000001',
    `gzip;q=0.${'0'.repeat(5_000)}1`,
    `gzip;q=${'9'.repeat(5_000)}`,
    'gzip;q=0.5;q=0;q=1',
    `${Array.from({ length: 1_000 }, (_, number) => `c${number}`).join()},br`,
    'gzip,'.repeat(1_000),
    'gzip;q=0,'.repeat(700),
    ';q=1,'.repeat(1_000),
    ';;;,,,===',
    'x-gzip',
    'deflate, zstd, compress',
    '\u00ff',
    '__proto__, constructor, toString',
  ];
  test.each(CODINGS.map(named))(
    'C21f Accept-Encoding: %s is answered in one that is known',
    async (_, coding) => {
      for (const page of [...CACHED, '/openapi.json', '/nothing', bundle]) {
        const usual = await get(page, { 'accept-encoding': 'identity', 'x-request-id': 'same' });
        const answer = await get(page, { 'accept-encoding': coding, 'x-request-id': 'same' });
        expect([page, answer.status]).toEqual([page, usual.status]);
        expect(FORBIDDEN[coding] ?? [], page).not.toContain(answer.headers['content-encoding']);
        expect(decode(answer).equals(usual.body)).toBe(true);
      }
    },
  );

  test.each(['identity;q=0', 'identity;q=0, gzip;q=0, br;q=0', '*;q=0, identity;q=0'])(
    'C21g Accept-Encoding: %s is answered as it is, or with 406',
    async (coding) => {
      for (const page of CACHED) {
        const answer = await sendTarget(target.port, page, { headers: `Accept-Encoding: ${coding}\r\n` });
        if (answer.startsWith('HTTP/1.1 406')) Problem.strict().parse(bodyOf(answer));
        else expect(answer).toMatch(/^HTTP\/1\.1 200 /);
      }
    },
  );
});
