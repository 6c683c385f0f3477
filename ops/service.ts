import { setTimeout } from 'node:timers/promises';
import type { Problem } from '../contracts/errors.ts';
import type { OpsContext } from './command.ts';
import { OpsError } from './command.ts';

const TIMEOUT_MS = 10_000;

/** An answer of the running service. */
export interface ServiceAnswer {
  status: number;
  text: string;
  headers: Headers;
  ms: number;
}

/** Asks the running service, as an admin where `admin` says so. Throws `OpsError` where it can not be reached. */
export async function ask(
  { ops }: Pick<OpsContext, 'ops'>,
  path: string,
  { method = 'GET', admin = false, body }: { method?: 'GET' | 'POST'; admin?: boolean; body?: object } = {},
): Promise<ServiceAnswer> {
  const headers: Record<string, string> = {};
  if (admin) headers['x-admin'] = credentialOf(ops.adminSecret);
  if (body !== undefined) headers['content-type'] = 'application/json';
  const startedAt = performance.now();
  try {
    const response = await fetch(ops.serviceUrl + path, {
      method,
      headers,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, text, headers: response.headers, ms: performance.now() - startedAt };
  } catch (error) {
    const { cause, message } = error as Error;
    const why = cause instanceof Error && cause.message !== '' ? cause.message : message;
    throw new OpsError(
      `the service does not answer at ${ops.serviceUrl} (${why}): check SERVICE_URL, and that it runs`,
    );
  }
}

/** The secret to send; under `npm run dev` none is needed. */
function credentialOf(adminSecret: string | null): string {
  if (adminSecret?.startsWith('sha256:'))
    throw new OpsError('ADMIN_SECRET is a hash here: set it to the secret itself for this command');
  return adminSecret ?? 'true';
}

/** The data of an answer. Throws `OpsError` with the words of the service where it refused. */
export function dataOf<Data>({ status, text }: ServiceAnswer): Data {
  if (status >= 200 && status < 300) return (JSON.parse(text) as { data: Data }).data;
  let detail = text.slice(0, 200);
  try {
    detail = (JSON.parse(text) as Problem).detail;
  } catch {
    // Not one of ours: a proxy's page.
  }
  throw new OpsError(`the service answered ${status}: ${detail}`);
}

/** Asks again every `everyMs` until the answer is one. */
export async function until<Answer>(look: () => Promise<Answer | null>, everyMs: number): Promise<Answer> {
  for (;;) {
    const answer = await look();
    if (answer !== null) return answer;
    await setTimeout(everyMs);
  }
}
