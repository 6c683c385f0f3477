import { z } from 'zod';
import { Change, changeFilters } from './changes.ts';
import { GivenCursor, GivenId, Meta, modelPath, oneOf, paging, Timestamp } from './common.ts';
import { Pricing } from './offers.ts';
import { operation } from './operation.ts';

/** What one offer cost in one interval. */
export const PriceInterval = z
  .object({
    provider: z.string().meta({ example: 'openai' }),
    providerModelId: z.string(),
    from: Timestamp.nullable().describe(
      'Since when, this moment included; null: since before history was kept',
    ),
    to: Timestamp.nullable().describe('Until when, this moment excluded; null: until now'),
    pricing: Pricing,
  })
  .meta({ id: 'PriceInterval' });
export type PriceInterval = z.infer<typeof PriceInterval>;

/** What became of a model: what it cost where and when, and everything that changed. */
export const ModelHistory = z
  .object({
    modelId: z.string().meta({ example: 'openai/gpt-4o' }),
    formerIds: z.array(z.string()).describe('Ids that it had before'),
    historyFrom: Timestamp.nullable().describe('Since when history is kept'),
    firstSeenAt: Timestamp,
    delistedAt: Timestamp.nullable().describe('Since when no source lists it; null: one does'),
    prices: z
      .array(PriceInterval)
      .describe(
        'By provider, its id there, and time. Intervals of an offer do not overlap; in a gap it was not offered',
      ),
    changes: z.array(Change).describe('One page of what changed, newest first'),
  })
  .meta({ id: 'ModelHistory' });
export type ModelHistory = z.infer<typeof ModelHistory>;

/** `GET /v1/models/{creator}/{slug}/history`: what became of a model. */
export const getHistory = operation({
  method: 'GET',
  path: '/v1/models/{creator}/{slug}/history',
  summary: 'Get the history of a model',
  description:
    'What the model cost at every provider in which interval, and a page of everything that changed of it and its offers, newest first. ' +
    'A known alias answers for the model that it names. Case does not matter.',
  tags: ['Models'],
  cache: 'item',
  input: z.strictObject({
    ...modelPath,
    limit: paging.limit.describe('Changes on this page'),
    cursor: GivenCursor.optional().describe('`meta.nextCursor` of the page before'),
    provider: GivenId.optional().describe('Prices and changes of the offers of this provider'),
    kind: changeFilters.kind,
  }),
  output: oneOf(ModelHistory)
    .extend({
      meta: Meta.extend({
        total: z.number().int().describe('Changes that match, on all pages'),
        nextCursor: z
          .string()
          .nullable()
          .describe('Pass as `cursor` for older changes; null: there are none'),
      }).meta({ id: 'ModelHistoryMeta' }),
    })
    .meta({ id: 'ModelHistoryAnswer' }),
  errors: ['BAD_REQUEST', 'NOT_FOUND'],
});
