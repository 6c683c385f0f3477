import { Cron } from 'croner';

/** Runs work by a cron expression. */
export interface Schedule {
  /** When it runs next; null: never. */
  nextAt(): Date | null;
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

/** Runs `work` by a cron expression in UTC, never twice at once; null: never at all. */
export function schedule(
  expression: string | null,
  work: () => Promise<void>,
  onError: (error: unknown) => void,
): Schedule {
  if (expression === null) return { nextAt: () => null, stop: () => {} };
  const options = { timezone: 'UTC', protect: true, unref: true, catch: onError };
  const cron = new Cron(expression, options, async () => {
    await work();
  });
  return { nextAt: () => cron.nextRun(), stop: () => cron.stop() };
}
