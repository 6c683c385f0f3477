import { isUtf8 } from 'node:buffer';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { invalidInput } from './problem.ts';

/** The longest body that is read. */
export const MAX_BODY = 16_384;

const STRING = /"(?:[^"\\]|\\.)*"(\s*:)?/g;

const keysIn = (json: string): number =>
  [...json.matchAll(STRING)].filter(([, colon]) => colon !== undefined).length;

/** Whether an object in a JSON text names a key twice: readers disagree about which counts. What is no JSON does not. */
function namesTwice(json: string): boolean {
  try {
    return keysIn(json) !== keysIn(JSON.stringify(JSON.parse(json)));
  } catch {
    return false;
  }
}

/** A body of JSON as text. Throws `ApiError` where two readers could take it for two different things. */
export function jsonTextOf(body: Buffer): string {
  if (!isUtf8(body)) throw invalidInput([{ path: '', message: 'The body must be UTF-8' }]);
  const text = body.toString();
  if (namesTwice(text))
    throw invalidInput([{ path: '', message: 'The JSON of the body must name no key twice' }]);
  return text;
}

/** Closes the connection after an answer that did not wait for a long body: Node 24 reads on to its end, however long. */
export function leaveUnread({ raw }: FastifyRequest, reply: FastifyReply): void {
  const { 'transfer-encoding': transfer, 'content-length': length = 0 } = raw.headers;
  if (!raw.complete && (transfer !== undefined || Number(length) > MAX_BODY))
    reply.header('connection', 'close');
}
