import { Cron } from 'croner';

/** Runs work by a cron expression. */
export interface Schedule {
  /** When it runs next; null: never. */
  nextAt(): Date | null;
  stop(): void;
}

/** The cron expression can not be read. */
export class InvalidCron extends Error {
  override name = 'InvalidCron';
}

/** Runs `work` by a cron expression in UTC, never twice at once; null: never at all. Throws `InvalidCron`. */
export function schedule(
  expression: string | null,
  work: () => Promise<void>,
  onError: (error: unknown) => void,
): Schedule {
  if (expression === null) return { nextAt: () => null, stop: () => {} };
  try {
    const options = { timezone: 'UTC', protect: true, unref: true, catch: onError };
    const cron = new Cron(expression, options, async () => {
      await work();
    });
    cron.nextRun();
    return { nextAt: () => cron.nextRun(), stop: () => cron.stop() };
  } catch (error) {
    throw new InvalidCron('must be a cron expression of five or six fields, or off', { cause: error });
  }
}
