import { z } from 'zod';

/** A point in time, ISO 8601 in UTC with milliseconds. */
export const Timestamp = z.iso.datetime().describe('ISO 8601, UTC');
export type Timestamp = z.infer<typeof Timestamp>;

/** A calendar date as precise as its source gives it: `2026-07-02`, `2026-07` or `2026`. */
export const PartialDate = z
  .string()
  .regex(/^\d{4}(-\d{2}(-\d{2})?)?$/)
  .describe('YYYY, YYYY-MM or YYYY-MM-DD, as precise as the source gives it');
export type PartialDate = z.infer<typeof PartialDate>;

/** A text that a caller gives: whatever Postgres can store, so no NUL and no half characters. */
export const Text = z
  .string()
  .refine((text) => !text.includes('\0') && text.isWellFormed(), 'Must be text without NUL');

/** The id of a source, a provider or a creator, as a caller gives it: case does not matter. */
export const GivenId = Text.min(1).max(100).toLowerCase();

/** The id or an alias of a model, as a caller gives it: case does not matter. */
export const GivenModelId = Text.min(1).max(500).toLowerCase();

/** The two parts of a model id, as paths have them: case does not matter. */
export const modelPath = {
  creator: Text.min(1)
    .max(200)
    .toLowerCase()
    .describe('First part of the model id')
    .meta({ example: 'openai' }),
  slug: Text.min(1)
    .max(300)
    .toLowerCase()
    .describe('Second part of the model id')
    .meta({ example: 'gpt-4o' }),
};

/** The place where a page ended, as a caller gives it back. */
export const GivenCursor = Text.min(1).max(500);

/** The longest that a time may be written. */
const MAX_TIME = 30;

/** A point in time, as a caller gives it. */
export const GivenTime = Timestamp.max(MAX_TIME);

/** One spelling of each point in the history, so that equal questions are equal texts. */
function spelledOnce(point: string): string {
  if (/^-?\d+$/.test(point)) return String(Number(point));
  const time = new Date(point).toISOString();
  return time.endsWith('T00:00:00.000Z') ? time.slice(0, 'YYYY-MM-DD'.length) : time;
}

/** A point in the history: a time, a day, or a catalogue version. */
export const HistoryPoint = z
  .string()
  .max(MAX_TIME)
  .refine(
    (text) =>
      [z.string().regex(/^-?\d{1,10}$/), z.iso.datetime(), z.iso.date()].some(
        (form) => form.safeParse(text).success,
      ),
    {
      error: 'Must be a day (2026-03-01), a time (2026-03-01T12:00:00Z) or the number of a catalogue version',
      abort: true,
    },
  )
  .overwrite(spelledOnce)
  .meta({ example: '2026-03-01' });

/** The parameter that asks for what was published in the past. */
export const asOf = HistoryPoint.optional().describe(
  'What was published at this time, at the beginning of this day (UTC), or in this catalogue version. Popularity, speeds and the ' +
    'entries behind a model are known of the present alone.',
);

/** The most values that one filter takes. */
export const MAX_VALUES = 20;

/** A filter that takes any of several values: in which order, and how often each, does not matter. */
export function setOf<Values extends Readonly<Record<string, string>>>(values: z.ZodEnum<Values>) {
  return z
    .array(values)
    .min(1)
    .max(MAX_VALUES)
    .overwrite((given) => values.options.filter((value) => given.includes(value)));
}

/** Where a model or an offer can stand in its life. */
export const LIFECYCLE_STATUSES = ['active', 'deprecated', 'retiring', 'retired', 'delisted'] as const;

/** The parameter that chooses by lifecycle. */
export const lifecycleFilter = setOf(z.enum(LIFECYCLE_STATUSES)).optional();

/** Who a value has to be credited to when it is shown. */
export const Attribution = z.object({ name: z.string(), url: z.url().nullable() }).meta({
  id: 'Attribution',
  example: { name: 'Artificial Analysis', url: 'https://artificialanalysis.ai' },
});
export type Attribution = z.infer<typeof Attribution>;

/** A source that stands behind something. */
export const SourceRef = z
  .object({
    id: z.string().meta({ example: 'models.dev' }),
    asOf: PartialDate.nullable().describe('Date of the data, where the source is a dated copy'),
  })
  .meta({ id: 'SourceRef' });
export type SourceRef = z.infer<typeof SourceRef>;

/** The largest number of items one page may hold. */
export const MAX_LIMIT = 100;

/** The deepest offset; past it, page by cursor. */
export const MAX_OFFSET = 10_000;

/** Paging parameters that every list takes. */
export const paging = {
  limit: z
    .number()
    .int()
    .min(1)
    .max(MAX_LIMIT)
    .default(20)
    .describe('Items on this page')
    .meta({ example: 20 }),
  offset: z
    .number()
    .int()
    .min(0)
    .max(MAX_OFFSET, 'Must be 10,000 at most: page by cursor, or narrow the list with filters')
    .default(0)
    .describe('Items to skip; past 10,000 page by cursor instead')
    .meta({ example: 0 }),
};

/** Which past an answer tells of. */
const AsOf = z
  .object({
    at: Timestamp.describe('The time that was asked for'),
    version: z.number().int().describe('The catalogue version that was published then'),
  })
  .optional()
  .describe('Where `asOf` was given: of when the answer is');

/** What is said about a page beside its items. */
export const ListMeta = z
  .object({
    total: z.number().int().describe('Items that match, on all pages'),
    limit: z.number().int(),
    offset: z.number().int(),
    nextCursor: z
      .string()
      .nullable()
      .describe('Pass as `cursor` for the next page; null on the last page and where a list has no cursor'),
    catalogVersion: z
      .number()
      .int()
      .describe('Grows by one with every commit that changes what is published'),
    asOf: AsOf,
  })
  .meta({ id: 'ListMeta' });
export type ListMeta = z.infer<typeof ListMeta>;

/** What is said about a single answer beside its data. */
export const Meta = z
  .object({
    catalogVersion: z
      .number()
      .int()
      .describe('Grows by one with every commit that changes what is published'),
    asOf: AsOf,
  })
  .meta({ id: 'Meta' });
export type Meta = z.infer<typeof Meta>;

const answerTime = Timestamp.describe(
  'Answers made from the catalogue: when this catalogue version was committed. Other answers: now.',
);

/** The envelope of a list: `{ data: [...], meta, timestamp }`. */
export function listOf<Item extends z.ZodType>(item: Item) {
  return z.object({ data: z.array(item), meta: ListMeta, timestamp: answerTime });
}

/** The envelope of a single answer: `{ data, meta, timestamp }`. */
export function oneOf<Data extends z.ZodType>(data: Data) {
  return z.object({ data, meta: Meta, timestamp: answerTime });
}
