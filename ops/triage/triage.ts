import type { Health, Status } from '../../contracts/system.ts';
import { pingRedis } from '../../server/cache/redis.ts';
import type { Database } from '../../server/db/database.ts';
import { databaseFigures, longQueries } from '../../server/db/figures.ts';
import { lastOperations } from '../../server/db/operations.ts';
import { samplesBetween, type Sample } from '../../server/db/samples.ts';
import { firingAlerts } from '../monitors.ts';
import type { OpsContext } from '../command.ts';
import { ask, dataOf } from '../service.ts';
import { ago, bytes, minute, percent, span } from '../text.ts';
import { withDatabase } from '../with-database.ts';
import type { Finding } from './finding.ts';
import { syncFindings } from './syncs.ts';

const RECENT_MS = 15 * 60_000;
const LONG_QUERY_MINUTES = 5;
const SLOW_MS = 1_000;
const ERROR_RATE = 0.005;
const HIT_RATE = 0.8;
const MANY_CONNECTIONS = 0.8;
const BACKUP_MS = 26 * 60 * 60_000;
/** A rate of less tells nothing. */
const ENOUGH = 20;

/** Answers the incident checklist: 5xx, database, cache, sync, which source failed, why and since when. */
export async function triage(context: OpsContext): Promise<Finding[]> {
  const { service } = context;
  const [fromService, fromDatabase, cache, alerts] = await Promise.all([
    serviceFindings(context),
    withDatabase(service, databaseFindings).catch((error: unknown): Finding[] => [
      {
        name: 'database',
        state: 'bad',
        text: (error as Error).message,
        todo: 'see the log of the database server; answers that are kept go on meanwhile',
      },
      ...['5xx', 'sync'].map((name): Finding => ({
        name,
        state: 'unknown',
        text: 'the database would know',
      })),
    ]),
    cacheFinding(service.redisUrl),
    alertFinding(context),
  ]);
  return [...fromService, ...fromDatabase, cache, alerts];
}

async function serviceFindings(context: OpsContext): Promise<Finding[]> {
  try {
    const { status, text, ms } = await ask(context, '/health');
    const took = `${context.ops.api.url} answered in ${span(ms)}`;
    if (status !== 200) {
      const todo = 'see "database" below, then the log of the service';
      return [{ name: 'service', state: 'bad', text: `${took} with ${status}`, todo }];
    }
    const health = JSON.parse(text) as Health;
    const isWell = health.status === 'ok' && ms < SLOW_MS;
    const finding: Finding = {
      name: 'service',
      state: isWell ? 'ok' : 'bad',
      text: `${took}: ${health.status}, version ${health.version}`,
    };
    if (!isWell) finding.todo = 'degraded is Redis or the syncs: see below';
    return [finding, await nextSyncFinding(context)];
  } catch (error) {
    const todo = 'start it, or restart it with SIGTERM; roll back where it was deployed just now';
    return [{ name: 'service', state: 'bad', text: (error as Error).message, todo }];
  }
}

async function nextSyncFinding(context: OpsContext): Promise<Finding> {
  try {
    const { nextSyncAt } = dataOf<Status>(await ask(context, '/v1/status'));
    const text = nextSyncAt === null ? 'this instance has no schedule' : minute(nextSyncAt);
    return { name: 'next sync', state: 'ok', text };
  } catch (error) {
    return { name: 'next sync', state: 'unknown', text: (error as Error).message };
  }
}

async function databaseFindings(database: Database): Promise<Finding[]> {
  const startedAt = performance.now();
  const { read, dialect } = database;
  const { bytes: size, connections, replicas } = await databaseFigures(read, dialect);
  const ms = performance.now() - startedAt;
  const long = await longQueries(read, dialect, LONG_QUERY_MINUTES);
  const used =
    connections === null
      ? ''
      : `, ${connections.used} of ${connections.max} connections, ${long} queries over ${LONG_QUERY_MINUTES} min`;
  const isFull = connections !== null && connections.used > MANY_CONNECTIONS * connections.max;
  const behind = replicas.map(
    ({ name, lagSeconds }) => `, replica ${name} ${span(lagSeconds * 1_000)} behind`,
  );
  const found: Finding = {
    name: 'database',
    state: ms > SLOW_MS || isFull || long > 0 ? 'bad' : 'ok',
    text: `${dialect} answered in ${span(ms)}, ${bytes(size)}${used}${behind.join('')}`,
  };
  if (found.state === 'bad') found.todo = 'npm run ops -- db-health';
  const now = Date.now();
  const samples = await samplesBetween(read, {
    from: new Date(now - RECENT_MS).toISOString(),
    to: new Date(now).toISOString(),
  });
  return [
    errorFinding(samples),
    found,
    hitRateFinding(samples),
    ...(await syncFindings(database, now)),
    await backupFinding(database, now),
  ];
}

function errorFinding(samples: Sample[]): Finding {
  const sum = (name: 'requests' | 'errors') => samples.reduce((total, sample) => total + sample[name], 0);
  const [requests, errors] = [sum('requests'), sum('errors')];
  if (requests === 0) return { name: '5xx', state: 'unknown', text: 'no answers in the last 15 minutes' };
  const isBad = errors / requests > ERROR_RATE;
  const text = `${errors} of ${requests} answers in the last 15 minutes (${percent(errors / requests)})`;
  const todo = `grep '"status":500' in the log; each line has a requestId`;
  return isBad ? { name: '5xx', state: 'bad', text, todo } : { name: '5xx', state: 'ok', text };
}

function hitRateFinding(samples: Sample[]): Finding {
  const hits = samples.reduce((total, { cache_hits: count }) => total + count, 0);
  const all = samples.reduce(
    (total, { cache_misses: misses, cache_bypassed: bypassed }) => total + misses + bypassed,
    hits,
  );
  if (all < ENOUGH)
    return { name: 'hit rate', state: 'unknown', text: `${all} cacheable answers in the last 15 minutes` };
  const text = `${percent(hits / all)} of ${all} cacheable answers`;
  const todo = 'after a sync that is normal for a while; else see "cache"';
  return hits / all < HIT_RATE
    ? { name: 'hit rate', state: 'bad', text, todo }
    : { name: 'hit rate', state: 'ok', text };
}

async function backupFinding({ read }: Database, now: number): Promise<Finding> {
  const backup = (await lastOperations(read)).find(({ kind }) => kind === 'backup');
  if (backup === undefined)
    return { name: 'backup', state: 'unknown', text: 'none was recorded', todo: 'npm run ops -- backup' };
  const { last, completedAt } = backup;
  const good = completedAt === null ? 'none has completed' : `last completed ${ago(completedAt, now)}`;
  const isBad = last.status === 'failed' || completedAt === null || now - Date.parse(completedAt) > BACKUP_MS;
  const text = last.status === 'failed' ? `${good}; the last failed: ${last.message}` : good;
  return isBad
    ? { name: 'backup', state: 'bad', text, todo: 'npm run ops -- backup' }
    : { name: 'backup', state: 'ok', text };
}

async function cacheFinding(redisUrl: string | null): Promise<Finding> {
  if (redisUrl === null)
    return { name: 'cache', state: 'ok', text: 'in the memory of each process (REDIS_URL is not set)' };
  try {
    const { ms, used } = await pingRedis(redisUrl);
    return { name: 'cache', state: 'ok', text: `Redis answered in ${span(ms)}, uses ${bytes(used)}` };
  } catch (error) {
    return {
      name: 'cache',
      state: 'bad',
      text: `Redis does not answer: ${(error as Error).message || 'no connection'}`,
      todo: 'restart Redis; answers come from the database meanwhile',
    };
  }
}

async function alertFinding({ ops }: OpsContext): Promise<Finding> {
  if (ops.alertmanager === null)
    return { name: 'alerts', state: 'unknown', text: 'ALERTMANAGER_URL is not set' };
  try {
    const alerts = await firingAlerts(ops.alertmanager);
    if (alerts.length === 0) return { name: 'alerts', state: 'ok', text: 'none is firing' };
    const text = alerts.map(({ name, since }) => `${name} since ${minute(since)}`).join('; ');
    return { name: 'alerts', state: 'bad', text, todo: 'each alert links its part of OPERATIONS.md' };
  } catch (error) {
    return { name: 'alerts', state: 'unknown', text: (error as Error).message };
  }
}
