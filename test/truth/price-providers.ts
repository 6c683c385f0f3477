/** How a price file names a provider, and what the same seller is called in the catalogue. */
export interface ProviderName {
  /** As the file has it. */
  theirs: string;
  /** Ids in the catalogue: more than one where a seller has several there with the same price list. */
  ours: readonly string[];
  /** What the file writes before the model id, if it is not `theirs`. */
  routes?: readonly string[];
}

const VERTEX = { ours: ['google-vertex'], routes: ['vertex_ai'] } as const;
const AZURE = ['azure', 'azure-cognitive-services'] as const;

/** Providers of LiteLLM's file (`litellm_provider`); those that the catalogue does not have are left out. */
export const LITELLM_PROVIDERS: readonly ProviderName[] = [
  { theirs: 'amazon_nova', ours: ['nova'], routes: ['amazon-nova'] },
  { theirs: 'anthropic', ours: ['anthropic'] },
  { theirs: 'azure', ours: AZURE },
  { theirs: 'azure_ai', ours: AZURE },
  { theirs: 'baseten', ours: ['baseten'] },
  { theirs: 'bedrock', ours: ['amazon-bedrock'] },
  { theirs: 'bedrock_converse', ours: ['amazon-bedrock'] },
  { theirs: 'bedrock_mantle', ours: ['amazon-bedrock'] },
  { theirs: 'cerebras', ours: ['cerebras'] },
  { theirs: 'cloudflare', ours: ['cloudflare-workers-ai'] },
  { theirs: 'cohere', ours: ['cohere'] },
  { theirs: 'cohere_chat', ours: ['cohere'] },
  { theirs: 'dashscope', ours: ['alibaba'] },
  { theirs: 'databricks', ours: ['databricks'] },
  { theirs: 'deepinfra', ours: ['deepinfra'] },
  { theirs: 'deepseek', ours: ['deepseek'] },
  { theirs: 'fireworks_ai', ours: ['fireworks-ai'] },
  { theirs: 'fireworks_ai-embedding-models', ours: ['fireworks-ai'], routes: ['fireworks_ai'] },
  { theirs: 'friendliai', ours: ['friendli'] },
  { theirs: 'gemini', ours: ['google'] },
  { theirs: 'github_copilot', ours: ['github-copilot'] },
  { theirs: 'gmi', ours: ['gmicloud'] },
  { theirs: 'groq', ours: ['groq'] },
  { theirs: 'inception', ours: ['inception'] },
  { theirs: 'meta_llama', ours: ['llama'] },
  { theirs: 'minimax', ours: ['minimax'] },
  { theirs: 'mistral', ours: ['mistral'] },
  { theirs: 'moonshot', ours: ['moonshotai'] },
  { theirs: 'morph', ours: ['morph'] },
  { theirs: 'nebius', ours: ['nebius'] },
  { theirs: 'novita', ours: ['novita-ai'] },
  { theirs: 'nvidia_nim', ours: ['nvidia'] },
  { theirs: 'openai', ours: ['openai'] },
  { theirs: 'openrouter', ours: ['openrouter'] },
  { theirs: 'ovhcloud', ours: ['ovhcloud'] },
  { theirs: 'perplexity', ours: ['perplexity', 'perplexity-agent'] },
  { theirs: 'sarvam', ours: ['sarvam'] },
  { theirs: 'scaleway', ours: ['scaleway'] },
  { theirs: 'snowflake', ours: ['snowflake-cortex'] },
  { theirs: 'text-completion-openai', ours: ['openai'] },
  { theirs: 'together_ai', ours: ['togetherai'] },
  { theirs: 'v0', ours: ['v0'] },
  { theirs: 'vercel_ai_gateway', ours: ['vercel'] },
  { theirs: 'vertex_ai', ...VERTEX },
  {
    theirs: 'vertex_ai-anthropic_models',
    ours: ['google-vertex', 'google-vertex-anthropic'],
    routes: ['vertex_ai'],
  },
  { theirs: 'vertex_ai-deepseek_models', ...VERTEX },
  { theirs: 'vertex_ai-embedding-models', ...VERTEX },
  { theirs: 'vertex_ai-language-models', ...VERTEX },
  { theirs: 'vertex_ai-llama_models', ...VERTEX },
  { theirs: 'vertex_ai-minimax_models', ...VERTEX },
  { theirs: 'vertex_ai-mistral_models', ...VERTEX },
  { theirs: 'vertex_ai-moonshot_models', ...VERTEX },
  { theirs: 'vertex_ai-openai_models', ...VERTEX },
  { theirs: 'vertex_ai-qwen_models', ...VERTEX },
  { theirs: 'vertex_ai-zai_models', ...VERTEX },
  { theirs: 'wandb', ours: ['wandb'] },
  { theirs: 'xai', ours: ['xai'] },
  { theirs: 'zai', ours: ['zai'] },
];

/** Providers of genai-prices; those that the catalogue does not have are left out. */
export const GENAI_PROVIDERS: readonly ProviderName[] = [
  { theirs: 'anthropic', ours: ['anthropic'] },
  { theirs: 'aws', ours: ['amazon-bedrock'] },
  { theirs: 'azure', ours: AZURE },
  { theirs: 'cerebras', ours: ['cerebras'] },
  { theirs: 'cohere', ours: ['cohere'] },
  { theirs: 'deepseek', ours: ['deepseek'] },
  { theirs: 'fireworks', ours: ['fireworks-ai'] },
  { theirs: 'google', ours: ['google', 'google-vertex', 'google-vertex-anthropic'] },
  { theirs: 'groq', ours: ['groq'] },
  { theirs: 'minimax', ours: ['minimax'] },
  { theirs: 'mistral', ours: ['mistral'] },
  { theirs: 'moonshotai', ours: ['moonshotai'] },
  { theirs: 'novita', ours: ['novita-ai'] },
  { theirs: 'openai', ours: ['openai'] },
  { theirs: 'openrouter', ours: ['openrouter'] },
  { theirs: 'ovhcloud', ours: ['ovhcloud'] },
  { theirs: 'perplexity', ours: ['perplexity'] },
  { theirs: 'together', ours: ['togetherai'] },
  { theirs: 'x-ai', ours: ['xai'] },
  { theirs: 'zhipuai', ours: ['zhipuai'] },
];
