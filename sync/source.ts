import type { Item } from './item.ts';
import type { Attribution } from '../contracts/common.ts';
import type { RawPlaces } from './raw.ts';
import type { ProviderFacts, SourceRecord } from './record.ts';

/** An answer of an upstream. `body` is parsed JSON; on `notModified` it is undefined. */
export interface UpstreamAnswer {
  notModified: boolean;
  body: unknown;
  headers: Headers;
}

/** What a source may use to reach its upstream: the deadline, retries, caps and keys are taken care of. */
export interface Upstream {
  /** Base URL, without a slash at the end. */
  baseUrl: string;
  /** The operator's API key, if there is one. */
  apiKey: string | null;
  /** Most items to fetch; null: all of them. */
  maxItems: number | null;
  /**
   * GETs JSON. `url` is absolute, below the upstream's origin. With `conditional`, the validators of the last good fetch
   * are sent, and the answer may be `notModified`. Throws `UpstreamError`.
   */
  getJson(
    url: string,
    options?: { headers?: Record<string, string>; conditional?: boolean },
  ): Promise<UpstreamAnswer>;
  /** Forgets the validators of a URL, so that the next run fetches it whole. */
  forget(url: string): void;
  /** Notes something that an operator should see but that does not fail the source. */
  warn(message: string): void;
}

/** What a source fetched. */
export type Fetched =
  | {
      notModified: true;
      /** As below: of that part nothing is known. */
      keeps?: string;
    }
  | {
      notModified: false;
      items: Item[];
      providers: ProviderFacts[];
      asOf: string | null;
      /** Beginning of the ids of a part that could not be fetched: its items of the last good fetch stay. */
      keeps?: string;
      /** Whether the list broke off: what it does not have is not missing. */
      brokeOff?: boolean;
    };

/** An upstream catalogue: where it is, how to fetch its items, how to read one. */
export interface SourceDefinition {
  id: string;
  name: string;
  /** Environment variable and default of the base URL; null: nothing is fetched over the network. */
  baseUrl: { variable: string; default: string } | null;
  /** Environment variable of the API key; `required`: without it the source is disabled. */
  apiKey: { variable: string; required: boolean } | null;
  /** Environment variable that bounds the number of items, and its default. */
  maxItems: { variable: string; default: number } | null;
  /** Whom to credit for its values. */
  attribution: Attribution | null;
  /** Fetches all items, every page. Throws `UpstreamError` where the envelope is not as expected. */
  fetch(upstream: Upstream): Promise<Fetched>;
  /** Where the values of each field stand in an item, by the type of record that it is read as. */
  raw: Partial<Record<SourceRecord['type'], RawPlaces>>;
  /** Reads one item. Throws `RejectedItem` or a ZodError where it can not be used. */
  parse(item: Item): SourceRecord;
}

/** Writes a source down. */
export function defineSource(definition: SourceDefinition): SourceDefinition {
  return definition;
}
