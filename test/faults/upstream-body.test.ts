import { brotliCompressSync, createGzip, gzipSync } from 'node:zlib';
import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { AA_KEY } from '../support/upstream.ts';
import { SICK, startPatient, type Expected, type Patient } from './support/patient.ts';

const MIB = 1024 * 1024;
const json = { 'content-type': 'application/json' };
const encoded = (encoding: string) => ({ ...json, 'content-encoding': encoding });

/** Gzip of so many MiB of blanks. */
async function gzipOfBlanks(mib: number): Promise<Buffer> {
  const gzip = createGzip({ level: 9 });
  const parts: Buffer[] = [];
  gzip.on('data', (part: Buffer) => parts.push(part));
  const ended = new Promise((resolve) => gzip.on('end', resolve));
  for (let written = 0; written < mib; written++)
    if (!gzip.write(Buffer.alloc(MIB, ' '))) await new Promise((resolve) => gzip.once('drain', resolve));
  gzip.end();
  await ended;
  return Buffer.concat(parts);
}

/** Writes blanks as fast as they are taken, so many MiB or for ever; answers with how many bytes went out. */
function pour(res: ServerResponse, mib: number): { written: () => number } {
  const chunk = Buffer.alloc(MIB / 4, ' ');
  let written = 0;
  const more = () => {
    while (written < mib * MIB && !res.destroyed) {
      written += chunk.length;
      if (!res.write(chunk)) return void res.once('drain', more);
    }
    if (!res.destroyed) res.end();
  };
  more();
  return { written: () => written };
}

describe.each(SICK)('bodies of $id', (sick) => {
  const unreadable: Expected = { status: 'failed', class: 'format', requests: 2, httpStatus: 200 };
  let patient: Patient;
  /** What the source answers while it is well, as text, by path. */
  let body = '';
  let bomb: Buffer;

  const isList = (path = '') => path.includes(sick.path.replace(/\?.*/, ''));

  beforeAll(async () => {
    bomb = await gzipOfBlanks(300);
    patient = await startPatient(sick, { http: { maxBytes: 4 * MIB } });
    body = await (
      await fetch(patient.upstream.urls[sick.variable] + sick.path, { headers: { 'x-api-key': AA_KEY } })
    ).text();
  });
  afterEach(() => patient.heal());
  afterAll(() => patient.close());

  test.each([
    ['a', 'as such', 'text/html', 1],
    ['b', 'called JSON', 'application/json', 2],
  ])(`U8%s-${sick.id} a maintenance page %s`, async (_row, _what, type, requests) => {
    patient.answerWith(200, { 'content-type': type }, '<!doctype html><title>Back soon</title>');
    const { error } = await patient.survives({ ...unreadable, requests });
    expect(error?.message).not.toContain('Back soon');
  });

  test.each([
    ['a', 'short of its content-length', (length: number) => ({ ...json, 'content-length': String(length) })],
    ['b', 'in the middle of its chunks', () => json],
  ])(`U9%s-${sick.id} cut off %s`, async (_row, _what, headers) => {
    const bytes = Buffer.from(body);
    const cutAt = (share: number) => Math.floor(bytes.length * share);
    patient.answer((req, res, next, count) => {
      if (count > 3) return next();
      res
        .writeHead(200, headers(bytes.length))
        .write(bytes.subarray(0, cutAt([0.01, 0.5, 0.99][count - 1] ?? 0)));
      setTimeout(() => req.socket.destroy(), 10);
    });
    await patient.accepts({ requests: sick.requests + 3 }, '?force=true');
    patient.upstream.reset();
    patient.answer((req, res) => {
      res.writeHead(200, headers(bytes.length)).write(bytes.subarray(0, cutAt(0.7)));
      setTimeout(() => req.socket.destroy(), 10);
    });
    await patient.survives({ status: 'failed', class: 'unreachable', requests: 4, httpStatus: 200 });
  });

  test.each([0.001, 0.5, 0.999])(`U9c-${sick.id} ended cleanly after %d of its JSON`, async (share) => {
    patient.answerWith(200, json, body.slice(0, Math.floor(body.length * share)));
    await patient.survives(unreadable);
  });

  test.each([
    ['a', 'gzip', 'that is not', Buffer.from('\u0000not gzip')],
    ['b', 'br', 'that is gzip', gzipSync('{}')],
    ['c', 'gzip', 'that is brotli', brotliCompressSync('{}')],
    ['d', 'zstd', 'that is plain', Buffer.from('[]')],
    ['e', 'gzip', 'cut off', gzipSync(Buffer.alloc(9_000, '[1,2],')).subarray(0, 20)],
  ])(`U10%s-${sick.id} %s %s`, async (_row, encoding, _what, bytes) => {
    patient.answerWith(200, encoded(encoding), bytes);
    await patient.survives({ status: 'failed', class: 'format', httpStatus: 200 });
    const asked = patient.upstream.requests.filter(({ path }) => path.startsWith(sick.prefix)).slice(-1);
    expect(asked.map(({ headers }) => headers['accept-encoding'])).toEqual(['identity']);
  });

  test.each([
    ['a', 'gzip', () => bomb],
    ['b', 'gzip,gzip', () => gzipSync(bomb)],
  ])(`U11%s-${sick.id} %s bomb`, async (_row, encoding, bytes) => {
    patient.answerWith(200, encoded(encoding), bytes());
    const before = process.memoryUsage.rss();
    const { bytes: taken } = await patient.survives({
      status: 'failed',
      class: 'too_large',
      requests: 1,
      httpStatus: 200,
    });
    expect(taken).toBeLessThan(6 * MIB);
    expect(process.memoryUsage.rss() - before).toBeLessThan(100 * MIB);
  });

  test.each([
    ['a', '500 MB', 500],
    ['b', 'without end', Infinity],
  ])(`U12%s-${sick.id} plain, %s`, async (_row, _size, mib) => {
    let poured = { written: () => 0 };
    patient.answer((_req, res) => void (poured = pour(res.writeHead(200, json), mib)));
    const { bytes } = await patient.survives({ status: 'failed', class: 'too_large', requests: 1 });
    expect(bytes).toBeLessThan(5 * MIB);
    expect(poured.written()).toBeLessThan(50 * MIB);
  });

  test(`U13-${sick.id} fifty encodings`, async () => {
    patient.answerWith(200, encoded(Array(50).fill('gzip').join(', ')), gzipSync('[]'));
    await patient.survives({ status: 'failed', class: 'format', requests: 2 });
  });

  test.each([
    ['a', 'invalid UTF-8', (text: string) => Buffer.from(`${text.slice(0, -1)} \u00ff`, 'latin1')],
    ['b', 'Latin-1', (text: string) => Buffer.from(text.replace('Fern', 'Fougère'), 'latin1')],
    ['c', 'UTF-16', (text: string) => Buffer.from(`\ufeff${text}`, 'utf16le')],
  ])(`U16%s-${sick.id} %s`, async (_row, _what, bytesOf) => {
    patient.answerWith(200, { 'content-type': 'application/json; charset=latin1' }, bytesOf(body));
    await patient.survives(unreadable);
  });

  test(`U16d-${sick.id} a byte order mark`, async () => {
    patient.answer((req, res, next) =>
      isList(req.url) ? res.writeHead(200, json).end(`\ufeff${body}`) : next(),
    );
    await patient.accepts({}, '?force=true');
  });

  test.each([
    ['a', 'a key twice', (text: string) => text.replace('{', '{"later": 1, "later": 2, ')],
    ['b', 'a key __proto__', (text: string) => text.replace('{', '{"__proto__": {"polluted": true}, ')],
    ['c', 'a number beyond all', (text: string) => text.replace('{', '{"later": 1e400, ')],
    ['d', 'an integer of 20 digits', (text: string) => text.replace('{', '{"later": 12345678901234567890, ')],
  ])(`U17%s-${sick.id} %s`, async (_row, _what, spoil) => {
    const before = await patient.models();
    patient.answer((req, res, next) =>
      isList(req.url) ? res.writeHead(200, json).end(spoil(body)) : next(),
    );
    await patient.accepts({}, '?force=true');
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    const steady = ({ id, name }: { id: string; name: string }) => [id, name];
    expect((await patient.models()).map(steady)).toEqual(before.map(steady));
  });

  test(`U18a-${sick.id} nested 200,000 deep`, async () => {
    patient.answerWith(200, json, '['.repeat(200_000));
    await patient.survives({ ...unreadable, requests: 1 });
  });

  test(`U18b-${sick.id} a million elements`, async () => {
    patient.answerWith(200, json, `[${'0,'.repeat(999_999)}0]`);
    const outcome = await patient.survives({ status: sick.id === 'huggingface' ? 'quarantined' : 'failed' });
    expect(outcome.error?.class).toBe(sick.id === 'huggingface' ? 'sanity' : 'shape');
  });

  test(`U18c-${sick.id} a string of 3 MB`, async () => {
    patient.answerWith(200, json, JSON.stringify('x'.repeat(3_000_000)));
    await patient.survives({ status: 'failed', class: 'shape', requests: sick.requests });
  });

  test.each([
    ['a', 'another name for the list', '{"models": [], "items": {}}'],
    ['b', 'an object for the list', '{"data": {"0": {}}}'],
    ['c', 'null', 'null'],
    ['d', 'a text', '"ok"'],
    ['e', 'an error called 200', '{"error": {"code": 500}}'],
  ])(`U19%s-${sick.id} %s`, async (_row, _what, text) => {
    patient.answerWith(200, json, text);
    await patient.survives({ status: 'failed', class: 'shape', requests: sick.requests, httpStatus: 200 });
  });
});
