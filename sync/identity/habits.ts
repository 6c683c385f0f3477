import type { Reviewed } from './rules.ts';

/** A prefix of ids that names neither the creator nor another model. */
export interface NoCreator extends Reviewed {
  prefix: string;
}

const noCreator = (prefix: string, reason: string, ...example: [string, string]): NoCreator => ({
  prefix,
  reason,
  example,
});

const SERVES = 'who serves it';
const UPLOADS = 'uploads the weights of others again';

/** Who serves, routes, or uploads the same weights again. */
export const NO_CREATOR: NoCreator[] = [
  noCreator('baseten', SERVES, 'nano-gpt/baseten/Kimi-K2-Instruct-FP4', 'moonshotai/kimi-k2-instruct'),
  noCreator('cerebras', SERVES, 'poe/cerebras/qwen3-32b-cs', 'qwen/qwen3-32b'),
  noCreator(
    'chutesai',
    UPLOADS,
    'nano-gpt/chutesai/Mistral-Small-3.2-24B-Instruct-2506',
    'mistralai/mistral-small-3.2-24b-instruct-2506',
  ),
  noCreator('empiriolabs', SERVES, 'poe/empiriolabs/deepseek-v4-pro-el', 'deepseek-ai/deepseek-v4-pro'),
  noCreator('fireworks-ai', SERVES, 'poe/fireworks-ai/kimi-k2.5-fw', 'moonshotai/kimi-k2.5'),
  noCreator(
    'neuralmagic',
    UPLOADS,
    'stackit/neuralmagic/Mistral-Nemo-Instruct-2407-FP8',
    'mistralai/mistral-nemo-instruct-2407',
  ),
  noCreator('novita', SERVES, 'poe/novita/glm-4.6v', 'zai-org/glm-4.6v'),
  noCreator('pro', 'a tier of SiliconFlow', 'siliconflow-cn/Pro/glm-5.1', 'zai-org/glm-5.1'),
  noCreator(
    'public',
    'the public models of one seller',
    'drun/public/deepseek-r1',
    'deepseek-ai/deepseek-r1',
  ),
  noCreator('route', 'the routes of one seller', 'routing-run/route/kimi-k2.6', 'moonshotai/kimi-k2.6'),
  noCreator('siliconflow', SERVES, 'alibaba-cn/siliconflow/deepseek-v3.2', 'deepseek-ai/deepseek-v3.2'),
  noCreator(
    'tee',
    'served from a trusted execution environment',
    'nano-gpt/TEE/gemma-3-27b-it',
    'google/gemma-3-27b-it',
  ),
  noCreator('unsloth', UPLOADS, 'nano-gpt/unsloth/gemma-3-27b-it', 'google/gemma-3-27b-it'),
];

/** A habit of a creator's names. */
export interface Habit extends Reviewed {
  creator: string;
  /**
   * product-words: these name a product, though they are a tuning elsewhere. family-words: these tell nothing, for there is
   * no other family. effort-suffix: a last word such as `high` is a reasoning effort. below-ten: there has been no version
   * ten, so two digits have lost their dot.
   */
  habit: 'product-words' | 'family-words' | 'effort-suffix' | 'below-ten';
  words: string[];
  /** Whether the example is kept apart by the row, not brought together. */
  apart?: boolean;
}

/** How creators name their models. */
export const HABITS: Habit[] = [
  {
    creator: 'openai',
    habit: 'product-words',
    words: ['chat', 'instruct'],
    reason: 'GPT-5 Chat and GPT-3.5 Turbo Instruct are models beside GPT-5 and GPT-3.5 Turbo',
    example: ['openai/gpt-3.5-turbo-instruct', 'openai/gpt-3.5-turbo'],
    apart: true,
  },
  {
    creator: 'anthropic',
    habit: 'family-words',
    words: ['claude'],
    reason: 'every model of Anthropic is a Claude, and some sellers leave it out',
    example: ['gitlab/duo-chat-sonnet-4-6', 'anthropic/claude-sonnet-4-6'],
  },
  {
    creator: 'bytedance',
    habit: 'family-words',
    words: ['doubao'],
    reason: 'Doubao Seed is called Seed outside of China',
    example: ['llmgateway/seed-1-6-250615', 'bytedance/doubao-seed-1-6-250615'],
  },
  {
    creator: 'stepfun',
    habit: 'family-words',
    words: ['step'],
    reason: 'sellers write StepFun 3.5 Flash for Step 3.5 Flash',
    example: ['routing-run/route/stepfun-3.5-flash', 'stepfun/step-3.5-flash'],
  },
  {
    creator: 'anthropic',
    habit: 'effort-suffix',
    words: [],
    reason: 'efforts are sold as models of their own',
    example: ['nano-gpt/claude-opus-4.6-low', 'anthropic/claude-opus-4-6'],
  },
  {
    creator: 'google',
    habit: 'effort-suffix',
    words: [],
    reason: 'thinking levels are sold as models of their own',
    example: ['302ai/gemini-3.1-pro-preview-high', 'google/gemini-3.1-pro-preview'],
  },
  {
    creator: 'openai',
    habit: 'effort-suffix',
    words: [],
    reason: 'o3-mini-high is o3-mini at high effort',
    example: ['openai/o3-mini-high', 'openai/o3-mini'],
  },
  {
    creator: 'alibaba',
    habit: 'below-ten',
    words: [],
    reason: 'Qwen has not reached version ten',
    example: ['nano-gpt/qwen25-vl-72b-instruct', 'qwen/qwen2.5-vl-72b-instruct'],
  },
  {
    creator: 'anthropic',
    habit: 'below-ten',
    words: [],
    reason: 'Claude has not reached version ten',
    example: ['anthropic/claude-35-sonnet', 'anthropic/claude-3.5-sonnet'],
  },
  {
    creator: 'mistral',
    habit: 'below-ten',
    words: [],
    reason: 'no family of Mistral AI has reached version ten',
    example: ['nano-gpt/mistral-small-31-24b-instruct', 'mistralai/mistral-small-3.1-24b-instruct'],
  },
  {
    creator: 'openai',
    habit: 'below-ten',
    words: [],
    reason: 'GPT has not reached version ten',
    example: ['venice/openai-gpt-52', 'openai/gpt-5.2'],
  },
];
