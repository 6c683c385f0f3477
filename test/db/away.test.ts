import { setTimeout } from 'node:timers/promises';
import { sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { openDatabase } from '../../server/db/database.ts';
import { createSyncStore } from '../../server/db/sync-store.ts';
import { startApp } from '../support/app.ts';
import { DATABASES } from '../support/databases.ts';
import { startProxy } from '../support/proxy.ts';

const [SQLITE, POSTGRES] = DATABASES;

describe.each(DATABASES)('a run whose process has died, on $name', ({ create }) => {
  test('is shown as interrupted when its lease has run out, though no other run begins', async () => {
    const own = await create();
    const app = await startApp({ DATABASE_URL: own.url });
    try {
      await createSyncStore(app.database, { leaseMs: 1_500 }).beginRun({
        id: 'sync_dead',
        trigger: 'api',
        forced: false,
      });
      const running = async () =>
        (await app.json<{ data: { runningSync: { id: string } | null } }>('/v1/status')).data.runningSync?.id;
      expect(await running()).toBe('sync_dead');
      await expect.poll(running, { timeout: 10_000 }).toBeUndefined();
      const { data } = await app.json<{ data: { status: string }[] }>('/v1/admin/sync/history', {
        'x-admin': 'true',
      });
      expect(data.map(({ status }) => status)).toEqual(['interrupted']);
    } finally {
      await app.stop();
      await own.drop();
    }
  });
});

test('SQLite: a commit waits while another process writes to the file', async () => {
  const own = await SQLITE.create();
  const [database, other] = [await openDatabase(own.url), await openDatabase(own.url)];
  try {
    await database.migrate();
    const release = Promise.withResolvers<void>();
    const writing = other.write.connection().execute(async (connection) => {
      await sql`begin immediate`.execute(connection);
      await release.promise;
      await sql`commit`.execute(connection);
    });
    await setTimeout(50);
    const beginning = createSyncStore(database).beginRun({
      id: 'sync_1',
      trigger: 'api',
      forced: false,
    });
    await setTimeout(800);
    release.resolve();
    await writing;
    expect(await beginning).toMatchObject({ begun: true });
  } finally {
    await Promise.all([database.close(), other.close()]);
    await own.drop();
  }
});

test('Postgres: connections that say nothing any more are given up, and new ones serve', async () => {
  const own = await POSTGRES.create();
  const url = new URL(own.url);
  const proxy = await startProxy(Number(url.port || 5432));
  url.port = String(proxy.port);
  const app = await startApp({ DATABASE_URL: url.href });
  try {
    let asked = 0;
    // Each question is a new one, so that none is answered from the cache.
    const statuses = () =>
      Promise.all([1, 2, 3, 4].map(async () => (await app.get(`/v1/models?offset=${++asked}`)).status));
    expect(await statuses()).toEqual([200, 200, 200, 200]);
    proxy.freeze();
    expect(await statuses()).toContain(503);
    await expect.poll(statuses, { timeout: 15_000, interval: 100 }).toEqual([200, 200, 200, 200]);
  } finally {
    await app.stop();
    await proxy.close();
    await own.drop();
  }
});
