import { TRPCClientError } from '@trpc/client';
import { createClient, type Client, type Problem } from '../../client/index.ts';
import type { SyncRun } from '../../contracts/sync.ts';
import { HTTP_LIMITS } from '../../sync/http.ts';
import { startApp, type TestApp } from './app.ts';
import type { DATABASES, TestDatabase } from './databases.ts';
import { AA_KEY, startUpstream, type FakeUpstream, type UpstreamContent } from './upstream.ts';

/** What opens the local admin door. */
export const ADMIN = { 'x-admin': 'true' };

/** A service of the local world on a database of its own, with the upstream that it syncs from. */
export interface Served {
  app: TestApp;
  database: TestDatabase;
  upstream: FakeUpstream;
  /** A tRPC client that is an admin. */
  client: Client;
  /** A tRPC client without credentials. */
  stranger: Client;
  close: () => Promise<void>;
}

/** Starts a service with an empty catalogue; a source fails at its first bad answer. */
export async function startServed(
  create: (typeof DATABASES)[number]['create'],
  {
    environment = {},
    arrange = () => {},
  }: { environment?: Record<string, string>; arrange?: (content: UpstreamContent) => void } = {},
): Promise<Served> {
  const upstream = await startUpstream();
  arrange(upstream.content);
  const database = await create();
  const app = await startApp(
    {
      ...upstream.urls,
      ARTIFICIAL_ANALYSIS_API_KEY: AA_KEY,
      DATABASE_URL: database.url,
      ...environment,
    },
    { times: { http: { ...HTTP_LIMITS, attempts: 1 } } },
  );
  return {
    app,
    database,
    upstream,
    client: createClient({ baseUrl: app.url, headers: ADMIN }),
    stranger: createClient({ baseUrl: app.url }),
    async close() {
      await app.stop();
      await database.drop();
      await upstream.close();
    },
  };
}

/** Starts a service whose catalogue has been synced once. */
export async function startSynced(
  ...args: Parameters<typeof startServed>
): Promise<Served & { run: SyncRun }> {
  const served = await startServed(...args);
  return { ...served, run: await served.app.sync() };
}

/** Keeps the upstream from answering requests that match, until the function that it answers with is called. */
export function hold(upstream: FakeUpstream, matcher: (path: string) => boolean): () => void {
  const { promise: released, resolve } = Promise.withResolvers<void>();
  const remove = upstream.script(matcher, (_req, _res, next) => void released.then(next));
  return () => {
    remove();
    resolve();
  };
}

/** Makes the upstream answer requests that match with a bare status, until the function that it answers with is called. */
export function fail(
  upstream: FakeUpstream,
  status: number,
  matcher: (path: string) => boolean = () => true,
): () => void {
  return upstream.script(matcher, (_req, res) => void res.writeHead(status).end());
}

/** The run, once it has ended. */
export async function ended(app: TestApp, id: string): Promise<SyncRun> {
  for (;;) {
    const { data } = await app.json<{ data: SyncRun }>(`/v1/admin/sync/${id}`, ADMIN);
    if (data.status !== 'running') return data;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Syncs three times, so that what the sources do not have any more is delisted. Answers with the last run. */
export async function syncUntilDelisted(app: TestApp, query = ''): Promise<SyncRun> {
  await app.sync(query);
  await app.sync(query);
  return app.sync(query);
}

/** When the version of the catalogue was committed that is published. */
export async function committedAt({ database }: TestApp): Promise<string> {
  const row = await database.read.selectFrom('catalog').select('committed_at').executeTakeFirstOrThrow();
  return row.committed_at;
}

/** Whether something happened while a run was under way. */
export function during({ startedAt, completedAt }: SyncRun, time: string | null | undefined): boolean {
  return typeof time === 'string' && startedAt <= time && time <= String(completedAt);
}

/** The problem of an answer that has to be one, without what no two requests share. */
export async function problemIn(response: Response): Promise<Omit<Problem, 'requestId' | 'instance'>> {
  const type = response.headers.get('content-type');
  if (type !== 'application/problem+json; charset=utf-8') throw new Error(`The answer is ${type}`);
  const { requestId, instance, ...problem } = (await response.json()) as Problem;
  if (requestId !== response.headers.get('x-request-id'))
    throw new Error('The problem has another request id');
  if (instance !== new URL(response.url).pathname) throw new Error(`The problem is about ${instance}`);
  return problem;
}

/** The same of a tRPC call that has to fail. */
export async function problemOf(call: Promise<unknown>): Promise<Omit<Problem, 'requestId' | 'instance'>> {
  const error = await call.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof TRPCClientError)) throw new Error('The call did not fail', { cause: error });
  const { requestId, instance, ...problem } = error.data as Problem;
  if (!requestId || !instance.startsWith('/trpc/')) throw new Error(`The problem is about ${instance}`);
  return problem;
}

/** An answer as it was, but for the time at which it was made. */
export function timeless<Answer extends { timestamp: string }>(answer: Answer): Omit<Answer, 'timestamp'> {
  const { timestamp: _, ...rest } = answer;
  return rest;
}
