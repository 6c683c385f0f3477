import { brotliDecompressSync, constants, gunzipSync } from 'node:zlib';
import { Agent, request, type IncomingHttpHeaders } from 'node:http';

/** One request of a crowd; headers go out as they are written. */
export interface Asked {
  path: string;
  method?: string;
  headers?: Record<string, string>;
  body?: string;
  /** Whether the answer does not end by itself: its head and its first piece are enough. */
  live?: boolean;
}

/** What became of a request; status 0: there was no answer. */
export interface Heard {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
  ms: number;
}

/** Sends requests over so many connections that are kept, each as soon as the one before was answered. */
export async function crowd(
  url: string,
  count: number,
  ask: (index: number) => Asked,
  {
    connections = 50,
    onAnswer = () => {},
  }: { connections?: number; onAnswer?: (heard: Heard, index: number) => void } = {},
): Promise<void> {
  const { hostname, port } = new URL(url);
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  let next = 0;
  const one = async (): Promise<void> => {
    while (next < count) {
      const index = next++;
      onAnswer(await send({ hostname, port, agent }, ask(index)), index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(connections, count) }, one));
  agent.destroy();
}

function send(
  to: { hostname: string; port: string; agent: Agent },
  { path, method = 'GET', headers = {}, body = '', live = false }: Asked,
): Promise<Heard> {
  const began = performance.now();
  return new Promise((resolve) => {
    const end = (status: number, answered: IncomingHttpHeaders, text: string) =>
      resolve({ status, headers: answered, body: text, ms: performance.now() - began });
    const length = body === '' ? {} : { 'content-length': String(Buffer.byteLength(body)) };
    const sent = request({ ...to, path, method, headers: { ...headers, ...length } }, (response) => {
      const pieces: Buffer[] = [];
      const { statusCode = 0, headers: answered } = response;
      const text = () => decoded(answered['content-encoding'], Buffer.concat(pieces));
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () => end(statusCode, answered, text()));
      response.on('error', () => end(0, {}, ''));
      if (live && statusCode === 200)
        response.once('data', () => {
          end(statusCode, answered, text());
          sent.destroy();
        });
    });
    sent.on('error', () => end(0, {}, ''));
    sent.end(body);
  });
}

/** The text of a body, or of as much of it as there is: a first piece of a stream, nothing for HEAD. */
function decoded(encoding: string | undefined, body: Buffer): string {
  if (body.length === 0) return '';
  if (encoding === 'gzip') return gunzipSync(body, { finishFlush: constants.Z_SYNC_FLUSH }).toString();
  if (encoding !== 'br') return body.toString();
  return brotliDecompressSync(body, { finishFlush: constants.BROTLI_OPERATION_FLUSH }).toString();
}
