import { createClient, type RedisClientType } from '@redis/client';
import type { Logger } from 'pino';

const TIMEOUT_MS = 300;
/** A silent socket is a dead one: the pings keep a living one talking. */
const PING_MS = 100;
const RECONNECT_MS = 500;

/** What Redis says about its memory in bytes; a limit of null: none is set. */
export async function redisMemory(client: RedisClientType): Promise<{ used: number; limit: number | null }> {
  const info = await client.info('memory');
  const read = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1]);
  return { used: read('used_memory'), limit: read('maxmemory') || null };
}

/**
 * Connects to Redis in the background. Commands fail at once while it is away, and within 300 ms when it hangs: by default
 * @redis/client 5.12 queues them for ever.
 */
export function connectRedis(url: string, logger: Logger): RedisClientType {
  const client: RedisClientType = createClient({
    url,
    disableOfflineQueue: true,
    pingInterval: PING_MS,
    socket: { connectTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS, reconnectStrategy: () => RECONNECT_MS },
  });
  let away = false;
  client.on('error', (error: unknown) => {
    if (away) return;
    away = true;
    logger.warn({ err: error }, 'Redis is away: answers come from the database until it is back');
  });
  client.on('ready', () => {
    if (away) logger.info('Redis is back');
    away = false;
  });
  client.connect().catch(() => {});
  return client;
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
