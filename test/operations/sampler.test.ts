import { pino } from 'pino';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { createApp } from '../../server/app.ts';
import { readConfig } from '../../server/config.ts';
import { openDatabase } from '../../server/db/database.ts';
import { SAMPLE_MS } from '../../server/db/samples.ts';
import { ANSWER_BUCKETS } from '../../server/metrics/metrics.ts';
import type { Totals } from '../../server/metrics/totals.ts';
import { startProbe } from '../../server/services/probe.ts';
import { startSampler } from '../../server/services/sampler.ts';
import { DATABASES } from '../support/databases.ts';

const silent = pino({ level: 'silent' });
const HOUR_MS = 60 * 60_000;

afterEach(() => vi.useRealTimers());

describe.each(DATABASES)('the sampler on $name', ({ create }) => {
  const ownDatabase = async () => {
    const { url, drop } = await create();
    onTestFinished(drop);
    return url;
  };

  test('loses nothing of what is counted where five minutes end', async () => {
    const database = await openDatabase(await ownDatabase());
    await database.migrate();
    const probe = startProbe({ database, cacheIsUp: () => true });
    await probe.look();
    let counted = 0;
    /** With every look at the counts there is one more. */
    const totals = async (): Promise<Totals> => ({
      requests: ++counted,
      errors: 0,
      durations: [counted, ...ANSWER_BUCKETS.map(() => 0)],
      cacheHits: counted,
      cacheMisses: 0,
      cacheBypassed: 0,
      queries: 0,
      queryMs: 0,
      slowQueries: 0,
    });
    const sampler = startSampler({
      database,
      totals,
      probe,
      version: '0.0.1',
      logger: silent,
      isReady: () => true,
      times: { lookEveryMs: HOUR_MS, writeEveryMs: HOUR_MS },
    });
    const startedAt = Date.now();
    vi.useFakeTimers({ toFake: ['Date'] });
    for (let moment = 0; moment < 4; moment += 1) {
      vi.setSystemTime(startedAt + moment * SAMPLE_MS);
      await sampler.write();
    }
    await sampler.stop();
    const samples = await database.read.selectFrom('samples').selectAll().execute();
    await probe.stop();
    await database.close();
    expect(samples).toHaveLength(4);
    const sum = (of: (sample: (typeof samples)[number]) => number) =>
      samples.reduce((total, sample) => total + of(sample), 0);
    expect(sum(({ requests }) => requests)).toBe(counted);
    expect(sum(({ cache_hits: hits }) => hits)).toBe(counted);
    expect(sum(({ durations }) => (JSON.parse(durations) as number[])[0] ?? 0)).toBe(counted);
  });

  test('of a process that serves nobody says nothing of when the service was up', async () => {
    const environment = { DATABASE_URL: await ownDatabase(), HOST: '127.0.0.1', PORT: '0' };
    const config = readConfig('dev', { command: 'once', environment });
    const app = await createApp({ ...config, syncCron: null, syncOnStart: 'never' }, silent);
    const count = async () => {
      await app.sampler.write();
      return (await app.database.read.selectFrom('samples').select('at').execute()).length;
    };
    await app.prepare();
    expect(await count()).toBe(0);
    await app.http.listen({ host: '127.0.0.1', port: 0 });
    expect(await count()).toBe(1);
    await app.stop();
  });
});
