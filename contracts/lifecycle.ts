import { z } from 'zod';
import { GivenId, GivenModelId, listOf, paging, setOf } from './common.ts';
import { ModelId } from './models.ts';
import { Lifecycle } from './offers.ts';
import { operation } from './operation.ts';

/** A day. */
const Day = z.iso.date();

/** The statuses of what is ending, or has ended. */
export const EndingStatus = Lifecycle.shape.status.exclude(['active']);
export type EndingStatus = z.infer<typeof EndingStatus>;

/** The end of a model, or of one offer of it. */
export const Ending = z
  .object({
    modelId: ModelId,
    modelName: z.string().meta({ example: 'GPT-4o' }),
    offer: z
      .object({ provider: z.string(), providerModelId: z.string() })
      .nullable()
      .describe('The offer that ends; null: the model itself does'),
    ...Lifecycle.shape,
    status: EndingStatus.describe(String(Lifecycle.shape.status.description)),
  })
  .meta({ id: 'Ending' });
export type Ending = z.infer<typeof Ending>;

/** `GET /v1/lifecycle`: what ends, and when. */
export const listEndings = operation({
  method: 'GET',
  path: '/v1/lifecycle',
  summary: 'List what ends',
  description:
    'Models and offers that are deprecated, end on a date, or have ended: by date, those without a date last; ties by model id and offer, ' +
    'the model itself first. The end of an offer is not that of its model. A month or year counts as its last day. ' +
    'Delisted ones are listed where `status` asks for them.',
  tags: ['Lifecycle'],
  cache: 'list',
  input: z.strictObject({
    ...paging,
    before: Day.optional().describe('Only what has a date, before this day').meta({ example: '2027-01-01' }),
    after: Day.optional().describe('Only what has a date, after this day'),
    status: setOf(EndingStatus)
      .default(['deprecated', 'retiring', 'retired'])
      .describe('Only these statuses')
      .meta({ example: ['retiring'] }),
    creator: GivenId.optional().describe('Models of this creator, and their offers'),
    provider: GivenId.optional().describe('Offers of this provider'),
    model: GivenModelId.optional()
      .describe('This model and its offers, by id or alias')
      .meta({ example: 'openai/gpt-4o' }),
  }),
  output: listOf(Ending).meta({ id: 'EndingList' }),
  errors: ['BAD_REQUEST'],
});
