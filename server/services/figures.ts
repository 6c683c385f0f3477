import type { AdminSecret } from '../config.ts';
import { firstSeen } from '../db/audit.ts';
import { catalogVersion, countModels } from '../db/catalog.ts';
import type { Database } from '../db/database.ts';
import { databaseFigures } from '../db/figures.ts';
import { lastOperations } from '../db/operations.ts';
import type { Purpose } from '../db/orm.ts';
import { findRunning, lastCompletedRun, lastJudgedRun, lastStoredRun } from '../db/runs.ts';
import type { Figure } from '../metrics/figures.ts';
import type { Schedule } from '../scheduler.ts';
import { fingerprintOf } from './audit.ts';
import { healthOf, type Probe } from './probe.ts';

/** Where the figures are read. */
export interface FigureSources {
  database: Database;
  probe: Probe;
  ticks: Pick<Schedule, 'nextAt' | 'intervalMs'>;
  isReady: () => boolean;
  openStreams: () => number;
  /** What Redis says about its memory; null: there is no Redis. */
  redisMemory: (() => Promise<{ used: number; limit: number | null }>) | null;
  adminSecrets: AdminSecret[];
  /** What the database may grow to; null: not told. */
  storageLimitBytes: number | null;
}

const SIDES: Purpose[] = ['read', 'edit', 'write'];
const seconds = (time: string): number => Date.parse(time) / 1_000;

/** Reads what the metrics say of the present. What can not be read just now is left out, never guessed. */
export async function readFigures(sources: FigureSources): Promise<Figure[]> {
  const { database, probe, ticks, redisMemory } = sources;
  const state = probe.state();
  const none = (): Figure[] => [];
  const parts = await Promise.all([
    poolFigures(database),
    redisMemory === null || !state.cache ? none() : redisMemory().then(memoryFigures).catch(none),
    state.database ? storedFigures(sources).catch(none) : none(),
  ]);
  const { version, committedAt } = probe.catalog();
  const nextAt = ticks.nextAt();
  const intervalMs = ticks.intervalMs();
  const own: Figure[] = [
    ...(['ok', 'degraded', 'unavailable'] as const).map((status): Figure => ({
      name: 'em_health',
      labels: { status },
      value: Number(healthOf(state) === status),
    })),
    { name: 'em_ready', value: Number(sources.isReady()) },
    { name: 'em_streams_open', value: sources.openStreams() },
    { name: 'em_cache_up', value: Number(state.cache) },
    { name: 'em_database_up', value: Number(state.database) },
    { name: 'em_catalog_version', value: version },
  ];
  if (version > 0) own.push({ name: 'em_catalog_committed_timestamp_seconds', value: seconds(committedAt) });
  if (nextAt !== null) own.push({ name: 'em_sync_next_timestamp_seconds', value: nextAt.getTime() / 1_000 });
  if (intervalMs !== null) own.push({ name: 'em_sync_interval_seconds', value: intervalMs / 1_000 });
  return [...own, ...parts.flat()];
}

async function poolFigures(database: Database): Promise<Figure[]> {
  const pools = await Promise.all(SIDES.map(async (side) => ({ side, pool: await database.pool(side) })));
  return pools.flatMap(({ side, pool }): Figure[] =>
    pool === null
      ? []
      : [
          { name: 'em_database_pool_connections', labels: { side, state: 'used' }, value: pool.used },
          { name: 'em_database_pool_connections', labels: { side, state: 'idle' }, value: pool.idle },
          { name: 'em_database_pool_waiting', labels: { side }, value: pool.waiting },
          { name: 'em_database_pool_max', labels: { side }, value: pool.max },
        ],
  );
}

function memoryFigures({ used, limit }: { used: number; limit: number | null }): Figure[] {
  const figures: Figure[] = [{ name: 'em_redis_memory_bytes', value: used }];
  if (limit !== null) figures.push({ name: 'em_redis_memory_limit_bytes', value: limit });
  return figures;
}

function storedFigures({ database, storageLimitBytes, adminSecrets }: FigureSources): Promise<Figure[]> {
  return database.snapshot(async (db) => {
    const stored = await databaseFigures(db, database.dialect);
    const figures: Figure[] = [{ name: 'em_database_size_bytes', value: stored.bytes }];
    if (storageLimitBytes !== null)
      figures.push({ name: 'em_database_size_limit_bytes', value: storageLimitBytes });
    if (stored.connections !== null) {
      const { used, max } = stored.connections;
      figures.push(
        { name: 'em_database_server_connections', value: used },
        { name: 'em_database_server_connections_max', value: max },
      );
    }
    for (const { name: replica, lagSeconds } of stored.replicas)
      figures.push({ name: 'em_database_replication_lag_seconds', labels: { replica }, value: lagSeconds });
    const { version } = await catalogVersion(db);
    if (version > 0)
      figures.push({ name: 'em_catalog_models', value: await countModels(db, { withheld: false }) });
    for (const { kind, last, completedAt } of await lastOperations(db)) {
      const labels = { kind };
      figures.push({ name: 'em_operation_last_failed', labels, value: Number(last.status === 'failed') });
      if (completedAt !== null)
        figures.push({
          name: 'em_operation_last_completed_timestamp_seconds',
          labels,
          value: seconds(completedAt),
        });
    }
    const seen = await firstSeen(db, adminSecrets.map(fingerprintOf));
    for (const secret of adminSecrets) {
      const since = seen.find(({ fingerprint }) => fingerprint === fingerprintOf(secret));
      if (since !== undefined)
        figures.push({
          name: 'em_admin_secret_first_seen_timestamp_seconds',
          labels: { key: secret.name },
          value: seconds(since.at),
        });
    }
    return [...figures, ...(await syncFigures(db))];
  });
}

async function syncFigures(db: Database['read']): Promise<Figure[]> {
  const [last, completed, stored, running] = [
    await lastJudgedRun(db),
    await lastCompletedRun(db),
    await lastStoredRun(db),
    await findRunning(db),
  ];
  const figures: Figure[] = [
    { name: 'em_sync_running', value: Number(running !== null) },
    {
      name: 'em_sync_running_seconds',
      value: running === null ? 0 : Math.max(0, Date.now() / 1_000 - seconds(running.startedAt)),
    },
  ];
  if (completed?.completedAt)
    figures.push({
      name: 'em_sync_last_completed_timestamp_seconds',
      value: seconds(completed.completedAt),
    });
  if (stored?.completedAt)
    figures.push({ name: 'em_sync_last_stored_timestamp_seconds', value: seconds(stored.completedAt) });
  if (!last?.completedAt) return figures;
  figures.push(
    { name: 'em_sync_last_run_timestamp_seconds', value: seconds(last.completedAt) },
    { name: 'em_sync_last_run_duration_seconds', value: (last.durationMs ?? 0) / 1_000 },
    { name: 'em_sync_last_run_ok', value: Number(last.status === 'completed') },
    { name: 'em_sync_last_run_stored', value: Number(last.id === stored?.id) },
  );
  for (const { source, status, fetched, durationMs, error } of last.sources) {
    if (status === 'disabled') continue;
    const labels = { source };
    const isUp = status === 'ok' || status === 'not_modified';
    figures.push(
      { name: 'em_sync_source_up', labels, value: Number(isUp) },
      { name: 'em_sync_source_items', labels, value: fetched },
      { name: 'em_sync_source_duration_seconds', labels, value: durationMs / 1_000 },
    );
    if (error !== null)
      figures.push({ name: 'em_sync_source_failure', labels: { source, class: error.class }, value: 1 });
  }
  return figures;
}
