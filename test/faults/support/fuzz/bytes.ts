import fc from 'fast-check';

/** Requests as they ought to be, to be spoiled. */
const WHOLE = [
  'GET /v1/models?limit=2 HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET /v1/models/openai/gpt-5-mini HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip, br\r\nIf-None-Match: "a"\r\n\r\n',
  'HEAD /health HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n',
  'POST /v1/resolve HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 25\r\n\r\n{"ids":[{"id":"gpt-4o"}]}',
  'POST /v1/resolve HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n19\r\n{"ids":[{"id":"gpt-4o"}]}\r\n0\r\n\r\n',
  'POST /v1/admin/sync HTTP/1.1\r\nHost: x\r\nx-admin: true\r\n\r\n',
  'GET /trpc/models.list,health.get?batch=1 HTTP/1.1\r\nHost: x\r\n\r\n',
  'OPTIONS /v1/models HTTP/1.1\r\nHost: x\r\nOrigin: http://a\r\nAccess-Control-Request-Method: GET\r\n\r\n',
].map((text) => Buffer.from(text, 'latin1'));

/** What does not belong into a request, or not there. */
const PIECES = [
  '\0',
  '\r',
  '\n',
  '\r\n',
  '\r\n\r\n',
  ' ',
  '\t',
  ':',
  '\u00ff',
  'Content-Length: 99999999999999999999\r\n',
  'Content-Length: -1\r\n',
  'Content-Length: 5\r\nContent-Length: 6\r\n',
  'Transfer-Encoding: chunked\r\n',
  'Transfer-Encoding: chunked, chunked\r\n',
  'Host: y\r\n',
  ' folded\r\n',
  ': no name\r\n',
  'A'.repeat(9_000),
  'X: y\r\n'.repeat(300),
  'ffffffffffffffff\r\n',
  '0\r\nTrailer: x\r\n\r\n',
  'HTTP/9.9',
  'GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(20),
].map((text) => Buffer.from(text, 'latin1'));

/** What other protocols begin with. */
const FOREIGN = [
  Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  Buffer.from('16030100c4010000c00303', 'hex'),
  Buffer.from('SSH-2.0-OpenSSH_9.2\r\n'),
  Buffer.from('*1\r\n$4\r\nPING\r\n'),
  Buffer.from('0000000804d2162f', 'hex'),
  Buffer.from('GET /\r\n'),
  Buffer.from('PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n'),
];

const at = fc.double({ min: 0, max: 1, noNaN: true });
const spot = (bytes: Buffer, share: number) => Math.floor(share * bytes.length);

type Spoil = (bytes: Buffer) => Buffer;
const spoils: fc.Arbitrary<Spoil> = fc.oneof(
  at.map(
    (share): Spoil =>
      (bytes) =>
        bytes.subarray(0, spot(bytes, share)),
  ),
  fc.tuple(at, fc.integer({ min: 0, max: 7 })).map(([share, bit]): Spoil => (bytes) => {
    const flipped = Buffer.from(bytes);
    const index = spot(bytes, share);
    flipped[index] = (flipped[index] ?? 0) ^ (1 << bit);
    return flipped;
  }),
  fc.tuple(at, fc.constantFrom(...PIECES)).map(([share, piece]): Spoil => (bytes) => {
    const index = spot(bytes, share);
    return Buffer.concat([bytes.subarray(0, index), piece, bytes.subarray(index)]);
  }),
  fc.tuple(at, fc.constantFrom(...WHOLE)).map(
    ([share, other]): Spoil =>
      (bytes) =>
        Buffer.concat([bytes.subarray(0, spot(bytes, share)), other.subarray(spot(other, share))]),
  ),
  fc.tuple(at, at).map(
    ([from, to]): Spoil =>
      (bytes) =>
        Buffer.concat([
          bytes.subarray(0, spot(bytes, Math.min(from, to))),
          bytes.subarray(spot(bytes, Math.max(from, to))),
        ]),
  ),
);

/** Bytes that are no request, or hardly: spoiled ones, other protocols, noise, and several one after the other. */
export const malformed: fc.Arbitrary<Buffer> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(fc.constantFrom(...WHOLE), fc.array(spoils, { minLength: 1, maxLength: 4 }))
      .map(([whole, all]) => all.reduce<Buffer>((bytes, spoil) => spoil(bytes), whole)),
  },
  { weight: 1, arbitrary: fc.constantFrom(...FOREIGN) },
  {
    weight: 1,
    arbitrary: fc.uint8Array({ minLength: 1, maxLength: 400 }).map((bytes) => Buffer.from(bytes)),
  },
);
