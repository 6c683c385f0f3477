import type { FastifyInstance, FastifyReply, FastifyRequest, RouteOptions as FastifyRoute } from 'fastify';
import { api, type AppRouter } from '../../contracts/index.ts';
import { type Context, type Operation, operationsOf } from '../../contracts/operation.ts';
import type { AnswerCache, CatalogState } from './answer-cache.ts';
import { sendCacheable } from './cacheable.ts';
import { type ContextOptions, createContext } from './context.ts';
import { createInputReader } from './input.ts';
import { lifecycleHeaders } from './lifecycle-headers.ts';
import { within } from '../operation-scope.ts';

/** What the REST routes need. */
export interface RouteOptions extends ContextOptions {
  router: AppRouter;
  answers: AnswerCache;
  /** Which operations are answered here, by their dotted names. */
  serves: (name: string) => boolean;
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** Registers a route for every operation of the contracts. */
export function registerRoutes(app: FastifyInstance, options: RouteOptions): void {
  for (const [name, op] of operationsOf(api)) {
    if (!options.serves(name)) continue;
    const reader = createInputReader(op);
    app.route({
      ...routeOf(op, options),
      config: { operation: name, paged: 'limit' in op.input.shape },
      handler: async (request, reply) => {
        const context = createContext(request, reply, options);
        const input = reader.read(request);
        const call = () =>
          within({ operation: name, requestId: request.id }, () =>
            callByName(options.router, name, context, input),
          );
        if (op.cache === null) {
          const body = JSON.stringify(await call());
          return reply.code(op.status).type(JSON_TYPE).header('cache-control', 'no-store').send(body);
        }
        const answer = await options.answers.serve({
          operation: name,
          kind: op.cache,
          input: reader.parse(input),
          load: async () => cacheable(await call()),
        });
        if (op.tellsEnd) reply.headers(lifecycleHeaders(answer.body));
        return sendCacheable(request, reply.code(op.status), { type: JSON_TYPE, ...answer });
      },
    });
  }
}

/** Where an operation is found, and who may ask. */
export function routeOf(
  op: Pick<Operation, 'method' | 'path' | 'admin'>,
  options: ContextOptions,
): Pick<FastifyRoute, 'method' | 'url' | 'onRequest'> {
  return {
    // Node leaves the body out of answers to HEAD by itself and keeps every header.
    method: op.method === 'GET' ? ['GET', 'HEAD'] : op.method,
    url: op.path.replaceAll(/\{(\w+)\}/g, ':$1'),
    // Before the body is read, so that strangers learn nothing; the procedure asks again, for every way in.
    ...(op.admin
      ? {
          onRequest: (request: FastifyRequest, reply: FastifyReply) =>
            createContext(request, reply, options).requireAdmin(),
        }
      : {}),
  };
}

/** Calls a procedure by its dotted name. The guard, the input's rules and the output's rules are in the procedure. */
export function callByName(
  router: AppRouter,
  name: string,
  context: Context,
  input: unknown,
): Promise<unknown> {
  let node: unknown = router.createCaller(context);
  for (const part of name.split('.')) node = (node as Record<string, unknown>)[part];
  return (node as (input: unknown) => Promise<unknown>)(input);
}

/** An answer made from the catalogue says which it was: the version, and as its timestamp when that was committed. */
function cacheable(output: unknown): { catalog: CatalogState; body: string } {
  const { meta, timestamp } = output as { meta: { catalogVersion: number }; timestamp: string };
  return { catalog: { version: meta.catalogVersion, committedAt: timestamp }, body: JSON.stringify(output) };
}
