import { setTimeout as sleep } from 'node:timers/promises';
import { fail, hold } from '../support/synced.ts';
import { newestEnded, postSync } from '../support/service.ts';
import { expectResolved, expectWatched } from './support/alerts/expected.ts';
import { scenario } from './support/alerts/scenario.ts';
import { startStack } from './support/alerts/stack.ts';

/** A sync every five seconds. */
const OFTEN = { SYNC_CRON: '*/5 * * * * *' };

scenario('A9', async (expects) => {
  const { monitors, upstream, service } = await startStack();
  const sync = async () => {
    await postSync(service.url);
    await newestEnded(service.url);
  };
  const mend = fail(upstream, 500, (path) => path.startsWith('/openrouter'));
  await sync();
  await expects(monitors, 'SyncPartial');
  await sync();
  await expects(monitors, 'SyncSuccessLow', 'HealthDegraded', 'SourceDown');
  mend();

  fail(upstream, 401, (path) => path.startsWith('/artificialanalysis'));
  await sync();
  await expects(monitors, 'SourceKeyRefused');

  upstream.content.huggingface = [];
  await sync();
  await expects(monitors, 'SourceQuarantined');

  upstream.reset();
  return monitors;
});

scenario('A10', async (expects) => {
  const { monitors, upstream } = await startStack({ environment: OFTEN });
  const mend = fail(upstream, 404);
  await expects(monitors, 'SyncSourcesAllFailed', 'SyncFailed', 'SyncStillFailing', 'HealthDegraded');
  mend();
  await expectResolved(monitors, ['SyncStillFailing', 'SyncSourcesAllFailed']);
  return monitors;
});

scenario('A11', async (expects) => {
  const { monitors, service, start } = await startStack({
    environment: { ...OFTEN, ROLE: 'serve' },
    isSynced: false,
  });
  const worker = await start({ ROLE: 'worker' }, { ready: false });
  monitors.watch({ services: [service.url, worker.url], health: service.url });
  await expectWatched(monitors, 2);
  await worker.process.says(/sync_\w+ completed/);
  // Long enough for the schedule to be seen.
  await sleep(3_000);
  await worker.process.end('SIGTERM');
  await expects(monitors, 'SyncMissed');
  return monitors;
});

scenario('A12', async (expects) => {
  const { monitors, upstream, service } = await startStack({ isSynced: false });
  const release = hold(upstream, () => true);
  await postSync(service.url);
  await expects(monitors, 'SyncNeverRun', 'SyncTooLong');
  release();
  await newestEnded(service.url);
  await expectResolved(monitors, ['SyncNeverRun']);
  return monitors;
});
