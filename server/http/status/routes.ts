import type { FastifyInstance } from 'fastify';
import type { StatusPage } from '../../services/status-summary.ts';
import { STATUS_POLICY } from '../security.ts';
import { statusPage } from './page.ts';
import { STYLE } from './style.ts';

/** Registers the status page and its style. */
export function registerStatusPage(app: FastifyInstance, { page }: { page: StatusPage }): void {
  const config = { operation: 'status.page' };
  app.route({
    method: ['GET', 'HEAD'],
    url: '/status',
    config,
    handler: async (_, reply) => {
      const html = statusPage(await page.summary(), new Date().toISOString());
      reply.headers({ 'cache-control': 'no-store', 'content-security-policy': STATUS_POLICY });
      return reply.type('text/html; charset=utf-8').send(html);
    },
  });
  app.route({
    method: ['GET', 'HEAD'],
    url: '/status/style.css',
    config,
    handler: (_, reply) =>
      reply.type('text/css; charset=utf-8').header('cache-control', 'public, max-age=300').send(STYLE),
  });
}
