import { describe, expect, test } from 'vitest';
import { makeItems } from '../../sync/fields.ts';
import { readOffer, takeCatalogApart } from '../../sync/models-dev-entry.ts';
import type { OfferFacts } from '../../sync/record.ts';

import { RejectedItem, type Item } from '../../sync/item.ts';
import { knownPrices } from './sources/served.ts';

const model = {
  id: 'nova-1',
  name: 'Nova 1',
  family: 'nova',
  attachment: true,
  reasoning: true,
  tool_call: true,
  interleaved: { field: 'reasoning_content' },
  structured_output: false,
  temperature: true,
  knowledge: '2025-04',
  release_date: '2025-08-05',
  last_updated: '2025-09',
  modalities: { input: ['text', 'image'], output: ['text'] },
  open_weights: false,
  limit: { context: 400_000, input: 272_000, output: 0 },
  cost: { input: 1.25, output: 10, cache_read: 0.125, reasoning: 12, input_audio: 1.5, output_audio: 2.3 },
};
const provider = {
  id: 'acme',
  name: 'Acme',
  env: ['ACME_API_KEY'],
  npm: '@ai-sdk/acme',
  api: 'https://${REGION}.acme.test/v1',
  doc: 'https://acme.test/docs',
};

function readOne(entry: object) {
  const models = { 'key-0': { ...model, ...entry } };
  const { entries, providers } = takeCatalogApart({ acme: { ...provider, models } });
  const record = readOffer('models.dev', makeItems(entries)[0] as Item);
  return { record, offer: record.offer as OfferFacts, providers };
}
const priceOf = (entry: object) => readOne(entry).offer.pricing;

describe('an offer in the form of models.dev', () => {
  test('holds all that models.dev says', () => {
    const { record, providers } = readOne({});
    expect(record).toMatchObject({
      source: 'models.dev',
      id: 'acme/key-0',
      type: 'offer',
      kind: 'model',
      target: null,
      naming: { creator: null, model: 'nova-1', provider: 'acme', family: 'nova' },
      facts: {
        name: 'Nova 1',
        inputModalities: ['text', 'image'],
        outputModalities: ['text'],
        parameters: ['temperature'],
        limits: { context: 400_000, input: 272_000, output: null },
        openWeights: false,
        releaseDate: '2025-08-05',
        lastUpdated: '2025-09',
        knowledgeCutoff: '2025-04',
        stage: null,
        lifecycle: null,
      },
      offer: { provider: 'acme', providerModelId: 'nova-1', parameters: ['temperature'], modes: [] },
    });
    expect(record.facts.capabilities).toEqual({
      attachments: true,
      interleaved_reasoning: true,
      reasoning: true,
      structured_outputs: false,
      tools: true,
    });
    expect(providers).toEqual([
      {
        id: 'acme',
        name: 'Acme',
        docUrl: 'https://acme.test/docs',
        apiUrl: 'https://${REGION}.acme.test/v1',
        npmPackage: '@ai-sdk/acme',
        environment: ['ACME_API_KEY'],
      },
    ]);
  });

  test('takes prices as USD per 1,000,000 tokens', () => {
    const pricing = priceOf({});
    expect(pricing.status).toBe('known');
    expect(knownPrices(pricing.prices)).toEqual({
      input: 1_250_000_000,
      output: 10_000_000_000,
      cacheRead: 125_000_000,
      reasoning: 12_000_000_000,
      audioInput: 1_500_000_000,
      audioOutput: 2_300_000_000,
    });
  });

  test.each([
    ['no cost', { cost: undefined }, 'unknown', {}],
    ['an empty cost', { cost: {} }, 'unknown', {}],
    ['a cost of another type', { cost: '$3' }, 'unknown', {}],
    ['zeros', { cost: { input: 0, output: 0 } }, 'unknown', {}],
    ['zeros, -free', { id: 'nova-1-free', cost: { input: 0, output: 0 } }, 'free', { input: 0, output: 0 }],
    ['zeros, :free', { id: 'nova-1:free', cost: { input: 0, output: 0 } }, 'free', { input: 0, output: 0 }],
    [
      'zeros, (Free)',
      { name: 'Nova 1 (Free)', cost: { input: 0, output: 0 } },
      'free',
      { input: 0, output: 0 },
    ],
    ['zeros, freeze', { id: 'freeze-1', cost: { input: 0, output: 0 } }, 'unknown', {}],
    [
      'a zero beside a price',
      { cost: { input: 0.1, output: 0 } },
      'known',
      { input: 100_000_000, output: 0 },
    ],
    ['marked free but billed', { id: 'x:free', cost: { input: 1 } }, 'known', { input: 1_000_000_000 }],
    ['a negative price', { cost: { input: -1, output: 3 } }, 'dynamic', {}],
    ['a price that is no number', { cost: { input: 'much', output: 3 } }, 'known', { output: 3_000_000_000 }],
    ['a price beyond measure', { cost: { input: 1e9, output: 3 } }, 'known', { output: 3_000_000_000 }],
  ])('with %s', (_, entry, status, prices) => {
    const pricing = priceOf(entry);
    expect(pricing.status).toBe(status);
    expect(knownPrices(pricing.prices)).toEqual(prices);
  });

  test('has its tiers by ascending size, and those without a readable size left out', () => {
    const pricing = priceOf({
      cost: {
        input: 1,
        output: 2,
        tiers: [
          { input: 3, output: 6, cache_read: 0.3, tier: { type: 'context', size: 128_000 } },
          { input: 2, output: 4, tier: { type: 'context', size: 32_000 } },
          { input: 9, tier: { type: 'batch', size: 1 } },
          { input: 9, tier: { type: 'context', size: 0 } },
          { input: 9 },
        ],
        context_over_200k: { input: 7 },
      },
    });
    expect(pricing.tiers.map(({ aboveInputTokens }) => aboveInputTokens)).toEqual([32_000, 128_000]);
    expect(knownPrices(pricing.tiers[1]?.prices)).toEqual({
      input: 3_000_000_000,
      output: 6_000_000_000,
      cacheRead: 300_000_000,
    });
  });

  test('takes context_over_200k only where there are no tiers', () => {
    const legacy = { input: 1, output: 2, context_over_200k: { input: 2, output: 4 } };
    expect(priceOf({ cost: legacy }).tiers).toMatchObject([
      { aboveInputTokens: 200_000, prices: { input: 2_000_000_000, output: 4_000_000_000 } },
    ]);
    expect(priceOf({ cost: { ...legacy, tiers: [] } }).tiers).toEqual([]);
  });

  test('has no request in a mode where it holds what is no text', () => {
    const request = (provider: object) => {
      const modes = { fast: { cost: { input: 5 }, provider } };
      return readOne({ experimental: { modes } }).offer.modes[0]?.request;
    };
    expect(request({ headers: { 'x-fast': 'a\0' }, body: { a: [{ b: '\ud800' }] } })).toEqual({
      headers: {},
      body: {},
    });
    expect(request({ body: { 'a\0': 1 } })).toEqual({ headers: {}, body: {} });
  });

  test('has modes with prices of their own, and what to ask for them with', () => {
    const provider = { headers: { 'x-beta': 'fast' }, body: { service_tier: 'priority' } };
    const { offer } = readOne({
      experimental: {
        modes: {
          fast: { cost: { input: 5, output: 30 }, provider },
          bare: { cost: { input: 1 } },
          slow: { provider },
        },
      },
    });
    expect(offer.modes).toMatchObject([
      {
        name: 'fast',
        request: provider,
        pricing: { status: 'known', prices: { input: 5_000_000_000, output: 30_000_000_000 } },
      },
      { name: 'bare', request: { headers: {}, body: {} }, pricing: { status: 'known' } },
    ]);
  });

  test.each([
    [undefined, null],
    [[], null],
    [[{ type: 'effort', values: [null, 'low', 'high'] }], { efforts: ['low', 'high'] }],
    [
      [{ type: 'toggle' }, { type: 'budget_tokens', min: 0, max: 24_576 }],
      { mandatory: false, budgetTokens: { min: 0, max: 24_576 } },
    ],
    [[{ type: 'budget_tokens', min: 1024 }], { budgetTokens: { min: 1024, max: null } }],
  ])('with reasoning options %j', (options, said) => {
    const unsaid = {
      mandatory: null,
      efforts: [],
      enabledByDefault: null,
      defaultEffort: null,
      interleavedField: null,
      budgetTokens: null,
    };
    const { reasoning } = readOne({ reasoning_options: options, interleaved: true }).record.facts;
    expect(reasoning).toEqual(said && { ...unsaid, ...said });
  });

  test('says in which field reasoning is handed back', () => {
    const { reasoning } = readOne({ reasoning_options: [], interleaved: { field: 'reasoning_content' } })
      .record.facts;
    expect(reasoning).toMatchObject({ interleavedField: 'reasoning_content', efforts: [] });
  });

  test.each([
    ['Cohere: Command R', 'Command R'],
    ['Claude Opus 4.5 (latest)', 'Claude Opus 4.5'],
    ['CoBuddy (free)', 'CoBuddy'],
    ['Nobody We Know: Nova', 'Nobody We Know: Nova'],
    ['(free)', '(free)'],
  ])('called %s by a seller is %s', (said, name) => {
    expect(readOne({ name: said }).record.facts.name).toBe(name);
  });

  test.each([
    ['nova-latest', 'rolling'],
    ['acme/nova:latest', 'rolling'],
    ['nova-latest:free', 'rolling'],
    ['~acme/nova-1', 'rolling'],
    ['acme/~nova-1', 'rolling'],
    ['latest-nova', 'model'],
    ['nova-1', 'model'],
    ['openrouter/auto', 'router'],
    ['model-router', 'router'],
    ['auto', 'router'],
    ['nanogpt/coding-router:high', 'router'],
    ['autoglm-phone', 'model'],
    ['accounts/fireworks/routers/glm-5p2-fast', 'model'],
  ])('called %s is a %s', (id, kind) => {
    expect(readOne({ id }).record.kind).toBe(kind);
  });

  test('that is deprecated says so of itself and of the model', () => {
    const { record, offer } = readOne({ status: 'deprecated' });
    const said = { stage: null, lifecycle: { status: 'deprecated', date: null, successor: null } };
    expect(record.facts).toMatchObject(said);
    expect(offer).toMatchObject(said);
  });

  test.each(['alpha', 'beta'])('that is in %s says so of itself and of the model, and of no end', (stage) => {
    const { record, offer } = readOne({ status: stage });
    expect(record.facts).toMatchObject({ stage, lifecycle: null });
    expect(offer).toMatchObject({ stage, lifecycle: null });
  });

  test('with broken optional fields keeps the others', () => {
    const { record } = readOne({
      release_date: '2025-25-11',
      last_updated: 17,
      knowledge: '',
      limit: { context: 0, output: 8192 },
      modalities: { input: 'text', output: ['text', 7, 'a\u0000b'] },
      attachment: 'yes',
      reasoning: null,
      interleaved: false,
      structured_output: undefined,
      status: 'new',
      family: '\u0000',
      temperature: 'no',
      experimental: [],
      reasoning_options: {},
    });
    expect(record.facts).toMatchObject({
      family: null,
      releaseDate: null,
      lastUpdated: null,
      knowledgeCutoff: null,
      limits: { context: null, input: null, output: 8192 },
      inputModalities: [],
      outputModalities: ['text'],
      stage: null,
      lifecycle: null,
      parameters: [],
    });
    expect(record.facts.capabilities).toEqual({ interleaved_reasoning: false, tools: true });
  });

  test.each([
    ['no id', { id: undefined }, 'model.id: not a usable text'],
    ['an empty id', { id: ' ' }, 'model.id: not a usable text'],
    ['a NUL in the id', { id: 'nova\u0000' }, 'model.id: not a usable text'],
    ['a line break in the id', { id: 'nova\n1' }, 'model.id: not a usable text'],
    ['a lone surrogate in the id', { id: 'nova\ud800' }, 'model.id: not a usable text'],
    ['an endless id', { id: 'n'.repeat(501) }, 'model.id: not a usable text'],
    ['no name', { name: undefined }, 'model.name: Invalid input: expected string, received undefined'],
    ['a name of nothing', { name: ' \u0000 ' }, 'model.name: is empty'],
  ])('with %s is rejected', (_, entry, reason) => {
    expect(() => readOne(entry)).toThrow(new RejectedItem(reason));
  });
});
