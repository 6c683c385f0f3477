import { z } from 'zod';
import {
  GivenCursor,
  GivenId,
  GivenModelId,
  HistoryPoint,
  listOf,
  MAX_LIMIT,
  paging,
  setOf,
  Timestamp,
} from './common.ts';
import { operation } from './operation.ts';

/** What can change. */
export const CHANGE_KINDS = [
  'model_added',
  'model_delisted',
  'model_relisted',
  'model_renamed',
  'model_merged',
  'model_split',
  'offer_added',
  'offer_removed',
  'offer_moved',
  'price',
  'limit',
  'capability',
  'lifecycle',
  'benchmark',
  'details',
] as const;

/** The kind of a change. */
export const ChangeKind = z
  .enum(CHANGE_KINDS)
  .describe(
    'model_*: a model came, was delisted, came back, has another id, was found to be another model, or was found to be several. ' +
      'offer_*: a provider began or ceased to list it, or its offer was found to be of another model. ' +
      'price, limit, capability, lifecycle, benchmark: such a value changed. details: any other published field did. ' +
      'Popularity and speed figures move daily and are no changes.',
  )
  .meta({ id: 'ChangeKind' });
export type ChangeKind = z.infer<typeof ChangeKind>;

/** One change of what is published. */
export const Change = z
  .object({
    id: z
      .number()
      .int()
      .describe(
        'Counts up in the order of time; those of archives that were loaded later count down from the first',
      ),
    catalogVersion: z
      .number()
      .int()
      .describe('The catalogue version that brought it; 0 and below: of an archive that was loaded later'),
    observedAt: Timestamp.describe('When it was observed; of a backfilled archive, its date'),
    kind: ChangeKind,
    modelId: z.string().meta({ example: 'openai/gpt-4o' }),
    offer: z
      .object({ provider: z.string(), providerModelId: z.string() })
      .nullable()
      .describe('The offer that it is about; null: it is about the model itself'),
    field: z
      .string()
      .nullable()
      .describe('The field that changed, by its path in the model or offer; null: all of it')
      .meta({ example: 'pricing.input' }),
    oldValue: z.unknown().describe('As it was published before; null: unknown, or there was none'),
    newValue: z.unknown().describe('As it is published since; null: unknown, or there is none'),
    source: z.string().nullable().describe('The source that said so').meta({ example: 'models.dev' }),
  })
  .meta({ id: 'Change' });
export type Change = z.infer<typeof Change>;

/** The filters that lists, feeds and streams of changes share. */
export const changeFilters = {
  kind: setOf(ChangeKind).optional().describe('Changes of these kinds'),
  model: GivenModelId.optional()
    .describe('Changes of this model and its offers, by id or alias')
    .meta({ example: 'openai/gpt-4o' }),
  provider: GivenId.optional().describe('Changes of the offers of this provider'),
};

/** From when to when, as lists and feeds of changes take it. */
export const changeRange = {
  since: HistoryPoint.optional()
    .describe(
      'A time or day: changes observed then or later. A catalogue version: changes that later versions brought.',
    )
    .meta({ example: '2026-03-01' }),
  until: HistoryPoint.optional().describe(
    'A time or day: changes observed before it. A catalogue version: changes up to it.',
  ),
};

/** `GET /v1/changes`: what changed. */
export const listChanges = operation({
  method: 'GET',
  path: '/v1/changes',
  summary: 'List changes',
  description:
    'Everything that changed in what is published, newest first. To follow the catalogue, remember `meta.catalogVersion` and ask for ' +
    '`since` that version. ' +
    `Pages hold up to ${MAX_LIMIT} changes; changes of one moment come in the order in which they were recorded.`,
  tags: ['Changes'],
  cache: 'list',
  input: z.strictObject({
    limit: paging.limit,
    cursor: GivenCursor.optional().describe('`meta.nextCursor` of the page before, with the same filters'),
    ...changeRange,
    ...changeFilters,
    sort: z
      .enum(['observedAt', '-observedAt'])
      .default('-observedAt')
      .describe('Oldest first, or newest first'),
  }),
  output: listOf(Change).meta({ id: 'ChangeList' }),
  errors: ['BAD_REQUEST'],
});
