import { TRPCError } from '@trpc/server';
import { z } from 'zod';
import { Candidate, Hint } from './names.ts';

/** Every error code that the API answers with, and its HTTP status. The names are tRPC's own. */
export const ERROR_STATUS = {
  BAD_REQUEST: 400,
  UNAUTHORIZED: 401,
  NOT_FOUND: 404,
  METHOD_NOT_SUPPORTED: 405,
  CONFLICT: 409,
  PAYLOAD_TOO_LARGE: 413,
  UNSUPPORTED_MEDIA_TYPE: 415,
  TOO_MANY_REQUESTS: 429,
  INTERNAL_SERVER_ERROR: 500,
  SERVICE_UNAVAILABLE: 503,
} as const;
export type ErrorCode = keyof typeof ERROR_STATUS;

/** What each code means to the caller; the problem's `title`. */
export const ERROR_TITLE: Record<ErrorCode, string> = {
  BAD_REQUEST: 'The request is not valid',
  UNAUTHORIZED: 'Admin credentials are missing or wrong',
  NOT_FOUND: 'Nothing is here',
  METHOD_NOT_SUPPORTED: 'This path does not take this method',
  CONFLICT: 'The request can not be met as things stand',
  PAYLOAD_TOO_LARGE: 'The request body is too large',
  UNSUPPORTED_MEDIA_TYPE: 'The request body is not JSON',
  TOO_MANY_REQUESTS: 'Too many requests',
  INTERNAL_SERVER_ERROR: 'Something went wrong on our side',
  SERVICE_UNAVAILABLE: 'The service is not available right now',
};

/** One fault of the input. */
export const ProblemIssue = z
  .object({ path: z.string().describe('Name of the parameter'), message: z.string() })
  .meta({ id: 'ProblemIssue' });

/** Every error of the API: an RFC 9457 problem, as REST body and as tRPC error data alike. */
export const Problem = z
  .object({
    type: z.string().describe('URI of the kind of problem'),
    title: z.string(),
    status: z.number().int().describe('The HTTP status'),
    detail: z.string().describe('What happened and what to do next'),
    instance: z.string().describe('The path that was asked for'),
    code: z.enum(Object.keys(ERROR_STATUS) as [ErrorCode, ...ErrorCode[]]),
    requestId: z.string().describe('Quote it when you report the problem; also the X-Request-Id header'),
    errors: z.array(ProblemIssue).describe('Faults of the input, one by one; empty for other problems'),
    'violated-policies': z
      .array(z.string())
      .optional()
      .describe('On 429: the limits that were passed, by their names in the RateLimit-Policy header'),
    runId: z.string().optional().describe('On 409 to the start of a sync: the run that is under way'),
    candidates: z
      .array(Candidate)
      .optional()
      .describe('On 409 to a name: the models that it means in different places'),
    hints: z
      .array(Hint)
      .optional()
      .describe('On 404 to a name: models whose names are near, the nearest first; none of them is a match'),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof Problem>;

/** An error meant for the caller: its message becomes the problem's `detail`. Anything else thrown becomes a bare 500. */
export class ApiError extends TRPCError {
  readonly headers: Record<string, string>;
  /** What the problem says beside what its code says. */
  readonly extra: Partial<
    Pick<Problem, 'type' | 'status' | 'errors' | 'violated-policies' | 'runId' | 'candidates' | 'hints'>
  >;

  constructor(
    code: ErrorCode,
    detail: string,
    options: { headers?: Record<string, string>; extra?: ApiError['extra']; cause?: unknown } = {},
  ) {
    super({ code, message: detail, cause: options.cause });
    this.name = 'ApiError';
    this.headers = options.headers ?? {};
    this.extra = options.extra ?? {};
  }
}
