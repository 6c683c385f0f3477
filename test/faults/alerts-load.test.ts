import { availableParallelism } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { expectResolved } from './support/alerts/expected.ts';
import { startProgram } from './support/alerts/program.ts';
import { scenario } from './support/alerts/scenario.ts';
import { startStack } from './support/alerts/stack.ts';
import { keepBusy } from './support/alerts/traffic.ts';

/** Tells a process that its container has so many bytes: what such a limit is read from is another file for it alone. */
const limitedTo = (bytes: number): string[] => {
  const script = `
    unified=$(sed -n 's/^0:://p' /proc/self/cgroup)
    memory=$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup)
    mount -t tmpfs tmpfs /sys/fs/cgroup
    for folder in "/sys/fs/cgroup/$unified" "/sys/fs/cgroup/memory/$memory"; do
      mkdir -p "$folder"
      for file in max high limit_in_bytes soft_limit_in_bytes; do echo "$0" > "$folder/memory.$file"; done
    done
    exec "$@"`;
  return ['unshare', '--mount', '--map-root-user', 'sh', '-c', script, String(bytes)];
};

scenario('A6', async (expects) => {
  const { monitors, service, start, finish } = await startStack();
  const small = await start({}, { within: limitedTo(128 * 1024 ** 2) });
  monitors.watch({ services: [service.url, small.url], health: small.url });
  await expects(monitors, 'InstanceMemoryHigh');

  const relieve = keepBusy(service.url, '/v1/models?limit=100', finish);
  await expects(monitors, 'InstanceCpuHigh');
  relieve();
  await expectResolved(monitors, ['InstanceCpuHigh']);

  // Others on the machine of the database take what CPU there is, but let everybody go first.
  const others = Array.from({ length: availableParallelism() }, () =>
    startProgram('nice', ['-n', '15', process.execPath, '--eval', 'for (;;);'], { finish }),
  );
  await expects(monitors, 'DatabaseCpuHigh');
  for (const { kill } of others) await kill();
  await expectResolved(monitors, ['DatabaseCpuHigh']);

  // As where a machine is shared with too many others: now it gets its turn, now it does not.
  let isStarved = true;
  const starving = (async () => {
    while (isStarved) {
      service.process.signal('SIGSTOP');
      await sleep(320);
      service.process.signal('SIGCONT');
      await sleep(280);
    }
  })();
  finish(() => {
    isStarved = false;
    return starving;
  });
  await expects(monitors, 'EventLoopSlow');
  isStarved = false;
  await starving;
  await expectResolved(monitors, ['EventLoopSlow']);
  return monitors;
});
