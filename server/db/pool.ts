/** What of pg's pool and its clients is touched here; pg itself is reached through MikroORM alone. */
interface PooledClient {
  readyForQuery: boolean;
  _queryable: boolean;
  release(): void;
}

/** A pool of pg. */
export interface Pool {
  _idle: { client: PooledClient }[];
  _remove(client: PooledClient): void;
  on(event: 'release', listener: (error: unknown, client: PooledClient) => void): void;
  connect(): Promise<PooledClient>;
  options: { max: number };
  totalCount: number;
  idleCount: number;
  waitingCount: number;
}

/** How the connections of a pool are used right now. */
export interface PoolState {
  used: number;
  idle: number;
  /** Queries that wait for a connection. */
  waiting: number;
  max: number;
}

const UNUSED: Pick<Pool, 'totalCount' | 'idleCount' | 'waitingCount'> = {
  totalCount: 0,
  idleCount: 0,
  waitingCount: 0,
};

/** How a pool is used; null: it has not been yet. */
export function stateOf(pool: Pool | null, max: number): PoolState {
  const { totalCount, idleCount, waitingCount } = pool ?? UNUSED;
  // Whoever asks while a connection is idle is put on the list as well, and has it in the next tick.
  const waiting = Math.max(0, waitingCount - idleCount);
  return { used: totalCount - idleCount, idle: idleCount, waiting, max };
}

/**
 * Uses no client again whose query is still on it: pg 8.23 hands it back after its query_timeout as if it were idle. Those
 * that are idle have probably gone silent with it.
 */
export function withoutSilent(pool: Pool): void {
  pool.on('release', (_error, client) => {
    if (client.readyForQuery || !client._queryable) return;
    for (const silent of [client, ...pool._idle.map((item) => item.client)]) silent._queryable = false;
    for (const { client: idle } of pool._idle.slice()) pool._remove(idle);
  });
}

/** What pg-pool 3.14 says when every connection has been in use all the while. */
export const POOL_EXHAUSTED = 'timeout exceeded when trying to connect';

/** Waits no longer than this while every connection is in use; pg-pool would wait for as long as connecting may take. */
export function waitBriefly(pool: Pool, milliseconds: number): void {
  const connect = pool.connect.bind(pool);
  pool.connect = async () => {
    const isFull = pool.totalCount >= pool.options.max && pool.waitingCount >= pool.idleCount;
    const connecting = connect();
    if (!isFull) return connecting;
    const tooLong = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      tooLong.reject(new Error(POOL_EXHAUSTED));
      connecting.then((client) => client.release()).catch(() => {});
    }, milliseconds);
    try {
      return await Promise.race([connecting, tooLong.promise]);
    } finally {
      clearTimeout(timer);
    }
  };
}
