import { describe, expect, onTestFinished, test } from 'vitest';
import { startApp, type TestApp } from '../support/app.ts';
import { ask as query } from '../support/postgres.ts';
import { has } from '../support/tools.ts';
import { environmentOf, startChangedSync, useScene } from './support/postgres-scene.ts';
import { ownRedis } from './support/redis-scene.ts';

const LIST = '/v1/models?limit=5';

interface Answer {
  status: number;
  etag: string | null;
  cache: string | null;
  version: number;
  data: unknown;
}

async function read(app: TestApp, headers: Record<string, string> = {}): Promise<Answer> {
  const response = await app.get(LIST, headers);
  const { data, meta } =
    response.status === 200
      ? ((await response.json()) as { data: unknown; meta: { catalogVersion: number } })
      : { data: null, meta: { catalogVersion: 0 } };
  return {
    status: response.status,
    etag: response.headers.get('etag'),
    cache: response.headers.get('cache-status'),
    version: meta.catalogVersion,
    data,
  };
}

describe('Postgres that loses what it acknowledged', () => {
  const scene = useScene({
    synchronous_commit: 'off',
    // Nothing is written but at checkpoints.
    wal_writer_delay: '10s',
    wal_writer_flush_after: '1GB',
    autovacuum: 'off',
  });

  /** Stores a version in which every price differs from the one before. */
  async function storeChange(app: TestApp): Promise<void> {
    const { finished } = await startChangedSync({ app }, scene);
    expect(await finished).toMatchObject({ status: 'completed' });
  }

  async function loseVersion(settings: Record<string, string>): Promise<void> {
    const environment = { ...environmentOf(scene, await scene.copy()), ...settings };
    const app = await startApp(environment, { times: { leaseMs: 1_500, renewEveryMs: 500 } });
    onTestFinished(() => app.stop());
    const first = await read(app);
    await query(scene.server.url, 'checkpoint');

    await storeChange(app);
    const lost = await read(app);
    expect(lost).toMatchObject({ status: 200, version: first.version + 1 });
    expect(lost.data).not.toEqual(first.data);
    expect(await read(app)).toMatchObject({ data: lost.data, cache: expect.stringContaining('hit') });

    await scene.server.halt('crash');
    await scene.server.start();
    await expect.poll(() => read(app), { timeout: 10_000 }).toMatchObject({ version: first.version });
    const former = { 'if-none-match': String(lost.etag) };
    expect(await read(app, former)).toMatchObject({ status: 200, data: first.data });

    // It may know that a run began, but not that it has ended.
    const running = () => app.json<{ data: { runningSync: unknown } }>('/v1/status');
    await expect.poll(running, { timeout: 10_000 }).toMatchObject({ data: { runningSync: null } });
    await storeChange(app);
    const again = await read(app, former);
    expect(again).toMatchObject({ status: 200, version: lost.version });
    expect(again.data).not.toEqual(lost.data);
    expect(again.etag).not.toBe(lost.etag);
    expect(app.log.filter(({ level }) => Number(level) >= 60)).toEqual([]);
  }

  const name =
    'P17 its crash takes the newest version away: the number comes again, and nobody is served what it was before';

  test(`${name}, with answers kept in memory`, () => loseVersion({}));

  test.skipIf(!has('redis-server') && !process.env.CI)(`${name}, with answers kept in Redis`, async () =>
    loseVersion({ REDIS_URL: (await ownRedis()).url }),
  );
});
