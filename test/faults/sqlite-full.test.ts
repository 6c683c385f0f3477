import { join } from 'node:path';
import { sql } from 'kysely';
import { describe, expect, onTestFinished, test } from 'vitest';
import { entriesOf } from '../support/edits.ts';
import { startReaders } from '../support/readers.ts';
import { ADMIN, ended, hold, problemIn, startSynced, type Served } from '../support/synced.ts';
import { MAY_MOUNT, mountDisk } from '../support/tmpfs.ts';
import { watchLoop } from './support/sqlite.ts';

const FROZEN_MS = 1_000;

/** Makes models.dev name another price for everything that a provider has. */
function changePrices({ upstream }: Served): void {
  for (const provider of Object.keys(upstream.content.modelsDevApi))
    for (const entry of Object.values(entriesOf(upstream.content, provider)))
      entry.cost = { input: 7, output: 11 };
}

const tell = (url: string) =>
  fetch(`${url}/v1/admin/incidents`, {
    method: 'POST',
    headers: { ...ADMIN, 'content-type': 'application/json' },
    body: JSON.stringify({ title: 'Slow', severity: 3, message: 'Lists take longer.' }),
  });

describe.skipIf(!MAY_MOUNT && !process.env.CI)('a disk of its own (needs the right to mount)', () => {
  test('P19c the disk is full: reads go on, a run fails with its catalogue whole, and all is well when there is room', async () => {
    const disk = mountDisk(24, onTestFinished);
    const url = `file:${join(disk.folder, 'catalog.db')}`;
    const served = await startSynced(() => Promise.resolve({ url, drop: () => Promise.resolve() }));
    onTestFinished(() => served.close());
    const { app, upstream, run } = served;
    const { data: before } = await app.json<{ data: unknown[] }>('/v1/models?limit=100');
    const readers = startReaders([app.url]);
    const release = hold(upstream, (path) => path.endsWith('/api.json'));
    const started = await fetch(`${app.url}/v1/admin/sync`, { method: 'POST', headers: ADMIN });
    const { data } = (await started.json()) as { data: { id: string } };
    changePrices(served);
    await sql`pragma wal_checkpoint(truncate)`.execute(app.database.write);
    disk.fill();
    const loop = watchLoop();
    release();

    await expect
      .poll(() => app.log.map(({ msg }) => msg), { timeout: 10_000 })
      .toContain('sync failed unexpectedly');
    for (let time = 0; time < 3; time += 1) {
      const told = await tell(app.url);
      expect([told.status, told.headers.get('retry-after')]).toEqual([503, '5']);
      expect(await problemIn(told)).toMatchObject({ code: 'SERVICE_UNAVAILABLE' });
      const { data: same } = await app.json<{ data: unknown[] }>(`/v1/models?limit=${100 - time}`);
      expect(same).toEqual(before.slice(0, 100 - time));
    }
    expect((await app.get('/health')).status).toBe(200);
    expect(loop.stop()).toBeLessThan(FROZEN_MS);
    disk.free();

    expect(await ended(app, data.id)).toMatchObject({
      status: 'failed',
      message: expect.stringMatching(/disk is full/),
      catalogVersion: run.catalogVersion,
    });
    expect((await tell(app.url)).status).toBe(200);
    expect(await app.sync()).toMatchObject({
      status: 'completed',
      catalogVersion: Number(run.catalogVersion) + 1,
    });
    await expect.poll(readers.newest, { timeout: 10_000 }).toBe(Number(run.catalogVersion) + 1);
    expect((await readers.stop()).violations).toEqual([]);
    const { rows } = await sql<object>`pragma integrity_check`.execute(app.database.read);
    expect(rows).toEqual([{ integrity_check: 'ok' }]);
    expect(app.log.filter(({ level }) => Number(level) >= 60)).toEqual([]);
  });
});
