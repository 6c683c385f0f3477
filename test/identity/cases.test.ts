import { describe, expect, test } from 'vitest';
import { groupRecords } from '../../sync/identity.ts';
import type { SourceRecord } from '../../sync/record.ts';
import { described, measured, repository, routed, sold } from './builders.ts';

/** The ids of entries, model by model. */
const models = (...records: SourceRecord[]) =>
  groupRecords(records).map(({ records: own }) => own.map(({ id }) => id).toSorted());
const idsOf = (...records: SourceRecord[]) => groupRecords(records).map(({ id }) => id);

describe('one model', () => {
  test.each<[string, SourceRecord[]]>([
    [
      'word order: Claude 4.5 Sonnet, Llama 3.3 Instruct 70B',
      [
        described('anthropic/claude-sonnet-4-5'),
        measured('anthropic', 'Claude 4.5 Sonnet (Non-reasoning)', 'claude-4-5-sonnet'),
      ],
    ],
    [
      'word order of sizes and tuning',
      [
        repository('meta-llama/Llama-3.3-70B-Instruct'),
        measured('meta', 'Llama 3.3 Instruct 70B', 'llama-3-3-instruct-70b'),
      ],
    ],
    [
      'effort rows, the bare slug being high',
      [
        described('openai/gpt-5'),
        measured('openai', 'GPT-5 (high)', 'gpt-5'),
        measured('openai', 'GPT-5 (low)', 'gpt-5-low'),
        measured('openai', 'GPT-5 (minimal)', 'gpt-5-minimal'),
      ],
    ],
    [
      'effort rows, the bare slug being non-reasoning',
      [
        described('google/gemini-2.5-flash'),
        measured('google', 'Gemini 2.5 Flash (Non-reasoning)', 'gemini-2-5-flash'),
        measured('google', 'Gemini 2.5 Flash (Reasoning)', 'gemini-2-5-flash-reasoning'),
      ],
    ],
    [
      'effort and fallback said together',
      [
        described('anthropic/claude-fable-5'),
        measured(
          'anthropic',
          'Claude Fable 5 (Adaptive Reasoning, Max Effort, Opus 4.8 Fallback)',
          'claude-fable-5',
        ),
      ],
    ],
    [
      'the date of the launch beside that of the snapshot',
      [
        routed('anthropic/claude-opus-4', { canonical: 'anthropic/claude-4-opus-20250522' }),
        sold('anthropic/claude-opus-4-20250514', 'Claude Opus 4', '2025-05-22'),
        measured('anthropic', 'Claude 4 Opus (Reasoning)', 'claude-4-opus-thinking', '2025-05-22'),
      ],
    ],
    [
      'a version beside a year and month, told by the maker',
      [
        sold('mistral/mistral-medium-2508', 'Mistral Medium 3.1', '2025-08-12'),
        routed('mistralai/mistral-medium-3.1', { name: 'Mistral Medium 3.1' }),
        measured('mistral', 'Mistral Medium 3.1', 'mistral-medium-3-1', '2025-08-12'),
      ],
    ],
    [
      'a repository with both the version and the date',
      [
        routed('mistralai/mistral-small-2603', {
          name: 'Mistral Small 4',
          weights: 'mistralai/Mistral-Small-4-119B-2603',
        }),
        measured('mistral', 'Mistral Small 4 (Reasoning)', 'mistral-small-4', '2026-03-16'),
        sold('nvidia/mistralai/mistral-small-4-119b-2603'),
      ],
    ],
    [
      'a slug without -preview whose name has it',
      [
        routed('google/gemini-3-flash-preview'),
        measured('google', 'Gemini 3 Flash Preview (Reasoning)', 'gemini-3-flash'),
      ],
    ],
    [
      'sellers who leave -preview out while there is no release',
      [
        sold('google/gemini-3-pro-preview', 'Gemini 3 Pro Preview'),
        sold('opencode/gemini-3-pro', 'Gemini 3 Pro'),
      ],
    ],
    [
      'spellings of providers',
      [
        described('moonshotai/kimi-k2.6'),
        sold('fireworks-ai/accounts/fireworks/models/kimi-k2p6'),
        sold('umans-ai/kimi-k2-6'),
        sold('clarifai/moonshotai/chat-completion/models/Kimi-K2_6'),
      ],
    ],
    [
      'Bedrock: region, vendor, snapshot, revision',
      [
        described('anthropic/claude-sonnet-4-5-20250929'),
        sold('amazon-bedrock/eu.anthropic.claude-sonnet-4-5-20250929-v1:0'),
        sold('google-vertex-anthropic/claude-sonnet-4-5@20250929'),
      ],
    ],
    [
      'precision and serving',
      [
        repository('meta-llama/Llama-3.3-70B-Instruct'),
        sold('groq/llama-3.3-70b-versatile'),
        sold('togetherai/meta-llama/Llama-3.3-70B-Instruct-Turbo'),
        sold('wandb/meta-llama/Llama-3.3-70B-Instruct-FP8'),
        sold('google-vertex/meta/llama-3.3-70b-instruct-maas'),
      ],
    ],
    [
      "the vendor's own precision",
      [
        routed('nvidia/nemotron-3-nano-30b-a3b', { weights: 'nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16' }),
        repository('nvidia/NVIDIA-Nemotron-3-Nano-30B-A3B-BF16'),
        sold('amazon-bedrock/nvidia.nemotron-nano-3-30b'),
      ],
    ],
    [
      'spellings of vendors',
      [
        routed('z-ai/glm-4.7'),
        described('zhipuai/glm-4.7'),
        repository('zai-org/GLM-4.7'),
        sold('cerebras/zai-glm-4.7'),
        sold('amazon-bedrock/zai.glm-4.7'),
      ],
    ],
    [
      'one released snapshot, with and without its date',
      [
        sold('openai/gpt-4o-mini', 'GPT-4o mini', '2024-07-18'),
        routed('openai/gpt-4o-mini-2024-07-18'),
        measured('openai', 'GPT-4o mini', 'gpt-4o-mini', '2024-07-18'),
      ],
    ],
    [
      'a link where names say little',
      [
        routed('qwen/qwen3-coder', { weights: 'Qwen/Qwen3-Coder-480B-A35B-Instruct' }),
        repository('Qwen/Qwen3-Coder-480B-A35B-Instruct'),
        repository('Qwen/Qwen3-Coder-30B-A3B-Instruct'),
      ].slice(0, 2),
    ],
    [
      'an id that has lost the dot of its version',
      [described('openai/gpt-5.2'), sold('venice/openai-gpt-52', 'GPT-5.2')],
    ],
    [
      'one offer that two sources state',
      [routed('nobody-knows/x1'), sold('openrouter/nobody-knows/x1', 'X One')],
    ],
  ])('%s', (_what, records) => {
    expect(models(...records)).toEqual([records.map(({ id }) => id).toSorted()]);
  });
});

describe('two models', () => {
  test.each<[string, SourceRecord, SourceRecord, SourceRecord[]?]>([
    [
      'of one name, the row being of another snapshot',
      measured('openai', "GPT-4o (Nov '24)", 'gpt-4o', '2024-11-20'),
      routed('openai/gpt-4o'),
      [sold('openai/gpt-4o-2024-11-20'), sold('openai/gpt-4o-2024-08-06')],
    ],
    [
      'of one slug, the row being of the later release',
      measured('deepseek', "DeepSeek R1 0528 (May '25)", 'deepseek-r1', '2025-05-28'),
      routed('deepseek/deepseek-r1', { weights: 'deepseek-ai/DeepSeek-R1' }),
      [repository('deepseek-ai/DeepSeek-R1'), repository('deepseek-ai/DeepSeek-R1-0528')],
    ],
    [
      'a name that moves, and a release',
      sold('deepseek/deepseek-chat', 'DeepSeek Chat'),
      repository('deepseek-ai/DeepSeek-V3.2'),
    ],
    ['latest, and a release', sold('mistral/ministral-3b-latest'), sold('mistral/ministral-3b-2410')],
    [
      "OpenRouter's moving name, and the maker's",
      routed('~google/gemini-flash-latest'),
      sold('google/gemini-flash-latest'),
    ],
    [
      'a preview and the release',
      routed('qwen/qwen3-max'),
      measured('alibaba', 'Qwen3 Max (Preview)', 'qwen3-max-preview'),
    ],
    [
      'a preview without a date, and a sold release',
      routed('google/gemini-3.1-flash-lite'),
      measured('google', 'Gemini 3.1 Flash-Lite Preview', 'gemini-3-1-flash-lite-preview', '2026-03-03'),
    ],
    [
      'base weights and tuned ones',
      repository('meta-llama/Llama-3.2-1B'),
      repository('meta-llama/Llama-3.2-1B-Instruct'),
    ],
    ['base weights and what is served', repository('google/gemma-4-31B'), routed('google/gemma-4-31b-it')],
    [
      'thinking weights and instruct ones',
      repository('Qwen/Qwen3-VL-32B-Thinking'),
      repository('Qwen/Qwen3-VL-32B-Instruct'),
    ],
    [
      'a mode that is weights of its own',
      measured('alibaba', 'Qwen3 235B A22B 2507 (Reasoning)', 'qwen3-235b-a22b-instruct-2507-reasoning'),
      repository('Qwen/Qwen3-235B-A22B-Instruct-2507'),
      [repository('Qwen/Qwen3-235B-A22B-Thinking-2507')],
    ],
    [
      'weights without a date, and the dated ones after them',
      repository('Qwen/Qwen3-235B-A22B'),
      repository('Qwen/Qwen3-235B-A22B-Instruct-2507'),
    ],
    [
      'words in another order, of weights',
      repository('Helsinki-NLP/opus-mt-en-de'),
      repository('Helsinki-NLP/opus-mt-de-en'),
    ],
    ['snapshots of one month', sold('alibaba/qwen-plus-1125'), sold('alibaba/qwen-plus-1127')],
    ['windows', described('alibaba/qwen2.5-7b-instruct'), described('alibaba/qwen2.5-7b-instruct-1m')],
    ['a dimension that could be a day', sold('nano-gpt/acme-embed'), sold('nano-gpt/acme-embed-1024')],
    ['letters beyond ASCII', described('acme/Foo-α'), described('acme/Foo-β')],
    ['sizes', repository('google/gemma-3-4b-it'), repository('google/gemma-3-12b-it')],
    [
      'generations with one number in common',
      sold('vercel/mistral/ministral-3b', 'Ministral 3B', '2024-10-01'),
      routed('mistralai/ministral-3b-2512'),
    ],
    [
      'hybrid and dense',
      repository('ibm-granite/granite-4.0-h-micro'),
      repository('ibm-granite/granite-4.0-micro'),
    ],
    ['a paid sibling', sold('zai/glm-4.7-flashx'), routed('z-ai/glm-4.7-flash')],
    [
      'a fine-tune named after its teacher',
      repository('Jackrong/Qwen3.5-27B-Claude-4.6-Opus-Reasoning-Distilled'),
      described('anthropic/claude-opus-4.6'),
    ],
    [
      'a distillation and what it was made from',
      repository('deepseek-ai/DeepSeek-R1-0528-Qwen3-8B'),
      repository('Qwen/Qwen3-8B'),
    ],
    ['a product and the GPT it is built on', routed('openai/gpt-5.4-image-2'), sold('openai/gpt-5.4')],
    [
      'an older snapshot, and the name that moved on',
      sold('kilo/openai/gpt-4-0314', 'GPT-4 (older v0314)', '2023-05-28'),
      routed('openai/gpt-4'),
    ],
    [
      'a refresh of which only one source knows',
      measured('xai', 'Grok Build 0.1 0616', 'grok-build-0-1-06-16'),
      sold('xai/grok-build-0.1', 'Grok Build 0.1', '2026-05-20'),
    ],
    [
      'an id and a name that disagree',
      sold('databricks/databricks-claude-sonnet-4', 'Claude Sonnet 4.5'),
      described('anthropic/claude-sonnet-4'),
    ],
    ['the copy of an uploader', described('meta/llama-3.3-70b'), repository('somebody/Llama-3.3-70B')],
    [
      'a bare name with words that no maker uses',
      described('meta/llama-3.3-70b'),
      sold('nano-gpt/Llama-3.3-70B-Electra'),
    ],
  ])('%s', (_what, a, b, others = []) => {
    const placed = groupRecords([a, b, ...others]);
    const idOf = (record: SourceRecord) => placed.find(({ records }) => records.includes(record))?.id;
    expect(idOf(a)).not.toBe(idOf(b));
  });
});

describe('links', () => {
  test.each<[string, SourceRecord, SourceRecord]>([
    [
      'of another size',
      routed('google/gemma-3-4b-it', { weights: 'google/gemma-3-12b-it' }),
      repository('google/gemma-3-12b-it'),
    ],
    [
      'to base weights',
      routed('mistralai/mistral-small-3.1-24b-instruct', {
        weights: 'mistralai/Mistral-Small-3.1-24B-Base-2503',
      }),
      repository('mistralai/Mistral-Small-3.1-24B-Base-2503'),
    ],
    [
      'to other weights of another maker',
      routed('aion-labs/aion-1.0-mini', { weights: 'FuseAI/FuseO1-DeepSeekR1-QwQ-SkyT1-32B-Preview' }),
      repository('FuseAI/FuseO1-DeepSeekR1-QwQ-SkyT1-32B-Preview'),
    ],
    [
      'of another date',
      sold('mistral/mistral-large-2407'),
      repository('mistralai/Mistral-Large-Instruct-2411'),
    ],
  ])('are not followed %s', (_what, a, b) => {
    expect(groupRecords([a, b])).toHaveLength(2);
  });

  test('of a dated release to a repository without a date are of the release without one', () => {
    const weights = 'stepfun-ai/Step-3.5-Flash';
    const first = routed('stepfun/step-3.5-flash', { weights });
    const later = routed('stepfun/step-3.5-flash-2603', { weights });
    const groups = groupRecords([first, later, repository(weights)]);
    expect(groups.map(({ records }) => records.map(({ id }) => id))).toEqual([
      [weights, 'stepfun/step-3.5-flash'],
      ['stepfun/step-3.5-flash-2603'],
    ]);
  });
});

describe('names that move', () => {
  const snapshots = [sold('openai/gpt-4o-2024-08-06'), sold('openai/gpt-4o-2024-11-20')];

  test('are entries of their own, whether they say so or stand over several snapshots', () => {
    const groups = groupRecords([routed('openai/gpt-4o'), sold('openai/gpt-latest'), ...snapshots]);
    expect(groups.map(({ id, rolling }) => [id, rolling])).toEqual([
      ['openai/gpt-4o', true],
      ['openai/gpt-4o-2024-08-06', false],
      ['openai/gpt-4o-2024-11-20', false],
      ['openai/gpt-latest', true],
    ]);
  });

  test('are a release where the canonical id of a catalogue pins them to one', () => {
    const pinned = routed('qwen/qwen-plus', { canonical: 'qwen/qwen-plus-2025-01-25' });
    const moving = sold('alibaba/qwen-plus');
    const dated = [sold('alibaba/qwen-plus-2025-07-28'), sold('alibaba/qwen-plus-2025-04-28')];
    expect(idsOf(pinned, moving, ...dated)).toEqual([
      'alibaba/qwen-plus',
      'alibaba/qwen-plus-2025-01-25',
      'alibaba/qwen-plus-2025-04-28',
      'alibaba/qwen-plus-2025-07-28',
    ]);
  });
});

describe('how a record was placed', () => {
  test.each<[string, SourceRecord[], object]>([
    [
      'by an equal name',
      [described('openai/gpt-5.2'), described('openai/gpt-5.2')],
      { kind: 'exact', rule: null },
    ],
    [
      'by a link',
      [
        described('alibaba/qwen3-coder-480b-a35b-instruct'),
        routed('qwen/qwen3-coder', { weights: 'Qwen/Qwen3-Coder-480B-A35B-Instruct' }),
      ],
      { kind: 'link', rule: 'weights-link' },
    ],
    [
      'by a rule',
      [described('zhipuai/glm-5.1'), sold('chutes/zai-org/GLM-5.1-TEE')],
      { kind: 'rule', rule: 'enclave' },
    ],
    [
      'by a reviewed alias',
      [described('deepseek/deepseek-v3.1'), sold('amazon-bedrock/deepseek.v3-v1:0', 'DeepSeek-V3.1')],
      { kind: 'alias', rule: 'alias' },
    ],
  ])('%s', (_what, records, match) => {
    const [group] = groupRecords(records);
    const last = records.at(-1) as SourceRecord;
    expect(group?.matches[group.records.indexOf(last)]).toMatchObject(match);
  });
});
