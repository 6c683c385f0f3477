import type { FastifyReply, FastifyRequest } from 'fastify';
import { type PathTable, pathOf } from './paths.ts';

const EXPOSED =
  'Cache-Status, Deprecation, ETag, Link, RateLimit, RateLimit-Policy, Retry-After, Sunset, X-Request-Id';
const ALLOWED = 'Content-Type, If-None-Match, Last-Event-ID, TRPC-Accept, X-Request-Id';
const CLOSED = /^\/v1\/admin(\/|$)|^\/trpc\/(.*,)?admin\.|^\/metrics(\/|$)/;

/** Lets every web page read what is public: any origin, no credentials, nothing that takes a secret. */
export function allowOrigins(request: FastifyRequest, reply: FastifyReply): void {
  if (CLOSED.test(pathOf(request))) return;
  reply.headers({ 'access-control-allow-origin': '*', 'access-control-expose-headers': EXPOSED });
}

/** Answers a request by which a browser asks whether a page may read what is public, and says so by true. */
export function answerPreflight(request: FastifyRequest, reply: FastifyReply, paths: PathTable): boolean {
  const path = pathOf(request);
  const isPreflight =
    request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
  const methods = paths.methodsOf(path);
  if (!isPreflight || CLOSED.test(path) || methods.length === 0) return false;
  reply.code(204).headers({
    'access-control-allow-methods': methods.join(', '),
    'access-control-allow-headers': ALLOWED,
    'access-control-max-age': '600',
  });
  reply.send();
  return true;
}
