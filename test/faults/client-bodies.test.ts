import { connect } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Problem } from '../../contracts/errors.ts';
import { ADMIN_SECRET } from '../support/app.ts';
import { sendRaw, statusOf } from '../support/raw.ts';
import { head, JSON_TYPE, READERS } from './support/bodies.ts';
import { startTarget, type Target } from './support/target.ts';

/** Far more than the buffers of both ends hold. */
const MUCH = 64 * 1_024 * 1_024;

let target: Target;
let runs: number;
beforeAll(async () => {
  target = await startTarget();
  runs = await target.runs();
});
afterEach(async () => {
  expect((await target.app.get('/health/live')).status).toBe(200);
});
afterAll(async () => {
  expect(target.app.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  await target.close();
});

/** Sends a request whose body does not end. Answers with what came back, and how much was taken before the connection was closed. */
async function pour(start: string): Promise<{ text: string; sent: number }> {
  const socket = connect(target.port, '127.0.0.1').on('error', () => {});
  const closed = new Promise<void>((resolve) => void socket.on('close', () => resolve()));
  let text = '';
  socket.setEncoding('latin1').on('data', (more: string) => (text += more));
  const piece = Buffer.from(`4000\r\n${'x'.repeat(0x4000)}\r\n`.repeat(16));
  socket.write(start);
  while (!socket.destroyed && socket.bytesWritten < MUCH) {
    const drained = new Promise<void>((resolve) => void socket.once('drain', resolve));
    if (!socket.write(piece)) await Promise.race([drained, closed]);
  }
  const sent = socket.bytesWritten;
  socket.destroy();
  await closed;
  return { text, sent };
}

/** Requests that are answered without a look at their body. */
const OTHERS: [line: string, headers: string, status: number][] = [
  ['GET /v1/status', '', 200],
  ['GET /trpc/health.get', '', 200],
  ['GET /nothing', '', 404],
  ['GET /%', '', 400],
  ['POST /nothing', JSON_TYPE, 404],
  ['PUT /v1/models', JSON_TYPE, 405],
  ['POST /v1/admin/sync', JSON_TYPE, 401],
  ['POST /v1/resolve', 'Content-Type: text/plain\r\n', 415],
  ['POST /v1/resolve', `${JSON_TYPE}Content-Encoding: gzip\r\n`, 415],
];

describe('C17 large bodies', () => {
  test.each(READERS)('C17a %s refuses one of 1 GB before it comes', async (line, headers) => {
    const answer = await sendRaw(target.port, head(line, `${headers}Content-Length: 1073741824\r\n`));
    expect(statusOf(answer)).toBe(413);
    expect(answer).toMatch(/^connection: close\r$/im);
  });

  test.each(READERS)(
    'C17b %s refuses one that never ends, and reads no more of it',
    async (line, headers) => {
      for (const size of ['Content-Length: 1073741824', 'Transfer-Encoding: chunked']) {
        const { text, sent } = await pour(head(line, `${headers}${size}\r\n`));
        expect(text).toMatch(/^(HTTP\/1\.1 413 .*)?$/s);
        expect(sent).toBeLessThan(MUCH);
      }
      const whole = await pour(
        `${head(line, `${headers}Transfer-Encoding: chunked\r\n`)}ffffffffffffffff\r\n`,
      );
      expect(whole.text).toMatch(/^(HTTP\/1\.1 413 .*)?$/s);
      expect(whole.sent).toBeLessThan(MUCH);
    },
  );

  test.each(OTHERS)('C17c %s does not read on either, %j: %i', async (line, headers, status) => {
    for (const size of ['Content-Length: 1073741824', 'Transfer-Encoding: chunked']) {
      const { text, sent } = await pour(head(line, `${headers}${size}\r\n`));
      expect(text).toMatch(new RegExp(`^(HTTP/1\\.1 ${status} .*|)$`, 's'));
      expect(sent, size).toBeLessThan(MUCH);
    }
  });

  test('C17d 16 KiB are taken, a byte more is not', async () => {
    const ask = (size: number) =>
      fetch(`${target.app.url}/v1/resolve`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"ids":[{"id":"gpt-5-mini"}]}'.padEnd(size),
      });
    expect((await ask(16_384)).status).toBe(200);
    const large = await ask(16_385);
    expect([large.status, Problem.strict().parse(await large.json()).code]).toEqual([
      413,
      'PAYLOAD_TOO_LARGE',
    ]);
  });

  const small = '{"ids":[{"id":"gpt-5-mini"}]}';
  test.each<[coding: string, body: Buffer]>([
    ['gzip', gzipSync(small)],
    ['x-gzip', gzipSync(small)],
    ['GZIP', gzipSync(small)],
    ['gzip, gzip', gzipSync(gzipSync(small))],
    ['gzip', gzipSync(Buffer.alloc(16 * 1_024 * 1_024))],
    ['gzip', Buffer.from(small)],
    ['deflate', deflateSync(small)],
    ['br', brotliCompressSync(small)],
    ['zstd', Buffer.from(small)],
    ['identity, gzip', gzipSync(small)],
    ['utf-8', Buffer.from(small)],
  ])('C17e 415 for the encoding "%s"', async (coding, body) => {
    for (const path of ['/v1/resolve', '/v1/admin/sync', '/trpc/resolve.many']) {
      const answer = await fetch(target.app.url + path, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'content-encoding': coding,
          'x-admin': ADMIN_SECRET,
        },
        body: new Uint8Array(body.subarray(0, 16_384)),
      });
      expect([path, answer.status]).toEqual([path, 415]);
    }
    expect(await target.runs()).toBe(runs);
  });
});
