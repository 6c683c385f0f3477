import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { TIMES } from '../../server/ports.ts';
import { createBreakers } from '../../sync/breaker.ts';
import { createSyncStore } from '../../server/db/sync-store.ts';
import { schedule } from '../../server/scheduler.ts';
import type { FinishedRun } from '../../sync/ports.ts';
import { startRun } from '../../sync/run.ts';
import { BUNDLED, SOURCES } from '../../sync/sources/index.ts';
import { DATABASES } from '../support/databases.ts';
import { Command, type Finish } from '../support/process.ts';
import {
  environmentOn,
  holdModelsDev,
  newestEnded,
  postSync,
  PRODUCTION,
  shownRuns,
  storedRuns,
  withDatabase,
} from '../support/service.ts';
import { startUpstream, type FakeUpstream } from '../support/upstream.ts';

const [sqlite, postgres] = DATABASES;
const HOUR_MS = 3_600_000;

/** The library of the Debian package `faketime`. */
const FAKETIME = ['x86_64', 'aarch64']
  .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketime.so.1`)
  .find((path) => existsSync(path));

let upstream: FakeUpstream;

beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());
beforeEach(() => upstream.reset());

/** A clock that a process goes by, and what sets it, such as `+2h`. */
function fakeClock(finish: Finish = onTestFinished): {
  environment: Record<string, string>;
  set: (offset: string) => void;
} {
  const folder = mkdtempSync(join(tmpdir(), 'effect-models-clock-'));
  finish(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'clock');
  const set = (offset: string) => writeFileSync(file, `${offset}\n`);
  set('+0');
  return {
    set,
    environment: {
      LD_PRELOAD: FAKETIME ?? '',
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
  };
}

const runsAt = async (address: string) =>
  (await shownRuns(address)).filter(({ status }) => status !== 'running').length;

const withoutClock = FAKETIME === undefined && process.env.CI !== 'true';

describe.skipIf(withoutClock)('with a clock of its own', () => {
  test.each([
    ['S6a-SQLite', '+2h', sqlite, 'superseded'],
    ['S6a-Postgres', '+2h', postgres, 'completed'],
    ['S6b-SQLite', '-2h', sqlite, 'completed'],
    ['S6b-Postgres', '-2h', postgres, 'completed'],
  ] as const)('%s the clock is set %s in the middle of a run', async (_row, offset, kind, status) => {
    const clock = fakeClock();
    const environment = { ...(await environmentOn(upstream, kind)), ...PRODUCTION, ...clock.environment };
    const service = new Command('start', environment);
    const address = await service.url();
    const { asked, release } = holdModelsDev(upstream);
    await postSync(address);
    await asked;
    clock.set(offset);
    release();
    const run = await newestEnded(address);
    // The clock of SQLite is that of the machine: by it, two hours without a word of the holder have passed.
    await expect.poll(async () => (await newestEnded(address)).status).toBe(status);
    expect(Date.parse(run.completedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(run.startedAt));
    if (status === 'completed') expect(run.durationMs).toBeLessThan(60_000);
    await postSync(address);
    const next = await newestEnded(address);
    expect([next.status, next.startedAt > run.startedAt]).toEqual(['completed', true]);
  });
});

describe('at once', () => {
  test
    .skipIf(withoutClock)
    .concurrent(
      'S6c clocks of replicas are two hours apart, and each tick is one run',
      { timeout: 90_000 },
      async ({ expect, onTestFinished: finish }) => {
        const ahead = fakeClock(finish);
        ahead.set('+2h');
        const environment = {
          ...(await environmentOn(upstream, postgres, finish)),
          ...PRODUCTION,
          SYNC_CRON: '*/6 * * * * *',
        };
        const services = [
          new Command('start', environment, [], { finish }),
          new Command('start', { ...environment, ...ahead.environment }, [], { finish }),
        ];
        const [address = ''] = await Promise.all(services.map((service) => service.url()));
        await expect.poll(() => runsAt(address), { timeout: 60_000, interval: 200 }).toBeGreaterThan(3);
        const starts = (await shownRuns(address)).map(({ startedAt }) => Date.parse(startedAt));
        expect(starts.slice(1).filter((at, index) => (starts[index] ?? 0) - at < 3_000)).toEqual([]);
        expect(Math.abs((starts[0] ?? 0) - Date.now())).toBeLessThan(HOUR_MS / 2);
        expect(await Promise.all(services.map((service) => service.end('SIGTERM')))).toEqual([0, 0]);
      },
    );

  test
    .skipIf(withoutClock)
    .concurrent(
      'S6d the clock is set forward and back, and ticks go on',
      { timeout: 90_000 },
      async ({ expect, onTestFinished: finish }) => {
        const clock = fakeClock(finish);
        const environment = {
          ...(await environmentOn(upstream, sqlite, finish)),
          ...PRODUCTION,
          ...clock.environment,
        };
        const service = new Command('start', { ...environment, SYNC_CRON: '*/3 * * * * *' }, [], { finish });
        const address = await service.url();
        for (const offset of ['+0', '+2h', '+0', '-2h']) {
          clock.set(offset);
          const before = await runsAt(address);
          await expect
            .poll(() => runsAt(address), { timeout: 20_000, interval: 100 })
            .toBeGreaterThan(before + 1);
        }
        expect(await service.end('SIGTERM')).toBe(0);
        expect((await storedRuns(environment)).leases).toEqual([]);
      },
    );

  test
    .skipIf(withoutClock)
    .concurrent(
      'S7b ticks that were slept through are made up for by one run',
      { timeout: 90_000 },
      async ({ expect, onTestFinished: finish }) => {
        const clock = fakeClock(finish);
        const environment = {
          ...(await environmentOn(upstream, sqlite, finish)),
          ...PRODUCTION,
          ...clock.environment,
        };
        const service = new Command('start', { ...environment, SYNC_CRON: '0 */2 * * *' }, [], { finish });
        const address = await service.url();
        clock.set('+7h');
        await expect.poll(() => runsAt(address), { timeout: 60_000, interval: 200 }).toBe(1);
        await new Promise((resolve) => setTimeout(resolve, 3_000));
        expect(await runsAt(address)).toBe(1);
        expect(await service.end('SIGTERM')).toBe(0);
      },
    );
});

test('S6e summer time neither doubles nor skips a tick', async () => {
  const zone = process.env.TZ;
  process.env.TZ = 'Europe/Berlin';
  try {
    for (const eve of ['2026-03-28T12:30:00Z', '2026-10-24T12:30:00Z']) {
      vi.useFakeTimers({ now: new Date(eve) });
      const times: number[] = [];
      const { stop } = schedule(
        '0 */2 * * *',
        async () => void times.push(Date.now()),
        () => {},
      );
      await vi.advanceTimersByTimeAsync(24 * HOUR_MS);
      stop();
      expect(times).toHaveLength(12);
      expect(new Set(times.slice(1).map((at, index) => at - (times[index] ?? 0)))).toEqual(
        new Set([2 * HOUR_MS]),
      );
    }
  } finally {
    vi.useRealTimers();
    process.env.TZ = zone;
  }
});

test('S7a after six hours down three replicas make one catch-up run', { timeout: 90_000 }, async () => {
  const environment = { ...(await environmentOn(upstream, postgres)), ...PRODUCTION };
  expect(await new Command('sync', environment).ended()).toBe(0);
  const aged = (ms: number, status: string) =>
    withDatabase(environment, async ({ write }) => {
      const at = new Date(Date.now() - ms).toISOString();
      await write.updateTable('sync_runs').set({ started_at: at, status }).execute();
    });
  const boot = async (count: number) => {
    const own = { ...environment, SYNC_ON_START: 'if-stale' };
    const services = Array.from({ length: count }, () => new Command('start', own));
    await Promise.all(services.map((service) => service.url()));
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(await Promise.all(services.map((service) => service.end('SIGTERM')))).toEqual(
      Array(count).fill(0),
    );
    return (await storedRuns(environment)).runs;
  };
  await aged(6 * HOUR_MS, 'completed');
  expect(await boot(3)).toEqual(['completed', 'completed']);
  expect(await boot(1)).toEqual(['completed', 'completed']);
});

describe.each(DATABASES)('on $name', (kind) => {
  test('S8 a source that never settles fails alone when the run has taken too long', async () => {
    const environment = await environmentOn(upstream, kind);
    const finished = await withDatabase(environment, async (database): Promise<FinishedRun> => {
      await database.migrate();
      const started = await startRun(
        {
          sources: SOURCES.map((source) =>
            source.id === 'openrouter'
              ? {
                  ...source,
                  fetch: async (own) => {
                    await own.getJson(`${own.baseUrl}/models`);
                    return new Promise<never>(() => {});
                  },
                }
              : source,
          ),
          settings: {
            'models.dev': { baseUrl: upstream.urls.MODELS_DEV_URL, apiKey: null, maxItems: null },
            openrouter: { baseUrl: upstream.urls.OPENROUTER_URL, apiKey: null, maxItems: null },
            huggingface: { baseUrl: upstream.urls.HUGGINGFACE_URL, apiKey: null, maxItems: 1_000 },
          },
          fallback: { source: BUNDLED, replaces: 'models.dev', answerTimeoutMs: null },
          store: createSyncStore(database),
          limits: TIMES.http,
          breakers: createBreakers(TIMES.http),
          missesUntilDelisted: 3,
          userAgent: 'effect-models-test',
          deadlineMs: 1_500,
          leaseMs: TIMES.leaseMs,
          renewEveryMs: TIMES.renewEveryMs,
          now: () => new Date(),
          onProgress: () => {},
        },
        'api',
      );
      if ('conflict' in started) throw new Error('Another run is under way');
      return started.finished;
    });
    expect(finished.status).toBe('partial');
    expect(finished.models).toBeGreaterThan(10);
    const hung = finished.sources.find(({ source }) => source === 'openrouter');
    expect(hung).toMatchObject({
      status: 'failed',
      requests: 1,
      httpStatus: 200,
      error: { class: 'timeout' },
    });
    expect(await storedRuns(environment)).toEqual({ runs: ['partial'], leases: [] });
  });
});
