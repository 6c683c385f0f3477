import { describe, expect, onTestFinished, test } from 'vitest';
import { startApp } from '../support/app.ts';
import { ask as query } from '../support/postgres.ts';
import { startReaders } from '../support/readers.ts';
import { ADMIN, ended, hold } from '../support/synced.ts';
import { startStandby } from './support/alerts/standby.ts';
import {
  ask,
  environmentOf,
  expectNoPoison,
  POST,
  type Scene,
  serve,
  startChangedSync,
  UNAVAILABLE,
  uncached,
  useScene,
} from './support/postgres-scene.ts';

const INCIDENT: RequestInit = {
  method: 'POST',
  headers: { ...ADMIN, 'content-type': 'application/json' },
  body: JSON.stringify({ title: 'Slow', severity: 3, message: 'Lists take longer.' }),
};

/** Lets a server take no writes until it is called again, or the test has ended. */
async function readOnly({ server }: Scene, isSo: boolean): Promise<void> {
  const change = async (to: string) => {
    await query(server.url, `alter system set default_transaction_read_only = ${to}`);
    await query(server.url, 'select pg_reload_conf()');
    const { url } = server;
    await expect
      .poll(() => query(url, 'show default_transaction_read_only'))
      .toEqual([{ default_transaction_read_only: to }]);
  };
  await change(isSo ? 'on' : 'off');
  if (isSo) onTestFinished(() => change('off'));
}

/** Expects everything to be read, and nothing to be written. */
async function expectReadOnly(url: string): Promise<void> {
  for (let time = 0; time < 3; time += 1) {
    expect(await ask(url, '/v1/admin/sync', POST)).toMatchObject(UNAVAILABLE);
    expect(await ask(url, '/v1/admin/incidents', INCIDENT)).toMatchObject(UNAVAILABLE);
    for (const path of [
      uncached(),
      '/v1/models/openai/gpt-5-mini',
      '/v1/changes',
      '/v1/sources',
      '/v1/status',
      '/health',
    ])
      expect([path, await ask(url, path)]).toMatchObject([path, { status: 200 }]);
    expect(await ask(url, '/v1/admin/sync/history', { headers: ADMIN })).toMatchObject({ status: 200 });
  }
}

describe('Postgres that may only be read', () => {
  const scene = useScene();

  test('P12 it becomes so during a run: that fails and says why, reads go on, and all is well when it is over', async () => {
    const serving = await serve(scene);
    const { app } = serving;
    const release = hold(scene.upstream, (path) => path.endsWith('/api.json'));
    const run = await startChangedSync(serving, scene);
    await readOnly(scene, true);
    release();
    await expect
      .poll(() => app.log.map(({ msg }) => msg), { timeout: 10_000 })
      .toContain('sync failed unexpectedly');
    await expectReadOnly(app.url);
    await readOnly(scene, false);
    expect(await ended(app, run.id)).toMatchObject({
      status: 'failed',
      message: expect.stringMatching(/^The catalogue could not be stored: .*read-only transaction/),
      catalogVersion: 1,
    });
    expect((await ask(app.url, '/v1/admin/incidents', INCIDENT)).status).toBe(200);
    expect(await app.sync()).toMatchObject({ status: 'completed', catalogVersion: 2 });
    await expectNoPoison(app.url);
  });

  test('P12 it is so at boot: the service starts, and answers what it can', async () => {
    const databaseUrl = await scene.copy();
    await readOnly(scene, true);
    const app = await startApp(environmentOf(scene, databaseUrl));
    onTestFinished(() => app.stop());
    await expectReadOnly(app.url);
    await readOnly(scene, false);
    expect(await app.sync()).toMatchObject({ status: 'completed' });
    expect(app.log.filter(({ level }) => Number(level) >= 60)).toEqual([]);
  });

  test('P12 there is nothing but a standby: the service reads from it, and sees what the primary writes', async () => {
    const { app: writer, asSuperuser } = await serve(scene);
    const standby = await startStandby(scene.server, onTestFinished);
    const there = Object.assign(new URL(standby.url), { pathname: new URL(asSuperuser).pathname });
    const app = await startApp(environmentOf(scene, there.href));
    const readers = startReaders([app.url]);
    onTestFinished(() => app.stop());
    await expectReadOnly(app.url);
    const { catalogVersion } = await writer.sync('?force=true');
    await expect.poll(readers.newest, { timeout: 10_000 }).toBe(catalogVersion);
    await expectReadOnly(app.url);
    expect((await readers.stop()).violations).toEqual([]);
    expect(app.log.filter(({ level }) => Number(level) >= 60)).toEqual([]);
  });
});
