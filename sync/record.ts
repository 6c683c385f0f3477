import type { Benchmark, Link, Reasoning } from '../contracts/models.ts';
import type { Limits, PriceName, PriceStatus, Stage } from '../contracts/offers.ts';

/** Prices in whole nano-dollars (1e-9 USD), per 1,000,000 tokens or each; null is unknown. */
export type NanoPrices = Record<PriceName, number | null>;

/** A price set that replaces the base prices while its condition holds; null prices leave the base price. */
export interface NanoTier {
  aboveInputTokens: number | null;
  utcDays: string[] | null;
  utcStart: string | null;
  utcEnd: string | null;
  prices: NanoPrices;
}

/** What an offer costs, in nano-dollars. */
export interface NanoPricing {
  status: PriceStatus;
  prices: NanoPrices;
  discount: number | null;
  tiers: NanoTier[];
}

/** What a source says about one provider. */
export interface ProviderFacts {
  id: string;
  name: string;
  docUrl: string | null;
  apiUrl: string | null;
  npmPackage: string | null;
  environment: string[];
}

/** What a source says about the end of a model or an offer. */
export interface EndFacts {
  status: 'deprecated' | 'retiring';
  /** When it takes effect, as precise as the source gives it. */
  date: string | null;
  /** What replaces it, as the source spells it. */
  successor: string | null;
}

/** What a source says about one offer: this model at one provider. */
export interface OfferFacts {
  provider: string;
  providerModelId: string;
  pricing: NanoPricing;
  modes: {
    name: string;
    request: { headers: Record<string, string>; body: Record<string, unknown> };
    pricing: NanoPricing;
  }[];
  limits: Limits;
  parameters: string[];
  defaultParameters: Record<string, number>;
  voices: string[];
  moderated: boolean | null;
  apiUrl: string | null;
  npmPackage: string | null;
  apiShape: string | null;
  listedAt: string | null;
  stage: Stage;
  lifecycle: EndFacts | null;
}

/** The capabilities that are published, in order. */
export const CAPABILITIES = [
  'attachments',
  'interleaved_reasoning',
  'reasoning',
  'structured_outputs',
  'tools',
] as const;
type Capability = (typeof CAPABILITIES)[number];

/** What a source says about a model itself. Null and absent capabilities are unknown. */
export interface ModelFacts {
  /** Display name, without the creator before it. */
  name: string;
  /** Display name of the creator. */
  creatorName: string | null;
  family: string | null;
  description: string | null;
  inputModalities: string[] | null;
  outputModalities: string[] | null;
  capabilities: Partial<Record<Capability, boolean>>;
  parameters: string[];
  reasoning: Reasoning | null;
  limits: Limits;
  openWeights: boolean | null;
  parameterCount: number | null;
  tokenizer: string | null;
  task: string | null;
  baseModels: string[];
  languages: string[];
  library: string | null;
  gated: boolean | null;
  license: string | null;
  links: Link[];
  releaseDate: string | null;
  lastUpdated: string | null;
  knowledgeCutoff: string | null;
  stage: Stage;
  lifecycle: EndFacts | null;
  popularity: { downloads: number | null; downloadsAllTime: number | null; likes: number | null } | null;
  benchmarks: Benchmark[];
}

/** What one source says about one model, in our units. */
export interface SourceRecord {
  source: string;
  /** The source's own id of the item; unique within the source. */
  id: string;
  /** Which kind of entry it is; the merge trusts kinds differently. */
  type: 'metadata' | 'offer' | 'repository' | 'measurement';
  /** How the source names the model: what identity is decided from. */
  naming: {
    /** Creator as the source spells it; null where it does not say. */
    creator: string | null;
    /** The model's name or id as the source spells it, the creator possibly still before it. */
    model: string;
    /** Another id that the source gives it, which may be dated by the launch, or wrong. */
    canonical: string | null;
    /** Who serves it, where the item is about a provider's offer. */
    provider: string | null;
    family: string | null;
  };
  kind: 'model' | 'rolling' | 'router';
  /** Of a rolling name: what the source says it points to, as the source spells it. */
  target: string | null;
  facts: ModelFacts;
  offer: OfferFacts | null;
}

/** Facts about which nothing is known, to be filled in. */
export function unknownFacts(name: string): ModelFacts {
  return {
    name,
    creatorName: null,
    family: null,
    description: null,
    inputModalities: null,
    outputModalities: null,
    capabilities: {},
    parameters: [],
    reasoning: null,
    limits: { context: null, input: null, output: null },
    openWeights: null,
    parameterCount: null,
    tokenizer: null,
    task: null,
    baseModels: [],
    languages: [],
    library: null,
    gated: null,
    license: null,
    links: [],
    releaseDate: null,
    lastUpdated: null,
    knowledgeCutoff: null,
    stage: null,
    lifecycle: null,
    popularity: null,
    benchmarks: [],
  };
}
