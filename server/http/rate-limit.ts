import { isIPv4, isIPv6 } from 'node:net';
import type { RedisClientType } from '@redis/client';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';

/** The connected client that limits are counted on; all processes that share it share the counts. */
export type RedisClient = Pick<RedisClientType, 'isReady'>;

/** How an address stands in its minute. */
export interface RateLimitState {
  limit: number;
  remaining: number;
  resetSeconds: number;
  allowed: boolean;
}

/** Counts requests by address. */
export interface RateLimiter {
  /** Counts one request. Never rejects. */
  check(address: string): Promise<RateLimitState>;
}

/** Where something is counted. */
export interface StoreOptions {
  redis: RedisClient | null;
  keyPrefix?: string;
}

const WINDOW_SECONDS = 60;

/** What an address is counted under: an IPv4 address, or the /64 network of an IPv6 address. */
export function addressKey(address: string): string {
  const plain = address.replace(/%.*$/, '');
  if (!isIPv6(plain)) return plain.slice(0, 64);
  const groups = new URL(`http://[${plain}]`).hostname.slice(1, -1).split('::');
  const head = (groups[0] ?? '').split(':').filter(Boolean);
  const tail = (groups[1] ?? '').split(':').filter(Boolean);
  const zeros = groups.length === 2 ? Array<string>(8 - head.length - tail.length).fill('0') : [];
  const all = [...head, ...zeros, ...tail];
  const embedded = plain.slice(plain.lastIndexOf(':') + 1);
  if (all.slice(0, 6).join(':') === '0:0:0:0:0:ffff') {
    if (isIPv4(embedded)) return embedded;
    return all
      .slice(6)
      .flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255])
      .join('.');
  }
  return `${all.slice(0, 4).join(':')}::/64`;
}

/** Counts up to `points` in a window of seconds: for all processes in Redis, or in this one while there is none. */
export function createStore(
  points: number,
  { redis, keyPrefix, duration = WINDOW_SECONDS }: Required<StoreOptions> & { duration?: number },
): RateLimiterMemory | RateLimiterRedis {
  const memory = new RateLimiterMemory({ keyPrefix, points, duration });
  if (redis === null) return memory;
  return new RateLimiterRedis({
    storeClient: redis,
    // rate-limiter-flexible 11.4 knows @redis/client by this flag alone.
    useRedisPackage: true,
    rejectIfRedisNotReady: true,
    insuranceLimiter: memory,
    inMemoryBlockOnConsumed: points + 1,
    keyPrefix,
    points,
    duration,
  });
}

/** Whole seconds until a window ends, 1 at least. */
export const secondsOf = (result: RateLimiterRes): number =>
  Math.max(1, Math.ceil(result.msBeforeNext / 1_000));

/** Limits requests a minute by address; 0 a minute: no limit. While Redis is away, each process counts by itself. */
export function createRateLimiter(options: StoreOptions & { perMinute: number }): RateLimiter {
  const { perMinute, redis, keyPrefix = 'em:limit' } = options;
  const unlimited = { limit: perMinute, remaining: perMinute, resetSeconds: WINDOW_SECONDS, allowed: true };
  if (perMinute === 0) return { check: () => Promise.resolve(unlimited) };
  const store = createStore(perMinute, { redis, keyPrefix });
  return {
    async check(address) {
      try {
        const result = await store.consume(addressKey(address));
        return { ...unlimited, remaining: result.remainingPoints, resetSeconds: secondsOf(result) };
      } catch (refusal) {
        // rate-limiter-flexible 11.4 rejects with a result over the limit, with an Error when its store failed.
        if (!(refusal instanceof RateLimiterRes)) return unlimited;
        return { limit: perMinute, remaining: 0, resetSeconds: secondsOf(refusal), allowed: false };
      }
    },
  };
}
