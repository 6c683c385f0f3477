import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ask as query } from '../support/postgres.ts';
import { Command } from '../support/process.ts';
import { PRODUCTION } from '../support/service.ts';
import {
  type Answered,
  ask,
  environmentOf,
  expectNoPoison,
  expectWithin,
  hold,
  type Scene,
  serve,
  startChangedSync,
  startLoad,
  UNAVAILABLE,
  uncached,
  untilServed,
  useScene,
  waiting,
} from './support/postgres-scene.ts';

const KEPT = '/v1/models?limit=7';

/** Cuts off everybody who is connected to a database as the service; answers with how many there were. */
const CUT_OFF = `select pg_terminate_backend(pid) from pg_stat_activity
  where application_name like 'effect-models %' and datname = current_database()`;

/** Starts the service as a process of its own. */
function startProcess(scene: Scene, databaseUrl: string): Command {
  return new Command('start', {
    ...environmentOf(scene, databaseUrl),
    ...PRODUCTION,
    PORT: '0',
    SYNC_CRON: 'off',
    SYNC_ON_START: 'never',
  });
}

/** Expects a process to have lived through everything: nothing of its log is fatal, and it ends as it should. */
async function expectAlive(command: Command, pid: number): Promise<void> {
  expect(command.pid).toBe(pid);
  expect(process.kill(pid, 0)).toBe(true);
  expect(await command.end('SIGTERM')).toBe(0);
  expect(command.output).not.toMatch(/"level":60|unhandledRejection|uncaughtException/);
}

describe('Postgres that is away', () => {
  const scene = useScene();

  test('P1 it is down at boot: the process starts and says so, and is ready by itself once it is there', async () => {
    const databaseUrl = await scene.copy();
    await scene.server.halt();
    onTestFinished(() => scene.server.start());
    const command = startProcess(scene, databaseUrl);
    const { pid } = command;
    const [, url = ''] = await command.says(/is listening at (http:\/\/[\w.:]+)/);
    for (let second = 0; second < 3; second += 1) {
      expect(await ask(url, '/health/live')).toMatchObject({ status: 200 });
      for (const path of [
        '/health',
        '/health/ready',
        KEPT,
        '/v1/models/openai/gpt-5-mini',
        '/v1/changes',
        '/v1/status',
      ]) {
        const answer = await ask(url, path);
        expect(answer).toMatchObject(UNAVAILABLE);
        expectWithin(2_000, [answer]);
      }
      await sleep(500);
    }
    await scene.server.start();
    await expect.poll(async () => (await ask(url, '/health/ready')).status, { timeout: 5_000 }).toBe(200);
    expect(await ask(url, KEPT)).toMatchObject({ status: 200 });
    await expect.poll(async () => (await ask(url, '/health')).status, { timeout: 5_000 }).toBe(200);
    await expectAlive(command, pid);
  });

  test('P2 it is stopped while serving under load: kept answers are marked, others refused at once, until it is back', async () => {
    const { app, run } = await serve(scene);
    await ask(app.url, KEPT);
    const [before] = await run('select count(*)::int as models from models');
    for (const how of ['immediate', 'crash', 'fast'] as const) {
      const kept = startLoad(app.url, () => KEPT);
      const fresh = startLoad(app.url, uncached);
      await expect.poll(() => fresh.answers.length, { timeout: 10_000 }).toBeGreaterThan(20);
      await scene.server.halt(how);
      const [keptBefore, freshBefore] = [kept.answers.length, fresh.answers.length];
      await expect.poll(() => kept.answers.at(-1)?.cache, { timeout: 5_000 }).toContain('DATABASE_AWAY');
      await sleep(1_000);
      const whileAway = [kept.answers.slice(keptBefore), fresh.answers.slice(freshBefore)] as const;
      await scene.server.start();
      const back = await untilServed(app.url);
      expect(back.at(-1)).toMatchObject({ status: 200 });
      expectAwayWell(...whileAway);
      const [keptAll, freshAll] = await Promise.all([kept.stop(), fresh.stop()]);
      expect(new Set(keptAll.map(({ status }) => status))).toEqual(new Set([200]));
      for (const answer of freshAll.filter(({ status }) => status !== 200))
        expect(answer).toMatchObject(UNAVAILABLE);
      await expectNoPoison(app.url);
      await expect
        .poll(async () => (await ask(app.url, KEPT)).cache, { timeout: 5_000 })
        .not.toContain('DATABASE_AWAY');
    }
    expect(await run('select count(*)::int as models from models')).toEqual([before]);
  });

  function expectAwayWell(kept: Answered[], fresh: Answered[]): void {
    expect(kept.length).toBeGreaterThan(5);
    expect(kept.at(-1)).toMatchObject({
      status: 200,
      cache: expect.stringContaining('detail=DATABASE_AWAY'),
    });
    expect(fresh.length).toBeGreaterThan(5);
    for (const answer of fresh) {
      expect(answer).toMatchObject(UNAVAILABLE);
      expect(answer.problem?.detail).toContain('can not be reached');
    }
    expectWithin(1_000, [...kept, ...fresh]);
  }

  test('P4 a connection is cut off in the middle of what a sync writes: the run writes it anew, whole and once', async () => {
    const serving = await serve(scene);
    const { app, run } = serving;
    const release = await hold(serving, 'offers');
    const started = await startChangedSync(serving, scene);
    const [pid] = await waiting(serving, 'write');
    await run(`select pg_terminate_backend(${pid})`);
    const [next] = await waiting(serving, 'write');
    expect(next).not.toBe(pid);
    // What had been written by then is gone with the connection.
    expect(await run('select version from catalog')).toEqual([{ version: 1 }]);
    expect(
      await run(
        'select count(*)::int as rows from records where updated_at > (select committed_at from catalog)',
      ),
    ).toEqual([{ rows: 0 }]);
    await release();
    expect(await started.finished).toMatchObject({ status: 'completed', catalogVersion: 2 });
    expect(await run('select version from catalog_versions order by version')).toEqual([
      { version: 1 },
      { version: 2 },
    ]);
    await expectNoPoison(app.url);
  });

  test('P4a connections are cut off while they read: who asked is answered all the same', async () => {
    const serving = await serve(scene);
    const { app, run } = serving;
    const release = await hold(serving, 'models', 'everybody');
    const answers = [1, 2, 3].map(() => ask(app.url, uncached()));
    for (const pid of await waiting(serving, 'read', answers.length))
      await run(`select pg_terminate_backend(${pid})`);
    await waiting(serving, 'read', answers.length);
    await release();
    for (const answer of await Promise.all(answers)) expect(answer).toMatchObject({ status: 200 });
  });

  test('P5 idle connections are cut off, over and over: nobody notices, and the process is the same', async () => {
    const databaseUrl = await scene.copy();
    const own = Object.assign(new URL(scene.server.url), { pathname: new URL(databaseUrl).pathname }).href;
    const command = startProcess(scene, databaseUrl);
    const { pid } = command;
    const url = await command.url();
    let killed = 0;
    for (let round = 0; round < 5; round += 1) {
      // Many are open, and then idle.
      const burst = await Promise.all(Array.from({ length: 12 }, () => ask(url, uncached())));
      expect(new Set(burst.map(({ status }) => status))).toEqual(new Set([200]));
      killed += (await query(own, `${CUT_OFF} and state = 'idle'`)).length;
      await expectNoPoison(url, 10);
    }
    expect(killed).toBeGreaterThan(5);
    const load = startLoad(url, uncached, { everyMs: 20 });
    for (let round = 0; round < 10; round += 1) {
      await query(own, `${CUT_OFF} and state = 'idle'`);
      await sleep(100);
    }
    const answers = await load.stop();
    expect(answers.length).toBeGreaterThan(5);
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    await expectAlive(command, pid);
  });
});
