import { z } from 'zod';
import {
  asOf,
  GivenId,
  LIFECYCLE_STATUSES,
  lifecycleFilter,
  ListMeta,
  listOf,
  modelPath,
  paging,
  PartialDate,
  SourceRef,
  Timestamp,
} from './common.ts';
import { operation } from './operation.ts';

const perMillion = (what: string) =>
  z.number().nonnegative().nullable().describe(`USD per 1,000,000 ${what}`);
const each = (what: string) => z.number().nonnegative().nullable().describe(`USD for each ${what}`);

/** Every price a source may state. A price that no source stated is null, never 0. */
export const Prices = z
  .object({
    input: perMillion('input tokens').meta({ example: 2.5 }),
    output: perMillion('output tokens').meta({ example: 15 }),
    cacheRead: perMillion('input tokens read from the prompt cache'),
    cacheWrite: perMillion('input tokens written to the prompt cache'),
    cacheWrite1h: perMillion('input tokens written to the prompt cache for one hour'),
    reasoning: perMillion('reasoning tokens'),
    audioInput: perMillion('audio input tokens'),
    audioOutput: perMillion('audio output tokens'),
    audioCacheRead: perMillion('audio input tokens read from the prompt cache'),
    imageInput: perMillion('image input tokens'),
    imageOutput: perMillion('image output tokens'),
    perImage: each('input image'),
    perRequest: each('request'),
    perSearch: each('web search'),
  })
  .meta({ id: 'Prices' });
export type Prices = z.infer<typeof Prices>;

/** The names of the prices, in the order in which they are published. */
export const PRICE_NAMES = Prices.keyof().options;
export type PriceName = (typeof PRICE_NAMES)[number];

/** A price set that replaces the base prices while its condition holds. Null means: the base price stays. */
export const PriceTier = z
  .object({
    aboveInputTokens: z
      .number()
      .int()
      .nullable()
      .describe('Holds for requests with more input tokens than this; null: whatever the length'),
    utcDays: z
      .array(z.string())
      .nullable()
      .describe('Holds on these days of the week, UTC, as `monday`; null: every day'),
    utcStart: z.string().nullable().describe('Holds from this time of day, UTC, as HH:MM; null: all day'),
    utcEnd: z
      .string()
      .nullable()
      .describe(
        'Holds until this time of day, UTC, as HH:MM, past midnight where it is before `utcStart`; null: all day',
      ),
    ...Prices.shape,
  })
  .meta({ id: 'PriceTier' });
export type PriceTier = z.infer<typeof PriceTier>;

/** How far a price set can be relied on. */
export const PriceStatus = z
  .enum(['known', 'free', 'dynamic', 'unknown'])
  .describe(
    'known: stated by the source. free: offered as free of charge. dynamic: depends on what a router picks. ' +
      'unknown: not stated, or stated as 0 without being offered as free (subscription plans, trials).',
  )
  .meta({ id: 'PriceStatus' });
export type PriceStatus = z.infer<typeof PriceStatus>;

/** What an offer costs: base prices, and the tiers that replace them. Later tiers win over earlier ones. */
export const Pricing = z
  .object({
    status: PriceStatus,
    ...Prices.shape,
    discount: z
      .number()
      .nullable()
      .describe('Share taken off, 0 to 1, already contained in the prices; null: not stated'),
    tiers: z.array(PriceTier),
  })
  .meta({ id: 'Pricing' });
export type Pricing = z.infer<typeof Pricing>;

/** Token limits. Null is unknown. */
export const Limits = z
  .object({
    context: z.number().int().positive().nullable().describe('Tokens of input and output together'),
    input: z.number().int().positive().nullable().describe('Largest number of input tokens'),
    output: z.number().int().positive().nullable().describe('Largest number of output tokens'),
  })
  .meta({ id: 'Limits' });
export type Limits = z.infer<typeof Limits>;

/** How finished its maker calls it; null: finished, or not stated. */
export const Stage = z
  .enum(['alpha', 'beta'])
  .nullable()
  .describe('How finished its maker calls it; null: finished, or not stated');
export type Stage = z.infer<typeof Stage>;

/** Where a model or an offer stands in its life. */
export const Lifecycle = z
  .object({
    status: z
      .enum(LIFECYCLE_STATUSES)
      .describe(
        'active: nothing says that it ends. deprecated: its use is advised against. retiring: it ends on `date`. ' +
          'retired: it ended on `date`, and is still listed. delisted: no source lists it any more.',
      ),
    date: PartialDate.nullable().describe('When the status takes or took effect; null: not stated'),
    since: Timestamp.optional().describe(
      'Since when this status has been published here; absent: it is active or delisted, or was so before that was noted',
    ),
    successor: z
      .string()
      .nullable()
      .describe('Id of the model that replaces it; null: not stated, or unknown'),
    source: z
      .string()
      .nullable()
      .describe('The source that states the status; null: none does')
      .meta({ example: 'models.dev' }),
  })
  .meta({ id: 'Lifecycle' });
export type Lifecycle = z.infer<typeof Lifecycle>;

/** A faster or otherwise different way of serving the same offer, at its own price. */
export const OfferMode = z
  .object({
    name: z.string().meta({ example: 'fast' }),
    request: z
      .object({ headers: z.record(z.string(), z.string()), body: z.record(z.string(), z.unknown()) })
      .describe('What a request must carry to be served so'),
    pricing: Pricing,
  })
  .meta({ id: 'OfferMode' });
export type OfferMode = z.infer<typeof OfferMode>;

/** One model at one provider: what it is called there, what it costs there, what it can take there. */
export const Offer = z
  .object({
    provider: z.string().describe('Who serves it').meta({ example: 'openai' }),
    providerModelId: z.string().describe("The provider's own id for the model, as its API takes it"),
    name: z.string(),
    pricing: Pricing,
    modes: z.array(OfferMode),
    limits: Limits,
    parameters: z.array(z.string()).describe('Request parameters that are supported; empty: not stated'),
    defaultParameters: z
      .record(z.string(), z.number())
      .describe('Values that parameters have where a request sets none; absent: not stated'),
    voices: z.array(z.string()).describe('Voices it speaks with; empty: not stated'),
    moderated: z.boolean().nullable().describe('Whether requests are moderated by the provider'),
    apiUrl: z.string().nullable().describe("Base URL, where it is not the provider's usual one"),
    npmPackage: z.string().nullable().describe("AI SDK package, where it is not the provider's usual one"),
    apiShape: z.string().nullable().describe("Form of its API, where it is not the provider's usual one"),
    listedAt: Timestamp.nullable().describe('When the provider listed it'),
    stage: Stage,
    lifecycle: Lifecycle,
    sources: z.array(SourceRef).describe('Sources that state this offer; the first one gives the values'),
  })
  .meta({ id: 'Offer' });
export type Offer = z.infer<typeof Offer>;

/** `GET /v1/models/{creator}/{slug}/offers`: every provider's offer of one model. */
export const listOffers = operation({
  method: 'GET',
  path: '/v1/models/{creator}/{slug}/offers',
  summary: 'List the offers of a model',
  description:
    'Every offer of the model, by provider and by the id there. A known alias answers for the model that it names: `meta.modelId` says which. Case does not matter.',
  tags: ['Models'],
  cache: 'list',
  input: z.strictObject({
    ...modelPath,
    ...paging,
    provider: GivenId.optional().describe('Offers of this provider'),
    status: z.enum(PriceStatus.options).optional().describe('Offers whose prices have this status'),
    lifecycle: lifecycleFilter.describe(
      'Offers of these statuses; without it all but delisted ones, of a delisted model those that it had last',
    ),
    asOf,
  }),
  output: listOf(Offer)
    .extend({
      meta: ListMeta.extend({ modelId: z.string().describe('Id of the model') }).meta({
        id: 'OfferListMeta',
      }),
    })
    .meta({ id: 'OfferList' }),
  errors: ['BAD_REQUEST', 'NOT_FOUND'],
});
