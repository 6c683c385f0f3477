import { z } from 'zod';
import { Attribution, Timestamp } from './common.ts';
import { PRICE_NAMES } from './offers.ts';

/** The fields that are prices. */
export const PRICE_FIELDS = PRICE_NAMES.map((name) => `pricing.${name}` as const);

/** The fields of a model that sources state. The others (ids, kind, providers, sources, times) are made by the catalogue. */
export const STATED_FIELDS = [
  'target',
  'name',
  'creatorName',
  'family',
  'description',
  'modalities.input',
  'modalities.output',
  'capabilities.attachments',
  'capabilities.interleaved_reasoning',
  'capabilities.reasoning',
  'capabilities.structured_outputs',
  'capabilities.tools',
  'parameters',
  'reasoning.mandatory',
  'reasoning.efforts',
  'reasoning.enabledByDefault',
  'reasoning.defaultEffort',
  'reasoning.interleavedField',
  'reasoning.budgetTokens',
  'limits.context',
  'limits.input',
  'limits.output',
  'pricing.status',
  'pricing.provider',
  ...PRICE_FIELDS,
  'pricing.discount',
  'pricing.tiers',
  'openWeights',
  'parameterCount',
  'tokenizer',
  'task',
  'baseModels',
  'languages',
  'library',
  'gated',
  'license',
  'links',
  'releaseDate',
  'lastUpdated',
  'knowledgeCutoff',
  'stage',
  'lifecycle.status',
  'lifecycle.date',
  'lifecycle.successor',
  'popularity.downloads',
  'popularity.downloadsAllTime',
  'popularity.likes',
  'benchmarks',
] as const;
export type StatedField = (typeof STATED_FIELDS)[number];

/** How near to the fact an upstream entry is. */
export const Trust = z
  .enum(['metadata', 'own', 'openrouter', 'host', 'repository', 'measurement'])
  .describe(
    "metadata: curated facts about the model itself. own: the creator's own offer. openrouter: OpenRouter's catalogue. " +
      'host: an offer of another provider. repository: the published weights. measurement: who measured it.',
  )
  .meta({ id: 'Trust' });
export type Trust = z.infer<typeof Trust>;

/** A value as the source gave it. */
export const RawValue = z
  .object({
    path: z.string().describe("Where it stands in the source's entry").meta({ example: 'pricing.prompt' }),
    value: z.unknown().describe('As it stands there, unchanged').meta({ example: '0.00000015' }),
    unit: z.string().nullable().describe('Its unit; null: it has none').meta({ example: 'USD per token' }),
  })
  .meta({ id: 'RawValue' });
export type RawValue = z.infer<typeof RawValue>;

/** What one upstream entry says about one field. */
export const Statement = z
  .object({
    source: z.string().meta({ example: 'openrouter' }),
    id: z.string().describe("The source's own id of the entry").meta({ example: 'openai/gpt-4o-mini' }),
    trust: Trust,
    attribution: Attribution.nullable().describe(
      'Whom to credit when showing the value; scores name theirs themselves',
    ),
    value: z.unknown().describe('What it says, in the units of this catalogue').meta({ example: 0.15 }),
    raw: z
      .array(RawValue)
      .describe('What that was read from; empty where it follows from the entry being there'),
    observedAt: Timestamp.describe(
      'When the entry was last seen to change, in whatever part of it, along with anything published of its model; ' +
        '`records[].updatedAt` is the same',
    ),
    chosen: z
      .boolean()
      .describe(
        'Whether the published value is taken from it; where several agree or are put together, from each',
      ),
  })
  .meta({ id: 'Statement' });
export type Statement = z.infer<typeof Statement>;

/** Who says what about one field of a model. */
export const FieldProvenance = z
  .object({
    field: z.enum(STATED_FIELDS).describe('Path of the field in the model'),
    because: z.string().describe('Why the chosen value is believed before the others'),
    statements: z
      .array(Statement)
      .describe(
        'What every entry says that says anything, the chosen first; of a price, about the same offer',
      ),
  })
  .meta({ id: 'FieldProvenance' });
export type FieldProvenance = z.infer<typeof FieldProvenance>;
