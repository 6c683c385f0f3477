import { expectResolved } from './support/alerts/expected.ts';
import { scenario } from './support/alerts/scenario.ts';
import { startStack } from './support/alerts/stack.ts';
import { startTraffic, uncommon } from './support/alerts/traffic.ts';

scenario('A8', async (expects) => {
  const { monitors, redis, service, finish } = await startStack();
  // As shipped it would forget; set up like this it takes no more.
  await redis.command('CONFIG', 'SET', 'maxmemory', '8mb', 'maxmemory-policy', 'noeviction');
  for (let number = 0; ; number += 1) {
    const full = await redis.command('SET', `filler:${number}`, 'x'.repeat(10_000)).catch(() => null);
    if (full === null) break;
  }
  startTraffic(service.url, uncommon, { finish });
  await expects(monitors, 'CacheMemoryHigh', 'CacheWritesFailing', 'HitRateBudget', 'CacheMissRateHigh');
  await redis.command('CONFIG', 'SET', 'maxmemory', '1gb');
  await expectResolved(monitors, ['CacheMemoryHigh', 'CacheWritesFailing']);

  await redis.kill();
  await expects(monitors, 'CacheDown', 'HealthDegraded');
  await redis.start();
  await expectResolved(monitors, ['CacheDown']);
  return monitors;
});
