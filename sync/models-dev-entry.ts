import { z } from 'zod';
import type { Reasoning } from '../contracts/models.ts';
import type { PriceName } from '../contracts/offers.ts';
import {
  Description,
  isPlainText,
  isProviderId,
  JsonObject,
  lenient,
  lenientList,
  NameText,
  OptionalPastDate,
  OptionalText,
  OptionalTokens,
  PlainText,
  ProviderId,
  readItem,
  webUrl,
} from './fields.ts';
import { knownCreator } from './identity.ts';
import { kindOfId } from './kinds.ts';
import { isMarkedFree, pricingOf, unknownPricing, type StatedPrice, type StatedPricing } from './prices.ts';
import { unknownFacts, type ModelFacts, type ProviderFacts, type SourceRecord } from './record.ts';
import type { Item } from './item.ts';

/**
 * One model in the form of models.dev, whose `api.json` has it below a provider, and `models.json` by itself.
 * https://models.dev/api.json; prices are USD per 1,000,000 tokens.
 */
export const ModelEntry = z.object({
  id: PlainText,
  name: NameText,
  family: OptionalText,
  description: Description,
  attachment: lenient(z.boolean()),
  reasoning: lenient(z.boolean()),
  reasoning_options: lenientList(
    z.object({
      type: z.string(),
      values: lenientList(PlainText),
      min: lenient(z.int().nonnegative()),
      max: lenient(z.int().positive()),
    }),
  ),
  tool_call: lenient(z.boolean()),
  structured_output: lenient(z.boolean()),
  interleaved: lenient(z.union([z.boolean(), z.object({ field: OptionalText })])),
  temperature: lenient(z.boolean()),
  knowledge: OptionalPastDate,
  release_date: OptionalPastDate,
  last_updated: OptionalPastDate,
  modalities: lenient(z.object({ input: lenientList(PlainText), output: lenientList(PlainText) })),
  open_weights: lenient(z.boolean()),
  limit: lenient(z.object({ context: OptionalTokens, input: OptionalTokens, output: OptionalTokens })),
  status: lenient(z.enum(['alpha', 'beta', 'deprecated'])),
  cost: lenient(JsonObject),
  experimental: lenient(z.object({ modes: lenient(JsonObject) })),
  provider: lenient(z.object({ npm: OptionalText, api: OptionalText, shape: OptionalText })),
});
export type ModelEntry = z.infer<typeof ModelEntry>;

/** What a request must carry to be served in a mode. */
const ModeRequest = z
  .object({
    headers: lenient(z.record(PlainText, PlainText)),
    body: lenient(JsonObject.refine(holdsText, 'holds what is no text')),
  })
  .nullable()
  .default(null)
  .catch(null)
  .transform((request) => ({ headers: request?.headers ?? {}, body: request?.body ?? {} }));

/** Whether every text in a value can be handed on: no NUL, no half characters. */
function holdsText(value: unknown): boolean {
  if (typeof value === 'string') return !value.includes('\0') && value.isWellFormed();
  if (typeof value !== 'object' || value === null) return true;
  return Object.entries(value).every((entry) => entry.every(holdsText));
}

const OfferEntry = z.object({ provider: z.object({ id: ProviderId }), model: ModelEntry });

const ProviderEntry = z.object({
  name: OptionalText,
  doc: OptionalText,
  api: OptionalText,
  npm: OptionalText,
  env: lenientList(PlainText),
});

/**
 * Takes a catalogue of providers with their models apart: an entry `<provider>/<model>` each, and the providers. One that can
 * not be taken apart is an entry `<provider>/`, to be rejected.
 */
export function takeCatalogApart(catalog: Record<string, unknown>): {
  entries: { id: string; value: unknown }[];
  providers: ProviderFacts[];
} {
  const entries: { id: string; value: unknown }[] = [];
  const providers: ProviderFacts[] = [];
  for (const [id, value] of Object.entries(catalog)) {
    const object = JsonObject.safeParse(value).data;
    const models = JsonObject.safeParse(object?.models).data;
    if (object === undefined || models === undefined || !isProviderId(id)) {
      entries.push({ id: `${id}/`, value });
      continue;
    }
    const { models: _, ...rest } = object;
    const provider = { ...rest, id };
    providers.push(readProvider(id, provider));
    for (const [key, model] of Object.entries(models)) {
      entries.push({ id: `${id}/${key}`, value: { provider, model } });
    }
  }
  return { entries, providers };
}

function readProvider(id: string, provider: Record<string, unknown>): ProviderFacts {
  const { name, doc, api, npm, env } = ProviderEntry.parse(provider);
  // Some API addresses hold `${PLACEHOLDERS}`, so that only the documentation's is checked.
  return { id, name: name ?? id, docUrl: webUrl(doc), apiUrl: api, npmPackage: npm, environment: env };
}

/** Reads one model at one provider. */
export function readOffer(source: string, item: Item): SourceRecord {
  const { provider, model } = readItem(item, OfferEntry);
  const facts = factsOf(model);
  return {
    source,
    id: item.id,
    type: 'offer',
    naming: { creator: null, model: model.id, canonical: null, provider: provider.id, family: model.family },
    kind: kindOfId(model.id),
    target: null,
    facts,
    offer: {
      provider: provider.id,
      providerModelId: model.id,
      pricing: readPricing(model, model.cost),
      modes: Object.entries(model.experimental?.modes ?? {}).flatMap(([name, mode]) => {
        const cost = JsonObject.safeParse(JsonObject.safeParse(mode).data?.cost).data;
        if (cost === undefined || !isPlainText(name)) return [];
        return [
          {
            name,
            request: ModeRequest.parse(JsonObject.safeParse(mode).data?.provider),
            pricing: readPricing(model, cost),
          },
        ];
      }),
      limits: facts.limits,
      parameters: facts.parameters,
      defaultParameters: {},
      voices: [],
      moderated: null,
      apiUrl: model.provider?.api ?? null,
      npmPackage: model.provider?.npm ?? null,
      apiShape: model.provider?.shape ?? null,
      listedAt: null,
      stage: facts.stage,
      lifecycle: facts.lifecycle,
    },
  };
}

/** What an entry says about the model itself. */
export function factsOf(model: ModelEntry): ModelFacts {
  const said = {
    attachments: model.attachment,
    interleaved_reasoning: model.interleaved === null ? null : model.interleaved !== false,
    reasoning: model.reasoning,
    structured_outputs: model.structured_output,
    tools: model.tool_call,
  };
  return {
    ...unknownFacts(plainName(model.name)),
    family: model.family,
    description: model.description,
    inputModalities: model.modalities?.input ?? null,
    outputModalities: model.modalities?.output ?? null,
    capabilities: Object.fromEntries(Object.entries(said).filter(([, value]) => value !== null)),
    parameters: model.temperature === true ? ['temperature'] : [],
    reasoning: readReasoning(model),
    limits: model.limit ?? { context: null, input: null, output: null },
    openWeights: model.open_weights,
    releaseDate: model.release_date,
    lastUpdated: model.last_updated,
    knowledgeCutoff: model.knowledge,
    stage: model.status === 'deprecated' ? null : model.status,
    lifecycle: model.status === 'deprecated' ? { status: model.status, date: null, successor: null } : null,
  };
}

/** Sellers write the creator before a name, and terms of sale behind it. */
function plainName(name: string): string {
  const [before, ...rest] = name.split(': ');
  const named = rest.length > 0 && knownCreator(before ?? '') !== undefined ? rest.join(': ') : name;
  return named.replace(/ \((free|latest)\)$/i, '') || name;
}

function readReasoning({ reasoning_options: options, interleaved }: ModelEntry): Reasoning | null {
  const interleavedField = typeof interleaved === 'object' ? (interleaved?.field ?? null) : null;
  if (options.length === 0 && interleavedField === null) return null;
  const budget = options.find(({ type }) => type === 'budget_tokens');
  return {
    mandatory: options.some(({ type }) => type === 'toggle') ? false : null,
    efforts: options.filter(({ type }) => type === 'effort').flatMap(({ values }) => values),
    enabledByDefault: null,
    defaultEffort: null,
    interleavedField,
    budgetTokens: budget === undefined ? null : { min: budget.min, max: budget.max },
  };
}

const PRICES: [key: string, name: PriceName][] = [
  ['input', 'input'],
  ['output', 'output'],
  ['reasoning', 'reasoning'],
  ['cache_read', 'cacheRead'],
  ['cache_write', 'cacheWrite'],
  ['input_audio', 'audioInput'],
  ['output_audio', 'audioOutput'],
];

function statedPrices(cost: Record<string, unknown>): StatedPrice[] {
  return PRICES.map(([key, name]) => ({ name, value: cost[key], shift: 0 }));
}

function readPricing({ id, name }: ModelEntry, cost: Record<string, unknown> | null) {
  if (cost === null) return unknownPricing();
  const stated = { prices: statedPrices(cost), tiers: statedTiers(cost), discount: null };
  return pricingOf(stated, isMarkedFree(id, name));
}

/** `context_over_200k` repeats a tier whose threshold may be higher, so it counts only without `tiers`. */
function statedTiers(cost: Record<string, unknown>): StatedPricing['tiers'] {
  const sized =
    cost.tiers === undefined
      ? [{ size: 200_000, prices: JsonObject.safeParse(cost.context_over_200k).data }]
      : lenientList(JsonObject)
          .parse(cost.tiers)
          .map((prices) => ({ size: contextSize(prices.tier), prices }));
  return sized
    .flatMap(({ size, prices }) => (size === null || prices === undefined ? [] : [{ size, prices }]))
    .sort((one, other) => one.size - other.size)
    .map(({ size, prices }) => ({
      aboveInputTokens: size,
      utcDays: null,
      utcStart: null,
      utcEnd: null,
      prices: statedPrices(prices),
    }));
}

const ContextTier = z.object({ type: z.literal('context'), size: OptionalTokens });

function contextSize(tier: unknown): number | null {
  return ContextTier.safeParse(tier).data?.size ?? null;
}
