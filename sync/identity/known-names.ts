/** Names that stand for another, known by review. */
export interface Alias {
  /** In lower case: an id, or the name that a source shows; the creator before a slash where it is known. */
  name: string;
  /** Null: whoever uses it. */
  provider: string | null;
  /** What it stands for: `creator/name`. */
  means: string;
  reason: string;
}

/** Names that no rule could read. */
export const ALIASES: Alias[] = [
  {
    name: 'deepseek.v3-v1:0',
    provider: 'amazon-bedrock',
    means: 'deepseek/deepseek-v3.1',
    reason: 'the id reads like V3, version 1; the name and the date of September 2025 are those of V3.1',
  },
  {
    name: 'anthropic/claude-3-5-sonnet-v2',
    provider: null,
    means: 'anthropic/claude-3-5-sonnet-20241022',
    reason: 'AWS and Google called the October 2024 snapshot v2',
  },
  {
    name: 'anthropic/claude-sonnet-3.5-v2',
    provider: null,
    means: 'anthropic/claude-3-5-sonnet-20241022',
    reason: 'AWS and Google called the October 2024 snapshot v2',
  },
  {
    name: 'openai/gpt-5 (chatgpt)',
    provider: null,
    means: 'openai/gpt-5-chat',
    reason: 'Artificial Analysis names the ChatGPT snapshot of GPT-5 so',
  },
  {
    name: 'openai/gpt-4o (chatgpt)',
    provider: null,
    means: 'openai/gpt-4o-chatgpt-2025-02',
    reason: 'Artificial Analysis measured the ChatGPT alias in February 2025: no released snapshot',
  },
  {
    name: 'alibaba/qwen3-max-2026-01-23',
    provider: null,
    means: 'alibaba/qwen3-max-thinking',
    reason: 'Qwen3 Max Thinking is the snapshot of that day',
  },
  {
    name: 'qwen3-vl:235b',
    provider: 'ollama-cloud',
    means: 'alibaba/qwen3-vl-235b-a22b-thinking',
    reason: "Ollama's plain tag is the Thinking weights; it lists the Instruct ones apart",
  },
  {
    name: 'xai/grok-code',
    provider: null,
    means: 'xai/grok-code-fast-1',
    reason: 'the name under which OpenCode gave it away at its launch',
  },
];
