import { RateLimiterRes } from 'rate-limiter-flexible';
import { addressKey, createStore, secondsOf, type StoreOptions } from './rate-limit.ts';

/** Counts wrong admin secrets by address; an address that is blocked blocks no other. */
export interface FailureLimiter {
  /** Seconds until the address may try again; null: now. */
  blocked(address: string): Promise<number | null>;
  /** Whether the address has used its tries up in this process: known at once, for those that come together. */
  isSpent(address: string): boolean;
  /** Counts a failure. Seconds until the address may try again; null: now. */
  fail(address: string): Promise<number | null>;
}

const MAX_FAILURES = 5;
const FIRST_BLOCK_SECONDS = 60;
const LONGEST_BLOCK_SECONDS = 15 * 60;
/** Blocks of a day are counted: each is twice as long as the one before. */
const MEMORY_SECONDS = 24 * 60 * 60;
const MAX_ADDRESSES = 10_000;

/** Limits wrong admin secrets to 5 a minute by address; then the address waits a minute, and twice as long each time, up to 15. */
export function createFailureLimiter({ redis, keyPrefix = 'em:admin' }: StoreOptions): FailureLimiter {
  const failures = createStore(MAX_FAILURES, { redis, keyPrefix });
  const blocks = createStore(MEMORY_SECONDS, {
    redis,
    keyPrefix: `${keyPrefix}:blocks`,
    duration: MEMORY_SECONDS,
  });
  /** Failures of this minute in this process. */
  const here = new Map<string, number>();
  let minute = 0;
  const countHere = (key: string, more: 0 | 1): number => {
    const now = Math.floor(Date.now() / 60_000);
    if (now !== minute || here.size > MAX_ADDRESSES) here.clear();
    minute = now;
    const count = (here.get(key) ?? 0) + more;
    if (count > 0) here.set(key, count);
    return count;
  };
  const block = async (key: string) => {
    const { consumedPoints } = await blocks.penalty(key);
    const seconds = Math.min(LONGEST_BLOCK_SECONDS, FIRST_BLOCK_SECONDS * 2 ** (consumedPoints - 1));
    await failures.block(key, seconds);
  };
  return {
    async blocked(address) {
      const result = await failures.get(addressKey(address)).catch(() => null);
      return result !== null && result.consumedPoints >= MAX_FAILURES ? secondsOf(result) : null;
    },
    isSpent: (address) => countHere(addressKey(address), 0) >= MAX_FAILURES,
    async fail(address) {
      const key = addressKey(address);
      countHere(key, 1);
      try {
        const { remainingPoints } = await failures.consume(key);
        if (remainingPoints === 0) await block(key);
        return null;
      } catch (refusal) {
        return refusal instanceof RateLimiterRes ? secondsOf(refusal) : null;
      }
    },
  };
}
