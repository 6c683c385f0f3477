import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { createClient, ErrorReply, type RedisClientType } from '@redis/client';
import type { Logger } from 'pino';

/** Nobody waits for a connection: it may take longer than an answer, as at the start of a process that has much to do. */
const CONNECT_MS = 1_000;
const TIMEOUT_MS = 300;
const PING_MS = 100;
const RECONNECT_MS = 500;
const REST_MS = 1_000;
const LONGEST_REST_MS = 30_000;
/** After so long without having been given up it is as good as new. */
const CALM_MS = 60_000;

/** What Redis says about its memory in bytes; a limit of null: none is set. */
export async function redisMemory(client: RedisClientType): Promise<{ used: number; limit: number | null }> {
  const info = await client.info('memory');
  const read = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1]);
  return { used: read('used_memory'), limit: read('maxmemory') || null };
}

/**
 * Connects to Redis in the background. `isReady` of the client says whether Redis is to be used: that it is connected, answered the last
 * ping, and is not resting. Commands fail at once while it is away, and within 400 ms when it hangs: by default @redis/client 5.12
 * queues them for ever.
 */
export function connectRedis(url: string, logger: Logger): RedisClientType {
  const client: RedisClientType = createClient({
    url,
    disableOfflineQueue: true,
    socket: { connectTimeout: CONNECT_MS, socketTimeout: TIMEOUT_MS, reconnectStrategy: () => RECONNECT_MS },
  });
  let away = false;
  const isAway = (error: unknown) => {
    if (away) return;
    away = true;
    logger.warn({ err: error }, 'Redis is away: answers come from the database until it is back');
  };
  const isBack = () => {
    if (away) logger.info('Redis is back');
    away = false;
  };
  client.on('error', isAway);
  client.connect().catch(() => {});
  void watch(client, { isAway, isBack });
  return client;
}

/**
 * Asks Redis all the time whether it is there, and gives up a connection on which it does not answer: to the timeout of the socket
 * what is written is a sign of life, so that under load it never comes. Redis that was given up rests before it is used again, and
 * longer each time, so that one that answers pings alone does not hold up who asks for more.
 */
async function watch(
  client: RedisClientType,
  { isAway, isBack }: { isAway: (error: unknown) => void; isBack: () => void },
): Promise<void> {
  const isConnected = () =>
    Reflect.get(Object.getPrototypeOf(client) as object, 'isReady', client) as boolean;
  let isRefusing = false;
  let rest = { ms: 0, until: -Infinity };
  const isReady = () => isConnected() && !isRefusing && performance.now() >= rest.until;
  Object.defineProperty(client, 'isReady', { get: isReady });
  while (client.isOpen) {
    await sleep(PING_MS, undefined, { ref: false });
    if (!isConnected()) continue;
    let isAnswered = false;
    const pong = client
      .ping()
      .then(() => (isRefusing = false))
      .catch((error: unknown) => {
        // A connection that breaks meanwhile tells of itself.
        if (!(error instanceof ErrorReply)) return;
        isRefusing = true;
        isAway(error);
      })
      .finally(() => (isAnswered = true));
    await Promise.race([pong, sleep(TIMEOUT_MS, undefined, { ref: false })]);
    // What came while this process was busy has been read by then.
    await nextTurn();
    if (isReady()) isBack();
    if (isAnswered || !isConnected()) continue;
    isAway(new Error(`Redis said nothing for ${TIMEOUT_MS} ms`));
    const now = performance.now();
    const ms = now - rest.until < CALM_MS ? Math.min(2 * rest.ms, LONGEST_REST_MS) : REST_MS;
    rest = { ms, until: now + ms };
    client.destroy();
    client.connect().catch(() => {});
  }
}

const PATIENCE_MS = 2_000;

/** Works with a Redis for as long as `work` takes. Throws where it says nothing for two seconds. */
export async function withRedis<Result>(
  url: string,
  work: (client: RedisClientType) => Promise<Result>,
): Promise<Result> {
  const client: RedisClientType = createClient({
    url,
    socket: { connectTimeout: PATIENCE_MS, socketTimeout: PATIENCE_MS, reconnectStrategy: false },
  });
  client.on('error', () => {});
  try {
    await client.connect();
    return await work(client);
  } finally {
    if (client.isOpen) client.destroy();
  }
}

/** Asks a Redis once how it is. */
export function pingRedis(url: string): Promise<{ ms: number; used: number }> {
  return withRedis(url, async (client) => {
    const startedAt = performance.now();
    await client.ping();
    const ms = performance.now() - startedAt;
    return { ms, used: (await redisMemory(client)).used };
  });
}
