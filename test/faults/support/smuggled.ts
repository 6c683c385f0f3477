/** What is asked where a body is read as it should be. */
export const QUESTION = '{"ids":[{"id":"gpt-5-mini"}]}';
/** The last chunk. */
export const END = '0\r\n\r\n';
/** A text as a chunk. */
export const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

/** A request that is hidden in another one, whose id tells which. */
export const hidden = (id: string) => `GET /hidden HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${id}\r\n\r\n`;
/** A request with a body. */
export const post = (headers: string, body: string, version = '1.1') =>
  `POST /v1/resolve HTTP/${version}\r\nHost: x\r\nContent-Type: application/json\r\n${headers}\r\n\r\n${body}`;
/** A body that is empty where chunks count, and hides a request where they do not. */
const lengthCounts = (headers: string, id: string) =>
  post(`Content-Length: ${END.length + hidden(id).length}\r\n${headers}`, END + hidden(id));

/** Coding names that only some readers take for chunks. */
export const CODINGS = [
  'Transfer-Encoding : chunked',
  'Transfer-Encoding: xchunked',
  'Transfer-Encoding: chunked, identity',
  'Transfer-Encoding: identity, chunked',
  'Transfer-Encoding: gzip, chunked',
  'Transfer-Encoding: chunked, chunked',
  'Transfer-Encoding: ,chunked',
  'Transfer-Encoding: identity',
  'Transfer-Encoding: "chunked"',
  'Transfer-Encoding: chunked;q=1',
  'Transfer-Encoding:\tchunked',
  'Transfer-Encoding:\vchunked',
  'Transfer-Encoding: chunked\v',
  'Transfer-Encoding: chunked\0',
  'Transfer-Encoding: chun\0ked',
  'Transfer-Encoding\0: chunked',
  'Transfer-Encoding:',
  'Transfer-Encoding',
  'TRANSFER-ENCODING: CHUNKED',
  '\vTransfer-Encoding: chunked',
  'X: y\nTransfer-Encoding: chunked',
  'X: y\rTransfer-Encoding: chunked',
  'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity',
  'Transfer-Encoding: identity\r\nTransfer-Encoding: chunked',
  'Connection: Transfer-Encoding\r\nTransfer-Encoding: chunked',
  'Transfer-Encoding:\r\n chunked',
];
const LENGTHS = ['+5', '-1', '0x5', '5 5', '', '5;', '5.0', '1e1', '5\0', '\v5'];
/** More than 64 bits hold: one that is counted modulo 2^64 is small again. */
const OVERFLOWS = ['18446744073709551616', '18446744073709551617', '99999999999999999999'];
const SIZES = ['1000000000000000A', '10000000000000000', '-1', '0x5', '+5', ' 5', '5_', 'g', ''];
const EXTENSIONS = ['5;\nxx', '5;a=\nb', '5;a="\r\n"'];

/** A request, whose hidden one has an id. */
export type Attack = [what: string, bytes: (id: string) => string];
const named = (what: string, text: string) => `${what} ${JSON.stringify(text)}`;

/** Requests that end in two places, depending on who reads them. */
export const TWO_READINGS: Attack[] = [
  ['a length before chunks', (id) => lengthCounts('Transfer-Encoding: chunked', id)],
  [
    'chunks before a length',
    (id) =>
      post(
        `Transfer-Encoding: chunked\r\nContent-Length: ${END.length + hidden(id).length}`,
        END + hidden(id),
      ),
  ],
  [
    'a short length and long chunks',
    (id) => post('Content-Length: 4\r\nTransfer-Encoding: chunked', chunk(hidden(id)) + END),
  ],
  [
    'two lengths, the shorter first',
    (id) => post(`Content-Length: 0\r\nContent-Length: ${hidden(id).length}`, hidden(id)),
  ],
  [
    'two lengths, the longer first',
    (id) => post(`Content-Length: ${hidden(id).length}\r\nContent-Length: 0`, hidden(id)),
  ],
  ['two lengths in one header', (id) => post(`Content-Length: 0, ${hidden(id).length}`, hidden(id))],
  [
    'a length with a space before its colon',
    (id) => post(`Content-Length : ${hidden(id).length}`, hidden(id)),
  ],
  ...[...LENGTHS, ...OVERFLOWS].map((length): Attack => [
    named('a length of', length),
    (id) => post(`Content-Length: ${length}`, hidden(id)),
  ]),
  ...CODINGS.map((coding): Attack => [named('a length and', coding), (id) => lengthCounts(coding, id)]),
  ...[...SIZES, ...EXTENSIONS].map((size): Attack => [
    named('a chunk of', size),
    (id) => post('Transfer-Encoding: chunked', `${size}\r\nabcde\r\n${END}${hidden(id)}`),
  ]),
  [
    'a chunk that is longer than it says',
    (id) => post('Transfer-Encoding: chunked', `5\r\nabcdefg\r\n${END}${hidden(id)}`),
  ],
];

/** What is wrong without being two things; some proxies set it right. */
export const ODD: Attack[] = [
  ['two equal lengths', (id) => twice(hidden(id), '\r\nContent-Length: ')],
  ['two equal lengths in one header', (id) => twice(hidden(id), ', ')],
  ['a folded coding', (id) => lengthCounts('X: y\r\n Transfer-Encoding: chunked', id)],
  ['chunks that end in a line feed', () => post('Transfer-Encoding: chunked', `1d\n${QUESTION}\n0\n\n`)],
  ['chunks that end in spaces', () => post('Transfer-Encoding: chunked', `1d \t\r\n${QUESTION}\r\n${END}`)],
  [
    'a long extension of a chunk',
    () => post('Transfer-Encoding: chunked', `1d;${'a'.repeat(20_000)}\r\n${QUESTION}\r\n${END}`),
  ],
  [
    'a length after the chunks',
    () =>
      post(
        'Transfer-Encoding: chunked',
        `${chunk(QUESTION)}0\r\nContent-Length: 5\r\nTransfer-Encoding: x\r\n\r\n`,
      ),
  ],
  ['headers that end in line feeds', () => 'GET /v1/status HTTP/1.1\nHost: x\n\n'],
  ['a header that ends in a line feed', () => 'GET /v1/status HTTP/1.1\r\nX: y\nHost: x\r\n\r\n'],
  ['headers that end in a line feed', () => 'GET /v1/status HTTP/1.1\r\nHost: x\r\n\n'],
];

function twice(body: string, between: string): string {
  return post(`Content-Length: ${body.length}${between}${body.length}`, body);
}

/** Bodies that nobody asked for: they are no requests. */
export const BODIES: Attack[] = [
  ['a body of GET', (id) => bodied('GET /v1/status', '', hidden(id))],
  ['a body of HEAD', (id) => bodied('HEAD /v1/status', '', hidden(id))],
  ['a body where nothing is', (id) => bodied('GET /nothing', '', hidden(id))],
  ['a body of another method', (id) => bodied('PUT /v1/status', '', hidden(id))],
  ['a compressed body', (id) => bodied('POST /v1/resolve', 'Content-Encoding: gzip\r\n', hidden(id))],
  ['a body of another type', (id) => bodied('POST /v1/resolve', 'Content-Type: text/plain\r\n', hidden(id))],
  ['a body without the secret', (id) => bodied('POST /v1/admin/sync', '', hidden(id))],
  ['a body that was asked for', (id) => bodied('GET /v1/status', 'Expect: 100-continue\r\n', hidden(id))],
  [
    'a body of another protocol',
    (id) => bodied('GET /v1/status', 'Connection: Upgrade\r\nUpgrade: h2c\r\n', hidden(id)),
  ],
  [
    'a header of another name',
    (id) => bodied('POST /v1/resolve', 'Transfer_Encoding: chunked\r\n', END + hidden(id)),
  ],
];

function bodied(line: string, headers: string, body: string): string {
  return `${line} HTTP/1.1\r\nHost: x\r\n${headers}Content-Length: ${body.length}\r\n\r\n${body}`;
}
