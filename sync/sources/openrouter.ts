import { z } from 'zod';
import type { Benchmark } from '../../contracts/models.ts';
import { TERMS } from '../identity/attributes.ts';
import { ARTIFICIAL_ANALYSIS } from '../attribution.ts';
import { gatherPages, nextPageUrl, readEnvelope } from '../envelope.ts';
import {
  Description,
  isPlainText,
  JsonObject,
  lenient,
  lenientList,
  linkTo,
  makeItems,
  NameText,
  OptionalDate,
  OptionalPastDate,
  OptionalText,
  OptionalTokens,
  PlainText,
  readItem,
} from '../fields.ts';
import { kindOfId } from '../kinds.ts';
import { readDeprecation, readEndOfSale } from '../openrouter-lifecycle.ts';
import { readOpenRouterPricing } from '../openrouter-pricing.ts';
import { OPENROUTER_OFFER } from '../openrouter-raw.ts';
import { isMarkedFree } from '../prices.ts';
import { unknownFacts, type ModelFacts, type SourceRecord } from '../record.ts';
import { defineSource } from '../source.ts';
import { timestampFromSeconds } from '../units.ts';

const SOURCE = 'openrouter';
const MAX_PAGES = 100;

const Page = z.looseObject({
  data: z.array(z.unknown()),
  links: z.looseObject({ next: z.string().nullish() }).nullish(),
});

/** OpenRouter: its own offers, with prices in USD per token. https://openrouter.ai/docs/api/api-reference/models/get-models */
export const openRouter = defineSource({
  id: SOURCE,
  name: 'OpenRouter',
  baseUrl: { variable: 'OPENROUTER_URL', default: 'https://openrouter.ai/api/v1' },
  apiKey: { variable: 'OPENROUTER_API_KEY', required: false },
  maxItems: null,
  attribution: null,
  async fetch(upstream) {
    const headers: Record<string, string> =
      upstream.apiKey === null ? {} : { authorization: `Bearer ${upstream.apiKey}` };
    const { entries, add } = gatherPages();
    const seen = new Set<string>();
    let url: string | null = `${upstream.baseUrl}/models?output_modalities=all`;
    while (url !== null && !seen.has(url) && seen.size < MAX_PAGES) {
      const answer = await upstream.getJson(url, { headers, conditional: seen.size === 0 });
      if (answer.notModified) return { notModified: true };
      const page: z.infer<typeof Page> = readEnvelope(Page, answer.body, url);
      add(page.data.map((value) => ({ id: JsonObject.safeParse(value).data?.id, value })));
      seen.add(url);
      url = page.links?.next ? nextPageUrl(page.links.next, url) : null;
    }
    // Validators vouch for one page: with more of them, an unchanged first page tells nothing.
    if (seen.size > 1) for (const page of seen) upstream.forget(page);
    const brokeOff = url !== null;
    if (brokeOff) upstream.warn('The list of models goes round in circles, or on for too long.');
    return { notModified: false, items: makeItems(entries), providers: [PROVIDER], asOf: null, brokeOff };
  },
  raw: { offer: OPENROUTER_OFFER },
  parse(item) {
    return readRow(item.id, readItem(item, Row));
  },
});

const PROVIDER = {
  id: 'openrouter',
  name: 'OpenRouter',
  docUrl: 'https://openrouter.ai/models',
  apiUrl: 'https://openrouter.ai/api/v1',
  npmPackage: '@openrouter/ai-sdk-provider',
  environment: ['OPENROUTER_API_KEY'],
};

const Row = z.object({
  id: PlainText,
  name: NameText,
  created: z.unknown().optional().transform(timestampFromSeconds),
  description: Description,
  context_length: OptionalTokens,
  architecture: lenient(
    z.object({
      input_modalities: lenientList(PlainText),
      output_modalities: lenientList(PlainText),
      tokenizer: OptionalText,
    }),
  ),
  pricing: lenient(JsonObject),
  top_provider: lenient(
    z.object({
      context_length: OptionalTokens,
      max_completion_tokens: OptionalTokens,
      is_moderated: lenient(z.boolean()),
    }),
  ),
  supported_parameters: lenientList(PlainText),
  default_parameters: lenient(JsonObject),
  supported_voices: lenientList(PlainText),
  reasoning: lenient(
    z.object({
      mandatory: lenient(z.boolean()),
      default_enabled: lenient(z.boolean()),
      supported_efforts: lenientList(PlainText),
      default_effort: OptionalText,
      supports_max_tokens: lenient(z.boolean()),
    }),
  ),
  knowledge_cutoff: OptionalPastDate,
  expiration_date: OptionalDate,
  canonical_slug: lenient(PlainText),
  hugging_face_id: lenient(PlainText),
  alias_target: lenient(z.object({ slug: PlainText })),
  benchmarks: lenient(
    z.object({
      artificial_analysis: lenient(JsonObject),
      design_arena: lenientList(
        z.object({
          arena: PlainText,
          category: PlainText,
          elo: lenient(z.number()),
          win_rate: lenient(z.number()),
          rank: lenient(z.number()),
        }),
      ),
    }),
  ),
});
type Row = z.infer<typeof Row>;

function readRow(itemId: string, row: Row): SourceRecord {
  const slash = row.id.indexOf('/');
  const creator = slash > 0 ? row.id.slice(0, slash).replace(/^~/, '') : null;
  const { top_provider: serving } = row;
  return {
    source: SOURCE,
    id: itemId,
    type: 'offer',
    naming: {
      creator,
      model: row.id.slice(slash + 1).replace(TERMS, ''),
      canonical: row.canonical_slug,
      provider: PROVIDER.id,
      family: null,
    },
    kind: readKind(row),
    target: row.alias_target?.slug ?? null,
    facts: readFacts(row),
    offer: {
      provider: PROVIDER.id,
      providerModelId: row.id,
      pricing: readOpenRouterPricing(row.pricing ?? {}, isMarkedFree(row.id, row.name)),
      modes: [],
      limits: {
        context: serving?.context_length ?? row.context_length,
        input: null,
        output: serving?.max_completion_tokens ?? null,
      },
      parameters: row.supported_parameters,
      defaultParameters: readDefaults(row.default_parameters),
      voices: row.supported_voices,
      moderated: serving?.is_moderated ?? null,
      apiUrl: null,
      npmPackage: null,
      apiShape: null,
      listedAt: row.created,
      stage: null,
      lifecycle: readEndOfSale(row.expiration_date, row.description),
    },
  };
}

/** Values that parameters have where a request sets none; most are left to the provider. */
function readDefaults(defaults: Row['default_parameters']): Record<string, number> {
  const set = Object.entries(defaults ?? {}).filter(
    ([name, value]) => isPlainText(name) && Number.isFinite(value),
  );
  return Object.fromEntries(set) as Record<string, number>;
}

/** Beside its routers, OpenRouter puts unnamed models of others under its own name; only the routers' tokenizer says so. */
function readKind({ id, alias_target: target, architecture }: Row): SourceRecord['kind'] {
  if (target !== null) return 'rolling';
  const kind = kindOfId(id);
  return kind === 'model' && id.startsWith('openrouter/') && architecture?.tokenizer === 'Router'
    ? 'router'
    : kind;
}

function readFacts(row: Row): ModelFacts {
  const parameters = row.supported_parameters;
  const { reasoning } = row;
  const [creatorName, name] = splitName(row.name);
  const variant = TERMS.exec(row.id)?.[0].slice(1);
  return {
    // An offer's mark such as `(free)` is no part of the model's name.
    ...unknownFacts(variant === undefined ? name : name.replace(new RegExp(` \\(${variant}\\)$`, 'i'), '')),
    creatorName,
    description: row.description,
    inputModalities: row.architecture?.input_modalities ?? null,
    outputModalities: row.architecture?.output_modalities ?? null,
    capabilities:
      parameters.length === 0
        ? {}
        : {
            reasoning: parameters.includes('reasoning'),
            structured_outputs: parameters.includes('structured_outputs'),
            tools: parameters.includes('tools'),
          },
    parameters,
    reasoning: reasoning && {
      mandatory: reasoning.mandatory,
      efforts: reasoning.supported_efforts,
      enabledByDefault: reasoning.default_enabled,
      defaultEffort: reasoning.default_effort,
      interleavedField: null,
      budgetTokens: reasoning.supports_max_tokens === true ? { min: null, max: null } : null,
    },
    limits: {
      context: row.context_length,
      input: null,
      output: row.top_provider?.max_completion_tokens ?? null,
    },
    tokenizer: row.architecture?.tokenizer ?? null,
    links: row.hugging_face_id
      ? linkTo(`https://huggingface.co/${row.hugging_face_id}`, 'Hugging Face', 'weights')
      : [],
    knowledgeCutoff: row.knowledge_cutoff,
    // The end of its own models is theirs, that of others' is only the end of their sale here.
    lifecycle: row.id.startsWith(`${PROVIDER.id}/`)
      ? readEndOfSale(row.expiration_date, row.description)
      : readDeprecation(row.description),
    benchmarks: readBenchmarks(row.benchmarks),
  };
}

/** `OpenAI: GPT-4o` is the creator's name and the model's. */
function splitName(name: string): [creatorName: string | null, name: string] {
  const colon = name.indexOf(': ');
  return colon > 0 && colon + 2 < name.length ? [name.slice(0, colon), name.slice(colon + 2)] : [null, name];
}

const INDICES = ['intelligence', 'coding', 'agentic'];
const DESIGN_ARENA_VALUES = [
  ['elo', 'design_arena_elo', 'elo'],
  ['win_rate', 'design_arena_win_rate', 'percent'],
  ['rank', 'design_arena_rank', 'rank'],
] as const;
const DESIGN_ARENA = { name: 'Design Arena', url: 'https://www.designarena.ai' };

function readBenchmarks(benches: Row['benchmarks']): Benchmark[] {
  const bare = { unit: null, indexVersion: null, effort: null, variant: null, date: null, source: SOURCE };
  const benchmarks: Benchmark[] = [];
  for (const index of INDICES) {
    const value = benches?.artificial_analysis?.[`${index}_index`];
    if (typeof value !== 'number' || !Number.isFinite(value)) continue;
    const name = `artificial_analysis_${index}_index`;
    benchmarks.push({ ...bare, name, value, attribution: ARTIFICIAL_ANALYSIS });
  }
  for (const { arena, category, ...said } of benches?.design_arena ?? []) {
    const measured = { ...bare, variant: `${arena}/${category}`, attribution: DESIGN_ARENA };
    for (const [key, name, unit] of DESIGN_ARENA_VALUES) {
      const value = said[key];
      if (value !== null) benchmarks.push({ ...measured, name, value, unit });
    }
  }
  return benchmarks;
}
