import { setTimeout } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { ApiError } from '../contracts/errors.ts';
import { createRouter } from '../contracts/index.ts';
import type { SyncRun } from '../contracts/sync.ts';
import { BUNDLED, SOURCES } from '../sync/sources/index.ts';
import { createAnswerCache } from './cache/answers.ts';
import { connectRedis } from './cache/redis.ts';
import { createMemoryStore, createRedisStore } from './cache/store.ts';
import type { Config } from './config.ts';
import { openDatabase, type Database } from './db/database.ts';
import { findRun, lastCompletedRun, recentTick } from './db/runs.ts';
import { isAway, isUnavailable } from './db/unavailable.ts';
import { createAdminGate } from './http/admin.ts';
import { createFailureLimiter, createRateLimiter } from './http/rate-limit.ts';
import { createHttpServer } from './http/server.ts';
import { syncPorts, TIMES, VERSION, type Times } from './ports.ts';
import { schedule } from './scheduler.ts';
import { createCatalogService } from './services/catalog.ts';
import { createChangeFeed } from './services/change-feed.ts';
import { createChangeStreams } from './services/change-streams.ts';
import { createChangeService } from './services/changes.ts';
import { createConflictService } from './services/conflicts.ts';
import { createLifecycleService } from './services/lifecycle.ts';
import { startProbe } from './services/probe.ts';
import { createResolveService } from './services/resolve.ts';
import { createSyncRunner, type SyncRunner } from './services/sync-runner.ts';
import { createSyncService } from './services/sync.ts';
import { createSystemService } from './services/system.ts';

const RETRY_MS = 1_000;

/** The service, wired together but not yet listening. */
export interface App {
  http: FastifyInstance;
  database: Database;
  runner: SyncRunner;
  /** Migrates, retrying while the database is away; then starts the schedule and, where due, the first sync. */
  prepare(): Promise<void>;
  /** Answers what is in flight, aborts a sync that is not yet writing, and closes everything. */
  stop(): Promise<void>;
}

/** Wires the service together: the only place where every part is known. */
export async function createApp(config: Config, logger: Logger, times: Times = TIMES): Promise<App> {
  const database = await openDatabase(config.databaseUrl);
  const redis = config.redisUrl === null ? null : connectRedis(config.redisUrl, logger);
  const probe = startProbe({ database, cacheIsUp: () => redis === null || redis.isReady });
  const withheld = !config.publishArtificialAnalysis;
  let state: 'starting' | 'ready' | 'stopping' = 'starting';

  const runner = createSyncRunner({
    ports: syncPorts(config, database, times),
    logger,
    onFinished: ({ catalogVersion, committedAt }) => {
      if (catalogVersion !== null && committedAt !== null)
        probe.published({ version: catalogVersion, committedAt });
      return probe.look();
    },
  });
  let lastTick: string | null = null;
  const ticks = schedule(
    config.syncCron,
    async ({ gapMs }) => {
      if (state !== 'ready') return;
      const recent = await recentTick(database, gapMs / 2);
      if (recent !== null && recent.id !== lastTick) {
        logger.info(`sync of this tick skipped: run ${recent.id} was it, in another process`);
        return;
      }
      const started = await runner.start('schedule');
      if ('conflict' in started)
        logger.info(`sync of this tick skipped: run ${started.conflict} is under way`);
      else {
        lastTick = started.id;
        await started.finished;
      }
    },
    (error) => logger.error({ err: error }, 'scheduled sync failed to start'),
  );

  const store =
    redis === null
      ? createMemoryStore()
      : createRedisStore(redis, withheld ? 'em:answers:open' : 'em:answers');
  const router = createRouter({
    ...createSystemService({
      database,
      probe,
      version: VERSION,
      withheld,
      nextSyncAt: ticks.nextAt,
      isReady: () => state === 'ready',
    }),
    ...createCatalogService({ database, withheld, sources: [...SOURCES, BUNDLED] }),
    ...createChangeService({ database, withheld }),
    ...createLifecycleService({ database, withheld }),
    ...createConflictService({ database, withheld, sources: [...SOURCES, BUNDLED] }),
    ...createResolveService({ database, withheld, sources: [...SOURCES, BUNDLED] }),
    ...createSyncService({
      database,
      runner,
      sources: [
        ...SOURCES.map((definition) => ({ definition, isFallback: false })),
        { definition: BUNDLED, isFallback: true },
      ],
      settings: config.sources,
    }),
  });
  const streams = createChangeStreams({
    database,
    withheld,
    onError: (error) => logger.warn({ err: error }, 'Changes can not be read for streams: trying again'),
    times: times.streams,
  });
  probe.onCatalog(streams.wake);
  const http = createHttpServer({
    router,
    raw: { 'changes.atom': createChangeFeed({ database, withheld }), 'changes.stream': streams.open },
    config,
    admin: createAdminGate({
      world: config.world,
      secretHashes: config.adminSecretHashes,
      failures: createFailureLimiter({ redis }),
    }),
    limiter: createRateLimiter({ perMinute: config.rateLimitPerMinute, redis }),
    answers: createAnswerCache(store, { catalog: probe.catalog }),
    toApiError: (error, requestId) => {
      if (
        error instanceof Error &&
        (error instanceof ApiError || !(state === 'starting' || isUnavailable(error)))
      )
        return error;
      logger.warn({ err: error, requestId }, 'The database can not be used');
      return new ApiError(
        'SERVICE_UNAVAILABLE',
        'The database can not be reached right now: try again in a few seconds.',
        {
          cause: error,
        },
      );
    },
    logger,
    isDraining: () => state === 'stopping',
  });

  const waiting = new AbortController();
  let starting: Promise<void> = Promise.resolve();
  const syncAtStart = async (): Promise<void> => {
    if (config.syncOnStart === 'never') return;
    const last = await lastCompletedRun(database.read);
    if (config.syncOnStart === 'if-stale' && !isStale(last, times.staleMs)) return;
    // Another instance may have seen the same, and be done by now.
    const options = config.syncOnStart === 'if-stale' ? { after: last?.id ?? null } : {};
    const started = await runner.start('start', options);
    if (!('conflict' in started)) return;
    if ((await findRun(database.read, started.conflict))?.status === 'completed') return;
    logger.info(
      `run ${started.conflict} is under way, or its process has died: looking again when its lease has run out`,
    );
    for (let ended = false; !ended && state === 'ready';) {
      await setTimeout(times.leaseMs, undefined, { ref: false, signal: waiting.signal }).catch(() => {});
      const status = (await findRun(database.read, started.conflict))?.status;
      ended = status !== 'running';
      if (status === 'interrupted' && state === 'ready') await syncAtStart();
    }
  };

  return {
    http,
    database,
    runner,
    async prepare() {
      await migrateWhenReachable(database, logger, () => state === 'stopping');
      if (state === 'stopping') return;
      await probe.look();
      state = 'ready';
      starting = syncAtStart().catch((error: unknown) =>
        logger.error({ err: error }, 'sync at start failed to start'),
      );
    },
    async stop() {
      state = 'stopping';
      ticks.stop();
      waiting.abort();
      await Promise.all([starting, streams.close()]);
      const delayMs = config.world === 'production' && http.server.listening ? times.drainDelayMs : 0;
      await Promise.all([runner.stop(), drain(http, delayMs), probe.stop()]);
      if (redis?.isOpen) redis.destroy();
      await database.close();
    },
  };
}

function isStale(last: SyncRun | null, staleMs: number): boolean {
  // A clock that was set back makes the last run one of the future.
  return last === null || Math.abs(Date.now() - Date.parse(last.startedAt)) >= staleMs;
}

async function migrateWhenReachable(
  database: Database,
  logger: Logger,
  isStopping: () => boolean,
): Promise<void> {
  for (let warned = false; !isStopping(); warned = true) {
    try {
      const ran = await database.migrate();
      if (ran.length > 0) logger.info(`Migrated the database: ${ran.join(', ')}`);
      return;
    } catch (error) {
      if (!isAway(error)) throw error;
      if (!warned) logger.warn({ err: error }, 'The database can not be reached: trying again every second');
      await setTimeout(RETRY_MS);
    }
  }
}

const DRAIN_MS = 6_000;
const DRAIN_STEP_MS = 50;

/**
 * Closes the server: goes on for `delayMs`, then answers what is in flight and cuts what is still open after 6 s. Fastify
 * 5.12 alone waits for kept-alive connections.
 */
async function drain(http: FastifyInstance, delayMs: number): Promise<void> {
  await setTimeout(delayMs);
  const idle = setInterval(() => http.server.closeIdleConnections(), DRAIN_STEP_MS);
  const cut = globalThis.setTimeout(() => http.server.closeAllConnections(), DRAIN_MS);
  try {
    await http.close();
  } finally {
    clearInterval(idle);
    clearTimeout(cut);
  }
}
