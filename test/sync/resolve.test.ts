import { describe, expect, test } from 'vitest';
import { hintsOf, lookupOf, MAX_HINTS } from '../../sync/hints.ts';
import { describe as read } from '../../sync/identity/describe.ts';
import { namedRecord } from '../../sync/identity/keys.ts';
import { readingsOf, type Origin } from '../../sync/readings.ts';
import { placeAmong } from '../../sync/resolve.ts';
import { offered, record } from '../support/records.ts';

const ANYWHERE: Origin = { kind: 'anywhere' };
const HUB: Origin = { kind: 'source', id: 'huggingface', type: 'repository', prefixed: true };

describe('readings of a name', () => {
  const inShort = (id: string, origin: Origin, provider: string | null = null) =>
    readingsOf(id, origin, provider).map(
      ({ record: { type, naming }, namespace }) =>
        `${type} ${naming.creator}/${naming.model} at ${naming.provider ?? namespace}`,
    );

  test('a bare name is an entry anywhere', () => {
    expect(inShort('gpt-5-mini', ANYWHERE)).toEqual(['offer null/gpt-5-mini at null']);
  });

  test('what stands before a slash is a creator, a provider, or the owner of a repository', () => {
    expect(inShort('groq/llama-3.3-70b', ANYWHERE, 'groq')).toEqual([
      'offer groq/llama-3.3-70b at null',
      'offer null/llama-3.3-70b at groq',
      'repository groq/llama-3.3-70b at null',
    ]);
    expect(inShort('groq/openai/gpt-oss-120b', ANYWHERE, 'groq')).toEqual([
      'offer groq/openai/gpt-oss-120b at null',
      'offer null/openai/gpt-oss-120b at groq',
    ]);
  });

  test('where a name is from decides how it is taken', () => {
    expect(inShort('openai/gpt-5', { kind: 'provider', id: 'kilo' }, 'openai')).toEqual([
      'offer null/openai/gpt-5 at kilo',
    ]);
    expect(inShort('Qwen/Qwen3-32B', HUB)).toEqual(['repository Qwen/Qwen3-32B at huggingface']);
    const measured: Origin = { kind: 'source', id: 'aa', type: 'measurement', prefixed: true };
    expect(inShort('gpt-5-high', measured)).toEqual(['measurement null/gpt-5-high at aa']);
    const catalog: Origin = { kind: 'source', id: 'models.dev', type: 'offer', prefixed: true };
    expect(inShort('groq/x', catalog, 'groq')).toEqual([
      'offer groq/x at models.dev',
      'offer null/x at groq',
    ]);
    expect(inShort('groq/x', { ...catalog, id: 'openrouter', prefixed: false }, 'groq')).toHaveLength(1);
  });

  test('a repository of base weights is never taken for an offer of the tuned ones', () => {
    expect(inShort('meta-llama/Llama-3.1-70B', ANYWHERE)).toEqual([
      'repository meta-llama/Llama-3.1-70B at null',
    ]);
  });

  test('precision at the end comes off before the rest is read', () => {
    const [reading] = readingsOf('llama-3.3-70b-versatile-AWQ-fp8', ANYWHERE, null);
    expect(reading?.record.naming.model).toBe('llama-3.3-70b-versatile');
    expect(reading?.notes.map(({ rule }) => rule)).toEqual(['precision', 'precision']);
  });
});

describe('placing a name', () => {
  const known = [
    { record: offered('anthropic', 'claude-sonnet-4-5'), modelId: 'anthropic/claude-sonnet-4-5' },
    { record: offered('anthropic', 'claude-sonnet-4-0'), modelId: 'anthropic/claude-sonnet-4-0' },
  ];
  const fall = (id: string) => readingsOf(id, ANYWHERE, null).map((reading) => placeAmong(reading, known))[0];

  test('it falls to the model whose records it would join, by rule', () => {
    expect(fall('us.anthropic.claude-sonnet-4-5-v1:0')).toMatchObject({
      modelIds: ['anthropic/claude-sonnet-4-5'],
      match: { kind: 'rule', rule: 'region-prefix' },
    });
    expect(fall('anthropic/Claude_Sonnet_4.5')).toMatchObject({
      modelIds: ['anthropic/claude-sonnet-4-5'],
      match: { kind: 'rule', rule: 'spelling' },
    });
  });

  test.each(['claude-sonnet-4-6', 'claude-opus-4-5', 'claude-sonnet-4-5-preview', 'my-sonnet-4-5'])(
    '%s stands alone, however alike it looks',
    (id) => {
      expect(fall(id)?.modelIds).toEqual([]);
    },
  );

  test('the records that it is placed among stay as they were', () => {
    const before = structuredClone(known.map(({ record: one }) => read(one)));
    fall('claude-sonnet-4-5-thinking');
    expect(known.map(({ record: one }) => read(one))).toEqual(before);
  });

  test('a repository that was never listed falls to the model that links to it', () => {
    const linked = record({
      id: 'models.json/meta/llama-4-scout',
      naming: { creator: 'meta', model: 'llama-4-scout' },
      facts: {
        links: [
          {
            label: 'Weights',
            url: 'https://huggingface.co/meta-llama/Llama-4-Scout-17B-16E-Instruct',
            type: 'weights',
          },
        ],
      },
    });
    const [reading] = readingsOf('meta-llama/Llama-4-Scout-17B-16E-Instruct', HUB, null);
    const modelId = 'meta/llama-4-scout';
    expect(reading && placeAmong(reading, [{ record: linked, modelId }])).toMatchObject({
      modelIds: [modelId],
      match: { kind: 'link', rule: 'weights-link' },
    });
  });
});

describe('hints', () => {
  const kin = (id: string, releaseDate: string | null = null) => ({ id, name: id, releaseDate });
  const near = (id: string, ...models: ReturnType<typeof kin>[]) =>
    hintsOf([read(namedRecord(id))], models).map((hint) => `${hint.id}: ${hint.because}`);

  test('are of the same family first, then by shared parts, then the newest, then by id', () => {
    const models = [
      kin('openai/gpt-5-nano', '2026-01-01'),
      kin('openai/gpt-5-mini', '2025-08-07'),
      kin('openai/gpt-4.1-mini', '2025-04-14'),
      kin('openai/gpt-9', '2026-06-01'),
      kin('openai/gpt-5.4-mini', '2026-03-17'),
      kin('anthropic/claude-sonnet-4-5', '2025-09-29'),
    ];
    const expected = [
      'openai/gpt-5.4-mini: the same family; version 9 is not 5.4',
      'openai/gpt-5-mini: the same family; version 9 is not 5',
      'openai/gpt-4.1-mini: the same family; version 9 is not 4.1',
      'openai/gpt-9: both say openai, gpt, 9',
      'openai/gpt-5-nano: both say openai, gpt; version 9 is not 5',
    ];
    expect(near('gpt-9-mini', ...models)).toEqual(expected);
    expect(near('gpt-9-mini', ...models.toReversed())).toEqual(expected);
  });

  test('are five at most, and none where little is shared', () => {
    const many = Array.from({ length: 9 }, (_, index) => kin(`openai/gpt-${index + 10}-mini`));
    expect(near('gpt-9-mini', ...many)).toHaveLength(MAX_HINTS);
    expect(near('nothing-like-it', ...many)).toEqual([]);
    expect(near('other-pro', kin('google/gemini-3-pro'))).toEqual([]);
  });

  test('are looked up by few words, whatever the name', () => {
    const id = Array.from({ length: 200 }, (_, index) => `w${'x'.repeat(index % 7)}${index}`).join('-');
    const { creators, words } = lookupOf([read(namedRecord(id.slice(0, 500)))]);
    expect([creators.length <= 3, words.length <= 6]).toEqual([true, true]);
  });
});
