import type { Logger } from 'pino';
import { ApiError } from '../../contracts/errors.ts';
import type { SourceOutcome } from '../../contracts/sync.ts';
import type { FinishedRun, SyncPorts } from '../../sync/ports.ts';
import { startRun, type StartedRun } from '../../sync/run.ts';
import { within } from '../operation-scope.ts';
import type { Trigger } from '../../sync/store.ts';

/** Starts runs and tells how they go. */
export interface SyncRunner {
  /** Starts a run, or answers with the id of the one under way; with `after`, of one completed since that. */
  start(
    trigger: Trigger,
    options?: { force?: boolean; after?: string | null },
  ): Promise<StartedRun | { conflict: string }>;
  /** Aborts the run of this process, if there is one, and waits until it has ended; no other begins. */
  stop(): Promise<void>;
}

const count = (number: number) => number.toLocaleString('en-US');

function outcomeLine(outcome: SourceOutcome): string {
  const { source, status, fetched, parsed, rejected, durationMs, error, requests } = outcome;
  const seconds = (durationMs / 1000).toFixed(1);
  switch (status) {
    case 'ok':
      return `${source}: fetched ${count(fetched)}, parsed ${count(parsed)}, rejected ${count(rejected)} in ${seconds} s`;
    case 'not_modified':
      return `${source}: not modified since the last fetch (${count(fetched)} items) in ${seconds} s`;
    case 'disabled':
      return `${source}: disabled, no API key`;
    case 'quarantined':
      return `${source}: sync quarantined what it brought after ${requests} requests in ${seconds} s (${error?.class}): ${error?.message}`;
    case 'failed':
      return `${source}: sync failed after ${requests} requests in ${seconds} s (${error?.class}): ${error?.message}`;
  }
}

function report(logger: Logger, outcome: SourceOutcome): void {
  const fields = { source: outcome.source, outcome: outcome.status };
  const isBad = outcome.status === 'failed' || outcome.status === 'quarantined';
  logger[isBad ? 'warn' : 'info'](fields, outcomeLine(outcome));
  for (const warning of outcome.warnings) logger.warn(fields, `${outcome.source}: ${warning}`);
  for (const { reason, count: rejected, samples } of outcome.rejections) {
    logger.warn({ ...fields, samples }, `${outcome.source}: ${count(rejected)} rejected: ${reason}`);
  }
}

function reportEnd(logger: Logger, { id, status, message, catalogVersion, models }: FinishedRun): void {
  const good = status === 'completed' || status === 'partial';
  const holds = models === null ? '' : `; ${count(models)} models, catalogue version ${catalogVersion}`;
  const line = good
    ? `sync ${id} ${status}: ${message}${holds}`
    : `sync ${id} failed (${status}): ${message}${holds}`;
  logger[status === 'completed' ? 'info' : good ? 'warn' : 'error']({ runId: id, status }, line);
}

/** Makes the runner of a process. `onFinished` is called after each run. */
export function createSyncRunner({
  ports,
  logger,
  onFinished,
}: {
  ports: Omit<SyncPorts, 'onProgress'>;
  logger: Logger;
  onFinished: (run: FinishedRun & { seconds: number }) => Promise<void>;
}): SyncRunner {
  let current: StartedRun | null = null;
  let beginning: Promise<unknown> = Promise.resolve();
  let stopped = false;
  const onProgress: SyncPorts['onProgress'] = (progress) => {
    if ('source' in progress) report(logger, progress.source);
    else if ('note' in progress) logger.warn(progress.note);
    else logger.error({ err: progress.error }, 'sync failed unexpectedly');
  };
  const begin: SyncRunner['start'] = async (trigger, options) => {
    const mark = performance.now();
    const started = await within({ operation: 'sync' }, () =>
      startRun({ ...ports, onProgress }, trigger, options),
    );
    if ('conflict' in started) return started;
    logger.info({ runId: started.id, trigger }, `sync ${started.id} started`);
    const finished = started.finished.then(async (run) => {
      current = null;
      const told = onFinished({ ...run, seconds: (performance.now() - mark) / 1_000 });
      reportEnd(logger, run);
      await told;
      return run;
    });
    current = { ...started, finished };
    return current;
  };
  return {
    async start(trigger, options) {
      if (stopped) throw new ApiError('SERVICE_UNAVAILABLE', 'The service is shutting down: try again.');
      const begun = begin(trigger, options);
      beginning = Promise.allSettled([beginning, begun]);
      return begun;
    },
    async stop() {
      stopped = true;
      current?.abort();
      await beginning;
      current?.abort();
      await current?.finished;
    },
  };
}
