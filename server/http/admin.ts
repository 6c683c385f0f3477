import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../../contracts/errors.ts';
import type { World } from '../config.ts';
import type { FailureLimiter } from './rate-limit.ts';

/** Decides who is an admin. */
export interface AdminGate {
  /** Throws `ApiError` UNAUTHORIZED or TOO_MANY_REQUESTS unless the request comes from an admin. */
  check(request: FastifyRequest): Promise<void>;
  /** The same for whoever may only read the metrics; admins may too. */
  checkMetrics(request: FastifyRequest): Promise<void>;
}

/** Makes the gate: any of the secrets opens it, and under `npm run dev` the local door does too. */
export function createAdminGate(options: {
  world: World;
  /** SHA-256 digests of the valid secrets. */
  secretHashes: Buffer[];
  /** SHA-256 digest of the token that opens the metrics alone; null: there is none. */
  metricsTokenHash: Buffer | null;
  failures: FailureLimiter;
  /** Is told of every wrong secret, and of every attempt that was not even looked at. */
  onRefused: (why: 'wrong' | 'limited') => void;
}): AdminGate {
  const { world, secretHashes, metricsTokenHash, failures, onRefused } = options;
  const gateOf = (hashes: Buffer[]) => async (request: FastifyRequest) => {
    const presented = credentialOf(request);
    if (presented === null) throw unauthorized();
    if (world === 'dev' && request.headers['x-admin'] === 'true' && isLocal(request)) return;
    const wait = await failures.blocked(request.ip);
    if (wait !== null) {
      onRefused('limited');
      throw tooMany(wait);
    }
    if (isValid(presented, hashes)) return;
    onRefused('wrong');
    const blocked = await failures.fail(request.ip);
    throw blocked === null ? unauthorized() : tooMany(blocked);
  };
  return {
    check: gateOf(secretHashes),
    checkMetrics: gateOf(metricsTokenHash === null ? secretHashes : [...secretHashes, metricsTokenHash]),
  };
}

function credentialOf({ headers }: FastifyRequest): string | null {
  const own = headers['x-admin'];
  if (typeof own === 'string' && own !== '') return own;
  const bearer = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '');
  return bearer?.[1] ?? null;
}

/** Compares with every secret, so that the time taken says nothing. */
function isValid(presented: string, secretHashes: Buffer[]): boolean {
  const digest = createHash('sha256').update(presented).digest();
  let valid = false;
  for (const hash of secretHashes) valid = timingSafeEqual(digest, hash) || valid;
  return valid;
}

const LOOPBACK = /^(::ffff:)?127\.\d+\.\d+\.\d+$|^::1$/i;
const LOCAL_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i;
const FORWARDING = /^(x-forwarded-.*|x-real-ip|forwarded|via)$/;

/** Whether the request was typed on this machine: not sent by another one, a proxy, or a web page of another origin. */
function isLocal({ headers, socket }: FastifyRequest): boolean {
  const { host, origin } = headers;
  const site = headers['sec-fetch-site'];
  return (
    LOOPBACK.test(socket.remoteAddress ?? '') &&
    host !== undefined &&
    LOCAL_HOST.test(host) &&
    !Object.keys(headers).some((name) => FORWARDING.test(name)) &&
    (origin === undefined || origin === `http://${host}`) &&
    (site === undefined || site === 'none' || site === 'same-origin')
  );
}

function unauthorized(): ApiError {
  return new ApiError('UNAUTHORIZED', 'Send the admin secret in the x-admin header, or as a Bearer token.', {
    headers: { 'WWW-Authenticate': 'Bearer realm="effect-models"' },
  });
}

function tooMany(seconds: number): ApiError {
  return new ApiError('TOO_MANY_REQUESTS', `Too many wrong admin secrets; try again in ${seconds} seconds.`, {
    headers: { 'Retry-After': String(seconds) },
  });
}
