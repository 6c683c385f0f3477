import { createServer } from 'node:net';
import { createClient } from '@redis/client';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { runOps } from '../support/ops.ts';
import { portOf } from '../support/ports.ts';

describe.skipIf(inject('redisUrl') === null)('the cache in Redis', () => {
  test('is cleared of answers, and of nothing else', async () => {
    const url = new URL(inject('redisUrl') ?? '');
    url.pathname = '/14';
    const client = createClient({ url: url.href });
    await client.connect();
    onTestFinished(async () => {
      await client.flushDb();
      client.destroy();
    });
    const answers = Array.from({ length: 2_500 }, (_, index) => `em:answers::v1:${index}`);
    await client.mSet(
      [...answers, 'em:answers:open::v1:1', 'em:limit:127.0.0.1'].flatMap((key) => [key, '1']),
    );
    const { code, stdout } = await runOps(['cache', 'clear'], { REDIS_URL: url.href });
    expect([code, stdout]).toEqual([0, 'Forgot 2501 answers. They are made anew as they are asked for.\n']);
    expect(await client.keys('*')).toEqual(['em:limit:127.0.0.1']);
  });
});

test('a cache that can not be cleared is told of', async () => {
  const { code, stdout, stderr } = await runOps(['cache', 'clear'], {});
  expect([code, stdout, stderr]).toEqual([
    1,
    '',
    expect.stringMatching(/^cache clear failed: nothing was forgotten: REDIS_URL is not set\. .*restarted/),
  ]);
  const down = await runOps(['cache', 'clear'], { REDIS_URL: 'redis://127.0.0.1:1' });
  expect([down.code, down.stderr]).toEqual([
    1,
    expect.stringMatching(/^cache clear failed: Redis can not be used/),
  ]);
  const silent = await portOf(createServer((socket) => void socket.on('error', () => {}).resume()));
  const hangs = await runOps(['cache', 'clear'], { REDIS_URL: `redis://127.0.0.1:${silent}` });
  expect([hangs.code, hangs.stderr]).toEqual([
    1,
    expect.stringMatching(/^cache clear failed: Redis can not be used: .*restart it where it hangs/),
  ]);
});
