import { describe, expect, test } from 'vitest';
import { ModelId } from '../../contracts/models.ts';
import { groupRecords, unnameable } from '../../sync/identity.ts';
import { described, repository, routed, sold } from './builders.ts';

const idsOf = (...records: Parameters<typeof groupRecords>[0]) => groupRecords(records).map(({ id }) => id);

describe('the id of a model', () => {
  test('is of nobody where the provider is called like a part of every object', () => {
    for (const provider of ['constructor', 'toString', '__proto__', 'hasOwnProperty'])
      expect(idsOf(sold(`${provider}/qqzz-1`))).toEqual([
        `unknown/${provider.toLowerCase().replace(/^_+/, '')}-qqzz-1`,
      ]);
  });

  test('is one that can be asked for where several want the same', () => {
    const [first] = idsOf(sold('Foo Bar é/qqzz-1'));
    const reserved = new Set([first ?? '']);
    const [other] = groupRecords([sold('Foo Bar é/qqzz-1')], () => null, reserved);
    expect(other?.id).not.toBe(first);
    expect(ModelId.safeParse(other?.id).success).toBe(true);
  });

  test('is cut where a canonical id goes on', () => {
    const long = `openai/gpt-4o-2024-08-06-${'x'.repeat(400)}`;
    for (const id of idsOf(routed('openai/gpt-4o', { canonical: long }), described('openai/gpt-4o')))
      expect(id.length).toBeLessThan(300);
  });
});

describe('no id is found for', () => {
  test.each([
    ['a name that is too long', sold(`acme/${'x'.repeat(200)}`), 'the name is too long'],
    [
      'a creator that is too long',
      repository(`${'x'.repeat(101)}/model-1`),
      'the name of the creator is too long',
    ],
    ['a name without letters', sold('acme/模型'), 'the name holds no letter or digit'],
  ])('%s', (_, record, reason) => {
    expect(unnameable(record)).toBe(reason);
  });
});
