import { TookTooLong } from './again.ts';
import { POOL_EXHAUSTED } from './pool.ts';
import { FileUnusable } from './unusable.ts';

/** Error codes and SQLSTATE classes that mean: the database is away, full or overloaded, and the request may be tried again. */
const CODES =
  /^(ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|EPIPE|ETIMEDOUT|EMFILE|SQLITE_(BUSY|CANTOPEN|IOERR|FULL|READONLY|LOCKED|PROTOCOL)\w*|08\w{3}|53\w{3}|57\w{3}|55P03|25006)$/;

/** What pg 8.23 says without a code when it gives up waiting. */
const MESSAGES =
  /timeout exceeded when trying to connect|Query read timeout|Connection terminated|Client has encountered a connection error/;

/** SQLSTATEs of a database that turns the service away: gone, not accepting connections, or its password has been changed. */
const REFUSED = /^(3D000|28\w{3}|55000)$/;

/** Codes of a database that is damaged where it was asked. */
const DAMAGED = /^(XX00[12]|SQLITE_(CORRUPT|NOTADB)\w*)$/;

/** SQLSTATEs of a server that has ended a connection, and what pg 8.23 says of one that has ended. */
const CUT_OFF = /^(57P0[12]|08006|ECONNRESET|EPIPE)$/;
const CUT_OFF_MESSAGES = /Connection terminated unexpectedly|Client has encountered a connection error/;

/** SQLSTATEs of what another transaction stood in the way of: a conflict, a deadlock, a lock that was held for too long. */
const CONFLICT = /^(40001|40P01|55P03)$/;

/** SQLSTATEs of a server that has more to do than it can: all connections are taken, or a statement took too long. */
const OVERLOADED = /^(53300|57014)$/;

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** Whether an error says that the database can not be used right now. */
export function isUnavailable(error: unknown): boolean {
  return isAway(error) || isDamaged(error) || (error instanceof Error && REFUSED.test(codeOf(error)));
}

/** Whether an error says that the database is away and may come back by itself. */
export function isAway(error: unknown): boolean {
  if (!(error instanceof Error) || error instanceof FileUnusable) return false;
  if (error instanceof TookTooLong) return true;
  if (CODES.test(codeOf(error))) return true;
  if (MESSAGES.test(error.message)) return true;
  if (error instanceof AggregateError) return error.errors.some(isAway);
  return error.cause !== undefined && isAway(error.cause);
}

/** Whether an error says that the connection has ended, while another may do. */
export function isCutOff(error: unknown): boolean {
  return error instanceof Error && (CUT_OFF.test(codeOf(error)) || CUT_OFF_MESSAGES.test(error.message));
}

/** Whether an error says that another transaction stood in the way. */
export function isConflict(error: unknown): boolean {
  return error instanceof Error && CONFLICT.test(codeOf(error));
}

/** Whether the database itself says that it has more to do than it can. */
export function isOverloaded(error: unknown): boolean {
  return error instanceof Error && OVERLOADED.test(codeOf(error));
}

/** Whether nothing but time was lacking: of a database that is there, it says that it is busy. */
export function isOutOfTime(error: unknown): boolean {
  return error instanceof TookTooLong || (error instanceof Error && error.message === POOL_EXHAUSTED);
}

/** Whether an error says that the database may only be read, be it a file or what a server is right now. */
export function isReadOnly(error: unknown): boolean {
  return error instanceof Error && /^(25006|SQLITE_READONLY\w*)$/.test(codeOf(error));
}

/** Whether an error says that the database is damaged. */
export function isDamaged(error: unknown): boolean {
  return error instanceof Error && DAMAGED.test(codeOf(error));
}
