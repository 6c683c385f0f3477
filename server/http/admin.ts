import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { ApiError } from '../../contracts/errors.ts';
import type { AdminSecret, World } from '../config.ts';
import type { FailureLimiter } from './failure-limit.ts';

/** What opened the door to an admin: the variable that the secret comes from, or `local door`. */
export type AdminKey = AdminSecret['name'] | 'METRICS_TOKEN' | 'local door';

/** Decides who is an admin. */
export interface AdminGate {
  /** Says what opened the door. Throws `ApiError` UNAUTHORIZED or TOO_MANY_REQUESTS unless the request comes from an admin. */
  check(request: FastifyRequest): Promise<AdminKey>;
  /** The same for whoever may only read the metrics; admins may too. */
  checkMetrics(request: FastifyRequest): Promise<AdminKey>;
}

/** Makes the gate: any of the secrets opens it, and under `npm run dev` the local door does too. */
export function createAdminGate(options: {
  world: World;
  secrets: AdminSecret[];
  /** SHA-256 digest of the token that opens the metrics alone; null: there is none. */
  metricsTokenHash: Buffer | null;
  failures: FailureLimiter;
  /** Is told of every wrong secret, and of every attempt that was not even looked at. */
  onRefused: (why: 'wrong' | 'limited', request: FastifyRequest) => void;
}): AdminGate {
  const { world, secrets, metricsTokenHash, failures, onRefused } = options;
  const gateOf = (keys: Key[]) => async (request: FastifyRequest) => {
    const presented = credentialOf(request);
    if (presented === null) throw unauthorized();
    if (world === 'dev' && request.headers['x-admin'] === 'true' && isLocal(request)) return 'local door';
    const wait = (await failures.blocked(request.ip)) ?? (failures.isSpent(request.ip) ? 1 : null);
    if (wait !== null) {
      onRefused('limited', request);
      throw tooMany(wait);
    }
    const key = keyOf(presented, keys);
    if (key !== null) return key;
    onRefused('wrong', request);
    const blocked = await failures.fail(request.ip);
    throw blocked === null ? unauthorized() : tooMany(blocked);
  };
  const token: Key[] = metricsTokenHash === null ? [] : [{ name: 'METRICS_TOKEN', hash: metricsTokenHash }];
  return { check: gateOf(secrets), checkMetrics: gateOf([...secrets, ...token]) };
}

interface Key {
  name: AdminKey;
  /** SHA-256 digest. */
  hash: Buffer;
}

function credentialOf({ headers }: FastifyRequest): string | null {
  const own = headers['x-admin'];
  if (typeof own === 'string' && own !== '') return own;
  const bearer = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '');
  return bearer?.[1] ?? null;
}

/** The key that is presented; null: none. Compares with every one, so that the time taken says nothing. */
function keyOf(presented: string, keys: Key[]): AdminKey | null {
  const digest = createHash('sha256').update(presented).digest();
  let found: AdminKey | null = null;
  for (const { name, hash } of keys) found = timingSafeEqual(digest, hash) ? name : found;
  return found;
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
    extra: { 'violated-policies': ['admin'] },
  });
}
