import { isIP } from 'node:net';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import type { Problem } from '../../contracts/errors.ts';
import type { Context } from '../../contracts/operation.ts';
import type { Audit, Caller } from '../services/audit.ts';
import type { AdminGate, AdminKey } from './admin.ts';
import { pathOf } from './paths.ts';
import { isUnexpected, problemHeaders, problemOf } from './problem.ts';

/** What the edge needs to turn a request into a context. */
export interface ContextOptions {
  admin: AdminGate;
  audit: Audit;
  logger: Logger;
  /** Turns whatever an operation threw into an error that has a code for the caller. */
  toApiError(error: unknown, requestId: string): Error;
}

/** Makes the problem of a request, sets the headers that go with it, and logs what was unexpected. */
export function reportProblem(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  logger: Logger,
): Problem {
  const problem = problemOf(error, { requestId: request.id, instance: pathOf(request) });
  reply.headers(problemHeaders(error, problem));
  if (isUnexpected(error, problem)) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    logger.error({ err: cause, requestId: request.id }, 'Unexpected error');
  }
  return problem;
}

/** Who sent a request, as far as can be told. */
export function callerOf({ id, ip, headers, socket }: FastifyRequest): Caller {
  // What a proxy says of an address may be none.
  const address = isIP(ip) === 0 ? (socket.remoteAddress ?? '') : ip;
  return { address, userAgent: headers['user-agent'] ?? null, requestId: id };
}

/** Makes what operations receive beside their input, the same for REST and tRPC. */
export function createContext(
  request: FastifyRequest,
  reply: FastifyReply,
  options: ContextOptions,
): Context {
  let admitted: Promise<AdminKey> | undefined;
  // Asked once a request: a batch of calls with one wrong secret is one guess.
  const admit = () => (admitted ??= options.admin.check(request));
  return {
    requestId: request.id,
    requireAdmin: async () => void (await admit()),
    recordAdminCall: async (call) => options.audit.admitted(callerOf(request), await admit(), call),
    setHeader: (name, value) => void reply.header(name, value),
    toProblem: (error) => reportProblem(error, request, reply, options.logger),
    toApiError: (error) => options.toApiError(error, request.id),
  };
}
