import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { SyncRun } from '../../contracts/sync.ts';
import type { Config } from '../config.ts';
import type { Database } from '../db/database.ts';
import { findRun, lastCompletedRun, recentTick } from '../db/runs.ts';
import type { Times } from '../ports.ts';
import { schedule, type Schedule } from '../scheduler.ts';
import type { SyncRunner } from './sync-runner.ts';

/** The syncs that nobody has to ask for: by the clock, and when a process starts. */
export interface SyncSchedule extends Pick<Schedule, 'nextAt' | 'intervalMs'> {
  /** Syncs now where that is due; ends when it is known whether it is. */
  atStart(): Promise<void>;
  stop(): void;
}

/** What the schedule of a process is made of. */
export interface SyncScheduleOptions {
  config: Pick<Config, 'role' | 'syncCron' | 'syncOnStart'>;
  database: Database;
  runner: SyncRunner;
  logger: Logger;
  times: Times;
  isReady: () => boolean;
}

/** Starts the schedule of a process. One tick is one run, however many processes share the database. A server leaves it to the workers. */
export function createSyncSchedule(options: SyncScheduleOptions): SyncSchedule {
  const { config, database, runner, logger, times, isReady } = options;
  const isServer = config.role === 'serve';
  let lastTick: string | null = null;
  const tick = async ({ gapMs }: { gapMs: number }): Promise<void> => {
    if (!isReady()) return;
    const recent = await recentTick(database, gapMs / 2);
    if (recent !== null && recent.id !== lastTick) {
      logger.info(`sync of this tick skipped: run ${recent.id} was it, in another process`);
      return;
    }
    const started = await runner.start('schedule');
    if ('conflict' in started) {
      logger.info(`sync of this tick skipped: run ${started.conflict} is under way`);
      return;
    }
    lastTick = started.id;
    await started.finished;
  };
  const ticks = schedule(config.syncCron, isServer ? null : tick, (error) =>
    logger.error({ err: error }, 'scheduled sync failed to start'),
  );

  const waiting = new AbortController();
  const atStart = async (): Promise<void> => {
    if (isServer || config.syncOnStart === 'never') return;
    const last = await lastCompletedRun(database.read);
    if (config.syncOnStart === 'if-stale' && !isStale(last, times.staleMs)) return;
    // Another instance may have seen the same, and be done by now.
    const after = config.syncOnStart === 'if-stale' ? { after: last?.id ?? null } : {};
    const started = await runner.start('start', after);
    if (!('conflict' in started)) return;
    if ((await findRun(database.read, started.conflict))?.status === 'completed') return;
    logger.info(
      `run ${started.conflict} is under way, or its process has died: looking again when its lease has run out`,
    );
    for (let ended = false; !ended && isReady();) {
      await setTimeout(times.leaseMs, undefined, { ref: false, signal: waiting.signal }).catch(() => {});
      const status = (await findRun(database.read, started.conflict))?.status;
      ended = status !== 'running';
      if (status === 'interrupted' && isReady()) await atStart();
    }
  };
  return {
    nextAt: ticks.nextAt,
    intervalMs: ticks.intervalMs,
    atStart: () =>
      atStart().catch((error: unknown) => logger.error({ err: error }, 'sync at start failed to start')),
    stop: () => {
      ticks.stop();
      waiting.abort();
    },
  };
}

function isStale(last: SyncRun | null, staleMs: number): boolean {
  // A clock that was set back makes the last run one of the future.
  return last === null || Math.abs(Date.now() - Date.parse(last.startedAt)) >= staleMs;
}
