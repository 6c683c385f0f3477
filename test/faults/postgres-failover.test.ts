import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import type { SyncRun } from '../../contracts/sync.ts';
import { ask as query, startPostgres, type OwnPostgres } from '../support/postgres.ts';
import { startProxy, type Proxy } from '../support/proxy.ts';
import { startReaders } from '../support/readers.ts';
import { ADMIN, startSynced, type Served } from '../support/synced.ts';
import { startStandby, type Standby } from './support/alerts/standby.ts';
import {
  type Answered,
  ask,
  expectNoPoison,
  startLoad,
  UNAVAILABLE,
  uncached,
} from './support/postgres-scene.ts';

const REFUSED_MS = 5_000;
const UNWRITTEN_MS = 10_000;

let primary: OwnPostgres;
let folder: string;
let standby: Standby;
/** The one address that the service knows. */
let address: Proxy;
let served: Served & { run: SyncRun };
let readers: ReturnType<typeof startReaders>;

beforeEach(async () => {
  primary = await startPostgres();
  onTestFinished(() => primary.stop());
  address = await startProxy(primary.port);
  onTestFinished(() => address.close());
  served = await startSynced(async () => {
    const { url, drop } = await primary.create();
    return { url: Object.assign(new URL(url), { port: String(address.port) }).href, drop };
  });
  onTestFinished(async () => {
    await served.close();
    expect(served.app.log.filter(({ level }) => Number(level) >= 60)).toEqual([]);
  });
  standby = await startStandby(primary, onTestFinished);
  // From now on nothing is acknowledged that the standby does not have.
  await query(primary.url, `alter system set synchronous_standby_names = '*'`);
  await query(primary.url, 'select pg_reload_conf()');
  await expect
    .poll(() => query(primary.url, 'select sync_state from pg_stat_replication'), { timeout: 10_000 })
    .toEqual([{ sync_state: 'sync' }]);
  const [setting] = await query<{ folder: string }>(
    primary.url,
    `select current_setting('data_directory') as folder`,
  );
  folder = setting?.folder ?? '';
  readers = startReaders([served.app.url]);
});

/** Starts the former primary again, as one that may only be read. */
async function comeBack(): Promise<void> {
  writeFileSync(join(folder, 'standby.signal'), '');
  await primary.start();
}

const incident = (title: string): RequestInit => ({
  method: 'POST',
  headers: { ...ADMIN, 'content-type': 'application/json' },
  body: JSON.stringify({ title, severity: 3, message: 'Lists take longer.' }),
});

/** Writes over and over; `written` is what was acknowledged, and when. */
function startWriting(): { written: { title: string; at: number }[]; stop: () => Promise<Answered[]> } {
  const written: { title: string; at: number }[] = [];
  const answers: Answered[] = [];
  let going = true;
  const write = async () => {
    while (going) {
      const title = `Slow ${answers.length}`;
      const answer = await ask(served.app.url, '/v1/admin/incidents', incident(title));
      answers.push(answer);
      if (answer.status === 200) written.push({ title, at: performance.now() });
    }
  };
  const writing = write();
  const stop = async () => {
    going = false;
    await writing;
    return answers;
  };
  onTestFinished(async () => void (await stop()));
  return { written, stop };
}

async function expectServed(version: number): Promise<void> {
  await expectNoPoison(served.app.url);
  const { meta } = await served.app.json<{ meta: { catalogVersion: number } }>(uncached());
  expect(meta.catalogVersion).toBe(version);
  expect((await readers.stop()).violations).toEqual([]);
}

test(
  'P11 the primary crashes under load and its standby takes over: nothing acknowledged is lost, and the gaps are short',
  { timeout: 90_000 },
  async () => {
    const { app, run } = served;
    const second = await app.sync('?force=true');
    const writing = startWriting();
    const reading = startLoad(app.url, uncached, { everyMs: 25 });
    await expect.poll(() => writing.written.length, { timeout: 10_000 }).toBeGreaterThan(2);
    const crashedAt = performance.now();
    await primary.halt('crash');
    await standby.promote();
    address.aim(standby.port);
    await expect.poll(async () => (await ask(app.url, uncached())).status, { timeout: REFUSED_MS }).toBe(200);
    await expect
      .poll(() => writing.written.at(-1)?.at, { timeout: UNWRITTEN_MS })
      .toBeGreaterThan(crashedAt + 1_000);
    const [answers, wrote] = await Promise.all([reading.stop(), writing.stop()]);

    const gaps = writing.written.map(({ at }, index) => at - (writing.written[index - 1]?.at ?? at));
    expect(Math.max(...gaps)).toBeLessThan(UNWRITTEN_MS);
    const refused = [...answers, ...wrote].filter(({ status }) => status !== 200);
    for (const answer of refused) expect(answer).toMatchObject(UNAVAILABLE);
    expect(answers.slice(-20).map(({ status }) => status)).not.toContain(503);

    const rows = await app.database.read.selectFrom('incidents').select('title').execute();
    expect(rows.map(({ title }) => title)).toEqual(
      expect.arrayContaining(writing.written.map(({ title }) => title)),
    );
    const { data } = await app.json<{ data: SyncRun[] }>('/v1/admin/sync/history', ADMIN);
    expect(data).toEqual([second, run]);
    expect(await app.sync()).toMatchObject({ status: 'completed' });
    await expectServed(Number(second.catalogVersion));
  },
);

test(
  'P11 the former primary comes back read-only: it is read from, and left as soon as another takes writes',
  { timeout: 90_000 },
  async () => {
    const { app, upstream, run } = served;
    await primary.halt('fast');
    await comeBack();
    await expect.poll(async () => (await ask(app.url, uncached())).status, { timeout: REFUSED_MS }).toBe(200);
    for (let time = 0; time < 3; time += 1) {
      expect(await ask(app.url, '/v1/admin/incidents', incident('Slow'))).toMatchObject(UNAVAILABLE);
      expect(await ask(app.url, '/v1/admin/sync', { method: 'POST', headers: ADMIN })).toMatchObject(
        UNAVAILABLE,
      );
      await expectNoPoison(app.url, 5);
    }
    expect(await ask(app.url, '/health')).toMatchObject({ status: 200 });

    // Whoever is connected to the former primary stays so.
    await Promise.all(Array.from({ length: 10 }, () => ask(app.url, uncached())));
    await standby.promote();
    address.aim(standby.port);
    expect(await ask(app.url, '/v1/admin/incidents', incident('Slow'))).toMatchObject({ status: 200 });
    upstream.content.openrouter = upstream.content.openrouter.slice(1);
    const next = await app.sync('?force=true');
    expect(next).toMatchObject({ status: 'completed' });
    expect(Number(next.catalogVersion)).toBeGreaterThanOrEqual(Number(run.catalogVersion));
    await expectServed(Number(next.catalogVersion));
  },
);
