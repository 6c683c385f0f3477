import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { archivedSource, type ArchivedAnswer } from '../../sync/archive.ts';
import type { SyncPorts } from '../../sync/ports.ts';
import { startRun } from '../../sync/run.ts';
import type { SourceDefinition } from '../../sync/source.ts';
import { historyFrom } from '../db/as-of.ts';
import { openDatabase, type Database } from '../db/database.ts';
import { commitHistory } from '../db/commit-history.ts';
import { createSyncStore } from '../db/sync-store.ts';

/** What a source answered once. */
export interface Archive {
  /** When, in ISO 8601. */
  at: string;
  answers: () => Promise<ArchivedAnswer[]>;
}

/** The archives can not be loaded; the message says why, and what to do. */
export class BackfillRefused extends Error {
  override name = 'BackfillRefused';
}

const EXIT_CONFLICT = 3;
const DAY_MS = 24 * 60 * 60 * 1000;

/** What is loaded into what. */
export interface Backfill {
  database: Database;
  ports: Omit<SyncPorts, 'onProgress'>;
  source: SourceDefinition;
  archives: Archive[];
  /** How many days history is kept; null: for ever. */
  historyDays: number | null;
  /** Tells how far it has come. */
  tell: (line: string) => void;
}

/**
 * Loads archives into the history, oldest first. Where nothing has been fetched yet, they are the catalogue until something
 * is; else what is published stays as it is, and they are what was published before. Answers with an exit code. Throws
 * `BackfillRefused` and `UpstreamError`, and has loaded nothing of that archive then.
 */
export async function backfill(job: Backfill): Promise<number> {
  const archives = job.archives.toSorted((a, b) => (a.at < b.at ? -1 : 1));
  check(archives, job.historyDays);
  const state = await job.ports.store.loadState();
  const wasFetched = [...state.sources.values()].some(({ lastGoodAt }) => lastGoodAt !== null);
  const [first, last] = [archives[0]?.at ?? '', archives.at(-1)?.at ?? ''];
  if (!wasFetched && (state.committedAt === null || state.committedAt < first))
    return replay({ ...job, archives });
  const seam = await historyFrom(job.database.read);
  if (seam === null || last >= seam) {
    throw new BackfillRefused(
      `The history begins at ${seam}, and ${last} is not before it. Load archives of earlier times, all with one command.`,
    );
  }
  return loadBefore({ ...job, archives }, seam);
}

function check(archives: Archive[], historyDays: number | null): void {
  const now = Date.now();
  for (const [index, { at }] of archives.entries()) {
    if (Date.parse(at) > now) throw new BackfillRefused(`${at} is yet to come.`);
    if (at === archives[index + 1]?.at)
      throw new BackfillRefused(`--at ${at} is said twice: name all files of one answer after one --at.`);
    if (historyDays !== null && Date.parse(at) < now - historyDays * DAY_MS)
      throw new BackfillRefused(
        `HISTORY_RETENTION_DAYS is ${historyDays}: an archive of ${at} would be forgotten at the next sync. Raise it first, or set it to all.`,
      );
  }
}

/** Plays the answers of archives as if they were fetched then. */
async function replay({
  ports,
  source,
  archives,
  tell,
}: Pick<Backfill, 'ports' | 'source' | 'archives' | 'tell'>): Promise<number> {
  for (const [index, { at, answers }] of archives.entries()) {
    const started = await startRun(
      {
        ...ports,
        archive: archivedSource(source, await answers()),
        now: () => new Date(at),
        onProgress: (progress) => {
          if ('note' in progress) tell(progress.note);
          if ('source' in progress) for (const warning of progress.source.warnings) tell(`  ${warning}`);
        },
      },
      'backfill',
    );
    if ('conflict' in started) return refuseBusy(started.conflict, tell);
    const { status, message, sources } = await started.finished;
    if (status !== 'completed') throw new BackfillRefused(`The archive of ${at} was not loaded: ${message}`);
    const { fetched = 0, rejected = 0 } = sources[0] ?? {};
    tell(`${index + 1} of ${archives.length}: ${at}, ${fetched} items, ${rejected} rejected`);
  }
  return 0;
}

function refuseBusy(runId: string, tell: (line: string) => void): number {
  tell(`Run ${runId} is under way: nothing was loaded. Try again when it has ended.`);
  return EXIT_CONFLICT;
}

/** Plays archives in a catalogue of their own, and carries its history over. */
async function loadBefore(job: Backfill, seam: string): Promise<number> {
  const { database, ports, tell } = job;
  const folder = await mkdtemp(join(tmpdir(), 'effect-models-backfill-'));
  const past = await openDatabase(`file:${join(folder, 'past.db')}`);
  try {
    await past.migrate();
    await replay({ ...job, ports: { ...ports, store: createSyncStore(past) } });
    tell(`Carrying the history over; what is published since ${seam} stays as it is`);
    const id = `sync_${Date.now().toString(36)}backfill`;
    const begun = await ports.store.beginRun({ id, trigger: 'backfill', forced: false });
    if (!begun.begun) return refuseBusy(begun.runId, tell);
    const end = {
      id,
      status: 'completed' as const,
      message: `Loaded ${job.archives.length} archives of ${job.source.id} into the history`,
      totalFetched: 0,
      sources: [],
    };
    try {
      const { changes } = await commitHistory(database, past, { seam, end });
      tell(`Done: ${changes} changes of ${job.archives.length} archives`);
    } catch (error) {
      await ports.store.endRun(
        { ...end, status: 'failed', message: 'The history could not be carried over' },
        [],
      );
      throw error;
    }
    return 0;
  } finally {
    await past.close();
    await rm(folder, { recursive: true, force: true });
  }
}
