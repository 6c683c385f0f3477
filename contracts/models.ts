import { z } from 'zod';
import {
  asOf,
  Attribution,
  GivenCursor,
  GivenId,
  lifecycleFilter,
  listOf,
  MAX_LIMIT,
  modelPath,
  oneOf,
  paging,
  PartialDate,
  setOf,
  SourceRef,
  Text,
  Timestamp,
} from './common.ts';
import { Lifecycle, Limits, Offer, Pricing, Stage } from './offers.ts';
import { operation } from './operation.ts';
import { FieldProvenance } from './provenance.ts';

/** One measured value: a benchmark score, an index, a speed, or a price that a benchmark publisher observed. */
export const Benchmark = z
  .object({
    name: z.string().meta({ example: 'artificial_analysis_intelligence_index' }),
    value: z.number(),
    unit: z.string().nullable().describe('Null: a bare score').meta({ example: 'tokens per second' }),
    indexVersion: z
      .string()
      .nullable()
      .describe('Version of the index; values of different versions must not be compared'),
    effort: z.string().nullable().describe('Reasoning effort of the measured run').meta({ example: 'high' }),
    variant: z.string().nullable().describe('Harness or arena of the measured run'),
    date: PartialDate.nullable().describe('When it was measured'),
    source: z.string().describe('The source that brought it').meta({ example: 'artificialanalysis' }),
    attribution: Attribution.nullable().describe('Whom to credit when showing the value'),
  })
  .meta({ id: 'Benchmark' });
export type Benchmark = z.infer<typeof Benchmark>;

/** How a model's reasoning can be steered. */
export const Reasoning = z
  .object({
    mandatory: z.boolean().nullable().describe('Whether it can not be turned off'),
    efforts: z.array(z.string()).describe('Effort levels that can be asked for'),
    enabledByDefault: z.boolean().nullable().describe('Whether it reasons where a request does not say'),
    defaultEffort: z.string().nullable(),
    interleavedField: z
      .string()
      .nullable()
      .describe('Field of messages in which reasoning between tool calls is handed back'),
    budgetTokens: z
      .object({ min: z.number().int().nullable(), max: z.number().int().nullable() })
      .nullable()
      .describe('Bounds of a reasoning budget in tokens, where one can be set'),
  })
  .meta({ id: 'Reasoning' });
export type Reasoning = z.infer<typeof Reasoning>;

/** A page about the model, or its weights. */
export const Link = z
  .object({ label: z.string(), url: z.url(), type: z.string().nullable().meta({ example: 'weights' }) })
  .meta({ id: 'Link' });
export type Link = z.infer<typeof Link>;

/** A model id: `creator/slug`, lower case. */
export const ModelId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]*\/[a-z0-9][a-z0-9._:-]*$/)
  .meta({ example: 'openai/gpt-4o' });

/** One model, merged from every source that knows it. Null is unknown. */
export const Model = z
  .object({
    id: ModelId.describe('`creator/slug`; keeps resolving for ever'),
    kind: z
      .enum(['model', 'rolling', 'router'])
      .describe(
        'model: one release. rolling: a name that its owner moves between releases. router: picks a model per request.',
      ),
    target: z.string().nullable().describe('Of a rolling name: the id of the model it points to now'),
    since: Timestamp.nullable().describe('Of a rolling name: since when this target has been observed'),
    name: z.string().meta({ example: 'GPT-4o' }),
    creator: z.string().describe('Who made it; `unknown` where no source says').meta({ example: 'openai' }),
    creatorName: z.string().nullable().meta({ example: 'OpenAI' }),
    family: z.string().nullable(),
    description: z.string().nullable(),
    modalities: z.object({ input: z.array(z.string()), output: z.array(z.string()) }),
    capabilities: z
      .array(z.string())
      .describe('Of: attachments, interleaved_reasoning, reasoning, structured_outputs, tools')
      .meta({ example: ['reasoning', 'tools'] }),
    parameters: z.array(z.string()).describe('Request parameters that some offer supports'),
    reasoning: Reasoning.nullable(),
    limits: Limits,
    pricing: z
      .object({
        status: Pricing.shape.status,
        provider: z.string().nullable(),
        ...Pricing.omit({ status: true }).shape,
      })
      .describe(
        "Prices of the reference offer, `provider` being who makes it: the creator's own, else the cheapest known",
      )
      .meta({ id: 'ModelPricing' }),
    openWeights: z.boolean().nullable(),
    parameterCount: z.number().int().nullable().describe('Weights in the published checkpoint'),
    tokenizer: z.string().nullable(),
    task: z.string().nullable().describe('Hugging Face pipeline tag').meta({ example: 'text-generation' }),
    baseModels: z.array(z.string()).describe('Hugging Face ids of the models it was made from'),
    languages: z.array(z.string()).describe('Languages that its repository names, as ISO 639 codes'),
    library: z
      .string()
      .nullable()
      .describe('Library that loads the weights')
      .meta({ example: 'transformers' }),
    gated: z.boolean().nullable().describe('Whether the weights are handed out on request only'),
    license: z.string().nullable(),
    links: z.array(Link),
    releaseDate: PartialDate.nullable(),
    lastUpdated: PartialDate.nullable().describe('When its maker last changed it, or its description'),
    knowledgeCutoff: PartialDate.nullable(),
    stage: Stage,
    lifecycle: Lifecycle,
    popularity: z
      .object({
        downloads: z.number().int().nullable().describe('On Hugging Face, last 30 days'),
        downloadsAllTime: z.number().int().nullable().describe('On Hugging Face, ever'),
        likes: z.number().int().nullable().describe('On Hugging Face'),
      })
      .meta({ id: 'Popularity' }),
    benchmarks: z.array(Benchmark),
    attributions: z
      .array(z.object({ ...Attribution.shape, fields: z.array(z.string()) }))
      .describe('Credits that are due when the named fields are shown'),
    providers: z.array(z.string()).describe('Who serves it'),
    sources: z.array(SourceRef),
    firstSeenAt: Timestamp.describe('When this catalogue first published it'),
    updatedAt: Timestamp.describe('When what is published of it last changed'),
  })
  .meta({ id: 'Model' });
export type Model = z.infer<typeof Model>;

/** One upstream entry that stands behind a model. */
export const SourceRecord = z
  .object({
    source: z.string(),
    id: z
      .string()
      .describe("The source's own id; models.dev's own facts about a model have `models.json/` before it"),
    asOf: SourceRef.shape.asOf,
    firstSeenAt: Timestamp,
    updatedAt: Timestamp.describe('When the source last changed it'),
  })
  .meta({ id: 'SourceRecord' });
export type SourceRecord = z.infer<typeof SourceRecord>;

/** A model with its offers and the records behind it. */
export const ModelDetail = Model.extend({
  offers: z.array(Offer).describe('Those that are listed; of a delisted model those that it had last'),
  records: z.array(SourceRecord),
  provenance: z
    .array(FieldProvenance)
    .optional()
    .describe(
      'With `include=provenance`: of every field that some entry states, who says what. Popularity and speeds are published ' +
        'at most daily, so that an entry may be ahead of the model.',
    ),
}).meta({ id: 'ModelDetail' });
export type ModelDetail = z.infer<typeof ModelDetail>;

/** The fields by which models can be sorted, each also in reverse with `-` before it. */
export const MODEL_SORTS = [
  'id',
  'name',
  'releaseDate',
  'context',
  'inputPrice',
  'outputPrice',
  'downloads',
] as const;
export type ModelSort = (typeof MODEL_SORTS)[number];

/** The words of a search in one spelling: all of them must occur, in any order. */
function wordsOnce(text: string): string {
  return [...new Set(text.toLowerCase().split(/\s+/))].toSorted().join(' ');
}

/** `GET /v1/models`: pages through the catalogue. */
export const listModels = operation({
  method: 'GET',
  path: '/v1/models',
  summary: 'List models',
  description:
    'Delisted models are left out unless `lifecycle` asks for them. Unknown values sort last in both directions; ties are broken by id. ' +
    `Pages hold up to ${MAX_LIMIT} models.`,
  tags: ['Models'],
  cache: 'list',
  input: z.strictObject({
    ...paging,
    cursor: GivenCursor.optional().describe(
      '`meta.nextCursor` of the page before, with the same filters and sort; excludes `offset`',
    ),
    provider: GivenId.optional().describe('Models that this provider serves'),
    creator: GivenId.optional().describe('Models that this creator made'),
    search: Text.trim()
      .min(1)
      .max(200)
      .overwrite(wordsOnce)
      .optional()
      .describe(
        'Words that must all occur in the id, name, family, creator or an alias; case does not matter',
      ),
    lifecycle: lifecycleFilter.describe('Models of these statuses; without it all but delisted ones'),
    asOf,
    sort: z
      .enum(
        MODEL_SORTS.flatMap((field) => [field, `-${field}` as const]) as [
          ModelSort,
          ...(ModelSort | `-${ModelSort}`)[],
        ],
      )
      .default('id')
      .describe('Field to sort by; `-` before it reverses'),
  }),
  output: listOf(Model).meta({ id: 'ModelList' }),
  errors: ['BAD_REQUEST'],
});

/** `GET /v1/models/{creator}/{slug}`: one model, by its id or by any alias of that form. */
export const getModel = operation({
  method: 'GET',
  path: '/v1/models/{creator}/{slug}',
  summary: 'Get a model',
  description:
    'The model with its offers and the records behind it. A known alias answers with the model that it names: compare `data.id`. Case does not matter.',
  tags: ['Models'],
  cache: 'item',
  tellsEnd: true,
  input: z.strictObject({
    ...modelPath,
    include: setOf(z.enum(['provenance']))
      .optional()
      .describe(
        'What else to answer with, of the present alone; `provenance`: who says what about every field, in which raw form',
      ),
    asOf,
  }),
  output: oneOf(ModelDetail).meta({ id: 'ModelAnswer' }),
  errors: ['BAD_REQUEST', 'NOT_FOUND'],
});
