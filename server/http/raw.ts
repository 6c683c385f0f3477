import { Readable } from 'node:stream';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { raw, type RawHandlers } from '../../contracts/index.ts';
import { EVENT_STREAM, type RawContext, type RawOperation } from '../../contracts/raw.ts';
import type { AnswerCache, CatalogState } from './answer-cache.ts';
import { sendCacheable } from './cacheable.ts';
import { type ContextOptions, createContext } from './context.ts';
import { createInputReader } from './input.ts';
import { addressKey } from './rate-limit.ts';
import { routeOf } from './routes.ts';
import { within } from '../operation-scope.ts';

/** A finished text made from the catalogue; or a stream, of operations whose answers are not kept. */
export type RawAnswer = { catalog: CatalogState; body: string } | Readable;

/** The handlers of everything that is not JSON. */
export type RawAnswers = RawHandlers<RawAnswer>;

type Handler = (input: unknown, context: RawContext) => Promise<RawAnswer>;

/** Registers a route for every operation that is not JSON. */
export function registerRaw(
  app: FastifyInstance,
  options: ContextOptions & { raw: RawAnswers; answers: AnswerCache },
): void {
  for (const [name, op] of Object.entries<RawOperation>(raw)) {
    const reader = createInputReader(op);
    const handler = options.raw[name as keyof RawAnswers] as Handler;
    const type = `${op.mediaType}; charset=utf-8`;
    const isLive = op.mediaType === EVENT_STREAM;
    app.route({
      ...routeOf(op, options),
      config: { operation: name, paged: 'limit' in op.input.shape, live: isLive },
      // Compression would hold events back until its buffer is full.
      ...(isLive ? { compress: false } : {}),
      handler: async (request, reply) => {
        const context = { ...createContext(request, reply, options), address: addressKey(request.ip) };
        const input = reader.parse({ ...reader.read(request), ...headersOf(op, request.headers) });
        const call = () =>
          within({ operation: name, requestId: request.id }, () => handler(input, context)).catch(
            (error: unknown) => Promise.reject(context.toApiError(error)),
          );
        if (op.cache !== null) {
          const load = async () => textOf(await call());
          const answer = await options.answers.serve({
            operation: name,
            kind: op.cache,
            input,
            load,
          });
          return sendCacheable(request, reply, { type, ...answer });
        }
        if (request.method === 'HEAD') return sendStream(reply, type, Readable.from([]));
        const answer = await call();
        // An answer that is quiet for a while is not one that hangs: the server's own timeout would cut it.
        if (isLive) request.raw.socket.setTimeout(0);
        return sendStream(reply, type, answer);
      },
    });
  }
}

function headersOf({ headers }: RawOperation, given: Record<string, unknown>): Record<string, unknown> {
  const present = Object.entries(headers).filter(([, header]) => given[header.toLowerCase()] !== undefined);
  return Object.fromEntries(present.map(([name, header]) => [name, given[header.toLowerCase()]]));
}

function textOf(answer: RawAnswer): Exclude<RawAnswer, Readable> {
  if (answer instanceof Readable) throw new Error('An answer that is to be kept has to be a text');
  return answer;
}

function sendStream(reply: FastifyReply, type: string, answer: RawAnswer): FastifyReply {
  const body = answer instanceof Readable ? answer : answer.body;
  return reply.type(type).headers({ 'cache-control': 'no-store', 'x-accel-buffering': 'no' }).send(body);
}
