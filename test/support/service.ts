import { onTestFinished } from 'vitest';
import type { SyncRun } from '../../contracts/sync.ts';
import { openDatabase, type Database } from '../../server/db/database.ts';
import { ADMIN_SECRET } from './app.ts';
import type { DATABASES } from './databases.ts';
import type { Finish } from './process.ts';
import { AA_KEY, type FakeUpstream } from './upstream.ts';

/** What `npm start` needs beside `environmentOn`. */
export const PRODUCTION = { ADMIN_SECRET, HOST: '127.0.0.1', RATE_LIMIT_PER_MINUTE: '0' };

/** The environment of a process on a database of its own, which fetches from the fake upstream. */
export async function environmentOn(
  upstream: FakeUpstream,
  { create }: (typeof DATABASES)[number],
  finish: Finish = onTestFinished,
): Promise<Record<string, string>> {
  const { url, drop } = await create();
  finish(drop);
  return {
    ...upstream.urls,
    ARTIFICIAL_ANALYSIS_API_KEY: AA_KEY,
    DATABASE_URL: url,
    PORT: '0',
    SYNC_CRON: 'off',
    SYNC_ON_START: 'never',
  };
}

/** Opens the database of an environment for as long as `work` takes. */
export async function withDatabase<Result>(
  environment: Record<string, string>,
  work: (database: Database) => Promise<Result>,
): Promise<Result> {
  const database = await openDatabase(environment.DATABASE_URL ?? '');
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

/** What the database says about its runs, oldest first, and who holds the lease. */
export function storedRuns(
  environment: Record<string, string>,
): Promise<{ runs: string[]; leases: string[] }> {
  return withDatabase(environment, async ({ read }) => {
    const runs = await read.selectFrom('sync_runs').select('status').orderBy('started_at').execute();
    const leases = await read.selectFrom('leases').select('owner').execute();
    return { runs: runs.map(({ status }) => status), leases: leases.map(({ owner }) => owner) };
  });
}

/** Lets the lease run out now, as after 90 s without a word of its holder. */
export function expireLease(environment: Record<string, string>): Promise<void> {
  return withDatabase(environment, async ({ write }) => {
    await write.updateTable('leases').set({ expires_at_ms: 1 }).execute();
  });
}

/** Keeps models.dev from answering. `asked` resolves once it was asked, `release` lets it answer. */
export function holdModelsDev(upstream: FakeUpstream): { asked: Promise<void>; release: () => void } {
  const asked = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const remove = upstream.script(
    (path) => path.endsWith('/api.json'),
    (_req, _res, next) => {
      asked.resolve();
      void released.promise.then(next);
    },
  );
  return {
    asked: asked.promise,
    release: () => {
      remove();
      released.resolve();
    },
  };
}

/** Asks a running service to start a sync. */
export async function postSync(address: string): Promise<{ status: number; id: string }> {
  const response = await fetch(`${address}/v1/admin/sync`, {
    method: 'POST',
    headers: { 'x-admin': ADMIN_SECRET },
  });
  const body = (await response.json()) as { data?: { id: string }; runId?: string };
  return { status: response.status, id: body.data?.id ?? body.runId ?? '' };
}

/** The runs as a service shows them, newest first. */
export async function shownRuns(address: string): Promise<SyncRun[]> {
  const response = await fetch(`${address}/v1/admin/sync/history?limit=100`, {
    headers: { 'x-admin': ADMIN_SECRET },
  });
  return ((await response.json()) as { data: SyncRun[] }).data;
}

/** Waits until the newest run has ended. */
export async function newestEnded(address: string): Promise<SyncRun> {
  for (;;) {
    const [run] = await shownRuns(address);
    if (run !== undefined && run.status !== 'running') return run;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
