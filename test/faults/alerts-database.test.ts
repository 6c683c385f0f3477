import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { expectResolved } from './support/alerts/expected.ts';
import { ask } from '../support/postgres.ts';
import { scenario } from './support/alerts/scenario.ts';
import { startDisk } from './support/alerts/disk.ts';
import { startStack } from './support/alerts/stack.ts';
import { startStandby } from './support/alerts/standby.ts';
import { startTraffic, uncommon, usual } from './support/alerts/traffic.ts';

scenario('A2', async (expects) => {
  const { monitors, postgres, service, start, finish } = await startStack();
  startTraffic(service.url, usual, { finish });
  await postgres.halt();
  const starting = await start({}, { ready: false });
  monitors.watch({ services: [service.url, starting.url], health: service.url });
  const asking = startTraffic(service.url, uncommon, { finish, concurrency: 4 });
  await expects(
    monitors,
    'DatabaseDown',
    'HealthUnavailable',
    'AvailabilityBudgetFast',
    'AvailabilityBudgetSlow',
    'ErrorRateHigh',
    'ErrorBudgetFast',
    'ErrorBudgetSlow',
    'InstanceNotReady',
  );
  await asking.stop();
  await postgres.start();
  await expectResolved(monitors, ['DatabaseDown']);
  return monitors;
});

scenario('A14', async (expects) => {
  const { monitors, postgres, service, environment, finish } = await startStack({
    environment: { STORAGE_LIMIT_GB: '0.03' },
    settings: { max_connections: '60' },
  });
  const url = environment.DATABASE_URL ?? '';
  await ask(
    url,
    `create table filler as select repeat(md5(n::text), 100) as text from generate_series(1, 200000) n`,
  );
  const disk = await startDisk(finish);
  monitors.watch({ services: [service.url], health: service.url, machines: [disk.exporter] });
  disk.fill();
  await expects(monitors, 'DatabaseStorageHigh', 'DiskFilling');

  const others = await Promise.all(
    Array.from({ length: 52 }, async () => {
      const client = new pg.Client({ connectionString: url });
      client.on('error', () => {});
      await client.connect();
      return client;
    }),
  );
  finish(async () => void (await Promise.allSettled(others.map((client) => client.end()))));
  await expects(monitors, 'DatabaseConnectionsHigh');
  for (const client of others) await client.end();
  await expectResolved(monitors, ['DatabaseConnectionsHigh']);

  const standby = await startStandby(postgres, finish);
  await ask(standby.url, 'select pg_wal_replay_pause()');
  let writing = true;
  const writes = (async () => {
    for (; writing; await sleep(200)) await ask(url, `insert into filler values ('more')`);
  })();
  finish(async () => {
    writing = false;
    await writes;
  });
  await expects(monitors, 'ReplicaBehind');
  await ask(standby.url, 'select pg_wal_replay_resume()');
  await expectResolved(monitors, ['ReplicaBehind']);
  await standby.kill();
  await expects(monitors, 'ReplicaLost');
  return monitors;
});
