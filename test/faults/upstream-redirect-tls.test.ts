import { createServer } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import { createServer as createTcpServer, type AddressInfo, type Server } from 'node:net';
import tls from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { makeCertificate } from '../support/certificates.ts';
import { SICK, startPatient, type Expected, type Patient, type Sick } from './support/patient.ts';

const KEY = 'key-of-the-operator-7731';
const servers: Server[] = [];

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const authority = makeCertificate({ name: 'An authority of these tests', isAuthority: true });
const trusted = (options: Parameters<typeof makeCertificate>[0] = {}) =>
  makeCertificate({ ...options, issuer: authority.issuer });

const certificates = tls.getCACertificates('default');
beforeAll(() => tls.setDefaultCACertificates([...certificates, authority.cert]));
afterAll(() => tls.setDefaultCACertificates(certificates));

afterEach(() => {
  for (const server of servers.splice(0)) {
    if ('closeAllConnections' in server) (server.closeAllConnections as () => void)();
    server.close();
  }
});

describe.each(SICK)('redirects of $id', (sick) => {
  let patient: Patient;
  beforeAll(async () => {
    patient = await startPatient(sick, { environment: { OPENROUTER_API_KEY: KEY, HF_TOKEN: KEY } });
  });
  afterEach(async () => {
    await patient.heal();
    await patient.restart();
  });
  afterAll(() => patient.close());

  const refused: Expected = { status: 'failed', class: 'http', requests: 1, httpStatus: 302 };

  test(`U14a-${sick.id} in circles`, async () => {
    patient.answer((req, res) => res.writeHead(302, { location: req.url }).end());
    await patient.survives({ ...refused, requests: 4, message: /redirects too often/ });
  });

  test.each([
    ['b', 'another port', (port: number) => `http://127.0.0.1:${port}/`],
    ['c', 'another name of the host', (port: number) => `http://localhost:${port}/`],
    ['d', 'a host without a scheme', (port: number) => `//127.0.0.1:${port}/`],
    ['e', 'the metadata of a cloud', () => 'http://169.254.169.254/latest/meta-data'],
    ['f', 'a file', () => 'file:///etc/passwd'],
    ['g', 'data', () => 'data:application/json,{}'],
  ])(`U14%s-${sick.id} to %s: no key arrives`, async (_row, _where, locationOf) => {
    const seen: string[] = [];
    const port = await listen(
      createServer((req, res) => {
        seen.push(JSON.stringify(req.headers));
        res.writeHead(200, { 'content-type': 'application/json' }).end('{"data":[]}');
      }),
    );
    patient.answer((_req, res) => res.writeHead(302, { location: locationOf(port) }).end());
    await patient.survives({ ...refused, message: /redirects to nowhere within/ });
    expect(seen).toEqual([]);
  });

  test(`U14h-${sick.id} from https to http`, async () => {
    const plain = new URL(patient.upstream.urls[sick.variable]);
    const port = await listen(
      createTlsServer(trusted(), (req, res) =>
        res.writeHead(301, { location: `http://127.0.0.1:${plain.port}${req.url}` }).end(),
      ),
    );
    patient.upstream.requests.length = 0;
    await patient.restart({ environment: { [sick.variable]: `https://127.0.0.1:${port}${plain.pathname}` } });
    await patient.survives({ ...refused, httpStatus: 301 }, '?force=true');
    expect(patient.upstream.requests.filter(({ path }) => path.startsWith(sick.prefix))).toEqual([]);
  });

  test(`U14i-${sick.id} within the host are followed`, async () => {
    patient.answer((req, res, next) =>
      req.url?.includes('moved=1')
        ? next()
        : res.writeHead(307, { location: `${req.url}${req.url?.includes('?') ? '&' : '?'}moved=1` }).end(),
    );
    await patient.accepts({ requests: 2 * sick.requests }, '?force=true');
  });
});

describe.each(SICK)('TLS of $id', (sick) => {
  let patient: Patient;
  beforeAll(async () => {
    patient = await startPatient(sick);
  });
  afterEach(() => patient.restart());
  afterAll(() => patient.close());

  /** Goes on with the source behind TLS, at a server that hands every request to the fake upstream. */
  async function behind(options: ServerOptions, http = {}): Promise<void> {
    const port = await listen(createTlsServer(options, forwardTo(patient, sick)));
    await over(port, http);
  }
  const over = (port: number, http = {}) =>
    patient.restart({
      http,
      environment: {
        [sick.variable]: `https://127.0.0.1:${port}${new URL(patient.upstream.urls[sick.variable]).pathname}`,
      },
    });
  const distrusted: Expected = { status: 'failed', class: 'tls', requests: 1, httpStatus: null };

  test(`U15a-${sick.id} a certificate that is good`, async () => {
    await behind(trusted());
    await patient.accepts({ requests: sick.requests }, '?force=true');
  });

  test.each([
    ['b', 'expired', () => trusted({ until: '2021-01-01' }), /CERT_HAS_EXPIRED/],
    ['c', 'not yet valid', () => trusted({ from: '2048-01-01' }), /CERT_NOT_YET_VALID/],
    ['d', 'of itself', () => makeCertificate(), /SELF_SIGNED/],
    ['e', 'of another address', () => trusted({ address: [127, 0, 0, 9] }), /ALTNAME/],
  ])(`U15%s-${sick.id} a certificate %s`, async (_row, _what, certificate, message) => {
    await behind(certificate());
    await patient.survives({ ...distrusted, message }, '?force=true');
  });

  test(`U15f-${sick.id} TLS 1.0`, async () => {
    await behind({ ...trusted(), minVersion: 'TLSv1', maxVersion: 'TLSv1', ciphers: 'ALL:@SECLEVEL=0' });
    await patient.survives(distrusted, '?force=true');
  });

  test(`U15g-${sick.id} no TLS at all`, async () => {
    await over(Number(new URL(patient.upstream.urls[sick.variable]).port));
    await patient.survives(distrusted, '?force=true');
  });

  test(`U15h-${sick.id} a handshake that stalls`, async () => {
    await over(await listen(createTcpServer((socket) => void socket.on('error', () => {}))), {
      attempts: 2,
      attemptTimeoutMs: 300,
    });
    await patient.survives(
      { status: 'failed', class: 'timeout', requests: 2, httpStatus: null },
      '?force=true',
    );
  });
});

/** Fetches what the fake upstream has for a request. */
function forwardTo(patient: Patient, sick: Sick): Parameters<typeof createServer>[1] & object {
  const { origin } = new URL(patient.upstream.urls[sick.variable]);
  return (req, res) => {
    const headers = { 'x-api-key': String(req.headers['x-api-key'] ?? ''), 'user-agent': 'relay' };
    void fetch(origin + req.url, { headers }).then(async (answer) => {
      res.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' });
      res.end(Buffer.from(await answer.arrayBuffer()));
    });
  };
}
