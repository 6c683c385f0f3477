import { setTimeout } from 'node:timers/promises';
import type { RedisClientType } from '@redis/client';

const PATIENCE_MS = 1_500;
const STEP_MS = 10;

/** Waits until Redis is there, but not for long: what is counted before that is counted by each process alone. */
export async function untilReady(client: RedisClientType | null): Promise<void> {
  const giveUpAt = performance.now() + PATIENCE_MS;
  while (client !== null && !client.isReady && performance.now() < giveUpAt) await setTimeout(STEP_MS);
}
