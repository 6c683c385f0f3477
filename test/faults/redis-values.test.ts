import { describe, expect, test } from 'vitest';
import type { OwnRedis } from '../support/redis.ts';
import { has } from '../support/tools.ts';
import { ask, counted, hitOf, LIST, ownRedis, serve, useScene } from './support/redis-scene.ts';

/** The key of the one answer that is kept, and what is kept under it. */
async function only(redis: OwnRedis): Promise<{ key: string; value: string }> {
  const keys = (await redis.command('KEYS', 'em:answers*')) as string[];
  expect(keys).toHaveLength(1);
  const [key = ''] = keys;
  return { key, value: (await redis.command('GET', key)) as string };
}

/** What may stand in the place of an answer: a command made of the key, and of what is kept under it and under another. */
const STRANGERS: [
  row: string,
  what: string,
  plant: (key: string, value: string, other: string) => string[],
][] = [
  ['R7', 'garbage', (key) => ['SET', key, '<html>not ours</html>']],
  ['R7a', 'an empty text', (key) => ['SET', key, '']],
  ['R7b', 'a list', (key) => ['RPUSH', key, '{"data":[]}']],
  ['R7c', 'a hash', (key) => ['HSET', key, 'data', '[]']],
  ['R7d', 'half an answer', (key, value) => ['SET', key, value.slice(0, value.length / 2)]],
  ['R7e', 'an answer without its last character', (key, value) => ['SET', key, value.slice(0, -1)]],
  ['R7f', 'an answer without its first character', (key, value) => ['SET', key, value.slice(1)]],
  ['R7g', 'an answer with a character more', (key, value) => ['SET', key, `${value} `]],
  [
    'R7h',
    'an answer with another price',
    (key, value) => ['SET', key, value.replace('"input":', '"input":1')],
  ],
  ['R7i', 'the answer to another question', (key, _value, other) => ['SET', key, other]],
  [
    'R7j',
    'an answer as an older build kept it',
    (key, value) => ['SET', key, value.slice(value.indexOf('{'))],
  ],
  ['R7k', 'JSON of somebody else', (key) => ['SET', key, '{"value":"{\\"data\\":[]}","expires":null}']],
];

describe.skipIf(!has('redis-server') && !process.env.CI)('Redis with other values', () => {
  const scene = useScene();

  test.each(STRANGERS)('%s %s under our key is a miss, and is replaced', async (_row, _what, plant) => {
    const redis = await ownRedis();
    const app = await serve(scene, redis);
    const other = '/v1/models?limit=6';
    await hitOf(app, other);
    const { key: otherKey, value: otherValue } = await only(redis);
    await redis.command('DEL', otherKey);
    await hitOf(app);
    const { key, value } = await only(redis);
    const planted = plant(key, value, otherValue);
    expect(planted.at(-1)).not.toBe(value);
    const errors = await counted(app, 'em_cache_write_errors_total');
    await redis.commands(['DEL', key], planted);
    expect(await ask(app, LIST)).toMatchObject({ status: 200, cache: 'fwd=miss', body: scene.body });
    expect(await hitOf(app)).toMatchObject({ body: scene.body });
    expect(await only(redis)).toEqual({ key, value });
    expect(await counted(app, 'em_cache_write_errors_total')).toBe(errors);
  });
});
