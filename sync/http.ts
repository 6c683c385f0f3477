import type { Breaker, BreakerLimits } from './breaker.ts';
import { readJson } from './body.ts';
import { connectionFailure, statusFailure, TransientError, UpstreamError } from './failure.ts';
import { withRetries } from './retry.ts';
import type { Upstream, UpstreamAnswer } from './source.ts';

export { UpstreamError } from './failure.ts';

/** What an upstream gave last to ask it again with, by URL. */
export type Validators = Record<string, { etag: string | null; lastModified: string | null }>;

/** How long to wait for an upstream, and how much to take. */
export interface HttpLimits extends BreakerLimits {
  /** Requests for one answer, the first included; redirects come on top. */
  attempts: number;
  /** Time for one attempt, body and redirects included. */
  attemptTimeoutMs: number;
  /** Time for all that is asked of one upstream in a run, waits included. */
  sourceTimeoutMs: number;
  /** Time from connecting until a first good answer begins; null: no such bound. */
  answerTimeoutMs: number | null;
  /** Largest body, decompressed. */
  maxBytes: number;
  /** The first wait is a random part of this, the next of twice as much, and so on. */
  retryBaseMs: number;
  /** An upstream that asks for a longer wait than this fails at once. */
  retryAfterCapMs: number;
}

/** The limits of a sync in production. */
export const HTTP_LIMITS: HttpLimits = {
  attempts: 4,
  attemptTimeoutMs: 60_000,
  // A run may take 60 minutes: this leaves it time to publish what the others brought.
  sourceTimeoutMs: 59 * 60_000,
  answerTimeoutMs: null,
  maxBytes: 64 * 1024 * 1024,
  retryBaseMs: 500,
  retryAfterCapMs: 15 * 60_000,
  // Two whole runs of failed attempts; a tick of two hours always finds it rested.
  breakerFailures: 8,
  breakerRestMs: 30 * 60_000,
};

/** What `connectUpstream` needs to know. */
export interface ConnectOptions {
  baseUrl: string;
  apiKey: string | null;
  maxItems: number | null;
  /** Those of the last good fetch. */
  validators: Validators;
  userAgent: string;
  /** Ends everything at once, with its reason where that is an `UpstreamError`. */
  signal: AbortSignal;
  limits: HttpLimits;
  breaker: Breaker;
}

/** What went over the wire; `answered`: a good answer has begun. */
export interface UpstreamReport {
  requests: number;
  bytes: number;
  httpStatus: number | null;
  warnings: string[];
  answered: boolean;
}

const MAX_REDIRECTS = 3;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * Gives a source its upstream for one run; `validators()` are those to store once the run has used the answers. `close`
 * ends whatever is still under way.
 */
export function connectUpstream(options: ConnectOptions): {
  upstream: Upstream;
  report(): UpstreamReport;
  validators(): Validators;
  close(): void;
} {
  const { apiKey, breaker, limits, signal } = options;
  // A source that fetches nothing has no base URL, and no URL is within its reach.
  const origin = URL.parse(options.baseUrl)?.origin ?? '';
  const known = new Map(Object.entries(options.validators));
  const warnings = new Set<string>();
  const tally = { requests: 0, bytes: 0, httpStatus: null as number | null, answered: false };

  const stop = new AbortController();
  const onAbort = () => stop.abort(abortReason(signal, origin));
  if (signal.aborted) onAbort();
  else signal.addEventListener('abort', onAbort, { once: true });

  const silence = limits.answerTimeoutMs === null ? undefined : setTimeout(onSilence, limits.answerTimeoutMs);
  silence?.unref();
  const total = setTimeout(onLate, limits.sourceTimeoutMs);
  total.unref();

  function onSilence(): void {
    giveUp(`gave no good answer in ${Number(limits.answerTimeoutMs) / 1000} s`, 'Check the network.');
  }

  function onLate(): void {
    giveUp(`was not done in ${limits.sourceTimeoutMs / 1000} s`, 'The next run tries again.');
  }

  function giveUp(problem: string, advice: string): void {
    const { httpStatus } = tally;
    const last = httpStatus === null ? '' : `; its last status was ${httpStatus}`;
    stop.abort(new UpstreamError('timeout', `${origin} ${problem}${last}. ${advice}`, { httpStatus }));
  }

  /** Requests `url`, follows redirects within the origin, and answers with what is neither redirect nor failure. */
  async function request(url: URL, place: string, headers: Headers, ends: AbortSignal): Promise<Response> {
    let target = url;
    for (let hops = 0; ; hops++) {
      tally.requests++;
      const response = await fetch(target.href, { headers, redirect: 'manual', signal: ends });
      const httpStatus = response.status;
      tally.httpStatus = httpStatus;
      if (httpStatus === 200) return response;
      if (httpStatus === 304 && (headers.has('if-none-match') || headers.has('if-modified-since')))
        return response;
      if (!REDIRECTS.has(httpStatus))
        throw statusFailure(place, response, apiKey !== null, limits.retryAfterCapMs);
      const location = response.headers.get('location');
      const next = location === null ? null : URL.parse(location, target.href);
      if (hops === MAX_REDIRECTS || next === null || !isWithin(next, origin)) {
        const problem = hops === MAX_REDIRECTS ? 'too often' : `to nowhere within ${origin}`;
        const message = `${place} redirects ${problem}, which is not followed; check the base URL.`;
        throw new UpstreamError('http', message, { httpStatus });
      }
      target = next;
    }
  }

  /** One attempt; whatever of it is unread in the end is dropped. */
  async function attempt(url: URL, place: string, headers: Headers): Promise<UpstreamAnswer> {
    const deadline = new AbortController();
    const late = `${place} took longer than ${limits.attemptTimeoutMs / 1000} s. The next run tries again.`;
    const timer = setTimeout(
      () => deadline.abort(new TransientError('timeout', late)),
      limits.attemptTimeoutMs,
    );
    const ends = AbortSignal.any([stop.signal, deadline.signal]);
    try {
      const response = await request(url, place, headers, ends);
      const notModified = response.status === 304;
      if (!notModified && !/json/i.test(response.headers.get('content-type') ?? '')) {
        const message = `${place} answered with something other than JSON; check the base URL.`;
        throw new UpstreamError('format', message, { httpStatus: response.status });
      }
      tally.answered = true;
      clearTimeout(silence);
      const body = notModified
        ? undefined
        : await readJson(place, response, limits.maxBytes, (bytes) => (tally.bytes += bytes));
      return { notModified, body, headers: response.headers };
    } catch (error) {
      if (ends.aborted) throw ends.reason;
      throw error instanceof UpstreamError ? error : connectionFailure(place, error);
    } finally {
      clearTimeout(timer);
      deadline.abort();
    }
  }

  async function getJson(
    url: string,
    {
      headers: extra = {},
      conditional = false,
    }: { headers?: Record<string, string>; conditional?: boolean } = {},
  ): Promise<UpstreamAnswer> {
    const target = URL.parse(url);
    if (target === null || !isWithin(target, origin)) {
      throw new UpstreamError('http', `A URL outside ${origin} was to be asked, which is not allowed.`);
    }
    const place = target.origin + target.pathname;
    const headers = requestHeaders(place, {
      accept: 'application/json',
      'user-agent': options.userAgent,
      ...extra,
    });
    const last = conditional ? known.get(url) : undefined;
    if (last?.etag) headers.set('if-none-match', last.etag);
    if (last?.lastModified) headers.set('if-modified-since', last.lastModified);

    const answer = await withRetries(limits, stop.signal, breaker, (uncompressed) => {
      if (uncompressed) headers.set('accept-encoding', 'identity');
      return breaker.attempt(place, () => attempt(target, place, headers));
    });
    if (!answer.notModified && (conditional || known.has(url))) remember(url, answer.headers);
    return answer;
  }

  function remember(url: string, headers: Headers): void {
    const etag = headers.get('etag');
    const lastModified = headers.get('last-modified');
    if (etag === null && lastModified === null) known.delete(url);
    else known.set(url, { etag, lastModified });
  }

  return {
    upstream: {
      baseUrl: options.baseUrl,
      apiKey,
      maxItems: options.maxItems,
      getJson,
      forget: (url) => void known.delete(url),
      warn: (message) => void warnings.add(message),
    },
    report: () => ({ ...tally, warnings: [...warnings] }),
    validators: () => Object.fromEntries(known),
    close() {
      clearTimeout(silence);
      clearTimeout(total);
      signal.removeEventListener('abort', onAbort);
      stop.abort(new UpstreamError('internal', `${origin} was asked after its fetch had ended.`));
    },
  };
}

function isWithin(url: URL, origin: string): boolean {
  return url.origin === origin && url.username === '' && url.password === '';
}

function abortReason(signal: AbortSignal, origin: string): UpstreamError {
  if (signal.reason instanceof UpstreamError) return signal.reason;
  return new UpstreamError('timeout', `The run's deadline passed before ${origin} was done.`);
}

/** Headers refuses what HTTP does not allow with an error that quotes the value, which may be a key. */
function requestHeaders(place: string, values: Record<string, string>): Headers {
  try {
    return new Headers(values);
  } catch {
    throw new UpstreamError(
      'auth',
      `${place}: the API key holds characters that HTTP does not allow; correct it.`,
    );
  }
}
