import { describe, expect, test } from 'vitest';
import { createMemoryStore } from '../../server/cache/store.ts';

describe('the store in memory', () => {
  test('holds its bound on bytes, the least recently used text leaving first', async () => {
    const store = createMemoryStore(1_000_000);
    const text = 'x'.repeat(10_000);
    for (let at = 0; at < 200; at++) {
      await store.set(`key${at}`, text);
      await store.get('key0');
    }
    const kept = await Promise.all(Array.from({ length: 200 }, (_, at) => store.get(`key${at}`)));
    const present = kept.filter((value) => value !== undefined).length;
    expect(present).toBeGreaterThan(40);
    // A character takes two bytes at most.
    expect(present * 2 * text.length).toBeLessThanOrEqual(1_000_000);
    expect([kept[0], kept[1], kept[199]]).toEqual([text, undefined, text]);
  });

  test('leaves out a text that is larger than the bound', async () => {
    const store = createMemoryStore(1_000);
    await store.set('small', 'x'.repeat(100));
    await store.set('large', 'x'.repeat(1_000));
    expect([await store.get('small'), await store.get('large')]).toEqual(['x'.repeat(100), undefined]);
  });

  test('drops a text at the end of its life', async () => {
    const store = createMemoryStore();
    await store.set('short', '{}', 20);
    await store.set('long', '{}', 60_000);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect([await store.get('short'), await store.get('long')]).toEqual([undefined, '{}']);
  });
});
