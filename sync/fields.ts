import { z } from 'zod';
import type { Link } from '../contracts/models.ts';

import { RejectedItem, type Item } from './item.ts';
import { pastDate, partialDate, tokenCount } from './units.ts';

/** Control characters, line separators, and what stands where a character was lost. */
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\uFFFD]/u;
/** Postgres indexes at most 2,704 bytes a row, and two of these stand in one. */
const MAX_BYTES = 500;
const MAX_LENGTH = 500;
const MAX_TEXT = 2_000;
const MAX_DESCRIPTION = 20_000;
const MAX_PROVIDER = 100;

/** Whether a text can serve as an id: not empty, not overlong, nothing unprintable, no lone surrogates. */
export function isPlainText(value: unknown): value is string {
  return (
    typeof value === 'string' &&
    value.trim() !== '' &&
    value.length <= MAX_BYTES &&
    Buffer.byteLength(value) <= MAX_BYTES &&
    !UNPRINTABLE.test(value) &&
    value.isWellFormed()
  );
}

/** Whether a text can serve as the id of a provider. */
export function isProviderId(value: unknown): value is string {
  return isPlainText(value) && value.length <= MAX_PROVIDER;
}

/** An id or another word that an upstream gives. */
export const PlainText = z.custom<string>(isPlainText, 'not a usable text');

/** The id of a provider. */
export const ProviderId = z.custom<string>(isProviderId, 'not a usable text');

const Text = z
  .string()
  .nullable()
  .default(null)
  .catch(null)
  .transform((text) => cleanText(text ?? '') || null);

/** A text that may be missing or broken: control characters out, null where nothing is left, or too much. */
export const OptionalText = Text.transform((text) => (text !== null && text.length > MAX_TEXT ? null : text));

/** A long text that may be missing or broken: control characters out, cut where it goes on for too long. */
export const Description = Text.transform((text) =>
  text !== null && text.length > MAX_DESCRIPTION ? `${text.slice(0, MAX_DESCRIPTION).toWellFormed()}…` : text,
);

/** A date as precise as it is given, also to come; null: missing, or no date. */
export const OptionalDate = z.unknown().optional().transform(partialDate);

/** The date of something that has happened, or is announced; null: missing, no date, or too far off. */
export const OptionalPastDate = z.unknown().optional().transform(pastDate);

/** A number of tokens; null: missing, or none. */
export const OptionalTokens = z.unknown().optional().transform(tokenCount);

/** A required text on one line. */
export const NameText = z
  .string()
  .transform((text) => cleanText(text).replace(/\s+/g, ' '))
  .refine((text) => text !== '', 'is empty')
  .refine((text) => text.length <= MAX_LENGTH, 'is too long');

function cleanText(text: string): string {
  return text
    .replace(/[^\P{Cc}\t\n\r]/gu, '')
    .toWellFormed()
    .trim();
}

/** A JSON object with whatever is in it. */
export const JsonObject = z.custom<Record<string, unknown>>(
  (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  'not an object',
);

/** A field that may be missing or broken: then it is null. */
export function lenient<Type extends z.ZodType>(type: Type) {
  return type.nullable().default(null).catch(null);
}

/** A list that may be missing or broken: entries that are not as expected are left out. */
export function lenientList<Type extends z.ZodType>(type: Type) {
  return z
    .array(type.nullable().catch(null))
    .default([])
    .catch([])
    .transform((entries) => entries.filter((entry) => entry !== null) as z.output<Type>[]);
}

/** Reads an item by its schema. Throws `RejectedItem` with the first fault as its reason. */
export function readItem<Type extends z.ZodType>(item: Item, schema: Type): z.output<Type> {
  if (DUPLICATE.test(item.id)) throw new RejectedItem('duplicate id');
  const result = schema.safeParse(item.value);
  if (result.success) return result.data;
  throw new RejectedItem(firstFault(result.error));
}

/** The first fault that a schema found: where, and what. */
export function firstFault(error: z.ZodError): string {
  const { path = [], message = 'not as expected' } = error.issues[0] ?? {};
  return path.length === 0 ? message : `${path.join('.')}: ${message}`;
}

const DUPLICATE = / \(duplicate \d+\)$/;

/**
 * Makes items of entries: one without a usable id gets its place (`#17`); of several with the same id the first keeps
 * it, and the others are marked so that `readItem` rejects them.
 */
export function makeItems(entries: { id: unknown; value: unknown }[]): Item[] {
  const times = new Map<string, number>();
  return entries.map(({ id: given, value }, index) => {
    const id = isPlainText(given) ? given : `#${index}`;
    const before = times.get(id) ?? 0;
    times.set(id, before + 1);
    return { id: before === 0 ? id : `${id} (duplicate ${before})`, value };
  });
}

/** The text of a web address; null: not one, or not http or https. */
export function webUrl(value: unknown): string | null {
  if (typeof value !== 'string' || value.length > MAX_TEXT) return null;
  if (/\s/.test(value) || UNPRINTABLE.test(value) || !value.isWellFormed()) return null;
  return /^https?:$/.test(URL.parse(value)?.protocol ?? '') ? value : null;
}

/** A link, in a list that is empty where its address is not a web address. */
export function linkTo(url: unknown, label: string, type: string | null): Link[] {
  const address = webUrl(url);
  return address === null ? [] : [{ label, url: address, type }];
}
