import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createBreakers } from '../../sync/breaker.ts';
import { connectUpstream, HTTP_LIMITS, UpstreamError, type ConnectOptions } from '../../sync/http.ts';
import { makeCertificate } from '../support/certificates.ts';
import { startUpstream, type FakeUpstream, type Handler } from '../support/upstream.ts';

const KEY = 'sk-key-of-the-operator';
const limits = { ...HTTP_LIMITS, attemptTimeoutMs: 5_000, maxBytes: 64 * 1024, retryBaseMs: 1 };

let upstream: FakeUpstream;
const servers: Server[] = [];

beforeAll(async () => {
  upstream = await startUpstream();
});
afterEach(() => {
  upstream.reset();
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) (server.closeAllConnections as () => void)();
    server.close();
  }
});
afterAll(() => upstream.close());

const models = () => `${upstream.urls.OPENROUTER_URL}/models`;

function connect(options: Partial<ConnectOptions> = {}) {
  const connection = connectUpstream({
    baseUrl: upstream.urls.OPENROUTER_URL,
    apiKey: KEY,
    maxItems: null,
    validators: {},
    userAgent: 'effect-models-test',
    signal: new AbortController().signal,
    limits,
    breaker: createBreakers(limits).of('openrouter'),
    ...options,
  });
  return { ...connection, getJson: connection.upstream.getJson.bind(connection.upstream) };
}

/** Answers every request for the models by `handler`. */
const answer = (
  handler: (req: IncomingMessage, res: ServerResponse, count: number, next: () => void) => void,
) => {
  let count = 0;
  const scripted: Handler = (req, res, next) => handler(req, res, ++count, next);
  upstream.script((path) => path.includes('/models'), scripted);
};
const answerWith = (status: number, headers: Record<string, string> = {}, body = '') =>
  answer((_req, res) => res.writeHead(status, headers).end(body));

const json = { 'content-type': 'application/json' };

async function failureOf(promise: Promise<unknown>): Promise<UpstreamError> {
  const error = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(UpstreamError);
  const failure = error as UpstreamError;
  expect(failure.name).toBe('UpstreamError');
  expect(failure.message).not.toContain(KEY);
  return failure;
}

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('getJson', () => {
  it('sends what an upstream needs and answers with the parsed body', async () => {
    const connection = connect();
    const { body, notModified, headers } = await connection.getJson(models(), {
      headers: { 'x-more': 'this' },
    });
    expect(notModified).toBe(false);
    expect(body).toMatchObject({ total_count: upstream.content.openrouter.length });
    expect(headers.get('content-type')).toContain('json');
    expect(upstream.requests).toHaveLength(1);
    expect(upstream.requests[0]).toMatchObject({
      method: 'GET',
      status: 200,
      headers: { 'user-agent': 'effect-models-test', accept: 'application/json', 'x-more': 'this' },
    });
    const { bytes, ...report } = connection.report();
    expect(report).toEqual({ requests: 1, httpStatus: 200, warnings: [], answered: true });
    expect(bytes).toBe(Buffer.byteLength(JSON.stringify(body)));
  });

  it.each([
    [401, 'auth', 1],
    [403, 'auth', 1],
    [404, 'http', 1],
    [410, 'http', 1],
    [451, 'http', 1],
    [204, 'http', 1],
    [304, 'http', 1],
    [408, 'http', 4],
    [429, 'rate_limited', 4],
    [500, 'http', 4],
    [502, 'http', 4],
    [503, 'http', 4],
    [504, 'http', 4],
  ])('takes %i for %s after %i requests', async (status, failure, requests) => {
    answerWith(status, json);
    const connection = connect();
    expect(await failureOf(connection.getJson(`${models()}?key=${KEY}`))).toMatchObject({
      failure,
      httpStatus: status,
      message: expect.stringContaining(`${models()} answered ${status}`) as string,
    });
    expect(upstream.requests).toHaveLength(requests);
    expect(connection.report()).toMatchObject({ requests, httpStatus: status, answered: false });
  });

  it.each([1, 2, 3])('gets over %i failures', async (failures) => {
    answer((_req, res, count, next) => (count <= failures ? res.writeHead(503).end() : next()));
    const connection = connect();
    expect((await connection.getJson(models())).body).toBeTypeOf('object');
    expect(connection.report()).toMatchObject({ requests: failures + 1, httpStatus: 200 });
  });

  it('refuses a key that no header can hold without naming it', async () => {
    const promise = connect().getJson(models(), { headers: { authorization: `Bearer ${KEY}\nx` } });
    const error = await failureOf(promise);
    expect(error.failure).toBe('auth');
    expect(error.cause).toBeUndefined();
    expect(upstream.requests).toHaveLength(0);
  });
});

it('getJson drops what it does not read', async () => {
  const closed = new Promise((resolve) => {
    answer((_req, res) => {
      res.on('close', resolve).writeHead(404, json).write('Not found, and so on');
    });
  });
  await failureOf(connect().getJson(models()));
  await closed;
});

describe('Retry-After', () => {
  const gapAfter = async (headers: () => Record<string, string>, status = 429) => {
    const times: number[] = [];
    answer((_req, res, count, next) => {
      times.push(performance.now());
      if (count === 1) res.writeHead(status, headers()).end();
      else next();
    });
    await connect().getJson(models());
    expect(times).toHaveLength(2);
    return Number(times[1]) - Number(times[0]);
  };

  it('is obeyed in seconds', async () => {
    expect(await gapAfter(() => ({ 'retry-after': '1' }))).toBeGreaterThan(950);
    upstream.reset();
    expect(await gapAfter(() => ({ 'retry-after': '0.3' }), 503)).toBeGreaterThan(280);
  });

  it.each(['Sat, 01 Feb 2020 00:00:01 GMT', 'Saturday, 01-Feb-20 00:00:01 GMT', 'Sat Feb  1 00:00:01 2020'])(
    "is obeyed as a date, by the upstream's own clock (%s)",
    async (value) => {
      const dates = { date: 'Sat, 01 Feb 2020 00:00:00 GMT', 'retry-after': value };
      expect(await gapAfter(() => dates)).toBeGreaterThan(950);
    },
  );

  it.each(['-5', '0', 'soon', 'soon 2099', '', 'Sat, 01 Feb 2020 00:00:00 GMT', 'Abc, 99 Xyz 2020 GMT'])(
    'is passed over where it says %j',
    async (value) => {
      await gapAfter(() => ({ 'retry-after': value }));
    },
  );

  it.each(['3600', '1000000000', new Date(Date.now() + 86_400_000).toUTCString()])(
    'beyond the cap (%s) fails at once',
    async (value) => {
      answerWith(429, { 'retry-after': value });
      expect(await failureOf(connect().getJson(models()))).toMatchObject({
        failure: 'rate_limited',
        message: expect.stringMatching(/wait \d+ s/) as string,
      });
      expect(upstream.requests).toHaveLength(1);
    },
  );
});

describe('a connection', () => {
  it('that is refused is unreachable', async () => {
    const baseUrl = await listen(() => {});
    const server = servers.pop();
    await new Promise((resolve) => server?.close(resolve));
    const connection = connect({ baseUrl });
    expect(await failureOf(connection.getJson(`${baseUrl}/models`))).toMatchObject({
      failure: 'unreachable',
      httpStatus: null,
      message: expect.stringContaining('ECONNREFUSED') as string,
    });
    expect(connection.report()).toMatchObject({ requests: 4, httpStatus: null, answered: false });
  });

  it('that is reset is tried again', async () => {
    answer((req, _res, count, next) => (count < 3 ? req.socket.resetAndDestroy() : next()));
    await connect().getJson(models());
    expect(upstream.requests).toHaveLength(3);
  });

  it('that does not speak HTTP is of class http', async () => {
    answer((req) => req.socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
    expect((await failureOf(connect().getJson(models()))).failure).toBe('http');
  });

  it('that never answers is a timeout', async () => {
    answer(() => {});
    const connection = connect({ limits: { ...limits, attempts: 2, attemptTimeoutMs: 100 } });
    expect((await failureOf(connection.getJson(models()))).failure).toBe('timeout');
    expect(upstream.requests).toHaveLength(2);
  });

  it.each(['identity', 'gzip'])('that drips is a timeout (%s)', async (encoding) => {
    answer((_req, res) => {
      res.writeHead(200, { ...json, 'content-encoding': encoding });
      const bytes =
        encoding === 'gzip' ? gzipSync('[1, 2, 3, 4, 5, 6, 7, 8, 9]') : Buffer.from('['.padEnd(30));
      let sent = 0;
      const drip = setInterval(() => res.write(bytes.subarray(sent, ++sent)), 20);
      res.on('close', () => clearInterval(drip));
    });
    const connection = connect({ limits: { ...limits, attempts: 2, attemptTimeoutMs: 200 } });
    expect((await failureOf(connection.getJson(models()))).failure).toBe('timeout');
    expect(upstream.requests).toHaveLength(2);
    expect(connection.report()).toMatchObject({ answered: true, httpStatus: 200 });
  });

  it.each([
    ['short of its length', { ...json, 'content-length': '100' }],
    ['in the middle of its chunks', json],
  ])('that breaks off %s is tried again', async (_what, headers) => {
    answer((req, res, count, next) => {
      if (count === 3) return next();
      res.writeHead(200, headers).write('{"data":[');
      setTimeout(() => req.socket.end(), 20);
    });
    await connect().getJson(models());
    expect(upstream.requests).toHaveLength(3);

    upstream.requests.length = 0;
    answer((_req, res) => {
      res.writeHead(200, headers).write('{"data":[');
      setTimeout(() => res.destroy(), 20);
    });
    expect((await failureOf(connect().getJson(models()))).failure).toBe('unreachable');
    expect(upstream.requests).toHaveLength(4);
  });

  it('without TLS where it was asked for is of class tls', async () => {
    const connection = connect({ baseUrl: upstream.urls.OPENROUTER_URL.replace('http:', 'https:') });
    const error = await failureOf(connection.getJson(models().replace('http:', 'https:')));
    expect(error.failure).toBe('tls');
    expect(connection.report().requests).toBe(1);
  });

  it('with a certificate that nobody vouches for is of class tls', async () => {
    let requests = 0;
    const server = createTlsServer(makeCertificate(), () => requests++);
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const baseUrl = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const connection = connect({ baseUrl });
    const error = await failureOf(connection.getJson(`${baseUrl}/models`));
    expect(error).toMatchObject({
      failure: 'tls',
      message: expect.stringContaining('SELF_SIGNED') as string,
    });
    expect(connection.report().requests).toBe(1);
    expect(requests).toBe(0);
  });
});

describe('a body', () => {
  it('that is HTML fails without another try', async () => {
    answerWith(200, { 'content-type': 'text/html' }, '<html>Maintenance</html>');
    const connection = connect();
    expect((await failureOf(connection.getJson(models()))).failure).toBe('format');
    expect(connection.report()).toMatchObject({ requests: 1, answered: false });
  });

  it('that models.dev redirects to its front page fails', async () => {
    const baseUrl = upstream.urls.MODELS_DEV_URL;
    expect((await failureOf(connect({ baseUrl }).getJson(`${baseUrl}/gone.json`))).failure).toBe('format');
    expect(upstream.requests.map(({ status }) => status)).toEqual([302, 200]);
  });

  it.each([
    ['HTML', Buffer.from('<html>Maintenance</html>')],
    ['cut JSON', Buffer.from('{"data":[{"id":"Maintenance"')],
    ['empty', Buffer.alloc(0)],
    ['Latin-1', Buffer.from('{"id":"Maintenance caf\u00e9"}', 'latin1')],
    ['cut UTF-8', Buffer.from('"Maintenance \u00e9').subarray(0, -1)],
    ['UTF-16', Buffer.from('\ufeff{"id":"Maintenance"}', 'utf16le')],
    ['nested too deeply', Buffer.from('['.repeat(60_000))],
  ])('that is not JSON but %s fails', async (what, body) => {
    answer((_req, res) => res.writeHead(200, json).end(body));
    const error = await failureOf(connect().getJson(models()));
    expect(error).toMatchObject({ failure: 'format', httpStatus: 200 });
    expect(error.message).not.toContain('Maintenance');
    expect(error.cause).toBeUndefined();
    expect(upstream.requests).toHaveLength(what === 'nested too deeply' ? 1 : 2);
  });

  it('that could not be read is asked for once more', async () => {
    answer((_req, res, count, next) => (count === 1 ? res.writeHead(200, json).end('{') : next()));
    await connect().getJson(models());
    expect(upstream.requests).toHaveLength(2);
  });

  it('may begin with a byte order mark and hold brackets in strings', async () => {
    const value = { text: `\\"${'[{'.repeat(500)}`, nested: [[[{}]]] };
    answerWith(200, { 'content-type': 'application/vnd.api+JSON' }, `\ufeff${JSON.stringify(value)}`);
    expect((await connect().getJson(models())).body).toEqual(value);
  });

  it('may come gzipped', async () => {
    answer((_req, res) =>
      res.writeHead(200, { ...json, 'content-encoding': 'gzip' }).end(gzipSync('{"a":1}')),
    );
    const connection = connect();
    expect((await connection.getJson(models())).body).toEqual({ a: 1 });
    expect(connection.report().bytes).toBe(7);
  });

  it.each(['gzip', 'br', 'zstd', 'x-unknown', Array(50).fill('gzip').join(', ')])(
    'that is not encoded as it says (%s) is asked for uncompressed',
    async (encoding) => {
      const garbage: Handler = (_req, res) =>
        res.writeHead(200, { ...json, 'content-encoding': encoding }).end('\u0000garbage');
      answer((req, res, count, next) => (count === 1 ? garbage(req, res, next) : next()));
      await connect().getJson(models());
      expect(upstream.requests.map(({ headers }) => headers['accept-encoding'] === 'identity')).toEqual([
        false,
        true,
      ]);

      upstream.requests.length = 0;
      answer((req, res, _count, next) => garbage(req, res, next));
      expect((await failureOf(connect().getJson(models()))).failure).toBe('format');
      expect(upstream.requests).toHaveLength(2);
    },
  );

  const bomb = gzipSync(`"${'a'.repeat(20_000_000)}"`);
  it.each([
    ['gzipped', 'gzip', bomb],
    ['gzipped twice', 'gzip, gzip', gzipSync(bomb)],
    ['plain', 'identity', Buffer.alloc(20_000_000, ' ')],
  ])('that is too large, %s, is cut off', async (_what, encoding, body) => {
    answer((_req, res) => res.writeHead(200, { ...json, 'content-encoding': encoding }).end(body));
    const connection = connect();
    expect((await failureOf(connection.getJson(models()))).failure).toBe('too_large');
    expect(connection.report().requests).toBe(1);
    expect(connection.report().bytes).toBeGreaterThan(limits.maxBytes);
    expect(connection.report().bytes).toBeLessThan(1_000_000);
  });
});

describe('a redirect', () => {
  const redirect = (to: (count: number) => string, status = 302) =>
    answer((_req, res, count) => res.writeHead(status, { location: to(count) }).end('Moved'));

  it.each([301, 302, 303, 307, 308])('within the origin is followed (%i)', async (status) => {
    redirect(() => '/openrouter/api/v1/list', status);
    upstream.script(
      (path) => path.endsWith('/list'),
      (_req, res) => res.writeHead(200, json).end('[1]'),
    );
    const connection = connect();
    expect((await connection.getJson(models(), { headers: { authorization: KEY } })).body).toEqual([1]);
    expect(upstream.requests[1]).toMatchObject({ method: 'GET', headers: { authorization: KEY } });
    expect(connection.report().requests).toBe(2);
  });

  it('is followed three times, not four', async () => {
    answer((_req, res, count, next) => {
      if (count > 3) next();
      else res.writeHead(307, { location: `?step=${count}` }).end();
    });
    expect((await connect().getJson(models())).notModified).toBe(false);
    upstream.reset();
    redirect((count) => `?step=${count}`);
    expect((await failureOf(connect().getJson(models()))).failure).toBe('http');
    expect(upstream.requests).toHaveLength(4);
  });

  it('to another origin is refused, and the key stays', async () => {
    let others = 0;
    const other = await listen((_req, res) => {
      others++;
      res.writeHead(200, json).end('{}');
    });
    const port = new URL(models()).port;
    const targets = [
      `${other}/models`,
      `//${new URL(other).host}/models`,
      `http://localhost:${port}/openrouter/api/v1/models`,
      `https://127.0.0.1:${port}/models`,
      `http://user:secret@127.0.0.1:${port}/models`,
      'http://169.254.169.254/latest/meta-data',
      'file:///etc/passwd',
      'http://[',
    ];
    for (const target of targets) {
      upstream.reset();
      redirect(() => target);
      const connection = connect();
      const promise = connection.getJson(models(), {
        headers: { 'x-api-key': KEY, authorization: `Bearer ${KEY}` },
      });
      expect(await failureOf(promise), target).toMatchObject({ failure: 'http', httpStatus: 302 });
      expect(connection.report().requests, target).toBe(1);
    }
    expect(others).toBe(0);
  });

  it('without a target is refused', async () => {
    answerWith(302);
    expect((await failureOf(connect().getJson(models()))).failure).toBe('http');
    expect(upstream.requests).toHaveLength(1);
  });

  it('is not the only way out: a URL of another origin is not asked', async () => {
    const { port } = new URL(models());
    for (const url of [
      'https://example.org/models',
      `http://localhost:${port}/openrouter/api/v1/models`,
      models().replace('127.0.0.1', 'user@127.0.0.1'),
      '/models',
    ]) {
      const connection = connect();
      expect((await failureOf(connection.getJson(url))).failure, url).toBe('http');
      expect(connection.report().requests).toBe(0);
    }
    expect(upstream.requests).toHaveLength(0);
  });
});

describe('validators', () => {
  it('come from a 200, go with the next conditional request, and outlive a 304', async () => {
    const first = connect();
    expect((await first.getJson(models(), { conditional: true })).notModified).toBe(false);
    expect(upstream.requests[0]?.headers['if-none-match']).toBeUndefined();
    const validators = first.validators();
    expect(validators).toEqual({
      [models()]: { etag: expect.stringMatching(/^".+"$/) as string, lastModified: null },
    });

    const second = connect({ validators });
    const answered = await second.getJson(models(), { conditional: true });
    expect(answered).toMatchObject({ notModified: true, body: undefined });
    expect(second.validators()).toEqual(validators);
    expect(second.report()).toMatchObject({ requests: 1, bytes: 0, httpStatus: 304, answered: true });

    upstream.content.openrouter = upstream.content.openrouter.slice(1);
    const third = connect({ validators });
    expect((await third.getJson(models(), { conditional: true })).notModified).toBe(false);
    expect(third.validators()).not.toEqual(validators);
  });

  it('include dates', async () => {
    const date = 'Thu, 02 Jul 2026 08:00:00 GMT';
    answerWith(304);
    const validators = { [models()]: { etag: null, lastModified: date } };
    const connection = connect({ validators });
    expect((await connection.getJson(models(), { conditional: true })).notModified).toBe(true);
    expect(upstream.requests[0]?.headers['if-modified-since']).toBe(date);
    expect(connection.validators()).toEqual(validators);
    upstream.reset();
    answerWith(200, { ...json, 'last-modified': date }, '[]');
    const another = connect();
    await another.getJson(models(), { conditional: true });
    expect(another.validators()).toEqual(validators);
  });

  it('are of one URL, and sent only where asked for', async () => {
    const validators = { [models()]: { etag: '"old"', lastModified: null } };
    const connection = connect({ validators });
    await connection.getJson(models());
    await connection.getJson(`${models()}?offset=1`, { conditional: true });
    expect(upstream.requests.map(({ headers }) => headers['if-none-match'])).toEqual([undefined, undefined]);
  });

  it('are not remembered of what nobody asks for conditionally', async () => {
    const connection = connect();
    await connection.getJson(models());
    expect(connection.validators()).toEqual({});
  });

  it('stay as they were when the new body is unusable, and go when there are none', async () => {
    const validators = { [models()]: { etag: '"old"', lastModified: null } };
    answerWith(200, { ...json, etag: '"new"' }, '{');
    const broken = connect({ validators });
    await failureOf(broken.getJson(models(), { conditional: true }));
    expect(broken.validators()).toEqual(validators);
    upstream.reset();
    answerWith(200, json, '{}');
    const bare = connect({ validators });
    await bare.getJson(models(), { conditional: true });
    expect(bare.validators()).toEqual({});
  });
});

describe('the bound on the first answer', () => {
  const bounded = { ...limits, answerTimeoutMs: 150 };

  it('ends an attempt that hangs', async () => {
    answer(() => {});
    const connection = connect({ limits: bounded });
    expect(await failureOf(connection.getJson(models()))).toMatchObject({
      failure: 'timeout',
      httpStatus: null,
    });
    expect(upstream.requests).toHaveLength(1);
    expect((await failureOf(connection.getJson(models()))).failure).toBe('timeout');
    expect(upstream.requests).toHaveLength(1);
  });

  it('ends retries', async () => {
    answerWith(503, { 'retry-after': '60' });
    const connection = connect({ limits: bounded });
    expect(await failureOf(connection.getJson(models()))).toMatchObject({
      failure: 'timeout',
      httpStatus: 503,
      message: expect.stringContaining('503') as string,
    });
    expect(upstream.requests).toHaveLength(1);
  });

  it('no longer matters once an answer has begun', async () => {
    answer((_req, res) => {
      res.writeHead(200, json).write('{"a":');
      setTimeout(() => res.end('1}'), 400);
    });
    const connection = connect({ limits: bounded });
    expect((await connection.getJson(models())).body).toEqual({ a: 1 });
    expect((await connection.getJson(models())).body).toEqual({ a: 1 });
  });
});

describe('an abort of the run', () => {
  it('ends a request under way', async () => {
    const run = new AbortController();
    answer(() => run.abort());
    const connection = connect({ signal: run.signal });
    expect(await failureOf(connection.getJson(models()))).toMatchObject({
      failure: 'timeout',
      message: expect.stringContaining('deadline') as string,
    });
    expect(upstream.requests).toHaveLength(1);
  });

  it('ends a body and a wait, with its own reason where it gives one', async () => {
    const reason = new UpstreamError('internal', 'Stopped on shutdown.');
    for (const begin of [
      (res: ServerResponse) => res.writeHead(200, json).write('['),
      (res: ServerResponse) => res.writeHead(429, { 'retry-after': '600' }).end(),
    ]) {
      upstream.reset();
      const run = new AbortController();
      answer((_req, res) => {
        begin(res);
        setTimeout(() => run.abort(reason), 50);
      });
      const connection = connect({ signal: run.signal });
      expect(await failureOf(connection.getJson(models()))).toBe(reason);
      expect(upstream.requests).toHaveLength(1);
    }
  });

  it('before a request leaves nothing to ask', async () => {
    const connection = connect({ signal: AbortSignal.abort() });
    expect((await failureOf(connection.getJson(models()))).failure).toBe('timeout');
    expect(connection.report()).toMatchObject({ requests: 0, answered: false });
  });
});

describe('the upstream of a source', () => {
  it('has what the operator set, and collects warnings once each', () => {
    const connection = connect({ maxItems: 7 });
    expect(connection.upstream).toMatchObject({
      baseUrl: upstream.urls.OPENROUTER_URL,
      apiKey: KEY,
      maxItems: 7,
    });
    for (const message of ['One.', 'Two.', 'One.']) connection.upstream.warn(message);
    expect(connection.report().warnings).toEqual(['One.', 'Two.']);
  });
});
