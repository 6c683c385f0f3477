/** A Hugging Face repository with what most of them have. */
function repository(id: string, number: number, item: object): object {
  return {
    _id: `6500000000000000000000${String(number).padStart(2, '0')}`,
    id,
    likes: 1_200,
    trendingScore: 12,
    private: false,
    gated: false,
    library_name: 'transformers',
    lastModified: '2026-03-02T09:14:55.000Z',
    modelId: id,
    ...item,
  };
}

/** Repositories of the fixture catalogue; lists hold the recorded fields only, `expand` and `full` give the rest. */
export const huggingFaceItems = [
  repository('openai/gpt-oss-120b', 1, {
    downloads: 4_100_500,
    downloadsAllTime: 61_000_000,
    likes: 4_700,
    trendingScore: 31,
    tags: [
      'transformers',
      'safetensors',
      'gpt_oss',
      'text-generation',
      'conversational',
      'license:apache-2.0',
      'region:us',
    ],
    pipeline_tag: 'text-generation',
    createdAt: '2025-08-04T22:33:06.000Z',
    safetensors: { parameters: { BF16: 2_167_371_072, U8: 118_244_966_400 }, total: 120_412_337_472 },
  }),
  repository('meta-llama/Llama-3.3-70B-Instruct', 2, {
    downloads: 960_200,
    downloadsAllTime: 18_400_000,
    likes: 2_690,
    gated: 'manual',
    tags: [
      'transformers',
      'safetensors',
      'llama',
      'text-generation',
      'conversational',
      'en',
      'de',
      'base_model:meta-llama/Llama-3.1-70B',
      'base_model:finetune:meta-llama/Llama-3.1-70B',
      'license:llama3.3',
      'region:us',
    ],
    pipeline_tag: 'text-generation',
    createdAt: '2024-11-26T16:08:47.000Z',
    safetensors: { parameters: { BF16: 70_553_706_496 }, total: 70_553_706_496 },
  }),
  repository('deepseek-ai/DeepSeek-V3.2', 3, {
    downloads: 410_777,
    tags: [
      'transformers',
      'safetensors',
      'deepseek_v32',
      'text-generation',
      'license:mit',
      'fp8',
      'region:us',
    ],
    pipeline_tag: 'text-generation',
    createdAt: '2025-12-01T04:02:11.000Z',
  }),
  repository('openai/whisper-large-v3', 4, {
    downloads: 5_020_100,
    likes: 5_400,
    tags: ['transformers', 'safetensors', 'whisper', 'automatic-speech-recognition', 'license:apache-2.0'],
    pipeline_tag: 'automatic-speech-recognition',
    createdAt: '2023-11-07T18:41:14.000Z',
  }),
  repository('sentence-transformers/all-MiniLM-L6-v2', 5, {
    downloads: 140_000_000,
    tags: ['sentence-transformers', 'safetensors', 'bert', 'sentence-similarity', 'en', 'license:apache-2.0'],
    pipeline_tag: 'sentence-similarity',
    library_name: 'sentence-transformers',
    createdAt: '2022-03-02T23:29:05.000Z',
  }),
  repository('meadow-lab/brook-7b-GGUF', 6, {
    downloads: 311,
    likes: 0,
    trendingScore: 0,
    gated: 'auto',
    tags: ['gguf', 'base_model:meadow-lab/brook-7b', 'base_model:quantized:meadow-lab/brook-7b', 'region:us'],
    pipeline_tag: undefined,
    library_name: undefined,
    createdAt: '2026-01-19T07:50:30.000Z',
  }),
];

const openAi = { id: '00000000-0000-4000-8000-0000000000a1', name: 'OpenAI' };

/** An Artificial Analysis row with what most of them have. */
function measured(number: number, name: string, slug: string, row: object): object {
  return {
    id: `00000000-0000-4000-8000-0000000000${String(number).padStart(2, '0')}`,
    name,
    slug,
    artificial_analysis_intelligence_index_cost: {
      total_cost: 212.4,
      cost_per_task: { total_cost: 0.031 },
    },
    performance: {
      median_output_tokens_per_second: 88.25,
      median_time_to_first_token_seconds: 0.61,
      median_time_to_first_answer_token_seconds: 9.4,
      median_end_to_end_response_time_seconds: 15.1,
    },
    ...row,
  };
}

function indices(intelligence: number, coding: number | null, agentic: number | null): object {
  return {
    artificial_analysis_intelligence_index: intelligence,
    artificial_analysis_coding_index: coding,
    artificial_analysis_agentic_index: agentic,
  };
}

function prices(
  input: number | null,
  output: number | null,
  hit: number | null,
  write: number | null,
): object {
  return {
    price_1m_input_tokens: input,
    price_1m_output_tokens: output,
    price_1m_cache_hit_tokens: hit,
    price_1m_cache_write_tokens: write,
  };
}

/** Rows of Artificial Analysis for the fixture catalogue; two of them are efforts of one model. */
export const artificialAnalysisRows = [
  measured(1, 'GPT-5 mini (high)', 'gpt-5-mini', {
    release_date: '2025-08-07',
    model_creator: openAi,
    evaluations: indices(40.6, 35.3, 38),
    pricing: prices(0.25, 2, 0.025, null),
  }),
  measured(2, 'GPT-5 mini (minimal)', 'gpt-5-mini-minimal', {
    release_date: '2025-08-07',
    model_creator: openAi,
    evaluations: indices(20.9, 21.4, 18.2),
    pricing: prices(0.25, 2, 0.025, null),
  }),
  measured(3, 'Claude 4.5 Sonnet (Reasoning)', 'claude-4-5-sonnet-thinking', {
    release_date: '2025-09-29',
    model_creator: { id: '00000000-0000-4000-8000-0000000000a2', name: 'Anthropic' },
    evaluations: indices(42.7, 38.6, null),
    pricing: prices(3, 15, 0.3, 3.75),
  }),
  measured(4, 'Llama 3.3 Instruct 70B', 'llama-3-3-instruct-70b', {
    release_date: '2024-12-06',
    model_creator: { id: '00000000-0000-4000-8000-0000000000a3', name: 'Meta' },
    evaluations: indices(14.5, 10.7, 8.9),
    pricing: prices(0.58, 0.71, null, null),
  }),
  measured(5, 'DeepSeek V3.2 (Reasoning)', 'deepseek-v3-2-reasoning', {
    release_date: '2025-12',
    model_creator: { id: '00000000-0000-4000-8000-0000000000a4', name: 'DeepSeek' },
    evaluations: indices(41.6, null, null),
    artificial_analysis_intelligence_index_cost: null,
    pricing: prices(null, null, null, null),
    performance: {
      median_output_tokens_per_second: null,
      median_time_to_first_token_seconds: null,
      median_time_to_first_answer_token_seconds: null,
      median_end_to_end_response_time_seconds: null,
    },
  }),
];
