import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CREATORS, SOLE_CREATOR } from '../../sync/aliases.ts';
import { foldName, groupRecords, keyOfId, slugOf, unnameable } from '../../sync/identity.ts';
import type { SourceRecord } from '../../sync/record.ts';
import { offered, offerFacts, record } from '../support/records.ts';

const named = (creator: string, model: string, over: Partial<SourceRecord> = {}) =>
  record({ id: `${creator}/${model}`, ...over, naming: { creator, model } });
const repository = (id: string) => {
  const [creator = '', model = ''] = id.split('/');
  return record({ source: 'huggingface', id, type: 'repository', naming: { creator, model } });
};
const routed = (id: string) => {
  const [creator = '', model = ''] = id.split('/');
  const over = { source: 'openrouter', type: 'offer' as const, offer: offerFacts('openrouter', id) };
  return record({ id, ...over, naming: { creator, model, provider: 'openrouter' } });
};
const ids = (...records: SourceRecord[]) =>
  groupRecords(records)
    .map(({ id }) => id)
    .toSorted();

describe('one model', () => {
  test.each<[string, SourceRecord[], string]>([
    [
      'case and punctuation',
      [named('meta', 'Llama 3.3 70B Instruct'), repository('meta-llama/Llama-3.3-70B-Instruct')],
      'meta/llama-3.3-70b-instruct',
    ],
    ['spellings of a creator', [named('xai', 'grok-4'), routed('x-ai/grok-4')], 'xai/grok-4'],
    [
      'Qwen and Alibaba',
      [named('alibaba', 'qwen3-32b'), repository('Qwen/Qwen3-32B'), offered('groq', 'qwen/qwen3-32b')],
      'alibaba/qwen3-32b',
    ],
    [
      'a prefix deep inside an id',
      [named('openai', 'gpt-oss-120b'), offered('cloudflare-workers-ai', '@cf/openai/gpt-oss-120b')],
      'openai/gpt-oss-120b',
    ],
    [
      'hf: before the owner',
      [named('zhipuai', 'glm-4.6'), offered('synthetic', 'hf:zai-org/GLM-4.6')],
      'zhipuai/glm-4.6',
    ],
    [
      'other terms of sale',
      [routed('deepseek/deepseek-r1'), offered('kilo', 'deepseek/deepseek-r1:free')],
      'deepseek/deepseek-r1',
    ],
    [
      'a provider of its own models alone',
      [named('mistral', 'mistral-large-2512'), offered('mistral', 'mistral-large-2512')],
      'mistral/mistral-large-2512',
    ],
    ['a brand of one creator', [offered('openai', 'gpt-4o'), offered('azure', 'gpt-4o')], 'openai/gpt-4o'],
    [
      'Bedrock, region and revision',
      [routed('amazon/nova-pro-v1'), offered('amazon-bedrock', 'us.amazon.nova-pro-v1:0')],
      'amazon/nova-pro-v1',
    ],
    [
      'a bare name borne out by its family',
      [
        record({ naming: { creator: 'minimax', model: 'MiniMax-M2', family: 'minimax' } }),
        offered('iflowcn', 'minimax-m2', { family: 'minimax' }),
      ],
      'minimax/minimax-m2',
    ],
    [
      'a bare name borne out by its release date',
      [
        record({
          naming: { creator: 'deepseek', model: 'deepseek-v3.2' },
          facts: { releaseDate: '2025-12-01' },
        }),
        offered('iflowcn', 'deepseek-v3.2', { facts: { releaseDate: '2025-12-01' } }),
      ],
      'deepseek/deepseek-v3.2',
    ],
    [
      'one offer stated by two sources',
      [routed('nobody-knows/x1'), offered('openrouter', 'nobody-knows/x1')],
      'nobody-knows/x1',
    ],
  ])('%s', (_what, records, id) => {
    expect(ids(...records)).toEqual([id]);
  });
});

describe('two models', () => {
  test.each<[string, SourceRecord[], string[]]>([
    [
      'digits that punctuation parts',
      [named('openai', 'gpt-4.1'), named('openai', 'gpt-41')],
      ['openai/gpt-4.1', 'openai/gpt-41'],
    ],
    [
      'a dated snapshot',
      [offered('openai', 'gpt-4o'), offered('openai', 'gpt-4o-2024-11-20')],
      ['openai/gpt-4o', 'openai/gpt-4o-2024-11-20'],
    ],
    [
      'the copy of an uploader',
      [named('meta', 'llama-3.3-70b'), repository('unsloth/Llama-3.3-70B')],
      ['meta/llama-3.3-70b', 'unsloth/llama-3.3-70b'],
    ],
    [
      'a bare name that nothing bears out',
      [named('deepseek', 'deepseek-v3'), offered('abacus', 'deepseek-v3')],
      ['deepseek/deepseek-v3', 'unknown/abacus-deepseek-v3'],
    ],
    [
      'a bare name of two creators',
      [named('meta', 'x-1'), named('google', 'x-1'), offered('abacus', 'x-1')],
      ['google/x-1', 'meta/x-1', 'unknown/abacus-x-1'],
    ],
    [
      'a fine-tune under an open brand',
      [named('meta', 'llama-3.3-70b'), offered('nano-gpt', 'Llama-3.3-70B-Electra', { family: 'llama' })],
      ['meta/llama-3.3-70b', 'unknown/nano-gpt-llama-3.3-70b-electra'],
    ],
    [
      'an unknown prefix',
      [named('deepseek', 'deepseek-v3.2'), offered('nano-gpt', 'TEE/deepseek-v3.2')],
      ['deepseek/deepseek-v3.2', 'unknown/nano-gpt-tee-deepseek-v3.2'],
    ],
  ])('%s', (_what, records, expected) => {
    expect(ids(...records)).toEqual(expected);
  });
});

test('the spelling is that of the most official record, unless the id is published already', () => {
  const records = [repository('zai-org/GLM-4.6'), routed('z-ai/glm-4-6'), named('zhipuai', 'glm-4.6')];
  expect(groupRecords(records).map(({ id }) => id)).toEqual(['zhipuai/glm-4.6']);
  const published = new Map([[keyOfId('zhipuai/glm-4-6'), 'zhipuai/glm-4-6']]);
  expect(groupRecords(records, published).map(({ id }) => id)).toEqual(['zhipuai/glm-4-6']);
});

test('the result does not depend on the order of the records', () => {
  const records = [
    named('openai', 'gpt-oss-120b'),
    repository('openai/gpt-oss-120b'),
    routed('openai/gpt-oss-120b'),
    offered('groq', 'openai/gpt-oss-120b'),
    offered('azure', 'gpt-4o'),
    offered('openai', 'gpt-4o'),
    offered('abacus', 'llama-x', { family: 'llama' }),
    record({ naming: { creator: 'meta', model: 'Llama X', family: 'llama' } }),
    repository('someone/llama-x'),
  ];
  const partition = (list: SourceRecord[]) =>
    groupRecords(list)
      .map(
        ({ id, records: members }) =>
          `${id}: ${members.map((member) => `${member.source} ${member.id}`).join(', ')}`,
      )
      .toSorted();
  const expected = partition(records);
  fc.assert(
    fc.property(fc.shuffledSubarray(records, { minLength: records.length }), (shuffled) => {
      expect(partition(shuffled)).toEqual(expected);
    }),
  );
});

test('a slug is lower case, begins with a letter or digit, and folds to its name', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (name) => {
      const slug = slugOf(name);
      if (slug !== '') expect(slug).toMatch(/^[a-z0-9]([a-z0-9._:-]*[a-z0-9])?$/);
      expect(foldName(slug)).toBe(foldName(name));
      expect(unnameable(named('openai', name || ' ')) === null).toBe(foldName(name) !== '');
    }),
  );
});

test('no spelling names two creators, and every rule names a creator that is there', () => {
  const spellings = CREATORS.flatMap(({ id, spellings: others }) => [id, ...others]);
  expect(spellings.filter((name, index) => spellings.indexOf(name) !== index)).toEqual([]);
  expect(spellings.filter((name) => name !== foldName(name))).toEqual([]);
  const known = new Set(CREATORS.map(({ id }) => id));
  expect(Object.values(SOLE_CREATOR).filter((creator) => !known.has(creator))).toEqual([]);
});
