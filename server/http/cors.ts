import type { FastifyReply, FastifyRequest } from 'fastify';
import { type PathTable, pathOf } from './paths.ts';

const EXPOSED =
  'Cache-Status, Deprecation, ETag, Link, RateLimit, RateLimit-Policy, Retry-After, Sunset, X-Request-Id';
const ALLOWED = 'Content-Type, If-None-Match, Last-Event-ID, TRPC-Accept, X-Request-Id';
const ADMIN = /^\/v1\/admin(\/|$)|^\/trpc\/(.*,)?admin\./;

/**
 * Lets every web page read what is public: any origin, GET and HEAD, no credentials, nothing of admin.
 * Answers preflight requests itself and says so by true.
 */
export function allowOrigins(request: FastifyRequest, reply: FastifyReply, paths: PathTable): boolean {
  const path = pathOf(request);
  if (ADMIN.test(path)) return false;
  reply.header('access-control-allow-origin', '*');
  reply.header('access-control-expose-headers', EXPOSED);
  const preflight =
    request.method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined;
  if (!preflight || !paths.methodsOf(path).includes('GET')) return false;
  reply.code(204).headers({
    'access-control-allow-methods': 'GET, HEAD',
    'access-control-allow-headers': ALLOWED,
    'access-control-max-age': '600',
  });
  reply.send();
  return true;
}
