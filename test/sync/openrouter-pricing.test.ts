import { describe, expect, test } from 'vitest';
import { readOpenRouterPricing } from '../../sync/openrouter-pricing.ts';
import { knownPrices } from './sources/served.ts';

const plain = { prompt: '0.00000125', completion: '0.00001' };
const free = { prompt: '0', completion: '0' };

const priceOf = (pricing: Record<string, unknown>, markedFree = false) =>
  readOpenRouterPricing(pricing, markedFree);

describe('the price at OpenRouter', () => {
  test('of every kind lands where it belongs, per 1,000,000 tokens or each', () => {
    const pricing = priceOf({
      prompt: '0.00000125',
      completion: 0.00001,
      internal_reasoning: '0.000012',
      input_cache_read: '0.000000125',
      input_cache_write: '0.00000008333333333333334',
      input_cache_write_1h: '0.000002',
      audio: '0.000032',
      audio_output: '0.000064',
      input_audio_cache: '0.0000005',
      image: '0.00000125',
      image_output: '0.00003',
      request: '0.005',
      web_search: '0.014',
      discount: 0.25,
    });
    expect(pricing).toMatchObject({ status: 'known', discount: 0.25, tiers: [] });
    expect(knownPrices(pricing.prices)).toEqual({
      input: 1_250_000_000,
      output: 10_000_000_000,
      reasoning: 12_000_000_000,
      cacheRead: 125_000_000,
      cacheWrite: 83_333_333,
      cacheWrite1h: 2_000_000_000,
      audioInput: 32_000_000_000,
      audioOutput: 64_000_000_000,
      audioCacheRead: 500_000_000,
      imageInput: 1_250_000_000,
      imageOutput: 30_000_000_000,
      perRequest: 5_000_000,
      perSearch: 14_000_000,
    });
  });

  test.each([
    ['as much as the prompt, is per token', { image: '1.25e-6' }, { imageInput: 1_250_000_000 }],
    ['otherwise, is per image', { image: '0.00516' }, { perImage: 5_160_000 }],
    ['of a token, is per token', { image_token: '0.000002' }, { imageInput: 2_000_000_000 }],
  ])('of an image, %s', (_, image, expected) => {
    const pricing = priceOf({ prompt: '0.00000125', completion: '0.00001', ...image });
    expect(knownPrices(pricing.prices)).toEqual({
      input: 1_250_000_000,
      output: 10_000_000_000,
      ...expected,
    });
  });

  const zeroes = { ...free, request: '0', image: '0', web_search: '0', internal_reasoning: '0' };
  test.each([
    ['nothing stated', {}, false, 'unknown', {}],
    ['zeros', free, false, 'unknown', {}],
    ['zeros and searches', { ...free, web_search: '0.01' }, false, 'unknown', { perSearch: 10_000_000 }],
    [
      'zeros and requests',
      { ...free, request: '0.01' },
      false,
      'known',
      { input: 0, output: 0, perRequest: 10_000_000 },
    ],
    ['zeros, marked free', zeroes, true, 'free', { input: 0, output: 0 }],
    [
      'zeros for nothing',
      { ...zeroes, prompt: '0.000001' },
      false,
      'known',
      { input: 1_000_000_000, output: 0 },
    ],
    ['-1', { prompt: '-1', completion: '-1', web_search: '0.01' }, false, 'dynamic', {}],
    ['-1 once', { prompt: '0.000001', completion: '-1' }, false, 'dynamic', {}],
    [
      '-1 in an override',
      { prompt: '0.1', overrides: [{ min_prompt_tokens: 9, prompt: '-1' }] },
      false,
      'dynamic',
      {},
    ],
    ['-1, marked free', { prompt: '-1', completion: '-1' }, true, 'dynamic', {}],
  ])('with %s', (_, given, markedFree, status, prices) => {
    const pricing = priceOf(given, markedFree);
    expect(pricing.status).toBe(status);
    expect(knownPrices(pricing.prices)).toEqual(prices);
    expect(pricing.tiers).toEqual([]);
  });

  test.each([
    [0, 0],
    [0.35, 0.35],
    [1.5, null],
    ['0.5', null],
    [null, null],
  ])('with discount %j', (discount, expected) => {
    expect(priceOf({ ...plain, discount }).discount).toBe(expected);
  });

  test('has overrides in the given order, by length and by time of day', () => {
    const pricing = priceOf({
      ...plain,
      image: plain.prompt,
      overrides: [
        { min_prompt_tokens: 272_000, prompt: '0.0000025', image: '0.0000025' },
        { min_prompt_tokens: 128_000, prompt: '0.000002' },
        { utc_start: '16:30', utc_end: '00:30', prompt: '0.0000006', completion: '0.000005' },
        { utc_start: 800, utc_end: 2400, utc_days: ['saturday', 'sunday'], image: '0.0000007' },
      ],
    });
    expect(
      pricing.tiers.map(({ prices, ...condition }) => ({ ...condition, ...knownPrices(prices) })),
    ).toEqual([
      {
        aboveInputTokens: 272_000,
        utcDays: null,
        utcStart: null,
        utcEnd: null,
        input: 2_500_000_000,
        imageInput: 2_500_000_000,
      },
      { aboveInputTokens: 128_000, utcDays: null, utcStart: null, utcEnd: null, input: 2_000_000_000 },
      {
        aboveInputTokens: null,
        utcDays: null,
        utcStart: '16:30',
        utcEnd: '00:30',
        input: 600_000_000,
        output: 5_000_000_000,
      },
      {
        aboveInputTokens: null,
        utcDays: ['saturday', 'sunday'],
        utcStart: '08:00',
        utcEnd: '00:00',
        imageInput: 700_000_000,
      },
    ]);
  });

  test.each([
    ['no condition', { prompt: '0.1' }],
    ['an unreadable time', { utc_start: 'noon', utc_end: '13:00', prompt: '0.1' }],
    ['unreadable days', { utc_days: ['someday'], utc_start: 100, utc_end: 200, prompt: '0.1' }],
    ['an unreadable length', { min_prompt_tokens: 'many', utc_start: '12:00', prompt: '0.1' }],
    ['no price', { min_prompt_tokens: 9 }],
    ['another type', 'junk'],
  ])('leaves out an override with %s', (_, override) => {
    expect(priceOf({ ...plain, overrides: [override] }).tiers).toEqual([]);
  });
});
