import { setTimeout } from 'node:timers/promises';
import { CompiledQuery, type DatabaseConnection } from 'kysely';

/** Whether another process holds the lock of the SQLite file that a statement needs. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && 'code' in error && /^SQLITE_BUSY(_|$)/.test(String(error.code));
}

/** Whether a statement that met a lock may be tried again by itself; one of an older state than the file's has to begin anew. */
const isHeld = (error: unknown): boolean =>
  isBusy(error) && (error as { code?: unknown }).code !== 'SQLITE_BUSY_SNAPSHOT';

const HELD_WAIT_MS = 250;
const HELD_RETRY_MS = 10;

/**
 * Makes a connection to SQLite wait for locks while everything else goes on: better-sqlite3 itself waits by stopping the
 * event loop. Once a lock has been held for long, statements fail at once. Transactions take the lock when they begin, so
 * that none has to be given up half done.
 */
export function waitForLocks(connection: DatabaseConnection, { writes }: { writes: boolean }): void {
  const execute = connection.executeQuery.bind(connection);
  let heldSince: number | null = null;
  connection.executeQuery = async <Row>(...[query, ...rest]: Parameters<typeof execute>) => {
    const asked = writes && query.sql === 'begin' ? CompiledQuery.raw('begin immediate') : query;
    for (;;) {
      try {
        const result = await execute<Row>(asked, ...rest);
        heldSince = null;
        return result;
      } catch (error) {
        if (!isHeld(error)) throw error;
        heldSince ??= performance.now();
        if (performance.now() - heldSince > HELD_WAIT_MS) throw error;
        await setTimeout(HELD_RETRY_MS);
      }
    }
  };
}

const BUSY_WAIT_MS = 30_000;
const BUSY_RETRY_MS = 25;

/** Tries again while another process writes to the SQLite file: it may be a backup, or another run's commit. */
export async function whileBusy<Result>(
  work: () => Promise<Result>,
  waitMs: number = BUSY_WAIT_MS,
): Promise<Result> {
  const giveUpAt = performance.now() + waitMs;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isBusy(error) || performance.now() > giveUpAt) throw error;
      await setTimeout(BUSY_RETRY_MS);
    }
  }
}
