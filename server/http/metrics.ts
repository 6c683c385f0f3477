import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { api, raw } from '../../contracts/index.ts';
import { operationsOf } from '../../contracts/operation.ts';
import type { AnswerEnd, CacheResult, Metrics } from '../metrics/metrics.ts';
import type { AdminGate } from './admin.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What the route is called in metrics. */
    operation?: string;
    /** Whether it is a list, of which a page is asked for. */
    paged?: boolean;
    /** Whether a good answer stays open for as long as its reader likes. */
    live?: boolean;
  }
  interface FastifyRequest {
    /** What the request asks for, where its route serves several operations. */
    operation?: string;
    /** Where the answer came from; undefined: it is never kept. */
    cacheResult?: CacheResult;
  }
}

const NAMES = [...operationsOf(api)].map(([name]) => name);

/** The names of the operations that there are, in metrics and in the log of slow queries. */
export const OPERATIONS = [
  ...NAMES,
  ...Object.keys(raw),
  ...[...NAMES, 'batch', 'unknown'].map((name) => `trpc.${name}`),
  'docs',
  'metrics',
  'status.page',
  'unmatched',
];

const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

/** Counts every answer when it has been sent, live streams aside: they last as long as their readers like. */
export function observeAnswers(app: FastifyInstance, metrics: Metrics): void {
  app.addHook('onResponse', async (request, reply) => {
    observe(metrics, request, reply);
  });
}

/** Counts one answer. */
export function observe(metrics: Metrics, request: FastifyRequest, reply: FastifyReply): void {
  const { live = false, paged = false } = request.routeOptions.config;
  if (live && reply.statusCode === 200) return;
  metrics.answered({
    operation: operationOf(request),
    status: reply.statusCode,
    cache: request.cacheResult ?? 'none',
    limit: paged ? limitOf(request.query) : 'none',
    seconds: reply.elapsedTime / 1_000,
  });
}

/** The name of the operation in metrics and in the log of slow queries. */
export function operationOf({ is404, operation, routeOptions }: FastifyRequest): string {
  return operation ?? (is404 ? undefined : routeOptions.config.operation) ?? 'unmatched';
}

function limitOf(query: unknown): AnswerEnd['limit'] {
  const limit = Number((query as { limit?: unknown } | null)?.limit ?? DEFAULT_LIMIT);
  if (limit <= DEFAULT_LIMIT) return '20';
  return limit <= MAX_LIMIT ? '100' : 'none';
}

/** Registers `/metrics` in Prometheus' text format: for whoever has the token of the metrics or an admin secret. */
export function registerMetrics(
  app: FastifyInstance,
  { admin, metricsPage }: { admin: AdminGate; metricsPage: () => Promise<{ type: string; body: string }> },
): void {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/metrics',
    config: { operation: 'metrics' },
    onRequest: async (request) => void (await admin.checkMetrics(request)),
    handler: async (_, reply) => {
      const { type, body } = await metricsPage();
      return reply.type(type).header('cache-control', 'no-store').send(body);
    },
  });
}
