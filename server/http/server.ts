import { randomUUID } from 'node:crypto';
import compress from '@fastify/compress';
import fastify, {
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  LogController,
} from 'fastify';
import type { Logger } from 'pino';
import type { AppRouter } from '../../contracts/index.ts';
import type { Config } from '../config.ts';
import type { Audit } from '../services/audit.ts';
import type { AdminGate } from './admin.ts';
import type { Metrics } from '../metrics/metrics.ts';
import type { AnswerCache } from './answer-cache.ts';
import { jsonTextOf, leaveUnread, MAX_BODY } from './body.ts';
import { reportProblem } from './context.ts';
import { allowOrigins, answerPreflight } from './cors.ts';
import { cutSlowReaders } from './deadline.ts';
import { registerDocs } from './docs.ts';
import { observe, observeAnswers, registerMetrics } from './metrics.ts';
import { createPathTable, notFound, pathOf, requireCanonicalPath } from './paths.ts';
import { shedOverload } from './pressure.ts';
import { PROBLEM_TYPE, refuseRawRequest } from './problem.ts';
import { limit } from './limit.ts';
import type { RateLimiter } from './rate-limit.ts';
import { type RawAnswers, registerRaw } from './raw.ts';
import { registerRoutes } from './routes.ts';
import { SECURITY_HEADERS } from './security.ts';
import type { StatusPage } from '../services/status-summary.ts';
import { registerStatusPage } from './status/routes.ts';
import { registerTrpc } from './trpc.ts';
import { requireWellFormed } from './well-formed.ts';

/** What the HTTP edge is made of. */
export interface HttpServerOptions {
  router: AppRouter;
  raw: RawAnswers;
  config: Pick<Config, 'role' | 'trustedProxies'>;
  admin: AdminGate;
  audit: Audit;
  limiter: RateLimiter;
  answers: AnswerCache;
  page: StatusPage;
  metrics: Metrics;
  /** What `/metrics` answers. */
  metricsPage: () => Promise<{ type: string; body: string }>;
  /** Turns whatever an operation threw into an error that has a code for the caller. */
  toApiError(error: unknown, requestId: string): Error;
  logger: Logger;
  /** By how much the event loop may lag before requests are shed; 0: by any time. */
  maxLoopDelayMs: number;
  /** How long an answer may take to be made and read. */
  answerDeadlineMs: number;
  /** Whether the process is about to end: connections are closed after their answer. */
  isDraining(): boolean;
}

/** Makes the HTTP server with every route on it; it does not listen yet. */
export function createHttpServer(options: HttpServerOptions): FastifyInstance {
  const { limiter, logger, metrics } = options;
  const { trustedProxies } = options.config;
  const loggerInstance: FastifyBaseLogger = logger;

  const sendProblem = (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const problem = reportProblem(error, request, reply, logger);
    leaveUnread(request, reply);
    reply.code(problem.status).headers(SECURITY_HEADERS).header('x-request-id', request.id);
    if (!pathOf(request).startsWith('/trpc/')) return reply.type(PROBLEM_TYPE).send(JSON.stringify(problem));
    const shape = { error: { code: -32_603, message: problem.detail, data: problem } };
    return reply.type('application/json; charset=utf-8').send(JSON.stringify(shape));
  };
  const limited = (request: FastifyRequest, reply: FastifyReply): Promise<void> =>
    limit(limiter, request, reply, () => metrics.limited('requests'));
  const refuseUnreadable = async (
    unreadable: unknown,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> => {
    let refusal = unreadable;
    try {
      await limited(request, reply);
    } catch (overLimit) {
      refusal = overLimit;
    }
    sendProblem(refusal, request, reply);
    logAccess(request, reply);
    observe(metrics, request, reply);
  };
  const logAccess = (request: FastifyRequest, reply: FastifyReply): void => {
    const path = pathOf(request)
      .replaceAll(/[^\x21-\x7e]/g, '?')
      .slice(0, 500);
    const line = {
      method: request.method,
      path,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
    };
    const level = line.status >= 500 ? 'error' : 'info';
    logger[level]({ ...line, requestId: request.id }, `${line.method} ${path} ${line.status} ${line.ms} ms`);
  };

  const app = fastify({
    loggerInstance,
    logController: new LogController({ disableRequestLogging: true }),
    genReqId: ({ headers }) => requestIdOf(headers['x-request-id']),
    trustProxy: trustedProxies.length > 0 ? trustedProxies : false,
    bodyLimit: MAX_BODY,
    requestTimeout: 10_000,
    connectionTimeout: 15_000,
    // A proxy keeps connections for a minute; the side that waits longer must be this one.
    keepAliveTimeout: trustedProxies.length > 0 ? 75_000 : 5_000,
    http: {
      headersTimeout: 5_000,
      connectionsCheckingInterval: 1_000,
      maxHeaderSize: 8_192,
      // What Node 24 answers by itself has no body: see requireWellFormed.
      requireHostHeader: false,
    },
    routerOptions: { maxParamLength: 512 },
    exposeHeadRoutes: false,
    // While draining, requests on open connections are still answered.
    return503OnClosing: false,
    clientErrorHandler: (error, socket) => {
      logger.debug({ code: error.code }, 'Request could not be read');
      refuseRawRequest(error, socket);
    },
    // Requests whose URL Fastify can not decode get here and pass no hook.
    frameworkErrors: (error, request, reply) => void refuseUnreadable(error, request, reply),
  });

  // Node 24 answers these itself, with 417 and no body: an expectation may be left unmet.
  app.server.on(
    'checkExpectation',
    (request, response) => void app.server.emit('request', request, response),
  );
  readJsonOnly(app);
  const paths = createPathTable(app);

  app.addHook('onRequest', async (request, reply) => {
    reply.headers(SECURITY_HEADERS).header('x-request-id', request.id);
    if (options.isDraining()) reply.header('connection', 'close');
    allowOrigins(request, reply);
  });
  cutSlowReaders(app, options.answerDeadlineMs);
  shedOverload(app, { maxLoopDelayMs: options.maxLoopDelayMs, onShed: metrics.shed });
  void app.register(compress, { threshold: 1_024, encodings: ['br', 'gzip'], globalDecompression: false });
  app.addHook('onRequest', async (request, reply) => {
    await limited(request, reply);
    requireWellFormed(request);
    if (answerPreflight(request, reply, paths)) return reply;
    requireCanonicalPath(request, paths);
  });
  app.addHook('onSend', async (request, reply) => leaveUnread(request, reply));
  app.addHook('onResponse', async (request, reply) => {
    logAccess(request, reply);
  });
  observeAnswers(app, metrics);

  app.setErrorHandler(sendProblem);
  app.setNotFoundHandler((request, reply) => sendProblem(notFound(), request, reply));
  void app.register((scope, _, done) => {
    const isWorker = options.config.role === 'worker';
    registerRoutes(scope, { ...options, serves: (name) => !isWorker || name.startsWith('health.') });
    registerMetrics(scope, options);
    if (!isWorker) {
      registerRaw(scope, options);
      registerTrpc(scope, options);
      registerDocs(scope);
      registerStatusPage(scope, options);
    }
    done();
  });
  return app;
}

function requestIdOf(header: string | string[] | undefined): string {
  return typeof header === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(header) ? header : randomUUID();
}

/** Bodies are JSON; an empty one is no body. */
function readJsonOnly(app: FastifyInstance): void {
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<Buffer>('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    if (body.length === 0) return done(null, undefined);
    try {
      void parseJson(request, jsonTextOf(body), done);
    } catch (error) {
      done(error as Error);
    }
  });
}
