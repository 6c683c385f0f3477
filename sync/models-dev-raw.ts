import type { RawPlaces } from './raw.ts';

const PER_MILLION = 'USD per 1M tokens';
const TOKENS = 'tokens';

/** Where models.dev has what it says about a model, at a provider as well as by itself. */
const ABOUT_MODEL: RawPlaces['fields'] = {
  name: 'name',
  family: 'family',
  description: 'description',
  'modalities.input': 'modalities.input',
  'modalities.output': 'modalities.output',
  'capabilities.attachments': 'attachment',
  'capabilities.interleaved_reasoning': 'interleaved',
  'capabilities.reasoning': 'reasoning',
  'capabilities.structured_outputs': 'structured_output',
  'capabilities.tools': 'tool_call',
  parameters: 'temperature',
  'reasoning.mandatory': 'reasoning_options',
  'reasoning.efforts': 'reasoning_options',
  'reasoning.interleavedField': 'interleaved.field',
  'reasoning.budgetTokens': { path: 'reasoning_options', unit: TOKENS },
  'limits.context': { path: 'limit.context', unit: TOKENS },
  'limits.input': { path: 'limit.input', unit: TOKENS },
  'limits.output': { path: 'limit.output', unit: TOKENS },
  openWeights: 'open_weights',
  releaseDate: 'release_date',
  lastUpdated: 'last_updated',
  knowledgeCutoff: 'knowledge',
  stage: 'status',
  'lifecycle.status': 'status',
};

/** Where models.dev has what it says about a model at one provider. */
export const MODELS_DEV_OFFER: RawPlaces = {
  inside: 'model',
  fields: {
    ...ABOUT_MODEL,
    'pricing.status': { path: 'cost', unit: PER_MILLION },
    'pricing.input': { path: 'cost.input', unit: PER_MILLION },
    'pricing.output': { path: 'cost.output', unit: PER_MILLION },
    'pricing.reasoning': { path: 'cost.reasoning', unit: PER_MILLION },
    'pricing.cacheRead': { path: 'cost.cache_read', unit: PER_MILLION },
    'pricing.cacheWrite': { path: 'cost.cache_write', unit: PER_MILLION },
    'pricing.audioInput': { path: 'cost.input_audio', unit: PER_MILLION },
    'pricing.audioOutput': { path: 'cost.output_audio', unit: PER_MILLION },
    'pricing.tiers': { path: 'cost.tiers', or: 'cost.context_over_200k', unit: PER_MILLION },
  },
};

/** Where models.dev has what it says about a model by itself. */
export const MODELS_DEV_METADATA: RawPlaces = {
  inside: null,
  fields: {
    ...ABOUT_MODEL,
    license: 'license',
    links: [{ path: 'links' }, { path: 'weights' }],
    benchmarks: 'benchmarks',
  },
};
