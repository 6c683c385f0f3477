import { setTimeout } from 'node:timers/promises';
import type { Problem } from '../contracts/errors.ts';
import type { OpsContext } from './command.ts';
import { OpsError } from './command.ts';

const TIMEOUT_MS = 10_000;

/** The service does not answer right now, and may do so in a moment: an instance is restarted, or there is a limit. */
export class NotNow extends OpsError {
  override name = 'NotNow';
}

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
  const headers: Record<string, string> = { ...ops.api.headers };
  if (admin) headers['x-admin'] = credentialOf(ops.adminSecret);
  if (body !== undefined) headers['content-type'] = 'application/json';
  const startedAt = performance.now();
  try {
    const response = await fetch(ops.api.url + path, {
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
    throw new NotNow(
      `the service does not answer at ${ops.api.url} (${why}): check SERVICE_URL, and that it runs`,
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
  const Refusal = status === 429 || status >= 500 ? NotNow : OpsError;
  throw new Refusal(`the service answered ${status}: ${detail}`);
}

/** The first looks follow quickly on one another, the later ones less so. */
const QUICK = { looks: 10, everyMs: 500 };
const EVERY_MS = 2_000;
/** A service that has not answered for so long is not just being restarted. */
const PATIENCE_MS = 60_000;

/** Looks again until there is an answer. Throws what a look throws, `NotNow` only after a minute of nothing else. */
export async function until<Answer>(look: () => Promise<Answer | null>): Promise<Answer> {
  let answeredAt = performance.now();
  for (let looks = 1; ; looks += 1) {
    try {
      const answer = await look();
      if (answer !== null) return answer;
      answeredAt = performance.now();
    } catch (error) {
      if (!(error instanceof NotNow) || performance.now() - answeredAt > PATIENCE_MS) throw error;
    }
    await setTimeout(looks < QUICK.looks ? QUICK.everyMs : EVERY_MS);
  }
}
