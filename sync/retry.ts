import { setTimeout as sleep } from 'node:timers/promises';
import { ConstantBackoff, ExponentialBackoff, fullJitterGenerator, handleType, retry } from 'cockatiel';
import type { Breaker } from './breaker.ts';
import { TransientError, UpstreamError } from './failure.ts';

/**
 * Runs `attempt` until it succeeds, at most `attempts` times, while it throws a `TransientError`; a body that could not
 * be read is asked for once more, uncompressed. Waits as the upstream asks, else a random part of a doubling time. Ends
 * early once the breaker would keep the next attempt away.
 */
export async function withRetries<T>(
  { attempts, retryBaseMs }: { attempts: number; retryBaseMs: number },
  signal: AbortSignal,
  breaker: Pick<Breaker, 'isOpen'>,
  attempt: (uncompressed: boolean) => Promise<T>,
): Promise<T> {
  let backoff = new ExponentialBackoff({ generator: fullJitterGenerator, initialDelay: retryBaseMs }).next();
  let wait = 0;
  let unreadable = false;
  // The delays of cockatiel 4 run on after an abort, so the wait is made here.
  const policy = retry(handleType(TransientError), {
    maxAttempts: attempts - 1,
    backoff: new ConstantBackoff(0),
  });
  return policy.execute(async () => {
    await sleep(wait, undefined, { signal }).catch(() => signal.throwIfAborted());
    try {
      return await attempt(unreadable);
    } catch (error) {
      if (!(error instanceof TransientError)) throw error;
      if (error.failure === 'format') {
        if (unreadable) throw new UpstreamError('format', error.message, error);
        unreadable = true;
      }
      if (breaker.isOpen()) throw new UpstreamError(error.failure, error.message, error);
      wait = error.retryAfterMs ?? backoff.duration;
      backoff = backoff.next(undefined);
      throw error;
    }
  });
}
