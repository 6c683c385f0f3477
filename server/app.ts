import type { FastifyInstance } from 'fastify';
import type { RedisClientType } from '@redis/client';
import type { Logger } from 'pino';
import { createRouter } from '../contracts/index.ts';
import { BUNDLED, SOURCES } from '../sync/sources/index.ts';
import { createAnswerCache } from './cache/answers.ts';
import { untilReady } from './cache/ready.ts';
import { connectRedis, redisMemory } from './cache/redis.ts';
import { createMemoryStore, createRedisStore } from './cache/store.ts';
import type { Config } from './config.ts';
import { createDatabaseErrors } from './database-errors.ts';
import { openDatabase, type Database } from './db/database.ts';
import { migrateWhenReachable } from './db/migrate-when-reachable.ts';
import { createAdminGate } from './http/admin.ts';
import { createFailureLimiter } from './http/failure-limit.ts';
import { createRateLimiter } from './http/rate-limit.ts';
import { drain } from './http/drain.ts';
import { callerOf } from './http/context.ts';
import { OPERATIONS, operationOf } from './http/metrics.ts';
import { checkGuards } from './http/guards.ts';
import { createHttpServer } from './http/server.ts';
import { registerFigures } from './metrics/figures.ts';
import { createMetrics } from './metrics/metrics.ts';
import { totalsOf } from './metrics/totals.ts';
import { currentScope } from './operation-scope.ts';
import { syncPorts, TIMES, VERSION, type Times } from './ports.ts';
import { createAudit } from './services/audit.ts';
import { createCatalogService } from './services/catalog.ts';
import { createChangeFeed } from './services/change-feed.ts';
import { createChangeStreams } from './services/change-streams.ts';
import { createChangeService } from './services/changes.ts';
import { createConflictService } from './services/conflicts.ts';
import { readFigures } from './services/figures.ts';
import { createLifecycleService } from './services/lifecycle.ts';
import { startProbe } from './services/probe.ts';
import { createIncidentService } from './services/incidents.ts';
import { startSampler, type Sampler } from './services/sampler.ts';
import { createStatusPage } from './services/status-summary.ts';
import { createResolveService } from './services/resolve.ts';
import { createSyncRunner, type SyncRunner } from './services/sync-runner.ts';
import { createSyncSchedule } from './services/sync-schedule.ts';
import { createSyncService } from './services/sync.ts';
import { createSystemService } from './services/system.ts';

/** The operators' plan has queries looked at that take a second. */
const SLOW_QUERY_MS = 1_000;

/** The service, wired together but not yet listening. */
export interface App {
  http: FastifyInstance;
  database: Database;
  runner: SyncRunner;
  sampler: Sampler;
  /** Migrates, retrying while the database is away; then starts the schedule and, where due, the first sync. */
  prepare(): Promise<void>;
  /** Answers what is in flight, aborts a sync that is not yet writing, and closes everything. */
  stop(): Promise<void>;
}

/** Wires the service together: the only place where every part is known. */
export async function createApp(config: Config, logger: Logger, times: Times = TIMES): Promise<App> {
  const metrics = createMetrics({ version: VERSION, operations: OPERATIONS });
  const database = await openDatabase(config.databaseUrl, {
    passwordFile: config.databasePasswordFile,
    connectionSeconds: times.connectionSeconds,
    onQuery: ({ side, ms }) => {
      metrics.queried(side, ms);
      if (ms < SLOW_QUERY_MS) return;
      const { operation } = currentScope();
      metrics.slowQuery(operation);
      logger.warn(
        { operation, side, ms: Math.round(ms) },
        `slow query of ${operation}: ${Math.round(ms)} ms`,
      );
    },
  });
  const redis = config.redisUrl === null ? null : connectRedis(config.redisUrl, logger);
  const limitRedis = connectLimits(config, redis, logger);
  const probe = startProbe({ database, cacheIsUp: () => redis === null || redis.isReady });
  const withheld = !config.publishArtificialAnalysis;
  let state: 'starting' | 'ready' | 'stopping' = 'starting';

  const runner = createSyncRunner({
    ports: syncPorts(config, database, times),
    logger,
    onFinished: ({ catalogVersion, committedAt, status, sources, seconds }) => {
      metrics.runEnded({ status, sources, seconds });
      if (catalogVersion !== null && committedAt !== null)
        probe.published({ version: catalogVersion, committedAt });
      return probe.look();
    },
  });
  const ticks = createSyncSchedule({
    config,
    database,
    runner,
    logger,
    times,
    isReady: () => state === 'ready',
  });

  const store =
    redis === null
      ? createMemoryStore()
      : createRedisStore(redis, withheld ? 'em:answers:open' : 'em:answers');
  const page = createStatusPage({
    database,
    probe,
    version: VERSION,
    withheld,
    sources: [...SOURCES, BUNDLED],
    nextSyncAt: ticks.nextAt,
  });
  const incidents = createIncidentService({ database, onChange: page.renew });
  const syncs = createSyncService({
    database,
    catalog: probe.catalog,
    runner,
    sources: [
      ...SOURCES.map((definition) => ({ definition, isFallback: false })),
      { definition: BUNDLED, isFallback: true },
    ],
    settings: config.sources,
  });
  const router = createRouter({
    ...createSystemService({
      database,
      probe,
      version: VERSION,
      withheld,
      nextSyncAt: ticks.nextAt,
      isReady: () => state === 'ready',
      page,
    }),
    ...createCatalogService({ database, withheld, sources: [...SOURCES, BUNDLED] }),
    ...createChangeService({ database, withheld }),
    ...createLifecycleService({ database, withheld }),
    ...createConflictService({ database, withheld, sources: [...SOURCES, BUNDLED] }),
    ...createResolveService({ database, withheld, sources: [...SOURCES, BUNDLED] }),
    sources: syncs.sources,
    incidents: { list: incidents.list },
    admin: { sync: syncs.admin, incidents: incidents.admin },
  });
  await checkGuards(router);
  const audit = createAudit({ database, logger });
  const streams = createChangeStreams({
    database,
    withheld,
    onError: (error) => logger.warn({ err: error }, 'Changes can not be read for streams: trying again'),
    times: times.streams,
  });
  probe.onCatalog(streams.wake);
  const showFigures = registerFigures(metrics.registry);
  const http = createHttpServer({
    router,
    raw: { 'changes.atom': createChangeFeed({ database, withheld }), 'changes.stream': streams.open },
    config,
    admin: createAdminGate({
      world: config.world,
      secrets: config.adminSecrets,
      metricsTokenHash: config.metricsTokenHash,
      onRefused: (why, request) => {
        if (why === 'limited') return metrics.limited('admin');
        metrics.adminRefused();
        audit.refused(callerOf(request), operationOf(request));
      },
      failures: createFailureLimiter({ redis: limitRedis }),
    }),
    audit,
    limiter: createRateLimiter({ perMinute: config.rateLimitPerMinute, redis: limitRedis }),
    page,
    answers: createAnswerCache(store, {
      catalog: probe.catalog,
      isConfirmed: () => probe.state().database,
      onNewer: probe.published,
      onAnswer: metrics.cached,
      onWriteError: metrics.cacheWriteFailed,
    }),
    metrics,
    metricsPage: async () => {
      showFigures(
        await readFigures({
          database,
          probe,
          ticks,
          isReady: () => state === 'ready',
          openStreams: streams.count,
          redisMemory: redis === null ? null : () => redisMemory(redis),
          storageLimitBytes: config.storageLimitBytes,
          adminSecrets: config.adminSecrets,
        }),
      );
      return { type: metrics.registry.contentType, body: await metrics.registry.metrics() };
    },
    toApiError: createDatabaseErrors({
      logger,
      isStarting: () => state === 'starting',
      isDatabaseUp: () => probe.state().database,
    }),
    logger,
    maxLoopDelayMs: times.maxLoopDelayMs,
    answerDeadlineMs: times.answerDeadlineMs,
    isDraining: () => state === 'stopping',
  });

  const sampler = startSampler({
    database,
    totals: () => totalsOf(metrics.registry),
    probe,
    version: VERSION,
    logger,
    // A sync by itself is no sign that the service was up: only who listens has samples.
    isReady: () => state === 'ready' && config.role !== 'worker' && http.server.listening,
    times: times.sampler,
  });
  let starting: Promise<void> = Promise.resolve();
  return {
    http,
    database,
    runner,
    sampler,
    async prepare() {
      await Promise.all([
        migrateWhenReachable(database, logger, () => state === 'stopping'),
        untilReady(redis),
        untilReady(limitRedis),
      ]);
      if (state === 'stopping') return;
      await Promise.all([probe.look(), audit.configured(config.adminSecrets)]);
      state = 'ready';
      starting = ticks.atStart();
    },
    async stop() {
      state = 'stopping';
      ticks.stop();
      await Promise.all([starting, streams.close()]);
      const delayMs = config.world === 'production' && http.server.listening ? times.drainDelayMs : 0;
      await Promise.all([runner.stop(), drain(http, delayMs), probe.stop()]);
      await sampler.stop();
      for (const client of new Set([redis, limitRedis])) if (client?.isOpen) client.destroy();
      await database.close();
    },
  };
}

/** Where limits are counted: in the Redis of the answers, unless they have one of their own. */
function connectLimits(
  { redisUrl, rateLimitRedisUrl }: Config,
  redis: RedisClientType | null,
  logger: Logger,
): RedisClientType | null {
  if (rateLimitRedisUrl === null || rateLimitRedisUrl === redisUrl) return redis;
  return connectRedis(rateLimitRedisUrl, logger);
}
