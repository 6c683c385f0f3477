import { withRedis } from './redis.ts';

/** The namespaces in which answers are kept. */
const ANSWERS = 'em:answers*';
const BATCH = 1_000;

/** Deletes every kept answer from Redis, in batches that hold nobody up. Answers with how many there were. */
export function clearAnswers(redisUrl: string): Promise<number> {
  return withRedis(redisUrl, async (client) => {
    let cleared = 0;
    for await (const keys of client.scanIterator({ MATCH: ANSWERS, COUNT: BATCH }))
      if (keys.length > 0) cleared += await client.unlink(keys);
    return cleared;
  });
}
