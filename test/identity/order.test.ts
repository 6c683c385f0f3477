import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { foldName, groupRecords, slugOf, unnameable } from '../../sync/identity.ts';
import type { SourceRecord } from '../../sync/record.ts';
import { recordedRecords } from '../support/judgements.ts';
import { hasPayloads } from '../support/payloads.ts';
import { described, measured, repository, routed, sold } from './builders.ts';

const RECORDS = [
  described('openai/gpt-oss-120b'),
  repository('openai/gpt-oss-120b'),
  routed('openai/gpt-oss-120b', { weights: 'openai/gpt-oss-120b' }),
  sold('groq/openai/gpt-oss-120b'),
  measured('openai', 'gpt-oss-120b (high)', 'gpt-oss-120b', '2025-08-05'),
  sold('openai/gpt-4o'),
  sold('openai/gpt-4o-2024-08-06'),
  sold('azure/gpt-4o-2024-11-20'),
  measured('openai', "GPT-4o (Nov '24)", 'gpt-4o', '2024-11-20'),
  repository('Qwen/Qwen3-235B-A22B'),
  repository('Qwen/Qwen3-235B-A22B-Instruct-2507'),
  repository('Qwen/Qwen3-235B-A22B-Thinking-2507'),
  measured('alibaba', 'Qwen3 235B A22B 2507 (Reasoning)', 'qwen3-235b-a22b-instruct-2507-reasoning'),
  sold('nano-gpt/TEE/qwen3-235b-a22b'),
  routed('deepseek/deepseek-chat', { name: 'DeepSeek V3', weights: 'deepseek-ai/DeepSeek-V3' }),
  sold('deepseek/deepseek-chat', 'DeepSeek Chat'),
  sold('opencode/gemini-3-pro', 'Gemini 3 Pro'),
  sold('google/gemini-3-pro-preview'),
  sold('nano-gpt/llama-x'),
  repository('someone/llama-x'),
];

/** Everything that is decided, as text. */
const decided = (records: SourceRecord[]) =>
  groupRecords(records).map(({ id, creator, rolling, records: own, matches }) => ({
    id,
    creator,
    rolling,
    records: own.map((record) => `${record.source} ${record.id}`),
    matches,
  }));

describe('the order of the records does not matter', () => {
  test('for any order of records that bear upon each other', () => {
    const expected = decided(RECORDS);
    fc.assert(
      fc.property(fc.shuffledSubarray(RECORDS, { minLength: RECORDS.length }), (shuffled) => {
        expect(decided(shuffled)).toEqual(expected);
      }),
    );
  });

  test('for any part of them', () => {
    fc.assert(
      fc.property(fc.subarray(RECORDS, { minLength: 2 }), fc.infiniteStream(fc.nat()), (part, numbers) => {
        const shuffled = part
          .map((record) => ({ record, rank: numbers.next().value as number }))
          .toSorted((a, b) => a.rank - b.rank)
          .map(({ record }) => record);
        expect(decided(shuffled)).toEqual(decided(part));
      }),
    );
  });

  test.skipIf(!hasPayloads)('for the recorded set of 2026-07-02', { timeout: 60_000 }, () => {
    const records = recordedRecords();
    expect(decided(records.toReversed())).toEqual(decided(records));
  });
});

test('records that bear upon others do not change what others are', () => {
  const [gpt, ...rest] = decided([...RECORDS, repository('someone/else-1b'), sold('nano-gpt/else-2')]);
  const before = decided(RECORDS);
  expect([gpt, ...rest].filter(({ id } = { id: '' } as never) => !id.includes('else'))).toEqual(before);
});

test('ids that were published are kept', () => {
  const records = [repository('zai-org/GLM-4.6'), routed('z-ai/glm-4-6'), described('zhipuai/glm-4.6')];
  expect(groupRecords(records).map(({ id }) => id)).toEqual(['zhipuai/glm-4.6']);
  expect(groupRecords(records, () => 'zhipuai/glm-4-6').map(({ id }) => id)).toEqual(['zhipuai/glm-4-6']);
});

test('no two models share an id', () => {
  const ids = decided([...RECORDS, described('meta/llama-x'), sold('abacus/llama-x')]).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test('a slug is lower case, begins with a letter or digit, and folds to its name', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (name) => {
      const slug = slugOf(name);
      if (slug !== '') expect(slug).toMatch(/^[a-z0-9]([a-z0-9._:-]*[a-z0-9])?$/);
      expect(foldName(slug)).toBe(foldName(name));
    }),
  );
});

test('whatever can be named gets an id of the form creator/slug, and nothing else is let in', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 60 }), (name) => {
      const record = described(`openai/${name.replaceAll('/', '')}`);
      const reason = unnameable(record);
      if (foldName(record.naming.model) === '') expect(reason).not.toBeNull();
      if (reason !== null) return;
      const [group] = groupRecords([record]);
      expect(group?.id).toMatch(/^[a-z0-9][a-z0-9._-]*\/[a-z0-9][a-z0-9._:-]*$/);
    }),
  );
});
