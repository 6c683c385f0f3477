import { BrokenCircuitError, circuitBreaker, CircuitState, ConsecutiveBreaker, handleType } from 'cockatiel';
import { TransientError, UpstreamError } from './failure.ts';

/** When an upstream is left alone, and for how long. */
export interface BreakerLimits {
  /** Failed attempts in a row, over any number of runs, after which it is not asked any more. */
  breakerFailures: number;
  /** How long it is left alone; then one attempt decides whether it is asked as usual again. */
  breakerRestMs: number;
}

/** Keeps attempts from an upstream that has failed too often in a row. */
export interface Breaker {
  /** Makes an attempt. Throws an `UpstreamError` of class `circuit_open`, without making it, while the upstream is left alone. */
  attempt<T>(place: string, work: () => Promise<T>): Promise<T>;
  /** Whether the next attempt would not be made. */
  isOpen(): boolean;
}

/** The breakers of a process, one a source: they outlive its runs. */
export interface Breakers {
  of(source: string): Breaker;
  /** Forgets every failure. */
  reset(): void;
}

/** Makes the breakers of a process. */
export function createBreakers(limits: BreakerLimits): Breakers {
  const breakers = new Map<string, Breaker>();
  return {
    of(source) {
      const breaker = breakers.get(source) ?? createBreaker(limits);
      breakers.set(source, breaker);
      return breaker;
    },
    reset: () => breakers.clear(),
  };
}

/** Failures that another attempt may mend count; an upstream that answers 401 is there. */
function createBreaker({ breakerFailures, breakerRestMs }: BreakerLimits): Breaker {
  let openedAt = 0;
  const policy = circuitBreaker(handleType(TransientError), {
    breaker: new ConsecutiveBreaker(breakerFailures),
    halfOpenAfter: breakerRestMs,
  });
  policy.onBreak(() => (openedAt = Date.now()));
  return {
    isOpen: () => policy.state === CircuitState.Open && Date.now() - openedAt < breakerRestMs,
    async attempt(place, work) {
      try {
        return await policy.execute(work);
      } catch (error) {
        if (!(error instanceof BrokenCircuitError)) throw error;
        const again = new Date(openedAt + breakerRestMs).toISOString();
        const message = `${place} was not asked: it failed ${breakerFailures} times in a row. It is tried again from ${again}; a sync with force=true asks now.`;
        throw new UpstreamError('circuit_open', message);
      }
    },
  };
}
