import { fastifyRequestHandler } from '@trpc/server/adapters/fastify';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { api, type AppRouter } from '../../contracts/index.ts';
import { operationsOf } from '../../contracts/operation.ts';
import { within } from '../operation-scope.ts';
import { jsonTextOf } from './body.ts';
import { type ContextOptions, createContext } from './context.ts';
import { queryOf } from './input.ts';
import { invalidInput } from './problem.ts';

/** How many calls one request may hold. */
const MAX_BATCH_SIZE = 50;

const NAMES = new Set([...operationsOf(api)].map(([name]) => name));

/** What a request asks for, in metrics and in the log of slow queries. */
function nameOf(path: string): string {
  if (path.includes(',')) return 'trpc.batch';
  return NAMES.has(path) ? `trpc.${path}` : 'trpc.unknown';
}

/** Throws `ApiError` unless a query has what tRPC reads and nothing else: the rest it would pass over in silence. */
function requireCall(url: string): void {
  const issues = [...queryOf(url)].flatMap(([path, texts]) => {
    if (path !== 'batch' && path !== 'input')
      return [{ path, message: 'There is no such parameter; there are: batch, input' }];
    if (texts.length > 1) return [{ path, message: 'Must be given once' }];
    return texts.includes(null) ? [{ path, message: 'Must be valid percent-encoded text without NUL' }] : [];
  });
  if (issues.length > 0) throw invalidInput(issues);
}

/** Mounts the tRPC router at /trpc, in a scope of its own: there, JSON stays text for tRPC to read. */
export function registerTrpc(app: FastifyInstance, options: ContextOptions & { router: AppRouter }): void {
  void app.register((scope, _, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(
      'application/json',
      { parseAs: 'buffer' },
      async (_request: FastifyRequest, body: Buffer) => jsonTextOf(body),
    );
    scope.route({
      method: ['GET', 'POST'],
      // A wildcard, since Fastify holds parameters to maxParamLength and the names of a batch are longer.
      url: '/trpc/*',
      handler: async (request, reply) => {
        const path = (request.params as { '*': string })['*'];
        request.operation = nameOf(path);
        requireCall(request.raw.url ?? '');
        reply.header('cache-control', 'no-store');
        const answer = () =>
          fastifyRequestHandler({
            router: options.router,
            req: request,
            res: reply,
            path,
            maxBatchSize: MAX_BATCH_SIZE,
            createContext: () => createContext(request, reply, options),
            onError({ ctx, error }) {
              // @trpc/server 11.25 makes no context for a request that it can not read and answers `data: null`;
              // thrown, the error gets its problem from the error handler.
              if (ctx === undefined) throw error;
            },
          });
        await within({ operation: request.operation, requestId: request.id }, answer);
        return reply;
      },
    });
    done();
  });
}
