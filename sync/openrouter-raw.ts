import { DEPRECATION } from './openrouter-lifecycle.ts';
import type { RawPlaces } from './raw.ts';

const PER_TOKEN = 'USD per token';
const TOKENS = 'tokens';

/** Where OpenRouter has what it says. */
export const OPENROUTER_OFFER: RawPlaces = {
  inside: null,
  fields: {
    target: 'alias_target.slug',
    name: 'name',
    creatorName: 'name',
    description: 'description',
    'modalities.input': 'architecture.input_modalities',
    'modalities.output': 'architecture.output_modalities',
    'capabilities.reasoning': 'supported_parameters',
    'capabilities.structured_outputs': 'supported_parameters',
    'capabilities.tools': 'supported_parameters',
    parameters: 'supported_parameters',
    'reasoning.mandatory': 'reasoning.mandatory',
    'reasoning.efforts': 'reasoning.supported_efforts',
    'reasoning.enabledByDefault': 'reasoning.default_enabled',
    'reasoning.defaultEffort': 'reasoning.default_effort',
    'reasoning.budgetTokens': 'reasoning.supports_max_tokens',
    'limits.context': { path: 'context_length', unit: TOKENS },
    'limits.output': { path: 'top_provider.max_completion_tokens', unit: TOKENS },
    'pricing.status': 'pricing',
    'pricing.input': { path: 'pricing.prompt', unit: PER_TOKEN },
    'pricing.output': { path: 'pricing.completion', unit: PER_TOKEN },
    'pricing.reasoning': { path: 'pricing.internal_reasoning', unit: PER_TOKEN },
    'pricing.cacheRead': { path: 'pricing.input_cache_read', unit: PER_TOKEN },
    'pricing.cacheWrite': { path: 'pricing.input_cache_write', unit: PER_TOKEN },
    'pricing.cacheWrite1h': { path: 'pricing.input_cache_write_1h', unit: PER_TOKEN },
    'pricing.audioInput': { path: 'pricing.audio', unit: PER_TOKEN },
    'pricing.audioOutput': { path: 'pricing.audio_output', unit: PER_TOKEN },
    'pricing.audioCacheRead': { path: 'pricing.input_audio_cache', unit: PER_TOKEN },
    'pricing.imageInput': { path: 'pricing.image_token', or: 'pricing.image', unit: PER_TOKEN },
    'pricing.imageOutput': { path: 'pricing.image_output', unit: PER_TOKEN },
    'pricing.perImage': { path: 'pricing.image', unit: 'USD per image' },
    'pricing.perRequest': { path: 'pricing.request', unit: 'USD per request' },
    'pricing.perSearch': { path: 'pricing.web_search', unit: 'USD per search' },
    'pricing.discount': { path: 'pricing.discount', unit: 'share, 0 to 1' },
    'pricing.tiers': { path: 'pricing.overrides', unit: PER_TOKEN },
    tokenizer: 'architecture.tokenizer',
    links: 'hugging_face_id',
    knowledgeCutoff: 'knowledge_cutoff',
    'lifecycle.status': [{ path: 'expiration_date' }, { path: 'description', only: DEPRECATION }],
    'lifecycle.date': 'expiration_date',
    'lifecycle.successor': { path: 'description', only: DEPRECATION },
    benchmarks: 'benchmarks',
  },
};
