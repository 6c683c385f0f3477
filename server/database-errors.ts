import type { Logger } from 'pino';
import { ApiError } from '../contracts/errors.ts';
import { isOutOfTime, isOverloaded, isUnavailable } from './db/unavailable.ts';
import { overloaded } from './http/problem.ts';

/**
 * Makes what tells callers of an error of the database: 503 where it can not be reached, is not ready yet or has too much
 * to do. Any other error stays what it is.
 */
export function createDatabaseErrors({
  logger,
  isStarting,
  isDatabaseUp,
}: {
  logger: Logger;
  isStarting: () => boolean;
  isDatabaseUp: () => boolean;
}): (error: unknown, requestId: string) => Error {
  return (error, requestId) => {
    const isOfDatabase = isStarting() || isUnavailable(error);
    if (error instanceof ApiError || (error instanceof Error && !isOfDatabase)) return error;
    if (isOverloaded(error) || (isOutOfTime(error) && isDatabaseUp())) {
      logger.warn({ err: error, requestId }, 'The database has more to do than it can');
      return overloaded(
        'The database is there, but has more to do than it can right now: try again in a few seconds.',
        error,
      );
    }
    logger.warn({ err: error, requestId }, 'The database can not be used');
    return new ApiError(
      'SERVICE_UNAVAILABLE',
      'The database can not be reached right now: try again in a few seconds.',
      { cause: error },
    );
  };
}
