import { Cron } from 'croner';

const SECOND_MS = 1_000;

/** Runs work by a cron expression. */
export interface Schedule {
  /** When it runs next; null: never. */
  nextAt(): Date | null;
  /** Time between the next two runs; null: there are none. */
  intervalMs(): number | null;
  stop(): void;
}

/** Whether a cron expression can be read. */
export function isCronExpression(expression: string): boolean {
  try {
    const cron = new Cron(expression, { timezone: 'UTC', paused: true });
    cron.nextRun();
    cron.stop();
    return true;
  } catch {
    return false;
  }
}

/**
 * Runs `work` by a cron expression in UTC, never twice at once, nor for one tick though the clock is set back; null: never
 * at all. `work` is told how far the tick is from the one before. Ticks that were slept through are made up for by one. Without
 * work, other processes run it: it is known when.
 */
export function schedule(
  expression: string | null,
  work: ((tick: { gapMs: number }) => Promise<void>) | null,
  onError: (error: unknown) => void,
): Schedule {
  if (expression === null) return { nextAt: () => null, intervalMs: () => null, stop: () => {} };
  const options = { timezone: 'UTC', protect: true, unref: true, catch: onError };
  let last: number | null = null;
  const run = async (cron: Cron, own: NonNullable<typeof work>) => {
    const [tick, before] = cron.previousRuns(2, new Date(Date.now() + SECOND_MS));
    const gapMs = tick && before ? tick.getTime() - before.getTime() : 0;
    const now = performance.now();
    if (last !== null && now - last < gapMs / 2) return;
    last = now;
    await own({ gapMs });
  };
  const cron =
    work === null
      ? new Cron(expression, options)
      : new Cron(expression, options, (self: Cron) => run(self, work));
  return {
    nextAt: () => cron.nextRun(),
    intervalMs: () => {
      const [next, after] = cron.nextRuns(2);
      return next && after ? after.getTime() - next.getTime() : null;
    },
    stop: () => cron.stop(),
  };
}
