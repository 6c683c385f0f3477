import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { newestEnded, postSync } from '../support/service.ts';
import { expectResolved } from './support/alerts/expected.ts';
import { ask } from '../support/postgres.ts';
import { scenario } from './support/alerts/scenario.ts';
import { startStack } from './support/alerts/stack.ts';
import { startTraffic } from './support/alerts/traffic.ts';

/** Asks for something else each time, of a table that can be taken away. */
const offered = (limit: number) => (number: number) =>
  `/v1/models?limit=${limit}&provider=openai&search=nothing${number}x${limit}`;

scenario('A3', async (expects) => {
  const { monitors, service, environment, finish } = await startStack();
  const url = environment.DATABASE_URL ?? '';
  // As after a migration that should not have been.
  await ask(url, 'alter table offers rename to offers_gone');
  const some = startTraffic(
    service.url,
    (number) => (number % 50 === 0 ? offered(20)(number) : '/v1/models'),
    { finish, concurrency: 2, pauseMs: 5 },
  );
  await expects(monitors, 'ErrorRateHigh', 'ErrorBudgetSlow');
  await postSync(service.url);
  await newestEnded(service.url);
  await expects(monitors, 'SyncFailed');
  await some.stop();
  const all = startTraffic(service.url, offered(20), { finish, pauseMs: 5 });
  await expects(monitors, 'ErrorBudgetFast');
  await all.stop();
  return monitors;
});

scenario('A7', async (expects) => {
  const { monitors, service, environment, start, finish } = await startStack();
  const locker = new pg.Client({ connectionString: environment.DATABASE_URL ?? '' });
  await locker.connect();
  finish(() => locker.end());
  const lock = async (ms: number) => {
    await locker.query('begin');
    await locker.query('lock table offers in access exclusive mode');
    await sleep(ms);
    await locker.query('commit');
  };

  const other = await start();
  monitors.watch({ services: [service.url, other.url], health: service.url });

  /** While somebody changes the table again and again: who asks for it waits, but not for so long as to fail. */
  const whileLocked = async (ms: number, limit: number, work: () => Promise<void>) => {
    let locking = true;
    const locks = (async () => {
      for (; locking; await sleep(30)) await lock(ms);
    })();
    const askers = [service, other].map(({ url }) =>
      startTraffic(url, offered(limit), { finish, concurrency: 14, pauseMs: 0 }),
    );
    finish(() => {
      locking = false;
      return locks;
    });
    await work();
    for (const { stop } of askers) await stop();
    locking = false;
    await locks;
  };
  await whileLocked(1_200, 20, () =>
    expects(
      monitors,
      'SlowQueries',
      'DatabaseQueriesSlow',
      'ResponsesSlow',
      'ShortListsSlow',
      'LatencyBudgetFast',
      'LatencyBudgetSlow',
    ),
  );
  await whileLocked(1_700, 100, () => expects(monitors, 'LongListsSlow'));

  // And now somebody who does not let go.
  const many = startTraffic(service.url, offered(20), { finish, concurrency: 80, pauseMs: 0 });
  const held = lock(25_000);
  await expects(monitors, 'DatabasePoolWaiting');
  await many.stop();
  await held;
  await expectResolved(monitors, ['DatabasePoolWaiting']);
  return monitors;
});
