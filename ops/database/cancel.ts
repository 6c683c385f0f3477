import { setTimeout } from 'node:timers/promises';
import { sql, type Kysely } from 'kysely';
import type { Tables } from '../../server/db/orm.ts';

const AGAIN_MS = 200;
const GIVE_UP_MS = 10_000;

/**
 * Works in a transaction of Postgres, and has the server cancel what it is doing there when `signal` is aborted; `outside` is
 * the same database, where a connection is free for that. It gives up after a while. Kysely 0.29.6 can not do it: its rollback takes the place of the
 * query before that is cancelled.
 */
export async function cancelledBy<Result>(
  signal: AbortSignal,
  { transaction, outside }: { transaction: Kysely<Tables>; outside: Kysely<Tables> },
  work: () => Promise<Result>,
): Promise<Result> {
  signal.throwIfAborted();
  const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(transaction);
  const pid = rows[0]?.pid ?? null;
  const done = new AbortController();
  const cancel = async (): Promise<void> => {
    // Once may be too early: a query that is sent just now is not heard of yet.
    const giveUpAt = performance.now() + GIVE_UP_MS;
    while (!done.signal.aborted && performance.now() < giveUpAt) {
      await sql`select pg_cancel_backend(${pid})`.execute(outside).catch(() => {});
      await setTimeout(AGAIN_MS, undefined, { signal: done.signal }).catch(() => {});
    }
  };
  let cancelling = Promise.resolve();
  const listener = () => void (cancelling = cancel());
  signal.addEventListener('abort', listener, { once: true });
  try {
    return await work();
  } finally {
    done.abort();
    signal.removeEventListener('abort', listener);
    // What is cancelled late would hit the next query.
    await cancelling;
  }
}
