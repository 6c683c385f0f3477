import type { Heard } from '../../../support/crowd.ts';
import { breaks, breaksProblem } from './document.ts';
import type { FuzzRequest } from './requests.ts';

/** What an edge may say to a request that no operation describes, or that is no request. */
const EDGE = new Set([204, 400, 401, 404, 405, 408, 413, 415, 429, 431]);
/** What batches may add. */
const TRPC = new Set([207, 409]);
const INSIDE =
  /\bselect\b.*\bfrom\b|node_modules|FST_|SQLITE|sqlstate|kysely|mikro|zod|TRPCError|\.ts:\d|\bat \w+ \(/i;

/** What is wrong with an answer; an empty list: nothing. */
export function judge(request: FuzzRequest, { status, headers, body }: Heard): string[] {
  const faults: string[] = [];
  const demand = (isMet: boolean, fault: string) => {
    if (!isMet) faults.push(fault);
  };
  if (status === 0) return ['no answer'];
  demand(status < 500, `status ${status}`);
  demand(/^[A-Za-z0-9._-]{1,64}$/.test(String(headers['x-request-id'])), 'no X-Request-Id');
  demand(headers['x-content-type-options'] === 'nosniff', 'no nosniff');
  demand(headers['x-injected'] === undefined, 'a header of the request is in the answer');
  if (status === 429) demand(Number(headers['retry-after']) > 0, 'no Retry-After');
  if (status === 405) demand(headers.allow !== undefined, 'no Allow');
  if (request.method === 'HEAD' || status === 204 || status === 304) {
    demand(body === '', 'a body where there must be none');
    return faults;
  }
  const [type = ''] = (headers['content-type'] ?? '').split(';');
  if (status >= 400) return [...faults, ...refusalFaults(request, status, type, body)];
  const { operation } = request;
  if (request.kind === 'trpc') return [...faults, ...(isJson(body) ? [] : ['no JSON'])];
  if (operation === null) return faults;
  const documented = operation.responses[status]?.content;
  if (documented === undefined) return [...faults, `${status} is not documented`];
  if (!(type in documented)) return [...faults, `${status} as ${type} is not documented`];
  if (type !== 'application/json') return faults;
  if (!isJson(body)) return [...faults, 'no JSON'];
  const fault = breaks(operation, status, type, JSON.parse(body));
  return fault === null ? faults : [...faults, fault];
}

function refusalFaults(request: FuzzRequest, status: number, type: string, body: string): string[] {
  if (!isJson(body)) return [`${status} is no JSON`];
  const parsed = JSON.parse(body) as { error?: { data: unknown } } & Record<string, unknown>;
  const isTrpc = request.path.startsWith('/trpc/');
  const problems = isTrpc
    ? [parsed].flat().map((one) => (one as { error?: { data: unknown } }).error?.data)
    : [parsed];
  const faults = problems.map((problem) => breaksProblem(problem)).filter((fault) => fault !== null);
  if (!isTrpc && type !== 'application/problem+json') faults.push(`a problem as ${type}`);
  const isKnown = request.operation !== null && String(status) in request.operation.responses;
  if (!isKnown && !EDGE.has(status) && !(isTrpc && TRPC.has(status)))
    faults.push(`${status} is not documented`);
  for (const problem of problems) {
    const { type: kind, title, detail, errors } = problem as Record<string, unknown> & { errors: unknown[] };
    // What the caller wrote may be named to the caller: where it stood, and which of it was wrong.
    const said = [kind, title, errors.length === 0 ? detail : ''].join(' ');
    if (INSIDE.test(said)) faults.push(`it tells of the inside: ${said.slice(0, 200)}`);
  }
  return faults;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
