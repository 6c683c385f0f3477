import { hash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Answer } from './answer-cache.ts';

const CACHE_STATUS = {
  hit: 'hit',
  stale: 'hit; detail=DATABASE_AWAY',
  miss: 'fwd=miss',
  bypass: 'fwd=bypass',
};

/** Sends an answer that may be kept, or says that the caller still has it. */
export function sendCacheable(
  request: FastifyRequest,
  reply: FastifyReply,
  { type, body, state }: { type: string } & Answer,
): FastifyReply {
  request.cacheResult = state;
  // Weak: compressed and plain bytes share the tag.
  const tag = `W/"${hash('sha256', body, 'base64url').slice(0, 22)}"`;
  reply.headers({
    etag: tag,
    'cache-control': 'public, max-age=60, stale-while-revalidate=60, stale-if-error=86400',
    'cache-status': `effect-models; ${CACHE_STATUS[state]}`,
    vary: 'accept-encoding',
  });
  if (isKnown(request.headers['if-none-match'], tag)) return reply.code(304).send();
  return reply.type(type).send(body);
}

function isKnown(ifNoneMatch: string | undefined, tag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const opaque = tag.slice(2);
  return ifNoneMatch.split(',').some((given) => {
    const known = given.trim();
    return known === '*' || known.replace(/^W\//, '') === opaque;
  });
}
