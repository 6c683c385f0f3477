import { describe, expect, onTestFinished, test } from 'vitest';
import { entriesOf } from '../support/edits.ts';
import { ask, startPostgres, type OwnPostgres } from '../support/postgres.ts';
import { startReaders } from '../support/readers.ts';
import { ADMIN, ended, hold, startSynced, type Served } from '../support/synced.ts';
import { MAY_MOUNT, mountDisk, type SmallDisk } from '../support/tmpfs.ts';
import type { SyncRun } from '../../contracts/sync.ts';

/** A service on a database whose disk is small. */
interface Scene extends Served {
  run: SyncRun;
  server: OwnPostgres;
  disk: SmallDisk;
}

async function startOnDisk(): Promise<Scene> {
  const disk = mountDisk(80, onTestFinished);
  const server = await startPostgres({
    parent: disk.folder,
    settings: { min_wal_size: '32MB', max_wal_size: '32MB', shared_buffers: '16MB', autovacuum: 'off' },
  });
  onTestFinished(() => server.stop());
  const served = await startSynced(server.create);
  onTestFinished(async () => {
    await served.close();
    expect(served.app.log.filter(({ level }) => Number(level) >= 60)).toEqual([]);
  });
  return { ...served, server, disk };
}

/** Starts a run whose source does not answer before `release` is called, and has changed whatever a run can tell apart by then. */
async function startChangedRun({ app, upstream }: Scene): Promise<{ id: string; release: () => void }> {
  const release = hold(upstream, (path) => path.endsWith('/api.json'));
  const started = await fetch(`${app.url}/v1/admin/sync`, { method: 'POST', headers: ADMIN });
  for (const provider of Object.keys(upstream.content.modelsDevApi))
    for (const entry of Object.values(entriesOf(upstream.content, provider)))
      entry.cost = { input: 7, output: 11 };
  const { data } = (await started.json()) as { data: { id: string } };
  return { id: data.id, release };
}

/** Expects the next run to store what this one could not, and readers to have seen nothing but whole catalogues. */
async function expectWell({ app, run }: Scene, readers: ReturnType<typeof startReaders>): Promise<void> {
  const next = Number(run.catalogVersion) + 1;
  expect(await app.sync()).toMatchObject({ status: 'completed', catalogVersion: next });
  await expect.poll(readers.newest, { timeout: 10_000 }).toBe(next);
  expect((await readers.stop()).violations).toEqual([]);
  await expect.poll(async () => (await app.get('/health')).status, { timeout: 10_000 }).toBe(200);
}

describe.skipIf(!MAY_MOUNT && !process.env.CI)('a disk of its own (needs the right to mount)', () => {
  test('P13 the disk of the tables is full: reads go on, a run fails with its catalogue whole, and all is well when there is room', async () => {
    const scene = await startOnDisk();
    const { app, disk, run } = scene;
    const readers = startReaders([app.url]);
    const { id, release } = await startChangedRun(scene);
    disk.fill();
    release();
    expect(await ended(app, id)).toMatchObject({
      status: 'failed',
      message: expect.stringMatching(
        /^The catalogue could not be stored: could not extend file .*: No space left on device/,
      ),
      catalogVersion: run.catalogVersion,
    });
    for (const path of ['/v1/models?limit=3', '/v1/sources', '/v1/status', '/health'])
      expect([path, (await app.get(path)).status]).toEqual([path, 200]);
    disk.free();
    await expectWell(scene, readers);
  });

  test('P13 the disk of the log is full: the server ends in a panic, and the service is well once it is back', async () => {
    const scene = await startOnDisk();
    const { app, disk, server, run } = scene;
    const readers = startReaders([app.url]);
    const { id, release } = await startChangedRun(scene);
    disk.fill();
    // A server that has nothing to log needs no new file for it.
    const fillLog = async () => {
      for (;;)
        await ask(server.url, `select pg_logical_emit_message(false, 'some', 'text'), pg_switch_wal()`);
    };
    await expect(fillLog()).rejects.toThrow();
    await expect.poll(server.log, { timeout: 10_000 }).toMatch(/PANIC: .*No space left on device/);
    release();
    await expect
      .poll(() => app.log.map(({ msg }) => msg), { timeout: 20_000 })
      .toContain('sync failed unexpectedly');
    disk.free();
    await server.halt('immediate');
    await server.start();
    expect(await ended(app, id)).toMatchObject({ status: 'failed', catalogVersion: run.catalogVersion });
    await expectWell(scene, readers);
  });
});
