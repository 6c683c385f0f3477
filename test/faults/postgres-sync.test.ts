import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, inject, test } from 'vitest';
import {
  expectNoPoison,
  hold,
  serve,
  type Serving,
  session,
  startChangedSync,
  useScene,
  waiting,
} from './support/postgres-scene.ts';

/** All that readers are told from. */
const TABLES =
  'models offers records conflicts model_aliases providers changes model_versions offer_versions catalog'.split(
    ' ',
  );

/** What is published, as a sum, and the version that it says it is. */
async function published({ run }: Serving): Promise<{ version: number; sum: string }> {
  const rows = await Promise.all(
    TABLES.map((table) => run(`select md5(string_agg(t::text, '' order by t::text)) as sum from ${table} t`)),
  );
  const [catalog] = await run('select version from catalog');
  return { version: Number(catalog?.version), sum: hash('sha256', JSON.stringify(rows)) };
}

/** How the newest run ended, and who holds the lease. */
async function newest({ run }: Serving) {
  const [last] = await run(
    'select status, catalog_version as version from sync_runs order by started_at desc limit 1',
  );
  return { ...last, leases: (await run('select owner from leases')).length };
}

/** Where a run is stopped: at the first row that it writes to a table. The write phase goes through them in this order, more or less. */
const PLACES = [
  'records',
  'catalog_versions',
  'offers',
  'sources',
  'models',
  'model_versions',
  'changes',
  'offer_versions',
];
const WAYS = ['immediate', 'crash', 'fast'] as const;
/** A full run of the faults kills at all of them, and at random instants up to as many as this. */
const MOST = 20;
const KILLS = Math.min(MOST, Math.ceil(inject('faultKills') / 2));

describe('a sync whose Postgres fails it', () => {
  const scene = useScene({ deadlock_timeout: '100ms' });

  test(
    `P3 it dies ${KILLS} times while a sync writes: the old catalogue is whole, and the next run completes`,
    { timeout: 15_000 * KILLS },
    async () => {
      const serving = await serve(scene);
      for (let kill = 0; kill < KILLS; kill += 1) {
        const before = await published(serving);
        const place = PLACES[kill];
        if (place !== undefined) await hold(serving, place);
        const started = await startChangedSync(serving, scene);
        if (place === undefined) await sleep(Math.random() * 400);
        else await waiting(serving, 'write');
        await scene.server.halt(WAYS[kill % WAYS.length]);
        await sleep(200);
        await scene.server.start();
        await started.finished;
        const after = await published(serving);
        const { status, leases } = (await newest(serving)) as { status: string; leases: number };
        expect(leases).toBe(0);
        if (place !== undefined || status !== 'completed') {
          expect(status).toBe('failed');
          expect(after).toEqual(before);
        } else expect(after.version).toBe(before.version + 1);

        const next = await startChangedSync(serving, scene);
        expect(await next.finished).toMatchObject({ status: 'completed', catalogVersion: after.version + 1 });
        expect(await newest(serving)).toEqual({ status: 'completed', version: after.version + 1, leases: 0 });
        await expectNoPoison(serving.app.url, 10);
      }
    },
  );

  /** A database on which something holds for every connection. */
  async function serveWith(setting: string): Promise<Serving> {
    const serving = await serve(scene);
    await serving.run(`alter database ${new URL(serving.asSuperuser).pathname.slice(1)} set ${setting}`);
    await serving.run(
      `select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and application_name like 'effect-models %'`,
    );
    return serving;
  }

  /** Expects a run to have been written in the end, once, by itself. */
  async function expectCompleted(
    serving: Serving,
    { finished }: { finished: Promise<unknown> },
  ): Promise<void> {
    expect(await finished).toMatchObject({ status: 'completed', catalogVersion: 2 });
    expect(await serving.run('select status from sync_runs')).toEqual([
      { status: 'completed' },
      { status: 'completed' },
    ]);
    expect(await newest(serving)).toEqual({ status: 'completed', version: 2, leases: 0 });
    const versions = await serving.run('select version from catalog_versions order by version');
    expect(versions).toEqual([{ version: 1 }, { version: 2 }]);
  }

  /** How often the server has said something since. */
  function saying(text: string): () => number {
    const before = scene.server.log().length;
    return () => scene.server.log().slice(before).split(text).length - 1;
  }

  test('P10 a sync is the victim of a deadlock: it writes everything anew, and readers see nothing of it', async () => {
    const serving = await serve(scene);
    const detected = saying('deadlock detected');
    const other = await session(serving);
    // It is patient, so that the sync is who finds the deadlock.
    await other.query(`begin; set local deadlock_timeout = '1min'; select from catalog for update`);
    const release = await hold(serving, 'records');
    const started = await startChangedSync(serving, scene);
    await waiting(serving, 'write');
    const crossing = other.query('update leases set owner = owner');
    await expect
      .poll(() =>
        serving.run(
          `select 1 from pg_stat_activity where query like 'update leases%' and wait_event_type = 'Lock'`,
        ),
      )
      .toHaveLength(1);
    await release();
    await crossing;
    expect(detected()).toBe(1);
    await other.query('rollback');
    await expectCompleted(serving, started);
  });

  test('P10a what a sync changes has been changed meanwhile: it writes everything anew', async () => {
    const serving = await serveWith(`default_transaction_isolation = 'repeatable read'`);
    const refused = saying('could not serialize access due to concurrent update');
    const release = await hold(serving, 'offers');
    const started = await startChangedSync(serving, scene);
    await waiting(serving, 'write');
    await serving.run('update catalog set format = format');
    await release();
    await expectCompleted(serving, started);
    expect(refused()).toBe(1);
  });

  test('P10b a lock is not given in time: it writes everything anew', async () => {
    const serving = await serveWith(`lock_timeout = '500ms'`);
    const refused = saying('canceling statement due to lock timeout');
    const release = await hold(serving, 'offers');
    const started = await startChangedSync(serving, scene);
    await expect.poll(refused, { timeout: 5_000, interval: 20 }).toBe(1);
    await release();
    await expectCompleted(serving, started);
  });

  test('P10c a lock is never given: the run fails at the third time, the old catalogue is whole, and the next run completes', async () => {
    const serving = await serveWith(`lock_timeout = '200ms'`);
    const refused = saying('canceling statement due to lock timeout');
    const before = await published(serving);
    const release = await hold(serving, 'offers');
    const started = await startChangedSync(serving, scene);
    expect(await started.finished).toMatchObject({
      status: 'failed',
      message: expect.stringContaining('lock timeout'),
      catalogVersion: 1,
    });
    expect(refused()).toBe(3);
    expect(await published(serving)).toEqual(before);
    expect(await newest(serving)).toEqual({ status: 'failed', version: 1, leases: 0 });
    await release();
    const next = await startChangedSync(serving, scene);
    expect(await next.finished).toMatchObject({ status: 'completed', catalogVersion: 2 });
  });
});
