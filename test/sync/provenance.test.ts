import { describe, expect, test } from 'vitest';
import type { FieldProvenance, StatedField } from '../../contracts/provenance.ts';
import { provenanceOf, readStored } from '../../sync/provenance.ts';
import { rawValues } from '../../sync/raw.ts';
import { BUNDLED, SOURCES } from '../../sync/sources/index.ts';

const AT = '2026-07-02T10:00:00.000Z';
const stored = (source: string, id: string, value: object) => {
  const one = readStored(SOURCES, { source, id, raw: JSON.stringify(value), observedAt: AT });
  if (one === null) throw new Error(`${source} can not read ${id}`);
  return one;
};

const metadata = stored('models.dev', 'models.json/openai/gpt-4o-mini', {
  id: 'openai/gpt-4o-mini',
  name: 'GPT-4o mini',
  open_weights: false,
  release_date: '2024-07-18',
  limit: { context: 128_000, output: 16_384 },
  benchmarks: [
    { name: 'Artificial Analysis Index', score: 12, source: 'https://artificialanalysis.ai/models' },
    { name: 'Aider Polyglot', score: 3.6, source: 'https://aider.chat/docs/leaderboards/' },
  ],
});
const sold = (provider: string, id: string, cost: object) =>
  stored('models.dev', `${provider}/${id}`, {
    provider: { id: provider },
    model: { id, name: 'GPT-4o mini', cost, status: 'deprecated' },
  });
const routed = stored('openrouter', 'openai/gpt-4o-mini', {
  id: 'openai/gpt-4o-mini',
  name: 'OpenAI: GPT-4o-mini',
  context_length: 128_000,
  pricing: { prompt: '0.00000015', completion: '0.0000006', image: '0.000217', request: '0' },
  supported_parameters: ['tools'],
  benchmarks: { artificial_analysis: { intelligence_index: 12 } },
});
const repository = stored('huggingface', 'openai/gpt-4o-mini', {
  id: 'openai/gpt-4o-mini',
  downloads: 7,
  tags: [
    'transformers',
    'en',
    'license:mit',
    'base_model:openai/gpt-4o',
    'base_model:finetune:openai/gpt-4o',
  ],
});
const measured = stored('artificialanalysis', 'u-1', {
  indexVersion: '4.1',
  retired: false,
  row: {
    id: 'u-1',
    name: 'GPT-4o mini',
    release_date: '2024-07-19',
    model_creator: { name: 'OpenAI' },
    evaluations: { artificial_analysis_intelligence_index: 12 },
    pricing: { price_1m_input_tokens: 0.15 },
  },
});
const own = sold('openai', 'gpt-4o-mini', { input: 0.15, output: 0.6 });
const copied = sold('openrouter', 'openai/gpt-4o-mini', { input: 0.2, output: 0.6 });

const all = [metadata, own, copied, routed, repository, measured];
const find = (provenance: FieldProvenance[], field: StatedField) =>
  provenance.find((one) => one.field === field)?.statements ?? [];

describe('the provenance of a field', () => {
  const provenance = provenanceOf('openai', all, { withheld: false });

  test('of a date: who says what, in which raw form, and which was chosen', () => {
    const statement = { attribution: null, observedAt: AT };
    expect(find(provenance, 'releaseDate')).toEqual([
      {
        ...statement,
        source: 'models.dev',
        id: 'models.json/openai/gpt-4o-mini',
        trust: 'metadata',
        value: '2024-07-18',
        raw: [{ path: 'release_date', value: '2024-07-18', unit: null }],
        chosen: true,
      },
      {
        ...statement,
        source: 'artificialanalysis',
        id: 'u-1',
        trust: 'measurement',
        attribution: { name: 'Artificial Analysis', url: 'https://artificialanalysis.ai' },
        value: '2024-07-19',
        raw: [{ path: 'release_date', value: '2024-07-19', unit: null }],
        chosen: false,
      },
    ]);
  });

  test("of a price: every catalogue's statement of the reference offer, in its own unit", () => {
    expect(find(provenance, 'pricing.input')).toMatchObject([
      {
        id: 'openai/gpt-4o-mini',
        trust: 'own',
        value: 0.15,
        raw: [{ path: 'cost.input', value: 0.15, unit: 'USD per 1M tokens' }],
      },
    ]);
    const resold = provenanceOf('openai', [copied, routed], { withheld: false });
    expect(
      find(resold, 'pricing.input').map(({ source, value, raw, chosen }) => [source, value, raw, chosen]),
    ).toEqual([
      ['openrouter', 0.15, [{ path: 'pricing.prompt', value: '0.00000015', unit: 'USD per token' }], true],
      ['models.dev', 0.2, [{ path: 'cost.input', value: 0.2, unit: 'USD per 1M tokens' }], false],
    ]);
    expect(find(resold, 'pricing.perImage')).toMatchObject([
      { value: 0.000217, raw: [{ path: 'pricing.image', value: '0.000217', unit: 'USD per image' }] },
    ]);
    expect(find(resold, 'pricing.perRequest')).toEqual([]);
  });

  test('of what is put together: each entry that gives a part', () => {
    expect(find(provenance, 'benchmarks').map(({ source, chosen }) => [source, chosen])).toEqual([
      ['models.dev', true],
      ['openrouter', true],
      ['artificialanalysis', true],
    ]);
    expect(find(provenance, 'baseModels')).toMatchObject([
      { value: ['openai/gpt-4o'], raw: [{ path: 'tags', value: ['base_model:openai/gpt-4o'], unit: null }] },
    ]);
  });

  test('of what follows from the entry being there: nothing raw', () => {
    const weights = find(provenance, 'openWeights').map(({ source, value, raw, chosen }) => [
      source,
      value,
      raw.length,
      chosen,
    ]);
    expect(weights).toEqual([
      ['models.dev', false, 1, true],
      ['huggingface', true, 0, false],
    ]);
  });

  test('of what nobody is believed about: what they say all the same', () => {
    expect(find(provenance, 'lifecycle.status').map(({ id, value, chosen }) => [id, value, chosen])).toEqual([
      ['openai/gpt-4o-mini', 'deprecated', true],
      ['openrouter/openai/gpt-4o-mini', 'deprecated', false],
    ]);
    expect(find(provenance, 'creatorName').map(({ value, chosen }) => [value, chosen])).toEqual([
      ['OpenAI', false],
      ['OpenAI', false],
    ]);
  });

  test('does not depend on the order of the records', () => {
    expect(provenanceOf('openai', all.toReversed(), { withheld: false })).toEqual(provenance);
  });

  test('withheld: nothing that Artificial Analysis said, whoever relays it', () => {
    const open = provenanceOf('openai', all, { withheld: true });
    expect(JSON.stringify(open)).not.toMatch(/artificial.?analysis|intelligence/i);
    expect(find(open, 'benchmarks')).toMatchObject([
      { source: 'models.dev', value: [{ name: 'Aider Polyglot' }], raw: [] },
    ]);
  });
});

describe('a stored item', () => {
  test('that its source can no longer read, or whose source is no more, is passed over', () => {
    const item = { id: 'x', raw: '{}', observedAt: AT };
    expect(readStored(SOURCES, { ...item, source: 'openrouter' })).toBeNull();
    expect(readStored(SOURCES, { ...item, source: 'gone' })).toBeNull();
  });

  test('is read at the first place where something stands', () => {
    const places = { inside: 'a', fields: { license: { path: 'b.c', or: 'd', unit: 'u' } } };
    const read = (entry: unknown) => rawValues(places, { a: entry }, 'license');
    expect(read({ b: { c: 0 }, d: 1 })).toEqual([{ path: 'b.c', value: 0, unit: 'u' }]);
    expect(read({ b: { c: null }, d: 1 })).toEqual([{ path: 'd', value: 1, unit: 'u' }]);
    for (const entry of [{}, null, 'text', { b: [1] }]) expect(read(entry)).toEqual([]);
    expect(rawValues({ inside: null, fields: { license: '__proto__.x' } }, {}, 'license')).toEqual([]);
  });

  test.each([...SOURCES, BUNDLED])('of $id: numbers of tokens and dollars name their unit', ({ raw }) => {
    for (const { fields } of Object.values(raw)) {
      for (const [field, places] of Object.entries(fields)) {
        if (!/^(limits|pricing)\.(?!status)/.test(field)) continue;
        const list = [places].flat();
        expect(
          list.every((place) => typeof place === 'object' && place.unit !== undefined),
          field,
        ).toBe(true);
      }
    }
  });
});
