import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import { request as secureRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { ADMIN_SECRET } from '../support/app.ts';
import { makeCertificate } from '../support/certificates.ts';
import { DATABASES } from '../support/databases.ts';
import { EDGE_ADDRESS, HAPROXY_CONFIG, instancesUp, startHaproxy, type Haproxy } from '../support/haproxy.ts';
import { freePort } from '../support/ports.ts';
import { Command, type Finish } from '../support/process.ts';
import { environmentOn, newestEnded, postSync, PRODUCTION } from '../support/service.ts';
import { has } from '../support/tools.ts';
import { startUpstream, type FakeUpstream } from '../support/upstream.ts';

const [, postgres] = DATABASES;
const PER_MINUTE = 100_000;

interface Answer {
  status: number;
  headers: IncomingMessage['headers'];
  body: string;
}

/** GETs a path as it is written, from an address of loopback. */
function ask(
  url: string,
  {
    path = '/v1/models?limit=1',
    from = '127.0.0.1',
    headers = {},
  }: { path?: string; from?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = get({ hostname, port, path, localAddress: from, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
      );
    });
    sent.on('error', reject);
  });
}

/** How many requests an address has left. */
const remaining = ({ headers }: Answer): number => Number(/r=(\d+)/.exec(String(headers.ratelimit))?.[1]);

describe.skipIf(!has('haproxy') && !process.env.CI)('HAProxy, as it is shipped', () => {
  let upstream: FakeUpstream;
  let environment: Record<string, string>;
  let ports: [number, number];
  let instances: [Command, Command];
  let edge: Haproxy;
  const endings: Parameters<Finish>[0][] = [];
  const atTheEnd: Finish = (work) => void endings.unshift(work);

  const start = (port: number): Command =>
    new Command('start', { ...environment, PORT: String(port) }, [], { finish: atTheEnd });

  beforeAll(async () => {
    upstream = await startUpstream();
    environment = {
      ...(await environmentOn(upstream, postgres, atTheEnd)),
      ...PRODUCTION,
      RATE_LIMIT_PER_MINUTE: String(PER_MINUTE),
      TRUSTED_PROXIES: EDGE_ADDRESS,
    };
    ports = [await freePort(), await freePort()];
    instances = [start(ports[0]), start(ports[1])];
    for (const instance of instances) await instance.url();
    edge = await startHaproxy(ports, { finish: atTheEnd });
    await instancesUp(edge, 2);
    await postSync(edge.url);
    expect(await newestEnded(edge.url)).toMatchObject({ status: 'completed' });
  });

  afterAll(async () => {
    for (const end of endings) await end();
    await upstream.close();
  });

  test('finds no fault with its configuration but names that only the engine knows', () => {
    const { status, stdout, stderr } = spawnSync('haproxy', ['-c', '-f', HAPROXY_CONFIG], {
      encoding: 'utf8',
    });
    const warnings = `${stdout}${stderr}`.split('\n').filter((line) => /WARNING|ALERT/.test(line));
    expect([status, warnings.filter((line) => !line.includes('could not resolve address'))]).toEqual([0, []]);
  });

  /** Asks on and on while something is done. Answers with how often, and what failed. */
  async function underLoad(work: () => Promise<void>): Promise<{ asked: number; failures: string[] }> {
    const failures: string[] = [];
    let asked = 0;
    let over = false;
    const load = async (path: string, init?: RequestInit): Promise<void> => {
      while (!over) {
        asked += 1;
        const outcome = await fetch(edge.url + path, init).then(
          async (response) => {
            await response.text();
            return response.status === 200 ? null : String(response.status);
          },
          (error: unknown) => String((error as Error).cause ?? error),
        );
        if (outcome !== null) failures.push(`${path}: ${outcome}`);
      }
    };
    const ids = { ids: [{ id: 'gpt-5-mini' }] };
    const clients = [
      ...Array.from({ length: 6 }, () => load('/v1/models?limit=20')),
      ...Array.from({ length: 2 }, () => load('/health')),
      load('/v1/resolve', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(ids),
      }),
    ];
    await work();
    over = true;
    await Promise.all(clients);
    return { asked, failures };
  }

  test('a rolling restart under load loses no request', async () => {
    const { asked, failures } = await underLoad(async () => {
      for (const index of [0, 1] as const) {
        expect(await instances[index].end('SIGTERM')).toBe(0);
        instances[index] = start(ports[index]);
        await instances[index].url();
        await instancesUp(edge, 2);
      }
    });
    expect(failures).toEqual([]);
    expect(asked).toBeGreaterThan(100);
  });

  test('a changed configuration is read anew under load, and loses no request', async () => {
    const { asked, failures } = await underLoad(async () => {
      edge.reload((text) => text.replace('string "ok"', 'string "anew"'));
      const says = async () =>
        (await fetch(`${edge.internalUrl}/healthy`, { headers: { connection: 'close' } })).text();
      await expect.poll(says, { timeout: 10_000 }).toBe('anew');
      await instancesUp(edge, 2);
      await new Promise((resolve) => setTimeout(resolve, 1000));
    });
    expect(failures).toEqual([]);
    expect(asked).toBeGreaterThan(100);
  });

  test('an instance believes the edge about the address of a client, and nobody else', async () => {
    // Each instance counts by itself here, so ask often enough to see it on either.
    const through = async (options: Parameters<typeof ask>[1]) =>
      Math.min(
        ...(await Promise.all(Array.from({ length: 8 }, () => ask(edge.url, options)))).map(remaining),
      );
    await through({ from: '127.0.0.3' });
    const spoofed = await through({ from: '127.0.0.3', headers: { 'x-forwarded-for': '203.0.113.9' } });
    expect(spoofed).toBeLessThanOrEqual(PER_MINUTE - 8);
    const other = await ask(edge.url, { from: '127.0.0.4', headers: { 'x-forwarded-for': '127.0.0.3' } });
    expect(remaining(other)).toBe(PER_MINUTE - 1);

    const direct = `http://127.0.0.1:${ports[0]}`;
    await ask(direct, { from: '127.0.0.5', headers: { 'x-forwarded-for': '203.0.113.10' } });
    const second = await ask(direct, { from: '127.0.0.5', headers: { 'x-forwarded-for': '203.0.113.11' } });
    expect(remaining(second)).toBe(PER_MINUTE - 2);
  });

  test.each(['/metrics', '/metrics/', '//metrics', '/%6Detrics', '/METRICS', '/metrics?a=b'])(
    'figures are not given away: %s',
    async (path) => {
      const { status, headers } = await ask(edge.url, { path, headers: { 'x-admin': ADMIN_SECRET } });
      expect([status, headers['content-type']]).toEqual([404, 'application/problem+json']);
    },
  );

  test('a request has an id, its own where it is one, in the answer and in the log', async () => {
    const own = await ask(edge.url, { headers: { 'x-request-id': 'from-a-client' } });
    expect(own.headers['x-request-id']).toBe('from-a-client');
    const { headers } = await ask(edge.url, { headers: { 'x-request-id': 'no id at all' } });
    expect(headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
    await expect.poll(() => edge.output()).toContain(`{${String(headers['x-request-id'])}}`);
  });

  test('without an instance it answers with a problem that says when to try again', async () => {
    const alone = await startHaproxy([await freePort(), await freePort()], { finish: onTestFinished });
    await instancesUp(alone, 0);
    const { status, headers, body } = await ask(alone.url);
    expect([status, headers['content-type'], headers['retry-after']]).toEqual([
      503,
      'application/problem+json',
      '5',
    ]);
    expect(JSON.parse(body)).toMatchObject({ title: 'Service Unavailable', status: 503 });
  });

  test('without the database it gives what is kept, and the status page', async () => {
    const { url, drop } = await postgres.create();
    onTestFinished(drop);
    const port = await freePort();
    const instance = new Command('start', { ...environment, DATABASE_URL: url, PORT: String(port) });
    await instance.url();
    const front = await startHaproxy([port, await freePort()], { finish: onTestFinished });
    await instancesUp(front, 1);
    await postSync(front.url);
    expect(await newestEnded(front.url)).toMatchObject({ status: 'completed' });
    const before = await ask(front.url);
    expect(before.status).toBe(200);
    await drop();
    await instancesUp(front, 0);
    const kept = await ask(front.url);
    expect([kept.status, kept.body]).toEqual([200, before.body]);
    const page = await ask(front.url, { path: '/status' });
    expect([page.status, page.body.includes('Unavailable')]).toEqual([200, true]);
    const other = await ask(front.url, { path: '/v1/models?limit=2' });
    expect([other.status, other.headers['retry-after']]).toEqual([503, '5']);
    expect((await ask(front.url, { path: '/health' })).status).toBe(503);
  }, 60_000);

  test('with a certificate it answers over TLS, and sends everybody there', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'effect-models-certificate-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const { key, cert } = makeCertificate();
    writeFileSync(join(folder, 'edge.pem'), cert + key);
    const secure = await startHaproxy(ports, {
      finish: onTestFinished,
      certificate: join(folder, 'edge.pem'),
    });
    await instancesUp(secure, 2);
    const plain = await ask(secure.url, { path: '/health' });
    expect(plain.status).toBe(308);
    expect(plain.headers.location).toMatch(/^https:\/\/127\.0\.0\.1.*\/health$/);
    expect((await ask(secure.insideUrl, { path: '/health' })).status).toBe(200);
    const [status, transport] = await new Promise<unknown[]>((resolve, reject) => {
      const sent = secureRequest(`${secure.secureUrl}/health`, { ca: cert, agent: false }, (response) => {
        response.resume();
        resolve([response.statusCode, response.headers['strict-transport-security']]);
      });
      sent.on('error', reject).end();
    });
    expect([status, transport]).toEqual([200, 'max-age=31536000']);
  });
});
