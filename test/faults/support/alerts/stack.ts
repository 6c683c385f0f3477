import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { runOps } from '../../../support/ops.ts';
import { freePort } from '../../../support/ports.ts';
import { startPostgres, type OwnPostgres } from '../../../support/postgres.ts';
import { Command, type Finish } from '../../../support/process.ts';
import { OwnRedis } from '../../../support/redis.ts';
import { newestEnded, postSync, PRODUCTION } from '../../../support/service.ts';
import { AA_KEY, startUpstream, type FakeUpstream } from '../../../support/upstream.ts';
import { expectWatched } from './expected.ts';
import { METRICS_TOKEN, startMonitors, type Monitors } from './monitors.ts';
import { answers } from './program.ts';

/** A process of the service at an address that it keeps. */
export interface Instance {
  url: string;
  process: Command;
}

/** How a stack differs from one that is well. */
export interface StackOptions {
  /** More of the environment of the service. */
  environment?: Record<string, string>;
  /** Settings of Postgres. */
  settings?: Record<string, string>;
  /** false: nobody has backed up, restored or maintained anything. */
  isCaredFor?: boolean;
  /** false: nothing has been synced. */
  isSynced?: boolean;
}

/** The service with all that it rests on, and all that watches it. */
export interface Stack {
  postgres: OwnPostgres;
  upstream: FakeUpstream;
  monitors: Monitors;
  environment: Record<string, string>;
  /** The process that was started first. */
  service: Instance;
  redis: OwnRedis;
  /** Starts another process; `ready` false: without waiting until it is; `within`: by another program. */
  start(
    environment?: Record<string, string>,
    options?: { ready?: boolean; port?: number; within?: string[] },
  ): Promise<Instance>;
  /** Runs a command of `npm run ops`; it has to end with `code`. */
  ops(args: string[], environment?: Record<string, string>, code?: number): Promise<void>;
  /** Does something when the test has finished. */
  finish: Finish;
}

async function startRedis(finish: Finish): Promise<OwnRedis> {
  const redis = new OwnRedis(await freePort());
  finish(() => redis.remove());
  await redis.start();
  return redis;
}

/** Starts a stack that is well: synced, backed up, restored, maintained, and watched. */
export async function startStack({
  environment: added = {},
  settings = {},
  isCaredFor = true,
  isSynced = true,
}: StackOptions = {}): Promise<Stack> {
  const finish: Finish = (work) => onTestFinished(work);
  const upstream = await startUpstream();
  finish(() => upstream.close());
  const postgres = await startPostgres({ settings });
  finish(() => postgres.stop());
  const database = await postgres.create();
  const redis = await startRedis(finish);
  const backups = mkdtempSync(join(tmpdir(), 'effect-models-backups-'));
  finish(() => rmSync(backups, { recursive: true, force: true }));
  const environment = {
    ...upstream.urls,
    ...PRODUCTION,
    ARTIFICIAL_ANALYSIS_API_KEY: AA_KEY,
    DATABASE_URL: database.url,
    REDIS_URL: redis.url,
    METRICS_TOKEN,
    BACKUP_DIR: backups,
    SYNC_ON_START: 'never',
    // There is a schedule, but no tick of it in this test.
    SYNC_CRON: '0 0 1 1 *',
    STORAGE_LIMIT_GB: '20',
    ...added,
  };
  const start: Stack['start'] = async (more = {}, { ready = true, port, within = [] } = {}) => {
    const own = port ?? (await freePort());
    const process = new Command('start', { ...environment, ...more, PORT: String(own) }, [], { within });
    const url = `http://127.0.0.1:${own}`;
    if (ready) await answers(`${url}/health/ready`);
    return { url, process };
  };
  const ops: Stack['ops'] = async (args, more = {}, code = 0) => {
    const ended = await runOps(args, { ...environment, ...more });
    expect(ended, ended.stderr).toMatchObject({ code });
  };

  const service = await start();
  if (isSynced) {
    await postSync(service.url);
    expect(await newestEnded(service.url)).toMatchObject({ status: 'completed' });
  }
  if (isCaredFor) for (const kind of ['backup', 'drill', 'maintain']) await ops([kind]);
  const monitors = await startMonitors(finish);
  monitors.watch({ services: [service.url], health: service.url });
  await expectWatched(monitors);
  return { postgres, upstream, monitors, environment, service, redis, start, ops, finish };
}
