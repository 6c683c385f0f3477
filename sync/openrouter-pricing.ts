import { z } from 'zod';
import type { PriceName } from '../contracts/offers.ts';
import { JsonObject, lenient, lenientList } from './fields.ts';
import { pricingOf, type StatedPrice, type StatedPricing } from './prices.ts';
import type { NanoPricing } from './record.ts';
import { timeOfDay, tokenCount } from './units.ts';

const PER_TOKEN: [key: string, name: PriceName][] = [
  ['prompt', 'input'],
  ['completion', 'output'],
  ['internal_reasoning', 'reasoning'],
  ['input_cache_read', 'cacheRead'],
  ['input_cache_write', 'cacheWrite'],
  ['input_cache_write_1h', 'cacheWrite1h'],
  ['audio', 'audioInput'],
  ['audio_output', 'audioOutput'],
  ['input_audio_cache', 'audioCacheRead'],
  ['image_output', 'imageOutput'],
];
const EACH: [key: string, name: PriceName][] = [
  ['request', 'perRequest'],
  ['web_search', 'perSearch'],
];

const Discount = lenient(z.number().min(0).max(1));

/**
 * Reads the prices of an offer at OpenRouter: decimal strings (or numbers) in USD per token, per request, per search or
 * per image, -1 where a router decides.
 */
export function readOpenRouterPricing(pricing: Record<string, unknown>, markedFree: boolean): NanoPricing {
  const stated = {
    prices: statedPrices(pricing, isImagePerToken(pricing)),
    tiers: statedTiers(pricing),
    discount: Discount.parse(pricing.discount),
  };
  return pricingOf(stated, markedFree);
}

/** `image` is a price per token where it equals `prompt` (since 2026, always), else per image. */
function isImagePerToken({ image, prompt }: Record<string, unknown>): boolean {
  return Number(image) === Number(prompt);
}

function statedPrices(pricing: Record<string, unknown>, imagePerToken: boolean): StatedPrice[] {
  const { image, image_token: imageToken } = pricing;
  const stated: StatedPrice[] = [
    ...PER_TOKEN.map(([key, name]) => ({ name, value: pricing[key], shift: 6 })),
    { name: 'imageInput', value: imageToken ?? (imagePerToken ? image : undefined), shift: 6 },
    { name: 'perImage', value: imagePerToken ? undefined : image, shift: 0 },
    ...EACH.map(([key, name]) => ({ name, value: pricing[key], shift: 0 })),
  ];
  // Until 2025 every other price was "0" where there was nothing to pay for.
  return stated.filter(({ name, value }) => name === 'input' || name === 'output' || Number(value) !== 0);
}

/** Overrides in their order, for later ones win; one with a condition that can not be read would hold always, so it goes. */
function statedTiers(pricing: Record<string, unknown>): StatedPricing['tiers'] {
  const overrides = lenientList(JsonObject).parse(pricing.overrides);
  return overrides.flatMap((override) => {
    const { min_prompt_tokens: minTokens, utc_days: days, utc_start: start, utc_end: end } = override;
    const condition = {
      aboveInputTokens: tokenCount(minTokens),
      utcDays: daysOfWeek(days),
      utcStart: timeOfDay(start),
      utcEnd: timeOfDay(end),
    };
    const given = [minTokens === 0 ? null : minTokens, days, start, end].filter(
      (value) => value != null,
    ).length;
    const read = Object.values(condition).filter((value) => value !== null).length;
    if (read === 0 || read < given) return [];
    const imagePerToken = isImagePerToken(pricing.image === undefined ? override : pricing);
    return [{ ...condition, prices: statedPrices(override, imagePerToken) }];
  });
}

const DAYS = new Set(['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday']);

/** Reads days of the week; null: not a list of them. */
function daysOfWeek(days: unknown): string[] | null {
  const named = Array.isArray(days) && days.length > 0 && days.every((day) => DAYS.has(day as string));
  return named ? (days as string[]) : null;
}
