import { artificialAnalysisRows, huggingFaceItems } from './fixtures-measured.ts';
import type { UpstreamContent } from './upstream.ts';

const text = { input: ['text'], output: ['text'] };
const textAndImage = { input: ['text', 'image'], output: ['text'] };

const gpt5Mini = {
  id: 'gpt-5-mini',
  name: 'GPT-5 Mini',
  family: 'gpt-mini',
  attachment: true,
  reasoning: true,
  reasoning_options: [{ type: 'effort', values: ['minimal', 'low', 'medium', 'high'] }],
  tool_call: true,
  structured_output: true,
  temperature: false,
  knowledge: '2024-05-30',
  release_date: '2025-08-07',
  last_updated: '2025-08-07',
  modalities: textAndImage,
  open_weights: false,
  limit: { context: 400_000, input: 272_000, output: 128_000 },
};

const sonnet45 = {
  id: 'claude-sonnet-4-5',
  name: 'Claude Sonnet 4.5',
  family: 'claude-sonnet',
  attachment: true,
  reasoning: true,
  reasoning_options: [{ type: 'budget_tokens', min: 1024 }],
  tool_call: true,
  temperature: true,
  knowledge: '2025-07-31',
  release_date: '2025-09-29',
  last_updated: '2025-09-29',
  modalities: { input: ['text', 'image', 'pdf'], output: ['text'] },
  open_weights: false,
  limit: { context: 200_000, output: 64_000 },
};

const llama33 = {
  id: 'llama-3.3-70b-versatile',
  name: 'Llama 3.3 70B',
  family: 'llama',
  attachment: false,
  reasoning: false,
  tool_call: true,
  temperature: true,
  knowledge: '2023-12',
  release_date: '2024-12-06',
  last_updated: '2024-12-06',
  modalities: text,
  open_weights: true,
  limit: { context: 131_072, output: 32_768 },
};

const gptOss120b = {
  id: 'openai/gpt-oss-120b',
  name: 'GPT OSS 120B',
  family: 'gpt-oss',
  attachment: false,
  reasoning: true,
  tool_call: true,
  structured_output: true,
  temperature: true,
  release_date: '2025-08-05',
  last_updated: '2025-08-05',
  modalities: text,
  open_weights: true,
  limit: { context: 131_072, output: 65_536 },
};

const modelsDevApi = {
  openai: {
    id: 'openai',
    env: ['OPENAI_API_KEY'],
    npm: '@ai-sdk/openai',
    name: 'OpenAI',
    doc: 'https://platform.openai.com/docs/models',
    models: {
      'gpt-5-mini': { ...gpt5Mini, cost: { input: 0.25, output: 2, cache_read: 0.025 } },
      'gpt-5.4': {
        ...gpt5Mini,
        id: 'gpt-5.4',
        name: 'GPT-5.4',
        family: 'gpt',
        knowledge: '2025-08-31',
        release_date: '2026-03-05',
        last_updated: '2026-03-05',
        modalities: { input: ['text', 'image', 'pdf'], output: ['text'] },
        limit: { context: 1_050_000, input: 922_000, output: 128_000 },
        experimental: {
          modes: {
            fast: {
              cost: { input: 5.5, output: 33, cache_read: 0.55 },
              provider: { body: { service_tier: 'priority' } },
            },
          },
        },
        cost: {
          input: 2.5,
          output: 15,
          cache_read: 0.25,
          tiers: [{ input: 5, output: 22.5, cache_read: 0.5, tier: { type: 'context', size: 272_000 } }],
          context_over_200k: { input: 5, output: 22.5, cache_read: 0.5 },
        },
      },
    },
  },
  anthropic: {
    id: 'anthropic',
    env: ['ANTHROPIC_API_KEY'],
    npm: '@ai-sdk/anthropic',
    name: 'Anthropic',
    doc: 'https://docs.anthropic.com/en/docs/about-claude/models',
    models: {
      'claude-sonnet-4-5': {
        ...sonnet45,
        cost: { input: 3, output: 15, cache_read: 0.3, cache_write: 3.75 },
      },
      'claude-3-opus-20240229': {
        ...sonnet45,
        id: 'claude-3-opus-20240229',
        name: 'Claude Opus 3',
        family: 'claude-opus',
        reasoning: false,
        reasoning_options: [],
        knowledge: '2023-08',
        release_date: '2024-02-29',
        last_updated: '2024-02-29',
        modalities: textAndImage,
        limit: { context: 200_000, output: 4_096 },
        status: 'deprecated',
        cost: { input: 15, output: 75, cache_read: 1.5, cache_write: 18.75 },
      },
    },
  },
  openrouter: {
    id: 'openrouter',
    env: ['OPENROUTER_API_KEY'],
    npm: '@openrouter/ai-sdk-provider',
    api: 'https://openrouter.ai/api/v1',
    name: 'OpenRouter',
    doc: 'https://openrouter.ai/models',
    models: {
      'meta-llama/llama-3.3-70b-instruct': {
        ...llama33,
        id: 'meta-llama/llama-3.3-70b-instruct',
        name: 'Llama-3.3-70B-Instruct',
        limit: { context: 131_072, output: 16_384 },
        cost: { input: 0.1, output: 0.32 },
      },
      'anthropic/claude-sonnet-4.5': {
        ...sonnet45,
        id: 'anthropic/claude-sonnet-4.5',
        limit: { context: 1_000_000, output: 64_000 },
        cost: { input: 3, output: 15, cache_read: 0.3, cache_write: 3.75 },
      },
      'openai/gpt-oss-120b:free': {
        ...gptOss120b,
        id: 'openai/gpt-oss-120b:free',
        name: 'GPT OSS 120B (free)',
        cost: { input: 0, output: 0 },
      },
    },
  },
  azure: {
    id: 'azure',
    env: ['AZURE_RESOURCE_NAME', 'AZURE_API_KEY'],
    npm: '@ai-sdk/azure',
    name: 'Azure',
    doc: 'https://learn.microsoft.com/azure/ai-foundry/foundry-models',
    models: {
      'gpt-5-mini': { ...gpt5Mini, cost: { input: 0.25, output: 2, cache_read: 0.03 } },
      // Without a price.
      'phi-4-mini': {
        ...llama33,
        id: 'phi-4-mini',
        name: 'Phi-4-mini',
        family: 'phi',
        release_date: '2024-12',
        last_updated: '2024-12',
        limit: { context: 128_000, output: 4_096 },
      },
    },
  },
  groq: {
    id: 'groq',
    env: ['GROQ_API_KEY'],
    npm: '@ai-sdk/groq',
    name: 'Groq',
    doc: 'https://console.groq.com/docs/models',
    models: {
      'llama-3.3-70b-versatile': { ...llama33, cost: { input: 0.59, output: 0.79 } },
      'openai/gpt-oss-120b': {
        ...gptOss120b,
        interleaved: { field: 'reasoning_content' },
        cost: { input: 0.15, output: 0.6, cache_read: 0.075 },
      },
      // Priced at 0 and with a context of 0, as what is not sold by the token is.
      'whisper-large-v3': {
        ...llama33,
        id: 'whisper-large-v3',
        name: 'Whisper Large V3',
        family: 'whisper',
        tool_call: false,
        modalities: { input: ['audio'], output: ['text'] },
        limit: { context: 0, output: 0 },
        cost: { input: 0, output: 0 },
      },
    },
  },
};

const modelsDevModels = {
  'openai/gpt-5-mini': { ...gpt5Mini, id: 'openai/gpt-5-mini' },
  'anthropic/claude-sonnet-4-5': {
    ...sonnet45,
    id: 'anthropic/claude-sonnet-4-5',
    benchmarks: [
      {
        name: 'SWE-Bench Verified',
        score: 76.4,
        metric: 'percent resolved',
        source: 'https://www.anthropic.com/news/claude-sonnet-4-5',
      },
      {
        name: 'Terminal-Bench',
        score: 41.5,
        metric: 'pass@1',
        harness: 'Claude Code',
        variant: 'high',
        version: '2.1',
        dataset: 'public',
        source: 'https://www.tbench.ai/leaderboard',
        date: '2026-05-04',
      },
    ],
  },
  'meta/llama-3.3-70b-instruct': {
    ...llama33,
    id: 'meta/llama-3.3-70b-instruct',
    name: 'Llama-3.3-70B-Instruct',
    limit: { context: 128_000, output: 4_096 },
    weights: [{ label: 'Hugging Face', url: 'https://huggingface.co/meta-llama/Llama-3.3-70B-Instruct' }],
  },
  'openai/gpt-oss-120b': {
    ...gptOss120b,
    license: 'Apache-2.0',
    links: [
      { label: 'Model card', url: 'https://huggingface.co/openai/gpt-oss-120b', type: 'model_card' },
      { label: 'Announcement', url: 'https://openai.com/index/introducing-gpt-oss/', type: 'announcement' },
    ],
    weights: [{ label: 'Hugging Face', url: 'https://huggingface.co/openai/gpt-oss-120b' }],
    benchmarks: [
      {
        name: 'Aider Polyglot',
        score: 44.8,
        metric: 'percent correct',
        source: 'https://aider.chat/docs/leaderboards/',
        date: '2025-08-21',
      },
    ],
  },
};

const defaultParameters = {
  temperature: null,
  top_p: null,
  top_k: null,
  frequency_penalty: null,
  presence_penalty: null,
  repetition_penalty: null,
};

/** An OpenRouter entry with what most of them have. */
function routed(id: string, name: string, entry: object): object {
  return {
    id,
    canonical_slug: id.replace(/:.*/, ''),
    hugging_face_id: null,
    name,
    created: 1_754_500_000,
    description: `${name}, as this test catalogue describes it.`,
    context_length: 131_072,
    architecture: {
      modality: 'text->text',
      input_modalities: ['text'],
      output_modalities: ['text'],
      tokenizer: 'Other',
      instruct_type: null,
    },
    top_provider: { context_length: 131_072, max_completion_tokens: 32_768, is_moderated: false },
    per_request_limits: null,
    supported_parameters: ['max_tokens', 'temperature', 'tool_choice', 'tools', 'top_p'],
    default_parameters: defaultParameters,
    supported_voices: null,
    knowledge_cutoff: null,
    expiration_date: null,
    links: { details: `/api/v1/models/${id}/endpoints` },
    ...entry,
  };
}

const claudeArchitecture = {
  modality: 'text+image+file->text',
  input_modalities: ['text', 'image', 'file'],
  output_modalities: ['text'],
  tokenizer: 'Claude',
  instruct_type: null,
};

const openrouter = [
  routed('openai/gpt-5-mini', 'OpenAI: GPT-5 Mini', {
    canonical_slug: 'openai/gpt-5-mini-2025-08-07',
    hugging_face_id: '',
    context_length: 400_000,
    pricing: {
      prompt: '0.00000025',
      completion: '0.000002',
      web_search: '0.01',
      input_cache_read: '0.000000025',
    },
    top_provider: { context_length: 400_000, max_completion_tokens: 128_000, is_moderated: true },
    supported_parameters: ['include_reasoning', 'max_tokens', 'reasoning', 'structured_outputs', 'tools'],
    knowledge_cutoff: '2024-05-31',
    reasoning: {
      mandatory: true,
      supported_efforts: ['high', 'medium', 'low', 'minimal'],
      default_effort: 'medium',
    },
  }),
  routed('openai/gpt-5.4', 'OpenAI: GPT-5.4', {
    canonical_slug: 'openai/gpt-5.4-20260305',
    context_length: 1_050_000,
    pricing: {
      prompt: '0.0000025',
      completion: '0.000015',
      input_cache_read: '0.00000025',
      overrides: [
        {
          min_prompt_tokens: 272_000,
          prompt: '0.000005',
          completion: '0.0000225',
          input_cache_read: '0.0000005',
        },
      ],
    },
    top_provider: { context_length: 1_050_000, max_completion_tokens: 128_000, is_moderated: true },
    benchmarks: {
      artificial_analysis: { intelligence_index: 51.3, coding_index: 55.2, agentic_index: 47.9 },
      design_arena: [],
    },
  }),
  routed('anthropic/claude-sonnet-4.5', 'Anthropic: Claude Sonnet 4.5', {
    canonical_slug: 'anthropic/claude-4.5-sonnet-20250929',
    hugging_face_id: '',
    context_length: 1_000_000,
    architecture: claudeArchitecture,
    pricing: {
      prompt: '0.000003',
      completion: '0.000015',
      web_search: '0.01',
      input_cache_read: '0.0000003',
      input_cache_write: '0.00000375',
      input_cache_write_1h: '0.000006',
    },
    top_provider: { context_length: 1_000_000, max_completion_tokens: 64_000, is_moderated: true },
    benchmarks: {
      artificial_analysis: { intelligence_index: 37.1, coding_index: 40.2, agentic_index: null },
      design_arena: [
        { arena: 'models', category: 'website', elo: 1268, win_rate: 58.3, rank: 17 },
        { arena: 'models', category: 'gamedev', elo: 1254, win_rate: 56.1, rank: 21 },
      ],
    },
    reasoning: { mandatory: false, default_enabled: false, supports_max_tokens: true },
  }),
  routed('~anthropic/claude-sonnet-latest', 'Anthropic Claude Sonnet Latest', {
    alias_target: { name: 'Anthropic: Claude Sonnet 4.5', slug: 'anthropic/claude-sonnet-4.5' },
    context_length: 1_000_000,
    architecture: { ...claudeArchitecture, tokenizer: 'Router' },
    pricing: { prompt: '0.000003', completion: '0.000015', input_cache_read: '0.0000003' },
  }),
  routed('meta-llama/llama-3.3-70b-instruct', 'Meta: Llama 3.3 70B Instruct', {
    hugging_face_id: 'meta-llama/Llama-3.3-70B-Instruct',
    created: 1_733_500_000,
    pricing: { prompt: '0.0000001', completion: '0.00000032' },
    knowledge_cutoff: '2023-12-31',
  }),
  routed('openai/gpt-oss-120b:free', 'OpenAI: gpt-oss-120b (free)', {
    hugging_face_id: 'openai/gpt-oss-120b',
    pricing: { prompt: '0', completion: '0' },
  }),
  routed('deepseek/deepseek-v3.2', 'DeepSeek: DeepSeek V3.2', {
    canonical_slug: 'deepseek/deepseek-v3.2-20251201',
    hugging_face_id: 'deepseek-ai/DeepSeek-V3.2',
    created: 1_764_590_000,
    pricing: {
      prompt: '0.00000028',
      completion: '0.00000042',
      input_cache_read: '0.000000028',
      discount: 0,
      // Clock numbers: from 16:30 until 00:30 of the next day.
      overrides: [{ utc_start: 1630, utc_end: 30, prompt: '0.00000014', completion: '0.00000021' }],
    },
    expiration_date: '2098-12-31',
  }),
  routed('openrouter/auto', 'Auto Router', {
    created: 1_699_401_600,
    context_length: 2_000_000,
    architecture: { ...claudeArchitecture, tokenizer: 'Router' },
    pricing: { prompt: '-1', completion: '-1' },
    top_provider: { context_length: null, max_completion_tokens: null, is_moderated: false },
  }),
];

/** A small catalogue in the recorded shapes, anew at every call; its values are invented. */
export function fixtureContent(): UpstreamContent {
  return structuredClone({
    modelsDevApi,
    modelsDevModels,
    openrouter,
    huggingface: huggingFaceItems,
    artificialAnalysis: artificialAnalysisRows,
    artificialAnalysisRetired: null,
    indexVersion: '4.1',
    pageSize: { openrouter: null, artificialAnalysis: 200 },
  });
}
