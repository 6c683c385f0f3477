/** One reviewed row: what it decides, why, and a pair of names that are one model only because of it. */
export interface Reviewed {
  reason: string;
  /** Two ids, each `provider/model id` or a repository, that this row brings together; the second is named plainly. */
  example: [string, string];
}

/** Where thinking is switched on for the same weights, so that a name with the word is the model without it. */
export interface Switchable extends Reviewed {
  creator: string;
  /** Words of which the name must have one; null: any name. */
  words: RegExp | null;
  /** First version that has the switch; null: all have it. */
  since: number | null;
}

const switchable = (
  creator: string,
  words: RegExp | null,
  since: number | null,
  reason: string,
  ...example: [string, string]
): Switchable => ({ creator, words, since, reason, example });

/** Models that think or not as a request says. */
export const SWITCHABLE: Switchable[] = [
  switchable(
    'anthropic',
    null,
    null,
    'extended thinking is a request parameter of every Claude that has it',
    'llmgateway/claude-opus-4-1-thinking',
    'anthropic/claude-opus-4-1',
  ),
  switchable(
    'google',
    /gem/,
    2.5,
    'Gemini 2.5 and later and Gemma 4 take a thinking budget',
    'aihubmix/gemini-3.5-flash-thinking',
    'google/gemini-3.5-flash',
  ),
  switchable(
    'xai',
    null,
    3,
    'xAI names both modes of one model as two ids',
    'azure/grok-4-fast-reasoning',
    'xai/grok-4-fast',
  ),
  switchable(
    'openai',
    /^gpt$/,
    5,
    'ChatGPT calls the reasoning GPT-5 models Thinking; the API serves them under the plain name',
    'vercel/openai/gpt-5.1-thinking',
    'openai/gpt-5.1',
  ),
  switchable('zhipuai', /glm/, 4.5, 'hybrid since GLM-4.5', 'nano-gpt/glm-5.1-thinking', 'zai-org/glm-5.1'),
  switchable(
    'deepseek',
    null,
    3.1,
    'hybrid since V3.1',
    'aihubmix/deepseek-v3.2-thinking',
    'deepseek-ai/deepseek-v3.2',
  ),
  switchable(
    'alibaba',
    null,
    3.5,
    'Qwen3.5 went back to hybrid weights',
    'aihubmix/qwen3.5-397b-a17b-thinking',
    'qwen/qwen3.5-397b-a17b',
  ),
  switchable(
    'moonshotai',
    /^k2\.[5-9]/,
    null,
    'hybrid since Kimi K2.5',
    'nano-gpt/moonshotai/kimi-k2.5-thinking',
    'moonshotai/kimi-k2.5',
  ),
  switchable(
    'nvidia',
    /nemotron/,
    3,
    'Nemotron 3 takes a switch, and some names carry the word',
    'nvidia/nemotron-3-nano-omni-30b-a3b-reasoning',
    'nvidia/nemotron-3-nano-omni-30b-a3b',
  ),
  switchable(
    'xiaomi',
    /mimo/,
    2,
    'hybrid since MiMo-V2',
    'nano-gpt/xiaomi/mimo-v2-flash-thinking',
    'XiaomiMiMo/MiMo-V2-Flash',
  ),
];

/** Whose repositories without a word for their tuning hold base weights, beside others that say instruct. */
export interface UnmarkedBase extends Reviewed {
  creator: string;
  /** Words of which the name must have one; null: any name. */
  words: RegExp | null;
  /** From this version on an unmarked repository is no base any more; null: always base. */
  until: number | null;
}

/** Conventions of makers: here the example is kept apart. */
export const UNMARKED_BASE: UnmarkedBase[] = [
  {
    creator: 'meta',
    words: /llama/,
    until: 4,
    reason: 'Llama 2 and 3 repositories say Instruct or chat where they are tuned',
    example: ['meta-llama/Llama-3.2-1B', 'meta-llama/llama-3.2-1b-instruct'],
  },
  {
    creator: 'google',
    words: /gemma/,
    until: null,
    reason: 'Gemma repositories say it where they are tuned',
    example: ['google/gemma-4-31B', 'google/gemma-4-31b-it'],
  },
  {
    creator: 'alibaba',
    words: null,
    until: 3,
    reason: 'Qwen repositories say Instruct up to 2.5, and Base from 3 on',
    example: ['Qwen/Qwen2.5-7B', 'qwen/qwen2.5-7b-instruct'],
  },
];

/** Names that their owner moves between releases, though nothing in them says so. */
export const ROLLING_NAMES: ({ creator: string; name: RegExp } & Reviewed)[] = [
  {
    creator: 'deepseek',
    name: /^(?:deepseek-)?(?:chat|reasoner)$/,
    reason: 'DeepSeek points both at its newest release',
    example: ['deepseek/deepseek-chat', 'deepseek/deepseek-reasoner'],
  },
  {
    creator: 'ai21',
    name: /^jamba-(?:large|mini)$/,
    reason: 'AI21 points both at its newest release',
    example: ['nano-gpt/jamba-large', 'nano-gpt/jamba-mini'],
  },
];

/** Words of a creator that stand for another. */
export const SYNONYMS: ({ creator: string; word: string; means: string } & Reviewed)[] = [
  {
    creator: 'openai',
    word: 'instant',
    means: 'chat',
    reason: 'ChatGPT shows as GPT-5 Instant what the API serves as chat',
    example: ['poe/openai/gpt-5.3-instant', 'openai/gpt-5.3-chat'],
  },
];

/** Families whose names may carry the model that they were made from: it tells nothing that the rest does not. */
export const BASIS_TOLD: ({ word: RegExp; basis: string } & Reviewed)[] = [
  {
    word: /^(?:nemotron|hermes|deephermes)$/,
    basis: 'llama',
    reason: 'written as Llama 3.3 Nemotron, Llama Nemotron and Nemotron alike',
    example: ['nvidia/Llama-3_3-Nemotron-Super-49B-v1_5', 'nvidia/llama-nemotron-super-49b-v1.5'],
  },
  {
    word: /^(?:euryale|lunaris|hanami|stheno)$/,
    basis: 'llama',
    reason: 'written as L3.3 Euryale in repositories, and shown as Llama 3.3 Euryale',
    example: ['sao10k/llama-3.3-euryale-70b', 'sao10k/euryale-70b'],
  },
];
