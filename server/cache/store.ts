import KeyvRedis from '@keyv/redis';
import type { RedisClientType } from '@redis/client';
import Keyv, { type KeyvStoreAdapter } from 'keyv';
import { LRUCache } from 'lru-cache';

/** A store of finished texts with a time to live. */
export interface TextStore {
  /** The text that is kept under a key. */
  get(key: string): Promise<string | undefined>;
  set(key: string, text: string, ttlMs?: number): Promise<unknown>;
}

const MEMORY_BYTES = 64 * 1024 * 1024;

/** Texts are stored as they are: Keyv 5.6 would wrap and parse each one, at ten times the cost. */
const asText = {
  useKeyPrefix: false,
  serialize: ({ value }: { value?: unknown }) => value as string,
  deserialize: <Value>(text: string) => ({ value: text as Value }),
};

/** Keeps texts in Redis, under a namespace of their own. Rejects when Redis is away. */
export function createRedisStore(client: RedisClientType, namespace: string): TextStore {
  const adapter = new KeyvRedis<string>(client, {
    namespace,
    throwOnErrors: true,
    throwOnConnectError: false,
  });
  adapter.on('error', () => {});
  const keyv = new Keyv<string>({ store: adapter, namespace, throwOnErrors: true, ...asText });
  keyv.on('error', () => {});
  const ask = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    if (!client.isReady) throw new Error('Redis is away');
    return work();
  };
  return {
    get: (key) => ask(() => keyv.get(key)),
    set: (key, text, ttlMs) => ask(() => keyv.set(key, text, ttlMs)),
  };
}

/** Keeps texts in this process, the least recently used leaving first. */
export function createMemoryStore(maxBytes: number = MEMORY_BYTES): TextStore {
  const cache = new LRUCache<string, string>({
    maxSize: maxBytes,
    sizeCalculation: (text, key) => 2 * (text.length + key.length),
  });
  // lru-cache 11.5 passed to Keyv directly throws: its third argument is an object, Keyv's a number.
  const store: KeyvStoreAdapter = {
    opts: {},
    get: async <Value>(key: string) => cache.get(key) as Value,
    set: async (key: string, value: string, ttl?: number) => void cache.set(key, value, ttl ? { ttl } : {}),
    delete: async (key: string) => cache.delete(key),
    clear: async () => cache.clear(),
    on() {
      return this;
    },
  };
  return new Keyv<string>({ store, ...asText });
}
