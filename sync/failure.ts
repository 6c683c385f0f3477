import type { FailureClass } from '../contracts/sync.ts';

/** Why an upstream brought nothing; the message holds no key, no query and no part of a body. */
export class UpstreamError extends Error {
  override name = 'UpstreamError';
  readonly failure: FailureClass;
  readonly httpStatus: number | null;

  constructor(
    failure: FailureClass,
    message: string,
    options: { httpStatus?: number | null; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.failure = failure;
    this.httpStatus = options.httpStatus ?? null;
  }
}

/** A failure that another attempt may mend, after `retryAfterMs` where the upstream said so. */
export class TransientError extends UpstreamError {
  readonly retryAfterMs: number | null;

  constructor(
    failure: FailureClass,
    message: string,
    options: { httpStatus?: number | null; retryAfterMs?: number | null } = {},
  ) {
    super(failure, message, options);
    this.retryAfterMs = options.retryAfterMs ?? null;
  }
}

/** The failure that an answer with this status is, for `place`, a URL without its query. */
export function statusFailure(
  place: string,
  response: Response,
  hasKey: boolean,
  retryAfterCapMs: number,
): UpstreamError {
  const httpStatus = response.status;
  const said = `${place} answered ${httpStatus}`;
  if (httpStatus === 401 || httpStatus === 403) {
    const advice = hasKey ? 'its API key was not accepted; check or renew it.' : 'it may want an API key.';
    return new UpstreamError('auth', `${said}: ${advice}`, { httpStatus });
  }
  if (httpStatus !== 429 && httpStatus !== 408 && httpStatus < 500) {
    return new UpstreamError('http', `${said}, which was not expected; check the base URL.`, { httpStatus });
  }
  const failure = httpStatus === 429 ? 'rate_limited' : 'http';
  const retryAfterMs = readRetryAfter(response.headers);
  if (retryAfterMs !== null && retryAfterMs > retryAfterCapMs) {
    const seconds = Math.ceil(retryAfterMs / 1000);
    return new UpstreamError(failure, `${said} and asks to wait ${seconds} s, too long for one run.`, {
      httpStatus,
    });
  }
  const advice = httpStatus === 429 ? 'sync less often, or use a key.' : 'it has trouble of its own.';
  return new TransientError(failure, `${said}: ${advice} The next run tries again.`, {
    httpStatus,
    retryAfterMs,
  });
}

/** The three forms of RFC 9110 5.6.7; the last carries no zone. */
const HTTP_DATE = /^([A-Z][a-z]+, \d.+ GMT|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4})$/;

/**
 * Milliseconds that `Retry-After` (seconds, or an HTTP-date by the upstream's clock) asks for, else `RateLimit` where nothing
 * is left of it; null where neither asks for anything sensible.
 */
function readRetryAfter(headers: Headers): number | null {
  const value = headers.get('retry-after')?.trim() ?? '';
  const reset = /;r=0\b.*;t=(\d+)/.exec(headers.get('ratelimit') ?? '')?.[1];
  if (value === '' && reset !== undefined) return Number(reset) * 1000;
  if (/^\d+(\.\d+)?$/.test(value)) return Number(value) > 0 ? Number(value) * 1000 : null;
  const now = Date.parse(headers.get('date') ?? '') || Date.now();
  const wait = HTTP_DATE.test(value) ? Date.parse(`${value.replace(/ GMT$/, '')} GMT`) - now : 0;
  return wait > 0 ? wait : null;
}

const TLS_CODE =
  /^(CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|HOSTNAME_|INVALID_(CA|PURPOSE)|ERR_SSL_|ERR_TLS_(?!HANDSHAKE_TIMEOUT)|EPROTO)/;

/** The code by which zlib reports a body that is not what Content-Encoding says. */
const ENCODING_CODE = /^(Z_|ERR__|ERR_BROTLI|ZSTD_)/;

/**
 * The failure that an error thrown by `fetch` or by its body is. The error itself is left behind: an HTTPParserError
 * of undici 7 carries the answer, and that of bad headers their values.
 */
export function connectionFailure(place: string, error: unknown): UpstreamError {
  const cause = error instanceof TypeError && error.cause instanceof Error ? error.cause : null;
  if (cause === null) {
    return new UpstreamError('internal', `${place} could not be asked: a defect of the sync; report it.`, {
      cause: error,
    });
  }
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : cause.name;
  if (TLS_CODE.test(code)) {
    const advice = 'Check the clock, the base URL and any proxy that reads TLS.';
    return new UpstreamError(
      'tls',
      `${place} offers no TLS connection that can be trusted (${code}). ${advice}`,
    );
  }
  if (ENCODING_CODE.test(code) || cause.message.startsWith('too many content-encodings')) {
    return new TransientError(
      'format',
      `${place} answered with a body that could not be decompressed (${code}).`,
    );
  }
  if (cause.name === 'HTTPParserError') {
    return new TransientError('http', `${place} does not speak HTTP as expected; check the base URL.`);
  }
  return new TransientError(
    'unreachable',
    `${place} could not be reached, or broke off (${code}). Check the network; the next run tries again.`,
  );
}
