import { fastifyRequestHandler } from '@trpc/server/adapters/fastify';
import type { FastifyInstance } from 'fastify';
import type { AppRouter } from '../../contracts/index.ts';
import { type ContextOptions, createContext } from './context.ts';

/** How many calls one request may hold. */
const MAX_BATCH_SIZE = 50;

/** Mounts the tRPC router at /trpc, in a scope of its own: there, JSON stays text for tRPC to read. */
export function registerTrpc(app: FastifyInstance, options: ContextOptions & { router: AppRouter }): void {
  void app.register((scope, _, done) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, parsed) => {
      parsed(null, body);
    });
    scope.route({
      method: ['GET', 'POST'],
      // A wildcard, since Fastify holds parameters to maxParamLength and the names of a batch are longer.
      url: '/trpc/*',
      handler: async (request, reply) => {
        reply.header('cache-control', 'no-store');
        await fastifyRequestHandler({
          router: options.router,
          req: request,
          res: reply,
          path: (request.params as { '*': string })['*'],
          maxBatchSize: MAX_BATCH_SIZE,
          createContext: () => createContext(request, reply, options),
          onError({ ctx, error }) {
            // @trpc/server 11.25 makes no context for a request that it can not read and answers `data: null`;
            // thrown, the error gets its problem from the error handler.
            if (ctx === undefined) throw error;
          },
        });
        return reply;
      },
    });
    done();
  });
}
