import { createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { LIMITS, SICK, startPatient, type Patient } from './support/patient.ts';

describe.each(SICK)('connections to $id', (sick) => {
  const IMPATIENT = { attempts: 2, attemptTimeoutMs: 300 };
  let patient: Patient;
  beforeAll(async () => {
    patient = await startPatient(sick);
  });
  afterEach(async () => {
    await patient.heal();
    await patient.restart();
  });
  afterAll(() => patient.close());

  test(`U1a-${sick.id} connection refused`, async () => {
    const free = createServer();
    await patient.restart({ environment: { [sick.variable]: await closedUrl(free) } });
    await patient.survives(
      {
        status: 'failed',
        class: 'unreachable',
        requests: 4,
        httpStatus: null,
        message: /ECONNREFUSED/,
      },
      '?force=true',
    );
  });

  test(`U1b-${sick.id} a host name that nobody knows`, async () => {
    await patient.restart({ environment: { [sick.variable]: 'https://effect-models.invalid' } });
    await patient.survives(
      {
        status: 'failed',
        class: 'unreachable',
        requests: 4,
        httpStatus: null,
        message: /ENOTFOUND|EAI_AGAIN/,
      },
      '?force=true',
    );
  });

  test(`U1c-${sick.id} reset before an answer`, async () => {
    patient.answer((req) => req.socket.resetAndDestroy());
    await patient.survives({ status: 'failed', class: 'unreachable', requests: 4, httpStatus: null });
  });

  test(`U1d-${sick.id} reset three times, then an answer`, async () => {
    patient.answer((req, _res, next, count) => (count <= 3 ? req.socket.resetAndDestroy() : next()));
    await patient.accepts({ requests: sick.requests + 3 }, '?force=true');
  });

  test(`U1e-${sick.id} another protocol on its port`, async () => {
    patient.answer((req) => req.socket.end('SSH-2.0-OpenSSH_9.2\r\n'));
    await patient.survives({ status: 'failed', class: 'http', requests: 4, httpStatus: null });
  });

  test(`U2a-${sick.id} accepts and never answers`, async () => {
    await patient.restart({ http: IMPATIENT });
    patient.answer(() => {});
    await patient.survives({ status: 'failed', class: 'timeout', requests: 2, httpStatus: null });
  });

  test(`U2b-${sick.id} never ends its headers`, async () => {
    await patient.restart({ http: IMPATIENT });
    patient.answer((req) => req.socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n'));
    await patient.survives({ status: 'failed', class: 'timeout', requests: 2, httpStatus: null });
  });

  test(`U3a-${sick.id} a body that drips`, async () => {
    await patient.restart({ http: IMPATIENT });
    patient.answer((_req, res) => {
      res.writeHead(200, { 'content-type': 'application/json' }).write('{');
      const drip = setInterval(() => res.write(' '), 20);
      res.on('close', () => clearInterval(drip));
    });
    await patient.survives({ status: 'failed', class: 'timeout', requests: 2, httpStatus: 200 });
  });

  test(`U3b-${sick.id} headers that drip`, async () => {
    await patient.restart({ http: IMPATIENT });
    patient.answer(({ socket }) => {
      socket.write('HTTP/1.1 200 OK\r\n');
      const drip = setInterval(() => socket.write('x-more: 1\r\n'), 20);
      socket.on('close', () => clearInterval(drip));
    });
    await patient.survives({ status: 'failed', class: 'timeout', requests: 2, httpStatus: null });
  });

  test(`U34a-${sick.id} slower than a source may be`, async () => {
    await patient.restart({ http: { sourceTimeoutMs: 400 } });
    patient.answerWith(503, { 'retry-after': '60' });
    await patient.survives({
      status: 'failed',
      class: 'timeout',
      requests: 1,
      httpStatus: 503,
      message: /was not done in 0\.4 s; its last status was 503/,
    });
  });

  test(`U34b-${sick.id} slow, but in time`, async () => {
    await patient.restart({ http: { sourceTimeoutMs: 5_000 } });
    patient.answer((_req, _res, next, count) => void setTimeout(next, count === 1 ? 500 : 0));
    await patient.accepts({ requests: sick.requests }, '?force=true');
  });

  test(`U34c-${sick.id} still under way when the run's time is up: the others are published`, async () => {
    await patient.restart({ http: { ...LIMITS }, times: { syncDeadlineMs: 500 } });
    patient.answer(() => {});
    const { error } = await patient.survives({ status: 'failed', class: 'timeout', requests: 1 });
    expect(error?.message).toMatch(
      /^It was not done when its run had taken [\d.]+ min, .*The next run tries again\.$/,
    );
  });
});

/** The URL of a port on which nobody listens any more. */
async function closedUrl(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return `http://127.0.0.1:${port}`;
}
