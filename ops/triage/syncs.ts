import type { SyncRun } from '../../contracts/sync.ts';
import type { Database } from '../../server/db/database.ts';
import { findRunning, lastFinishedRun, runsBetween, storedSources } from '../../server/db/runs.ts';
import { ago, minute, span } from '../text.ts';
import type { Finding } from './finding.ts';

const LOOK_BACK_DAYS = 14;
const LOOK_BACK_MS = LOOK_BACK_DAYS * 24 * 60 * 60_000;
/** Clocks of instances may differ by as much. */
const AHEAD_MS = 15 * 60_000;
const LONG_SYNC_MS = 60 * 60_000;

/** Whether a sync is under way, how the last one ended, and of each source that failed why and since when. */
export async function syncFindings({ read }: Database, now: number): Promise<Finding[]> {
  const running = await findRunning(read);
  const last = await lastFinishedRun(read);
  const findings: Finding[] = [];
  if (running !== null) {
    const isLong = now - Date.parse(running.startedAt) > LONG_SYNC_MS;
    const text = `${running.id} has been running since ${minute(running.startedAt)} (${ago(running.startedAt, now)})`;
    findings.push({ name: 'sync now', state: isLong ? 'bad' : 'ok', text });
  } else findings.push({ name: 'sync now', state: 'ok', text: 'none is under way' });
  if (last === null)
    return [...findings, { name: 'last sync', state: 'unknown', text: 'there has been none' }];
  const text = `${last.id} ${last.status}, ended ${ago(last.completedAt ?? last.startedAt, now)}, took ${span(last.durationMs ?? 0)}`;
  if (last.status === 'completed') return [...findings, { name: 'last sync', state: 'ok', text }];
  const todo = 'npm run ops -- sync once the cause is gone; with --force where a quarantined source is right';
  const sources = await sourceFindings(read, last, now);
  // What sources say of themselves follows.
  const told = sources.length > 0 ? text : `${text}: ${last.message}`;
  return [...findings, { name: 'last sync', state: 'bad', text: told, todo }, ...sources];
}

/** Why each source that failed did when it was last asked, and since when it has. */
async function sourceFindings(db: Database['read'], last: SyncRun, now: number): Promise<Finding[]> {
  const runs = await runsBetween(db, {
    from: new Date(now - LOOK_BACK_MS).toISOString(),
    to: new Date(now + AHEAD_MS).toISOString(),
  });
  const isBad = (run: SyncRun, source: string) =>
    run.sources.some(
      (outcome) => outcome.source === source && ['failed', 'quarantined'].includes(outcome.status),
    );
  const stored = await storedSources(db);
  // A run whose process died, or was stopped, says nothing of any source.
  const telling = [last, ...runs.filter(({ id }) => id !== last.id)].filter(
    ({ status, sources }) => sources.length > 0 && status !== 'aborted' && status !== 'superseded',
  );
  const [newest] = telling;
  if (newest === undefined) return [];
  return newest.sources
    .filter(({ source }) => isBad(newest, source))
    .map(({ source, status, error, httpStatus }): Finding => {
      const ended = telling.filter(({ sources }) => sources.some((outcome) => outcome.source === source));
      const firstGood = ended.findIndex((run) => !isBad(run, source));
      const since =
        firstGood === -1
          ? longSince(stored.get(source)?.lastGoodAt ?? null, now)
          : `since ${minute((ended[firstGood - 1] ?? newest).startedAt)}, ${firstGood} in a row`;
      const code = httpStatus === null ? '' : `, last status ${httpStatus}`;
      return {
        name: source,
        state: 'bad',
        text: `${status} (${error?.class}${code}) ${since}: ${error?.message}`,
        todo: 'OPERATIONS.md, "Sync failure response", by the class in brackets',
      };
    });
}

/** Since when a source has been bad of which no good run is among those that were looked at. */
function longSince(lastGoodAt: string | null, now: number): string {
  if (lastGoodAt === null) return 'in every sync so far, it has never been good';
  const isLong = now - Date.parse(lastGoodAt) > LOOK_BACK_MS;
  return `${isLong ? `for at least ${LOOK_BACK_DAYS} d, ` : ''}last good ${minute(lastGoodAt)}`;
}
