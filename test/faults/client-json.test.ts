import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Problem } from '../../contracts/errors.ts';
import { bodyOf, sendRaw, sendTarget, statusOf } from '../support/raw.ts';
import { head, JSON_TYPE, READERS, SECRET } from './support/bodies.ts';
import { startTarget, type Target } from './support/target.ts';

let target: Target;
let runs: number;
beforeAll(async () => {
  target = await startTarget();
  runs = await target.runs();
});
afterAll(async () => {
  expect((await target.app.get('/health/live')).status).toBe(200);
  expect(target.app.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  await target.close();
});

describe('C18 odd JSON', () => {
  const deep = (open: string, close: string) => open.repeat(1_500) + close.repeat(1_500);
  const BODIES = [
    '{',
    '}',
    '{"ids":',
    "{'ids':[]}",
    '{"ids":[]}x',
    '{"ids":[],}',
    '[]',
    '[{"ids":[]}]',
    '"text"',
    'null',
    'true',
    '5',
    '1e999',
    'NaN',
    ' ',
    '\0',
    '\ufeff',
    '{"\0":1}',
    '{"__proto__":{"admin":true}}',
    '{"ids":[{"id":"a","__proto__":{"admin":true}}]}',
    '{"constructor":{"prototype":{"admin":true}}}',
    '{"\\u005f_proto__":{"admin":true}}',
    '{"prototype":{}}',
    '{"toString":1,"valueOf":2,"hasOwnProperty":3}',
    '{"unknown":1}',
    '{"":1}',
    deep('[', ']'),
    `{"a":${deep('[', ']')}}`,
    deep('{"a":', '}').replace(/:}/, ':1}'),
    `{${Array.from({ length: 1_500 }, (_, number) => `"k${number}":1`).join()}}`,
    `{"ids":${'['.repeat(8_000)}`,
    '{"ids":[{"id":"a"}],"ids":[{"id":"b"}],"x":1}',
  ];

  test.each(BODIES.map((body) => [JSON.stringify(body.slice(0, 50)), body]))(
    'C18 400 %s',
    async (_, body = '') => {
      for (const [line, headers] of READERS) {
        const text = `${head(line, `${headers}Connection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n`)}${body}`;
        const answer = await sendRaw(target.port, text);
        expect([line, statusOf(answer)]).toEqual([line, 400]);
        expect(answer).toMatch(/^content-type: application\/(problem\+)?json/im);
      }
      expect(({} as { admin?: boolean }).admin).toBeUndefined();
      expect(await target.runs()).toBe(runs);
    },
  );

  test('C18a a key that is given twice', async () => {
    const body = '{"ids":[{"id":"gpt-5-mini"}],"ids":[{"id":"nothing-like-it"}]}';
    for (const [line, headers] of READERS) {
      const length = `Connection: close\r\nContent-Length: ${body.length}\r\n`;
      const answer = await sendRaw(target.port, head(line, headers + length) + body);
      expect([line, statusOf(answer)]).toEqual([line, 400]);
    }
  });
});

describe('C19 types of bodies', () => {
  const start = (headers: string, body = '') =>
    sendRaw(target.port, `${head('POST /v1/admin/sync', `Connection: close\r\n${SECRET}${headers}`)}${body}`);
  const ended = async () => {
    await expect
      .poll(async () => {
        const { data } = await target.app.json<{ data: { runningSync: unknown } }>('/v1/status');
        return data.runningSync;
      })
      .toBeNull();
    runs = await target.runs();
  };

  test.each([
    '',
    'Content-Length: 0\r\n',
    'Content-Type: application/json\r\nContent-Length: 0\r\n',
    'Content-Type: application/json\r\nContent-Length: 2\r\n',
    'Content-Type: application/json; charset=utf-8\r\nContent-Length: 2\r\n',
    'Content-Type: application/json;charset=UTF-8\r\nContent-Length: 2\r\n',
    'Content-Type: APPLICATION/JSON ; charset="utf-8"\r\nContent-Length: 2\r\n',
  ])('C19a 202 for %j', async (headers) => {
    const answer = await start(headers, headers.includes('Length: 2') ? '{}' : '');
    expect(statusOf(answer)).toBe(202);
    expect(answer).toMatch(/^location: \/v1\/admin\/sync\/sync_\w+\r$/im);
    await ended();
  });

  test.each([
    'text/plain',
    'text/plain;charset=UTF-8',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/xml',
    'text/html',
    'application/octet-stream',
    'text/json',
    'application/jsonp',
    'application/json-seq',
    'application/problem+json',
    'application/vnd.api+json',
    'text/plain; application/json',
    'text/plain, application/json',
    'application/json, text/plain',
    'application/ json',
    'applicationXjson',
    'json',
    '*/*',
    'nonsense',
  ])('C19b 415 for %s', async (type) => {
    for (const [line, headers] of READERS) {
      const typed = `${headers.replace(JSON_TYPE, '')}Content-Type: ${type}\r\nContent-Length: 2\r\nConnection: close\r\n`;
      const answer = await sendRaw(target.port, `${head(line, typed)}{}`);
      expect([line, statusOf(answer)]).toEqual([line, 415]);
    }
    expect(await target.runs()).toBe(runs);
  });

  test('C19c 415 for a body without a type, in one piece and in chunks', async () => {
    expect(statusOf(await start('Content-Length: 2\r\n', '{}'))).toBe(415);
    expect(statusOf(await start('Transfer-Encoding: chunked\r\n', '2\r\n{}\r\n0\r\n\r\n'))).toBe(415);
    const none = await sendTarget(target.port, '/v1/resolve', { method: 'POST' });
    expect([statusOf(none), Problem.strict().parse(bodyOf(none)).code]).toEqual([400, 'BAD_REQUEST']);
    expect(await target.runs()).toBe(runs);
  });
});
