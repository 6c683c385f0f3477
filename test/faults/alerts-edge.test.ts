import { setTimeout as sleep } from 'node:timers/promises';
import { expectResolved, expectWatched } from './support/alerts/expected.ts';
import { startEdge } from './support/alerts/edge.ts';
import { scenario } from './support/alerts/scenario.ts';
import { startStack } from './support/alerts/stack.ts';

scenario('A4', async (expects) => {
  const { monitors, service, finish } = await startStack();
  const edge = await startEdge(service.url, finish);
  monitors.watch({ services: [service.url], health: edge.url });
  edge.cuts = (number) => number % 8 === 0;
  await expects(monitors, 'AvailabilityBudgetFast');
  edge.cuts = () => false;
  await expectResolved(monitors, ['AvailabilityBudgetFast']);
  await expects(monitors, 'AvailabilityBudgetSlow');
  edge.delayMs = 700;
  await expects(monitors, 'HealthOverBaseline');
  edge.delayMs = 1_300;
  await expects(monitors, 'HealthSlow');
  edge.delayMs = 0;
  await expectResolved(monitors, ['HealthSlow', 'HealthOverBaseline']);
  return monitors;
});

scenario('A5', async (expects) => {
  const { monitors, service, start } = await startStack();
  const other = await start();
  monitors.watch({ services: [service.url, other.url], health: service.url });
  await expectWatched(monitors, 2);

  await other.process.end('SIGKILL');
  await expects(monitors, 'InstanceDown');

  const port = Number(new URL(other.url).port);
  for (let time = 0; time < 4; time += 1) {
    const crashing = await start({}, { port });
    // Long enough to be seen.
    await sleep(2_000);
    await crashing.process.end('SIGKILL');
  }
  await expects(monitors, 'InstanceCrashLooping');
  monitors.watch({ services: [service.url], health: service.url });

  await monitors.nodeExporter.kill();
  await expects(monitors, 'HostUnknown');

  // The token was changed, and Prometheus has not been told.
  await service.process.end('SIGTERM');
  const changed = await start(
    { METRICS_TOKEN: 'metrics-Token-of-after-the-rotation-9Zx8Yw7Vu6Ts5Rq4' },
    { port: Number(new URL(service.url).port) },
  );
  await expects(monitors, 'MetricsMissing');

  await changed.process.end('SIGKILL');
  await expects(monitors, 'HealthUnanswered');

  await monitors.blackbox.kill();
  await expects(monitors, 'HealthUnchecked');
  return monitors;
});
