import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { hasPayloads, payloadsDir } from '../support/payloads.ts';

/** The parts of `cost` that are prices, in USD per 1M tokens; modes below `experimental` are other offers and not among them. */
export const PRICE_FIELDS = [
  'input',
  'output',
  'reasoning',
  'cache_read',
  'cache_write',
  'input_audio',
  'output_audio',
  'tiers',
  'context_over_200k',
] as const;

/** One of the parts of `cost`. */
export type PriceField = (typeof PRICE_FIELDS)[number];

type Json = Record<string, unknown>;

/** One entry of models.dev as it was written. */
export type Entry = Json & { id: string };

/** One recorded `api.json`; `entries` go by `provider/modelKey`, so ids that two keys share, or that are unlike their key, stay apart. */
export interface Month {
  date: string;
  providers: string[];
  entries: ReadonlyMap<string, Entry>;
}

/** One value before and after; undefined where it was absent, or null, which means the same. */
export interface FieldChange<Field extends string = string> {
  field: Field;
  before: unknown;
  after: unknown;
}

/** One entry with those of its fields that changed. */
export interface EntryChange<Field extends string = string> {
  key: string;
  fields: FieldChange<Field>[];
}

/** What differs between one month and the next; every list is in the order of keys. */
export interface MonthDiff {
  date: string;
  providers: number;
  entries: number;
  /** Keys that the month before did not have, the returned ones among them. */
  added: string[];
  /** Keys that the month before had and this one does not. */
  removed: string[];
  /** Those of `added` that some month before the last had. */
  returned: string[];
  /**
   * Entries of both months with another price: numbers are compared to a billionth of a dollar (3.5999999999999996 is
   * 3.6), 0 is a price and absent is none, and the order of tiers does not matter.
   */
  price: EntryChange<PriceField>[];
  /** Those of `price` where only the block that says the price moved: `context_over_200k` beside, or instead of, the same one tier. */
  restated: string[];
  /** Keys outside `price` whose prices were written with other digits for the same number. */
  digits: string[];
  /** Entries of both months with another part of `limit`; 0 and absent differ, as they are written. */
  limits: EntryChange[];
  /** Entries of both months with another `status`; absent is one. */
  status: EntryChange<'status'>[];
  /**
   * Entries of both months in which any top-level field is written otherwise, digits and the order of lists included,
   * the order of keys and 1.0 for 1 not.
   */
  changed: EntryChange[];
}

/** Reads one recorded `YYYY-MM-DD.api.json`, gzipped or not. */
export function readMonth(path: string): Month {
  const date = /^(\d{4}-\d\d-\d\d)\.api\.json(\.gz)?$/.exec(basename(path))?.[1];
  if (!date)
    throw new Error(`${path} is not named YYYY-MM-DD.api.json or YYYY-MM-DD.api.json.gz: rename it.`);
  const bytes = readFileSync(path);
  const text = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return toMonth(date, JSON.parse(text) as Catalogue);
}

/** Reads every recorded `api.json` of a folder, oldest first. */
export function readMonths(folder: string): Month[] {
  const names = readdirSync(folder).filter((name) => /\.api\.json(\.gz)?$/.test(name));
  return names.sort().map((name) => readMonth(join(folder, name)));
}

/** The shape of `api.json`. */
export type Catalogue = Record<string, { models: Record<string, Entry> }>;

/** A parsed `api.json` by keys. */
export function toMonth(date: string, catalogue: Catalogue): Month {
  const entries = new Map<string, Entry>();
  for (const [provider, { models }] of Object.entries(catalogue)) {
    if (provider.includes('/')) throw new Error(`Provider ${provider} holds a slash, so keys are ambiguous.`);
    for (const [modelKey, entry] of Object.entries(models)) entries.set(`${provider}/${modelKey}`, entry);
  }
  return { date, providers: Object.keys(catalogue).sort(), entries };
}

/** What differs from one month to the next; without a month before, everything was added; `earlier` holds the keys of all months before. */
export function diffMonths(
  before: Month | null,
  after: Month,
  earlier: ReadonlySet<string> = new Set(),
): MonthDiff {
  const old = before?.entries ?? new Map<string, Entry>();
  const added = [...after.entries.keys()].filter((key) => !old.has(key)).sort();
  const diff: MonthDiff = {
    date: after.date,
    providers: after.providers.length,
    entries: after.entries.size,
    added,
    removed: [...old.keys()].filter((key) => !after.entries.has(key)).sort(),
    returned: added.filter((key) => earlier.has(key)),
    price: [],
    restated: [],
    digits: [],
    limits: [],
    status: [],
    changed: [],
  };
  for (const key of [...old.keys()].sort()) {
    const [was, is] = [old.get(key), after.entries.get(key)];
    if (was && is) compareEntries(diff, key, was, is);
  }
  return diff;
}

/** Every month against the one before it. */
export function diffHistory(months: readonly Month[]): MonthDiff[] {
  const earlier = new Set<string>();
  return months.map((month, index) => {
    const diff = diffMonths(months[index - 1] ?? null, month, earlier);
    for (const key of month.entries.keys()) earlier.add(key);
    return diff;
  });
}

function compareEntries(diff: MonthDiff, key: string, was: Entry, is: Entry): void {
  const fields = changes(was, is, union(was, is), (value) => value);
  if (fields.length === 0) return;
  diff.changed.push({ key, fields });

  const [costWas, costIs] = [part(was, 'cost'), part(is, 'cost')];
  const price = changes(costWas, costIs, PRICE_FIELDS, comparablePrice);
  if (price.length > 0) {
    diff.price.push({ key, fields: price });
    if (isRestated(costWas, costIs, price)) diff.restated.push(key);
  } else if (changes(costWas, costIs, PRICE_FIELDS, (value) => value).length > 0) diff.digits.push(key);

  const [limitWas, limitIs] = [part(was, 'limit'), part(is, 'limit')];
  const limits = changes(limitWas, limitIs, union(limitWas, limitIs), (value) => value);
  if (limits.length > 0) diff.limits.push({ key, fields: limits });

  const status = changes(was, is, ['status'] as const, (value) => value);
  if (status.length > 0) diff.status.push({ key, fields: status });
}

function changes<Field extends string>(
  was: Json,
  is: Json,
  fields: readonly Field[],
  comparable: (value: unknown) => unknown,
): FieldChange<Field>[] {
  return fields
    .map((field) => ({ field, before: was[field] ?? undefined, after: is[field] ?? undefined }))
    .filter(({ before, after }) => !isDeepStrictEqual(comparable(before), comparable(after)));
}

/** A price, a block of prices or a list of tiers, with numbers as whole billionths and tiers by threshold. */
function comparablePrice(value: unknown): unknown {
  if (typeof value === 'number') return value.toFixed(9);
  if (Array.isArray(value)) {
    const tiers = value.map(
      (tier) => [JSON.stringify(part(tier as Json, 'tier')), comparablePrice(tier)] as const,
    );
    return tiers.sort(([a], [b]) => (a < b ? -1 : Number(a > b))).map(([, tier]) => tier);
  }
  if (typeof value !== 'object' || value === null) return value;
  const known = Object.entries(value).filter(([, inner]) => inner !== null);
  return Object.fromEntries(known.map(([name, inner]) => [name, comparablePrice(inner)]));
}

/** Whether a price above a threshold merely moved: the legacy block names no size and comes with one tier of 200,000 or more. */
function isRestated(was: Json, is: Json, price: FieldChange<PriceField>[]): boolean {
  const moved = price.every(({ field }) => field === 'tiers' || field === 'context_over_200k');
  if (!moved) return false;
  if (price.every(({ field }) => field !== 'tiers')) return Boolean(was['tiers'] && is['tiers']);
  const [legacy, tiered] = is['tiers'] ? [was, is] : [is, was];
  const [tier, ...others] = (tiered['tiers'] ?? []) as Json[];
  if (legacy['tiers'] || !tier || others.length > 0) return false;
  const { tier: threshold, ...prices } = tier;
  const size = Number((threshold as Json | undefined)?.['size']);
  return (
    size >= 200_000 &&
    isDeepStrictEqual(comparablePrice(prices), comparablePrice(legacy['context_over_200k']))
  );
}

function part(of: Json, name: string): Json {
  return (of[name] ?? {}) as Json;
}

function union(a: Json, b: Json): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].sort();
}

/** How many entries changed each price field. */
export function countByField(price: readonly EntryChange<PriceField>[]): Record<PriceField, number> {
  const counts = PRICE_FIELDS.map((name) => {
    return [name, price.filter(({ fields }) => fields.some(({ field }) => field === name)).length] as const;
  });
  return Object.fromEntries(counts) as Record<PriceField, number>;
}

const LISTS = [
  'added',
  'removed',
  'returned',
  'price',
  'restated',
  'digits',
  'limits',
  'status',
  'changed',
] as const;

/** Prints the months as a table, or the entries of one list. */
function main(): void {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { list: { type: 'string' }, month: { type: 'string' } },
  });
  const list = LISTS.find((name) => name === values.list);
  if (values.list !== undefined && !list) throw new Error(`--list takes one of ${LISTS.join(', ')}.`);
  const folder = positionals[0] ?? (hasPayloads ? join(payloadsDir, 'modelsdev') : undefined);
  if (!folder) throw new Error('The recorded files are not on this machine: name a folder that has them.');
  const diffs = diffHistory(readMonths(folder)).filter(({ date }) => date.startsWith(values.month ?? ''));
  if (!list) {
    console.table(
      Object.fromEntries(
        diffs.map(({ date, providers, entries, ...lists }) => {
          return [
            date,
            { providers, entries, ...Object.fromEntries(LISTS.map((name) => [name, lists[name].length])) },
          ];
        }),
      ),
    );
    console.table(Object.fromEntries(diffs.map(({ date, price }) => [date, countByField(price)])));
    return;
  }
  for (const diff of diffs) {
    for (const one of diff[list]) {
      if (typeof one === 'string') console.log(diff.date, one);
      else
        for (const { field, before, after } of one.fields)
          console.log(diff.date, one.key, `${field}:`, JSON.stringify(before), '->', JSON.stringify(after));
    }
  }
}

if (process.argv[1] === import.meta.filename) main();
