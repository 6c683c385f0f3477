import { FileUnusable } from './unusable.ts';

/** Error codes and SQLSTATE classes that mean: the database is away, full or overloaded, and the request may be tried again. */
const CODES =
  /^(ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|EPIPE|ETIMEDOUT|SQLITE_(BUSY|CANTOPEN|IOERR|FULL|READONLY|LOCKED|PROTOCOL)\w*|08\w{3}|53\w{3}|57\w{3}|55P03|25006)$/;

/** What pg 8.23 says without a code when it gives up waiting. */
const MESSAGES =
  /timeout exceeded when trying to connect|Query read timeout|Connection terminated|Client has encountered a connection error/;

/** Codes of a database that turns the service away: gone, not accepting connections, its password changed, or damaged. */
const REFUSED = /^(3D000|28\w{3}|55000|XX00[12]|SQLITE_(CORRUPT|NOTADB)\w*)$/;

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Whether an error says that the database can not be used right now. */
export function isUnavailable(error: unknown): boolean {
  return isAway(error) || (error instanceof Error && REFUSED.test(codeOf(error)));
}

/** Whether an error says that the database is away and may come back by itself. */
export function isAway(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof FileUnusable) return false;
  if (CODES.test(codeOf(error))) return true;
  if (MESSAGES.test(error.message)) return true;
  if (error instanceof AggregateError) return error.errors.some(isAway);
  return error.cause !== undefined && isAway(error.cause);
}

/** Whether an error says that the SQLite file may only be read. */
export function isReadOnly(error: unknown): boolean {
  return error instanceof Error && codeOf(error).startsWith('SQLITE_READONLY');
}
