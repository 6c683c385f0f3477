import { STATUS_CODES } from 'node:http';
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { TRPCError } from '@trpc/server';
import { getHTTPStatusCodeFromError } from '@trpc/server/http';
import { z } from 'zod';
import { ApiError, ERROR_STATUS, ERROR_TITLE, type ErrorCode, type Problem } from '../../contracts/errors.ts';

/** Content type of every problem. */
export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

const MAX_ISSUES = 100;
const MAX_DETAIL = 1_000;

/** Kinds of problems that are registered with IANA. */
const REGISTERED = 'https://iana.org/assignments/http-problem-types';
const QUOTA_EXCEEDED = `${REGISTERED}#quota-exceeded`;
const REDUCED_CAPACITY = `${REGISTERED}#temporary-reduced-capacity`;

/** An error for a service that has more to do than it can: it may be asked again in a few seconds. */
export function overloaded(detail: string, cause?: unknown): ApiError {
  return new ApiError('SERVICE_UNAVAILABLE', detail, { extra: { type: REDUCED_CAPACITY }, cause });
}

const codeByStatus = new Map<number, ErrorCode>(
  (Object.keys(ERROR_STATUS) as ErrorCode[]).map((code) => [ERROR_STATUS[code], code]),
);

/** What is said when a library refused the request: its own words stay inside. */
const DETAIL: Record<ErrorCode, string> = {
  BAD_REQUEST: 'The request could not be read. Check the spelling of its URL, its headers and its JSON.',
  UNAUTHORIZED: 'Send the admin secret in the x-admin header.',
  NOT_FOUND: 'Nothing is here. /openapi.json lists every path.',
  METHOD_NOT_SUPPORTED: 'The Allow header lists the methods that can be used here.',
  CONFLICT: 'Something else is under way. Try again when it is done.',
  PAYLOAD_TOO_LARGE: 'A request body may have 16 KiB at most.',
  UNSUPPORTED_MEDIA_TYPE: 'Send the body as application/json, without a Content-Encoding.',
  TOO_MANY_REQUESTS: 'Try again after the time that the Retry-After header states.',
  INTERNAL_SERVER_ERROR: 'Something went wrong on our side.',
  SERVICE_UNAVAILABLE: 'The service can not answer right now. Try again in a few seconds.',
};

function codeOf(error: unknown): ErrorCode {
  if (error instanceof z.ZodError) return 'BAD_REQUEST';
  let status: unknown;
  if (error instanceof TRPCError) status = getHTTPStatusCodeFromError(error);
  else if (error instanceof Error && 'statusCode' in error) status = error.statusCode;
  if (typeof status !== 'number') return 'INTERNAL_SERVER_ERROR';
  return (
    codeByStatus.get(status) ?? (status >= 400 && status < 500 ? 'BAD_REQUEST' : 'INTERNAL_SERVER_ERROR')
  );
}

/** The faults that a Zod schema found, one by one, unknown names each on its own. */
export function issuesOf(error: z.ZodError): Problem['errors'] {
  return error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({
          path: [...issue.path, key].join('.'),
          message: 'There is no such parameter',
        }))
      : [{ path: issue.path.join('.'), message: issue.message }],
  );
}

/** An error for faults of the input, one by one. */
export function invalidInput(errors: Problem['errors']): ApiError {
  const kept = errors
    .slice(0, MAX_ISSUES)
    .map(({ path, message }) => ({ path: path.slice(0, 100), message }));
  const detail = kept.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
  return new ApiError('BAD_REQUEST', detail.slice(0, MAX_DETAIL), { extra: { errors: kept } });
}

/** Faults of the input keep their names, whoever found them. */
function refine(error: unknown): unknown {
  if (error instanceof z.ZodError) return invalidInput(issuesOf(error));
  const parsedByTrpc =
    error instanceof TRPCError && !(error instanceof ApiError) && error.code === 'BAD_REQUEST';
  return parsedByTrpc && error.cause instanceof z.ZodError ? invalidInput(issuesOf(error.cause)) : error;
}

/** Turns whatever was thrown into the problem for the caller. Only the words of an `ApiError` get through. */
export function problemOf(
  thrown: unknown,
  { requestId, instance }: { requestId: string; instance: string },
): Problem {
  const error = refine(thrown);
  const code = codeOf(error);
  let detail = DETAIL[code];
  if (error instanceof ApiError) detail = error.message;
  else if (code === 'INTERNAL_SERVER_ERROR')
    detail += ` Quote the request id ${requestId} when you report it.`;
  return {
    type: code === 'TOO_MANY_REQUESTS' ? QUOTA_EXCEEDED : 'about:blank',
    title: ERROR_TITLE[code],
    status: ERROR_STATUS[code],
    detail,
    instance,
    code,
    requestId,
    errors: [],
    ...(error instanceof ApiError ? error.extra : {}),
  };
}

/** The headers that go with a problem, names in lower case. */
export function problemHeaders(error: unknown, problem: Problem): Record<string, string> {
  const headers: Record<string, string> = { 'cache-control': 'no-store' };
  if (problem.status === 503) headers['retry-after'] = '5';
  if (error instanceof ApiError) {
    for (const [name, value] of Object.entries(error.headers)) headers[name.toLowerCase()] = value;
  }
  return headers;
}

/** Whether the error is ours to look into: neither meant for the caller nor caused by the caller. */
export function isUnexpected(error: unknown, problem: Problem): boolean {
  return problem.code === 'INTERNAL_SERVER_ERROR' && !(error instanceof ApiError);
}

/** Answers bytes that are not HTTP, or too slow or too many of them, on the raw socket, and closes it. */
export function refuseRawRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  let status = 400;
  let detail = 'The request is not valid HTTP.';
  if (error.code === 'HPE_HEADER_OVERFLOW') {
    status = 431;
    detail = 'The request line and the headers may have 8 KiB at most.';
  } else if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    status = 408;
    detail = 'The request took too long to arrive.';
  }
  const requestId = randomUUID();
  const refused = new ApiError('BAD_REQUEST', detail, { extra: { status } });
  const problem = problemOf(refused, { requestId, instance: '' });
  const body = JSON.stringify(problem);
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    `Content-Type: ${PROBLEM_TYPE}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Cache-Control: no-store',
    'X-Content-Type-Options: nosniff',
    `X-Request-Id: ${requestId}`,
    'Connection: close',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroySoon();
}
