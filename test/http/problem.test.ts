import { TRPCError } from '@trpc/server';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { ApiError, Problem } from '../../contracts/errors.ts';
import { problemHeaders, problemOf } from '../../server/http/problem.ts';
import { SECRET, startEdge } from './edge.ts';
import { bodyOf, sendRaw, sendTarget, statusOf } from '../support/raw.ts';

const about = { requestId: 'r1', instance: '/v1/models' };
const fastifyError = (code: string, statusCode: number) =>
  Object.assign(new Error(`${code} inside`), { code, statusCode });
const zodError = z.strictObject({ limit: z.number().max(5) }).safeParse({ limit: 9, a: 1, b: 2 }).error;
const leak = /select|node_modules|FST_|tRPC|zod|inside|\.ts/i;

describe('problemOf', () => {
  const cases: [name: string, error: unknown, status: number, code: string][] = [
    ['an ApiError', new ApiError('CONFLICT', 'Busy.', { extra: { runId: 'sync_1' } }), 409, 'CONFLICT'],
    ['a ZodError', zodError, 400, 'BAD_REQUEST'],
    ['input refused by tRPC', new TRPCError({ code: 'BAD_REQUEST', cause: zodError }), 400, 'BAD_REQUEST'],
    ['an unreadable request', new TRPCError({ code: 'PARSE_ERROR', message: 'inside' }), 400, 'BAD_REQUEST'],
    ['no such procedure', new TRPCError({ code: 'NOT_FOUND', message: 'inside' }), 404, 'NOT_FOUND'],
    ['a bad URL', fastifyError('FST_ERR_BAD_URL', 400), 400, 'BAD_REQUEST'],
    ['a long parameter', fastifyError('FST_ERR_MAX_PARAM_LENGTH', 414), 400, 'BAD_REQUEST'],
    ['a large body', fastifyError('FST_ERR_CTP_BODY_TOO_LARGE', 413), 413, 'PAYLOAD_TOO_LARGE'],
    ['a wrong type', fastifyError('FST_ERR_CTP_INVALID_MEDIA_TYPE', 415), 415, 'UNSUPPORTED_MEDIA_TYPE'],
    ['a broken route', fastifyError('FST_ERR_REP_INVALID_PAYLOAD_TYPE', 500), 500, 'INTERNAL_SERVER_ERROR'],
    [
      'bad output',
      new TRPCError({ code: 'INTERNAL_SERVER_ERROR', cause: zodError }),
      500,
      'INTERNAL_SERVER_ERROR',
    ],
    ['an unknown error', new Error('select * from models'), 500, 'INTERNAL_SERVER_ERROR'],
    ['no error at all', 'inside', 500, 'INTERNAL_SERVER_ERROR'],
    ['undefined', undefined, 500, 'INTERNAL_SERVER_ERROR'],
  ];
  test.each(cases)('%s', (_, error, status, code) => {
    const problem = problemOf(error, about);
    expect(Problem.strict().parse(problem)).toEqual(problem);
    expect(problem).toMatchObject({
      status,
      code,
      type: 'about:blank',
      requestId: 'r1',
      instance: '/v1/models',
    });
    expect(JSON.stringify(problem)).not.toMatch(leak);
    expect(problemHeaders(error, problem)['cache-control']).toBe('no-store');
  });

  test('names every fault of the input, unknown names each on its own', () => {
    const paths = [{ path: 'limit' }, { path: 'a' }, { path: 'b' }];
    expect(problemOf(zodError, about).errors).toMatchObject(paths);
    expect(problemOf(new TRPCError({ code: 'BAD_REQUEST', cause: zodError }), about).errors).toMatchObject(
      paths,
    );
    expect(
      problemOf(new TRPCError({ code: 'INTERNAL_SERVER_ERROR', cause: zodError }), about).errors,
    ).toEqual([]);
  });

  test('keeps the words, the headers and the extras of an ApiError', () => {
    const error = new ApiError('CONFLICT', 'Busy.', {
      headers: { 'Retry-After': '9' },
      extra: { runId: 'sync_1' },
    });
    const problem = problemOf(error, about);
    expect(problem).toMatchObject({ detail: 'Busy.', runId: 'sync_1' });
    expect(problemHeaders(error, problem)).toEqual({ 'cache-control': 'no-store', 'retry-after': '9' });
  });

  test('503 says when to come back, 429 which kind of problem it is', () => {
    const away = new ApiError('SERVICE_UNAVAILABLE', 'Away.');
    expect(problemHeaders(away, problemOf(away, about))['retry-after']).toBe('5');
    const later = new ApiError('SERVICE_UNAVAILABLE', 'Away.', { headers: { 'retry-after': '60' } });
    expect(problemHeaders(later, problemOf(later, about))['retry-after']).toBe('60');
    const type = 'https://iana.org/assignments/http-problem-types#quota-exceeded';
    expect(problemOf(new ApiError('TOO_MANY_REQUESTS', 'Slow down.'), about).type).toBe(type);
  });
});

describe('over HTTP', () => {
  const failing: [path: string, status: number][] = [
    ['/nothing', 404],
    ['/v1/models?limit=x', 400],
    ['/v1/models/openai/missing', 404],
    ['/v1/models/openai/sql', 500],
    ['/v1/models/openai/bad', 500],
    ['/v1/admin/sync/history', 401],
    ['/health/ready', 503],
  ];
  test.each(failing)('%s is a problem document', async (path, status) => {
    const edge = await startEdge();
    const answer = await fetch(edge.url + path);
    const problem = (await answer.json()) as Problem;
    expect(answer.status).toBe(status);
    expect(answer.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(Problem.strict().parse(problem)).toEqual(problem);
    expect(problem).toMatchObject({
      status,
      instance: path.split('?')[0],
      requestId: answer.headers.get('x-request-id'),
    });
    expect(JSON.stringify(problem)).not.toMatch(leak);
  });

  test('what was unexpected is logged once with its request id, and nothing else is', async () => {
    const edge = await startEdge();
    for (const [path] of failing) await fetch(edge.url + path);
    const answer = await fetch(
      `${edge.url}/trpc/models.get?input=${encodeURIComponent('{"creator":"a","slug":"sql"}')}`,
    );
    const errors = edge.logs.filter(({ msg }) => msg === 'Unexpected error');
    expect(errors.length).toBe(3);
    expect(errors[2]?.requestId).toBe(answer.headers.get('x-request-id'));
    expect(edge.logText()).toContain('select * from models');
  });

  const bytes: [name: string, text: string, status: number][] = [
    ['garbage', 'GARBAGE\r\n\r\n', 400],
    ['a long header', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
    ['a long URL', `GET /${'a'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, 431],
    ['NUL in a header', 'GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n', 400],
    ['a folded header', 'GET / HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n', 400],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', 400],
    [
      'length and chunks',
      'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['odd chunks', 'POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n', 400],
  ];
  test.each(bytes)('bytes that are not HTTP: %s', async (_, text, status) => {
    const edge = await startEdge();
    const answer = await sendRaw(edge.port, text);
    expect(statusOf(answer)).toBe(status);
    expect(answer).toMatch(/^content-type: application\/problem\+json; charset=utf-8\r$/im);
    expect(answer).toMatch(/^connection: close\r$/im);
    expect(Problem.strict().parse(bodyOf(answer)).status).toBe(status);
    expect((await fetch(`${edge.url}/health`)).status).toBe(200);
  });

  test('headers that never end are closed', { timeout: 15_000 }, async () => {
    const edge = await startEdge();
    const answer = await sendRaw(edge.port, 'GET / HTTP/1.1\r\nHost: x\r\n');
    expect(statusOf(answer)).toBe(408);
  });

  test('a URL that can not be decoded', async () => {
    const edge = await startEdge();
    const answer = await sendTarget(edge.port, '/v1/models/%E0%A4%A');
    expect(statusOf(answer)).toBe(400);
    expect(answer).toMatch(/^x-request-id: [\w-]{36}\r$/im);
    expect(answer).toMatch(/^x-content-type-options: nosniff\r$/im);
    expect(Problem.strict().parse(bodyOf(answer)).instance).toBe('/v1/models/%E0%A4%A');
  });
});

describe('over tRPC', () => {
  const input = (value: object) => `input=${encodeURIComponent(JSON.stringify(value))}`;
  const missing = { creator: 'openai', slug: 'missing' };
  const failing: [path: string, status: number, code: string][] = [
    [`models.get?${input(missing)}`, 404, 'NOT_FOUND'],
    [`models.get?${input({ ...missing, slug: 'sql' })}`, 500, 'INTERNAL_SERVER_ERROR'],
    [`models.get?${input({ ...missing, slug: 'bad' })}`, 500, 'INTERNAL_SERVER_ERROR'],
    ['models.get', 400, 'BAD_REQUEST'],
    [`models.list?${input({ limit: '5', foo: 1 })}`, 400, 'BAD_REQUEST'],
    ['models.list?input=%7B', 400, 'BAD_REQUEST'],
    ['models.list?connectionParams=%7B', 400, 'BAD_REQUEST'],
    ['nothing', 404, 'NOT_FOUND'],
    ['admin.sync.history', 401, 'UNAUTHORIZED'],
    ['health.ready', 503, 'SERVICE_UNAVAILABLE'],
    ['admin.sync.start', 405, 'METHOD_NOT_SUPPORTED'],
    [`${Array<string>(51).fill('health.get').join(',')}?batch=1`, 400, 'BAD_REQUEST'],
  ];
  test.each(failing)('%s', async (path, status, code) => {
    const edge = await startEdge();
    const answer = await fetch(`${edge.url}/trpc/${path}`);
    const text = await answer.text();
    const { error } = JSON.parse(text) as { error: { message: string; data: Problem } };
    expect(answer.status).toBe(status);
    expect(Problem.strict().parse(error.data)).toMatchObject({
      status,
      code,
      requestId: answer.headers.get('x-request-id'),
    });
    expect(error.message).toBe(error.data.detail);
    expect(text.replaceAll('/trpc/', '')).not.toMatch(leak);
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  test('faults of the input are named', async () => {
    const edge = await startEdge();
    const answer = await fetch(`${edge.url}/trpc/models.list?${input({ limit: '5', foo: 1 })}`);
    const { error } = (await answer.json()) as { error: { data: Problem } };
    expect(error.data.errors.map(({ path }) => path)).toEqual(['limit', 'foo']);
  });

  test('a call without input gets the defaults; a batch mixes answers and problems', async () => {
    const edge = await startEdge();
    const names = ['models.list', 'models.get', ...Array<string>(48).fill('health.get')];
    const answer = await fetch(`${edge.url}/trpc/${names.join(',')}?batch=1&${input({ 1: missing })}`);
    const [list, model] = (await answer.json()) as {
      error?: { data: Problem };
      result?: { data: { meta: object } };
    }[];
    expect(answer.status).toBe(207);
    expect(list?.result?.data.meta).toMatchObject({ limit: 20, offset: 0 });
    expect(model?.error?.data.code).toBe('NOT_FOUND');
  });

  test('a mutation goes by POST, with JSON of at most 16 KiB', async () => {
    const edge = await startEdge();
    const post = (type: string, body: string) =>
      fetch(`${edge.url}/trpc/admin.sync.start`, {
        method: 'POST',
        headers: { 'x-admin': SECRET, 'content-type': type },
        body,
      });
    expect((await post('application/json', '{}')).status).toBe(200);
    expect((await post('application/json; charset=utf-8', '')).status).toBe(200);
    for (const [type, body, status] of [
      ['application/json', '{"unknown":1}', 400],
      ['application/json', '{', 400],
      ['application/json', `"${'x'.repeat(20_000)}"`, 413],
      ['text/plain', '{}', 415],
      ['multipart/form-data; boundary=x', '--x--', 415],
    ] as const) {
      const answer = await post(type, body);
      const { error } = (await answer.json()) as { error: { data: Problem } };
      expect([answer.status, error.data.status]).toEqual([status, status]);
    }
  });

  test('REST keeps reading JSON beside it', async () => {
    const edge = await startEdge();
    const headers = { 'x-admin': SECRET, 'content-type': 'application/json' };
    const answer = await fetch(`${edge.url}/v1/admin/sync`, { method: 'POST', headers, body: '{"a":1}' });
    expect(answer.status).toBe(400);
  });
});
