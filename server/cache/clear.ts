import { createClient } from '@redis/client';

/** The namespaces in which answers are kept. */
const ANSWERS = 'em:answers*';
const BATCH = 1_000;
const TIMEOUT_MS = 2_000;

/** Deletes every kept answer from Redis, in batches that hold nobody up. Answers with how many there were. */
export async function clearAnswers(redisUrl: string): Promise<number> {
  const client = createClient({
    url: redisUrl,
    socket: { connectTimeout: TIMEOUT_MS, reconnectStrategy: false },
  });
  client.on('error', () => {});
  try {
    await client.connect();
    let cleared = 0;
    for await (const keys of client.scanIterator({ MATCH: ANSWERS, COUNT: BATCH }))
      if (keys.length > 0) cleared += await client.unlink(keys);
    return cleared;
  } finally {
    if (client.isOpen) client.destroy();
  }
}
