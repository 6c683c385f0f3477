import type { ServerResponse } from 'node:http';
import type { FastifyInstance } from 'fastify';

const EVERY_MS = 1_000;

/**
 * Cuts connections whose answer has not been read for so long, slow as its reader may be: the timeouts of Node 24 begin anew
 * with every byte that is taken. Live streams are left alone.
 */
export function cutSlowReaders(app: FastifyInstance, answerDeadlineMs: number): void {
  /** Requests that are under way, oldest first, by when they came. */
  const open = new Map<ServerResponse, number>();
  const timer = setInterval(() => {
    const oldest = performance.now() - answerDeadlineMs;
    for (const [response, cameAt] of open) {
      if (cameAt > oldest) return;
      response.destroy();
    }
  }, EVERY_MS).unref();
  app.addHook('onRequest', async (request, reply) => {
    if (request.routeOptions.config.live === true) return;
    open.set(reply.raw, performance.now());
    reply.raw.once('close', () => open.delete(reply.raw));
  });
  app.addHook('onClose', async () => clearInterval(timer));
}
