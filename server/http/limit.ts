import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from '../../contracts/errors.ts';
import { pathOf } from './paths.ts';
import type { RateLimiter } from './rate-limit.ts';

/** Balancers and monitors ask these all day, all from one address. */
const UNLIMITED = /^\/(health|metrics)(\/|$)/;

/** The name of the policy in the headers of the IETF draft (RateLimit header fields for HTTP, version 10). */
const POLICY = 'default';

/** Counts a request, and says in headers how its address stands. Throws `ApiError` TOO_MANY_REQUESTS over the limit. */
export async function limit(
  limiter: RateLimiter,
  request: FastifyRequest,
  reply: FastifyReply,
  onRefused: () => void,
): Promise<void> {
  if (UNLIMITED.test(pathOf(request))) return;
  const state = await limiter.check(request.ip);
  if (state.limit === 0) return;
  reply.headers({
    'ratelimit-policy': `"${POLICY}";q=${state.limit};w=60`,
    ratelimit: `"${POLICY}";r=${state.remaining};t=${state.resetSeconds}`,
  });
  if (state.allowed) return;
  onRefused();
  throw new ApiError('TOO_MANY_REQUESTS', `Too many requests; try again in ${state.resetSeconds} seconds.`, {
    headers: { 'Retry-After': String(state.resetSeconds) },
    extra: { 'violated-policies': [POLICY] },
  });
}
