import { hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { ZodError } from 'zod';
import type { Rejection, SourceOutcome } from '../contracts/sync.ts';
import type { Breaker } from './breaker.ts';
import { connectUpstream, UpstreamError, type HttpLimits, type Validators } from './http.ts';
import { unnameable } from './identity.ts';
import type { ProviderFacts, SourceRecord } from './record.ts';
import { type SourceDefinition } from './source.ts';
import { RejectedItem, type Item } from './item.ts';
import { checkItem, sampleOf } from './strict-item.ts';

/** Where a source is and how much of it to fetch, as the operator decided. */
export interface SourceSettings {
  baseUrl: string;
  apiKey: string | null;
  maxItems: number | null;
}

/** A record with the item that it was read from. */
export interface FetchedRecord {
  record: SourceRecord;
  /** The item as JSON text, and its hash. */
  raw: string;
  hash: string;
}

/** What came of fetching one source. `records` is null unless the outcome is ok. */
export interface FetchedSource {
  outcome: SourceOutcome;
  records: FetchedRecord[] | null;
  /**
   * Ids of items that were had, but could not be read: their last good records stay. One that ends with a slash stands for
   * all that begin so.
   */
  unread: string[];
  /** Beginning of the ids whose items could not be fetched this time, so that those of the last good fetch stay. */
  keeps: string | null;
  /** Whether the list did not break off: what it does not have is missing. */
  isWhole: boolean;
  providers: ProviderFacts[];
  asOf: string | null;
  validators: Validators;
}

const SAMPLES = 3;
/** Longest time between two turns of the event loop, so that requests are answered while a large source is read. */
const TURN_MS = 20;

function reasonOf(error: unknown): string {
  if (error instanceof RejectedItem) return error.message;
  if (error instanceof ZodError) {
    const issue = error.issues[0];
    return `${issue?.path.map((part) => (typeof part === 'number' ? '[]' : String(part))).join('.') || 'item'}: ${issue?.message}`;
  }
  throw error;
}

/** Reads items one by one; what does not parse is counted by its reason, with samples. */
async function parseItems(
  source: SourceDefinition,
  items: Item[],
): Promise<{ records: FetchedRecord[]; rejections: Rejection[]; unread: string[] }> {
  const records: FetchedRecord[] = [];
  const unread: string[] = [];
  const rejections = new Map<string, Rejection>();
  const reject = (item: Item, reason: string) => {
    const rejection = rejections.get(reason) ?? { reason, count: 0, samples: [] };
    rejection.count += 1;
    if (rejection.samples.length < SAMPLES) rejection.samples.push(sampleOf(item.id, item.value));
    rejections.set(reason, rejection);
  };
  let turned = performance.now();
  for (const item of items) {
    if (performance.now() - turned > TURN_MS) {
      await setImmediate();
      turned = performance.now();
    }
    try {
      checkItem(item.value);
      const record = source.parse(item);
      const nameless = unnameable(record);
      if (nameless !== null) throw new RejectedItem(nameless);
      const raw = JSON.stringify(item.value);
      records.push({ record, raw, hash: hash('sha1', raw) });
    } catch (error) {
      reject(item, reasonOf(error));
      unread.push(item.id);
    }
  }
  return { records, rejections: [...rejections.values()].toSorted((a, b) => b.count - a.count), unread };
}

/** Share of the records that were expected that may be missing before a fetch is hard to believe. */
export const MOST_LOST = 0.2;
/** Share of the items that may be rejected before it is. */
export const MOST_REJECTED = 0.05;

/** What makes a fetch hard to believe, beside the records that were expected; null: nothing does. Growth never does. */
function suspicionOf(
  { fetched, parsed, rejected }: { fetched: number; parsed: number; rejected: number },
  expected: number,
): string | null {
  if (fetched === 0) return `is empty, where ${expected} records are held`;
  if (rejected > MOST_REJECTED * fetched)
    return `has ${rejected} items of ${fetched} that can not be read, more than ${MOST_REJECTED * 100} %`;
  if (parsed < (1 - MOST_LOST) * expected)
    return `has ${parsed} records where ${expected} were expected, less than ${(1 - MOST_LOST) * 100} %`;
  return null;
}

/** What `work` comes to, unless the signal ends it first: it need not know of the signal, nor ever settle. */
async function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** Fetches and reads one source. Never throws: a failure is an outcome. */
export async function fetchSource(
  source: SourceDefinition,
  settings: SourceSettings,
  options: {
    validators: Validators;
    /** What its last good fetch brought: items, and how many records are held but for those whose ids begin so. */
    lastGood: { held: (except: string | null) => Promise<number>; items: number };
    /** Whether what is hard to believe is quarantined. */
    guarded: boolean;
    signal: AbortSignal;
    limits: HttpLimits;
    breaker: Breaker;
    userAgent: string;
  },
): Promise<FetchedSource> {
  const started = performance.now();
  const outcome: SourceOutcome = {
    source: source.id,
    status: 'ok',
    fetched: 0,
    parsed: 0,
    rejected: 0,
    rejections: [],
    warnings: [],
    requests: 0,
    bytes: 0,
    httpStatus: null,
    durationMs: 0,
    error: null,
  };
  const nothing = {
    records: null,
    unread: [],
    keeps: null,
    isWhole: true,
    providers: [],
    asOf: null,
    validators: options.validators,
  };
  if (source.apiKey?.required && settings.apiKey === null) {
    return { outcome: { ...outcome, status: 'disabled' }, ...nothing };
  }
  const { upstream, report, validators, close } = connectUpstream({ ...settings, ...options });
  const finish = (result: Partial<SourceOutcome>): SourceOutcome => {
    const { requests, bytes, httpStatus, warnings } = report();
    return {
      ...outcome,
      requests,
      bytes,
      httpStatus,
      warnings,
      durationMs: Math.round(performance.now() - started),
      ...result,
    };
  };
  try {
    const fetched = await unlessAborted(source.fetch(upstream), options.signal);
    if (fetched.notModified) {
      const kept = { ...nothing, keeps: fetched.keeps ?? null };
      return { outcome: finish({ status: 'not_modified', fetched: options.lastGood.items }), ...kept };
    }
    const { records, rejections, unread } = await parseItems(source, fetched.items);
    const rejected = fetched.items.length - records.length;
    const counts = { fetched: fetched.items.length, parsed: records.length, rejected, rejections };
    const { keeps = null } = fetched;
    // Records outlive a forced fetch that lacks them, and an operator who lowers the bound expects fewer.
    const { held, items } = options.lastGood;
    const expected = Math.min(await held(keeps), items, settings.maxItems ?? Infinity);
    const suspicion = suspicionOf(counts, expected);
    if (options.guarded && suspicion !== null) {
      const message = `What ${source.name} sent ${suspicion}. Its last good records stay; look at it, and sync with force=true to accept it.`;
      const error = { class: 'sanity' as const, message };
      return { outcome: finish({ status: 'quarantined', ...counts, error }), ...nothing };
    }
    if (suspicion !== null) upstream.warn(`Accepted by force: what ${source.name} sent ${suspicion}.`);
    return {
      outcome: finish(counts),
      records,
      unread,
      keeps,
      isWhole: fetched.brokeOff !== true,
      providers: fetched.providers,
      asOf: fetched.asOf,
      validators: validators(),
    };
  } catch (error) {
    const failure =
      error instanceof UpstreamError
        ? { class: error.failure, message: error.message }
        : { class: 'internal' as const, message: `${source.name} could not be read: ${String(error)}` };
    return { outcome: finish({ status: 'failed', error: failure }), ...nothing };
  } finally {
    close();
  }
}
