import type { Kysely, Selectable } from 'kysely';
import type { SourceOutcome, SyncRun } from '../../contracts/sync.ts';
import { readClock } from './clock.ts';
import type { Database } from './database.ts';
import type { Tables } from './orm.ts';

function runOf(row: Selectable<Tables['sync_runs']>): SyncRun {
  return {
    id: row.id,
    status: row.status as SyncRun['status'],
    message: row.message,
    trigger: row.trigger as SyncRun['trigger'],
    startedAt: row.started_at,
    completedAt: row.completed_at,
    durationMs: row.completed_at === null ? null : Date.parse(row.completed_at) - Date.parse(row.started_at),
    totalFetched: row.total_fetched,
    totalStored: row.total_stored,
    catalogVersion: row.catalog_version,
    forced: row.forced === 1,
    sources: JSON.parse(row.sources) as SourceOutcome[],
  };
}

/** One page of runs, newest first, and how many there are. */
export async function listRuns(
  db: Kysely<Tables>,
  { limit, offset }: { limit: number; offset: number },
): Promise<{ runs: SyncRun[]; total: number }> {
  const { count } = await db
    .selectFrom('sync_runs')
    .select((eb) => eb.fn.countAll().as('count'))
    .executeTakeFirstOrThrow();
  const rows = await db
    .selectFrom('sync_runs')
    .selectAll()
    .orderBy('started_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .offset(offset)
    .execute();
  return { runs: rows.map(runOf), total: Number(count) };
}

/** One run; null: there is none of that id. */
export async function findRun(db: Kysely<Tables>, id: string): Promise<SyncRun | null> {
  const row = await db.selectFrom('sync_runs').selectAll().where('id', '=', id).executeTakeFirst();
  return row === undefined ? null : runOf(row);
}

/** The run under way, if there is one. */
export async function findRunning(db: Kysely<Tables>): Promise<SyncRun | null> {
  const row = await db
    .selectFrom('sync_runs')
    .selectAll()
    .where('status', '=', 'running')
    .orderBy('started_at', 'desc')
    .executeTakeFirst();
  return row === undefined ? null : runOf(row);
}

/** The run of some statuses that began last, backfills aside; null: there is none. */
async function lastRunOf(db: Kysely<Tables>, statuses: SyncRun['status'][]): Promise<SyncRun | null> {
  const row = await db
    .selectFrom('sync_runs')
    .selectAll()
    .where('status', 'in', statuses)
    .where('trigger', '!=', 'backfill')
    .orderBy('started_at', 'desc')
    .orderBy('id', 'desc')
    .executeTakeFirst();
  return row === undefined ? null : runOf(row);
}

const STORED: SyncRun['status'][] = ['completed', 'partial'];
const JUDGED: SyncRun['status'][] = [...STORED, 'failed', 'interrupted'];

/** The run that ended last; null: none has. */
export const lastFinishedRun = (db: Kysely<Tables>): Promise<SyncRun | null> =>
  lastRunOf(db, [...JUDGED, 'aborted', 'superseded']);

/** The same, but for runs that a shutdown stopped or another run took over: they say nothing of sources and database. */
export const lastJudgedRun = (db: Kysely<Tables>): Promise<SyncRun | null> => lastRunOf(db, JUDGED);

/** The run that stored something last, of all sources or of some; null: none has. */
export const lastStoredRun = (db: Kysely<Tables>): Promise<SyncRun | null> => lastRunOf(db, STORED);

/** The run that was completed last; null: none was. */
export const lastCompletedRun = (db: Kysely<Tables>): Promise<SyncRun | null> => lastRunOf(db, ['completed']);

/** The scheduled run that began last, if it did so less than `withinMs` ago by the database's clock. */
export async function recentTick(
  { dialect, read }: Database,
  withinMs: number,
): Promise<{ id: string } | null> {
  const run = await read
    .selectFrom('sync_runs')
    .select(['id', 'started_at as startedAt'])
    .where('trigger', '=', 'schedule')
    .where('status', '!=', 'interrupted')
    .orderBy('started_at', 'desc')
    .executeTakeFirst();
  if (run === undefined) return null;
  const ageMs = (await readClock(read, dialect)) - Date.parse(run.startedAt);
  return ageMs >= 0 && ageMs < withinMs ? run : null;
}

/** The runs that began in a time, or ended in it, newest first, backfills aside; `to` is the first moment after it. */
export async function runsBetween(
  db: Kysely<Tables>,
  { from, to }: { from: string; to: string },
  by: 'started_at' | 'completed_at' = 'started_at',
): Promise<SyncRun[]> {
  const rows = await db
    .selectFrom('sync_runs')
    .selectAll()
    .where(by, '>=', from)
    .where(by, '<', to)
    .where('trigger', '!=', 'backfill')
    .orderBy('started_at', 'desc')
    .orderBy('id', 'desc')
    .execute();
  return rows.map(runOf);
}

/** How the last runs ended, newest first. */
export async function lastStatuses(db: Kysely<Tables>, count: number): Promise<string[]> {
  const rows = await db
    .selectFrom('sync_runs')
    .select('status')
    .where('status', '!=', 'running')
    .where('trigger', '!=', 'backfill')
    .orderBy('started_at', 'desc')
    .limit(count)
    .execute();
  return rows.map(({ status }) => status);
}

/** What is stored of every source, and how many records are held of it. */
export async function storedSources(db: Kysely<Tables>) {
  const counts = await db
    .selectFrom('records')
    .select((eb) => ['source', eb.fn.countAll().as('count')])
    .groupBy('source')
    .execute();
  const records = new Map(counts.map(({ source, count }) => [source, Number(count)]));
  const rows = await db
    .selectFrom('sources')
    .select(['id', 'status', 'error', 'last_good_at as lastGoodAt', 'as_of as asOf'])
    .execute();
  return new Map(rows.map((row) => [row.id, { ...row, records: records.get(row.id) ?? 0 }]));
}
