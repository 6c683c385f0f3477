import { createClient, type RedisClientType } from '@redis/client';
import type { Logger } from 'pino';

const TIMEOUT_MS = 300;
/** A silent socket is a dead one: the pings keep a living one talking. */
const PING_MS = 100;
const RECONNECT_MS = 500;

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
