import { z } from 'zod';
import { GivenId, GivenModelId, listOf, paging } from './common.ts';
import { ModelId } from './models.ts';
import { operation } from './operation.ts';
import { PRICE_FIELDS, Statement } from './provenance.ts';

/** The fields on which sources are compared: stated by more than one of them, in units that are the same. */
export const CONFLICT_FIELDS = [
  'modalities.input',
  'modalities.output',
  'capabilities.attachments',
  'capabilities.interleaved_reasoning',
  'capabilities.reasoning',
  'capabilities.structured_outputs',
  'capabilities.tools',
  'reasoning.mandatory',
  'reasoning.efforts',
  'reasoning.enabledByDefault',
  'reasoning.defaultEffort',
  'limits.context',
  'limits.input',
  'limits.output',
  ...PRICE_FIELDS,
  'openWeights',
  'license',
  'releaseDate',
  'knowledgeCutoff',
] as const;
export type ConflictField = (typeof CONFLICT_FIELDS)[number];

/** Larger than any disagreement: dates are this many days apart at most. */
const MAX_SIZE = 1_000_000;

/** A field of a model on which sources disagree. */
export const Conflict = z
  .object({
    modelId: ModelId,
    field: z.enum(CONFLICT_FIELDS).meta({ example: 'limits.context' }),
    offer: z
      .object({ provider: z.string(), providerModelId: z.string() })
      .nullable()
      .describe(
        'Of a price: the offer that the sources state differently; null: it is about the model itself',
      ),
    size: z
      .number()
      .nullable()
      .describe('Numbers: (largest - smallest) / largest, 0 to 1. Dates: days between. Null: not measurable'),
    sizeUnit: z.enum(['ratio', 'days']).nullable(),
    statements: z
      .array(Statement)
      .describe('One a source, the chosen first: what merging would take if there were no other source'),
  })
  .meta({ id: 'Conflict' });
export type Conflict = z.infer<typeof Conflict>;

/** `GET /v1/conflicts`: where sources disagree. */
export const listConflicts = operation({
  method: 'GET',
  path: '/v1/conflicts',
  summary: 'List conflicts',
  description:
    'Fields on which sources disagree, the largest disagreement first, those without a size last; ties by model id, field and offer. ' +
    'Sizes of different fields are different things: ask for one `field` to compare them. ' +
    'Facts about a model are compared between sources, a price only where two sources state the same offer: ' +
    'that providers charge differently is no conflict.',
  tags: ['Conflicts'],
  cache: 'list',
  input: z.strictObject({
    ...paging,
    field: z.enum(CONFLICT_FIELDS).optional().describe('Conflicts about this field'),
    source: GivenId.optional().describe('Conflicts in which this source has a say'),
    model: GivenModelId.optional()
      .describe('Conflicts about this model, by id or alias')
      .meta({ example: 'openai/gpt-4o' }),
    creator: GivenId.optional().describe('Conflicts about models of this creator'),
    minSize: z
      .number()
      .min(0)
      .max(MAX_SIZE)
      .optional()
      .describe('Conflicts of this size at least; those without a size are left out'),
  }),
  output: listOf(Conflict).meta({ id: 'ConflictList' }),
  errors: ['BAD_REQUEST'],
});
