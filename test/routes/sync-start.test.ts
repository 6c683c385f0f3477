import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { SyncRun } from '../../contracts/sync.ts';
import { DATABASES } from '../support/databases.ts';
import { ADMIN, ended, hold, problemIn, problemOf, startServed, type Served } from '../support/synced.ts';

const PATH = '/v1/admin/sync';

interface Started {
  data: Pick<SyncRun, 'id' | 'status' | 'startedAt'>;
  meta: { catalogVersion: number };
  timestamp: string;
}

describe.each(DATABASES)('POST /v1/admin/sync on $name', ({ create }) => {
  let served: Served;
  beforeAll(async () => {
    served = await startServed(create);
  });
  afterAll(() => served.close());

  const post = (init: RequestInit = {}, path = PATH) =>
    fetch(served.app.url + path, { method: 'POST', headers: ADMIN, ...init });
  const history = () => served.app.json<{ data: SyncRun[] }>(`${PATH}/history`, ADMIN);

  test('202: the id of the run, and where to follow it', async () => {
    const before = Date.now();
    const response = await post();
    expect(response.status).toBe(202);
    expect(response.headers.get('cache-control')).toBe('no-store');
    const answer = (await response.json()) as Started;
    const { id, startedAt } = answer.data;
    expect(answer).toStrictEqual({
      data: {
        id: expect.stringMatching(/^sync_[0-9a-z]+$/),
        status: 'running',
        startedAt: expect.any(String),
      },
      meta: { catalogVersion: 0 },
      timestamp: expect.any(String),
    });
    expect(Object.keys(answer.data)).toEqual(['id', 'status', 'startedAt']);
    expect(Date.parse(startedAt)).toBeGreaterThanOrEqual(before);
    expect(response.headers.get('location')).toBe(`${PATH}/${id}`);
    const run = await ended(served.app, id);
    expect(run).toMatchObject({ id, startedAt, status: 'completed', trigger: 'api', catalogVersion: 1 });
  });

  test('202: an empty JSON object is as good as no body', async () => {
    const headers = { ...ADMIN, 'content-type': 'application/json; charset=utf-8' };
    const response = await post({ headers, body: '{}' });
    expect(response.status).toBe(202);
    await ended(served.app, ((await response.json()) as Started).data.id);
  });

  test.each([
    ['no header', {}],
    ['an empty one', { 'x-admin': '' }],
    ['a wrong one', { 'x-admin': 'TRUE' }],
    ['a wrong token', { authorization: 'Bearer true' }],
  ])('401: %s, and nothing is started', async (_, headers) => {
    const { length: before } = (await history()).data;
    const response = await post({ headers: headers as Record<string, string> });
    expect(response.status).toBe(401);
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="effect-models"');
    expect(response.headers.has('location')).toBe(false);
    expect(await problemIn(response)).toStrictEqual({
      type: 'about:blank',
      title: 'Admin credentials are missing or wrong',
      status: 401,
      detail: 'Send the admin secret in the x-admin header, or as a Bearer token.',
      code: 'UNAUTHORIZED',
      errors: [],
    });
    expect((await history()).data).toHaveLength(before);
  });

  test('409: the run that is under way, and where to follow it', async () => {
    const release = hold(served.upstream, (path) => path.startsWith('/huggingface/'));
    const { data } = (await (await post()).json()) as Started;
    const response = await post();
    expect(response.status).toBe(409);
    expect(response.headers.get('location')).toBe(`${PATH}/${data.id}`);
    const problem = await problemIn(response);
    expect(problem).toStrictEqual({
      type: 'about:blank',
      title: 'The request can not be met as things stand',
      status: 409,
      detail: `Run ${data.id} is under way: follow it, or try again when it has ended.`,
      code: 'CONFLICT',
      errors: [],
      runId: data.id,
    });
    expect(await problemOf(served.client.admin.sync.start.mutate())).toEqual(problem);
    expect(await served.app.json(`${PATH}/${data.id}`, ADMIN)).toMatchObject({ data: { status: 'running' } });
    release();
    expect((await ended(served.app, data.id)).status).toBe('completed');
    expect((await served.app.sync()).id).not.toBe(data.id);
  });

  test('400: a query, a field, or a body that is no object', async () => {
    const headers = { ...ADMIN, 'content-type': 'application/json' };
    const { length: before } = (await history()).data;
    const refused: [response: Response, path: string][] = [
      [await post({}, `${PATH}?full=true`), 'full'],
      [await post({ headers, body: '{"full":true}' }), 'full'],
      [await post({ headers, body: '[]' }), ''],
    ];
    for (const [response, path] of refused) {
      expect(await problemIn(response)).toMatchObject({
        status: 400,
        code: 'BAD_REQUEST',
        errors: [{ path }],
      });
    }
    expect(await problemIn(await post({ headers, body: '{' }))).toMatchObject({
      status: 400,
      code: 'BAD_REQUEST',
    });
    expect((await history()).data).toHaveLength(before);
  });

  test('413 and 415: a body that is too large, and one that is not JSON', async () => {
    const large = {
      headers: { ...ADMIN, 'content-type': 'application/json' },
      body: `{"a":"${'x'.repeat(16_384)}"}`,
    };
    expect(await problemIn(await post(large))).toMatchObject({ status: 413, code: 'PAYLOAD_TOO_LARGE' });
    const text = { headers: { ...ADMIN, 'content-type': 'text/plain' }, body: '{}' };
    expect(await problemIn(await post(text))).toMatchObject({ status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' });
  });

  test('tRPC starts runs too, for admins alone', async () => {
    const { data, meta } = await served.client.admin.sync.start.mutate();
    expect(data).toStrictEqual({
      id: expect.stringMatching(/^sync_/),
      status: 'running',
      startedAt: expect.any(String),
    });
    expect(meta).toStrictEqual({ catalogVersion: 1 });
    expect(await ended(served.app, data.id)).toMatchObject({ status: 'completed', trigger: 'api' });
    const problem = await problemIn(await post({ headers: {} }));
    expect(await problemOf(served.stranger.admin.sync.start.mutate())).toEqual(problem);
  });
});
