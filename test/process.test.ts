import { createClient } from '@redis/client';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest';
import type { SyncRun } from '../contracts/sync.ts';
import { ADMIN_SECRET } from './support/app.ts';
import { DATABASES } from './support/databases.ts';
import { Command } from './support/process.ts';
import {
  environmentOn as environmentOnKind,
  holdModelsDev,
  postSync,
  PRODUCTION,
  storedRuns,
} from './support/service.ts';
import { startUpstream, type FakeUpstream } from './support/upstream.ts';

const [sqlite, postgres] = DATABASES;

let upstream: FakeUpstream;

beforeAll(async () => {
  upstream = await startUpstream();
});

afterAll(() => upstream.close());

beforeEach(() => upstream.reset());

const environmentOn = (kind: (typeof DATABASES)[number] = sqlite) => environmentOnKind(upstream, kind);

const refuse = (matcher: (path: string) => boolean) =>
  upstream.script(matcher, (_req, res) => void res.writeHead(404).end());

test('an unknown command ends with a line that names the known ones', async () => {
  const command = new Command('serve', await environmentOn());
  expect(await command.ended()).toBe(1);
  expect(command.output).toMatch(/use dev, start, sync, migrate, explain or backfill/);
});

describe('`dev`', () => {
  test('prints its addresses and a line a source, serves, and ends with 0 at SIGTERM', async () => {
    const { SYNC_ON_START: _, ...environment } = await environmentOn();
    const command = new Command('dev', environment);
    const address = await command.url();
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    await command.says(/sync sync_\w+ completed: Successfully synced from all sources/);
    expect(command.output).toContain(`  Docs    ${address}/docs\n`);
    expect(command.output).toContain(`curl -X POST ${address}/v1/admin/sync -H "x-admin: true"`);
    for (const source of ['models.dev', 'openrouter', 'huggingface', 'artificialanalysis']) {
      expect(command.output).toMatch(
        new RegExp(`${source}: fetched [1-9]\\d*, parsed [1-9]\\d*, rejected \\d+ in \\d+\\.\\d s$`, 'm'),
      );
    }
    const response = await fetch(`${address}/v1/models?search=gpt-5-mini`);
    expect([response.status, await response.json()]).toMatchObject([
      200,
      { data: [{ id: 'openai/gpt-5-mini' }] },
    ]);

    expect(await command.end('SIGTERM')).toBe(0);
    expect(await storedRuns(environment)).toEqual({ runs: ['completed'], leases: [] });
  });

  test('SIGTERM while the database is away ends it with 0', async () => {
    const command = new Command('start', {
      ...(await environmentOn()),
      ...PRODUCTION,
      DATABASE_URL: 'postgres://127.0.0.1:1/none',
    });
    await command.says(/can not be reached/);
    expect(await command.end('SIGTERM')).toBe(0);
  });
});

describe('`sync`', () => {
  test('SIGTERM aborts its run and ends it with 1, the lease given back', async () => {
    const environment = await environmentOn();
    const { asked, release } = holdModelsDev(upstream);
    const command = new Command('sync', environment);
    await asked;
    expect(await command.end('SIGTERM')).toBe(1);
    release();
    expect(await storedRuns(environment)).toEqual({ runs: ['aborted'], leases: [] });
  });

  test('ends with 0 when every source was synced', async () => {
    const environment = await environmentOn();
    expect(await new Command('sync', environment).ended()).toBe(0);
    expect(await new Command('sync', environment).ended()).toBe(0);
    expect(await storedRuns(environment)).toEqual({ runs: ['completed', 'completed'], leases: [] });
  });

  test('ends with 2 when some were', async () => {
    const environment = await environmentOn();
    refuse((path) => path.startsWith('/openrouter'));
    const command = new Command('sync', environment);
    expect(await command.ended()).toBe(2);
    expect(command.output).toMatch(/openrouter: sync failed after 1 requests/);
    expect(await storedRuns(environment)).toEqual({ runs: ['partial'], leases: [] });
  });

  test('ends with 1 when none was', async () => {
    const environment = await environmentOn();
    refuse(() => true);
    expect(await new Command('sync', environment).ended()).toBe(1);
    expect(await storedRuns(environment)).toEqual({ runs: ['failed'], leases: [] });
  });

  test.each(DATABASES)('ends with 3 while another is under way, on $name', async (kind) => {
    const environment = await environmentOn(kind);
    const { asked, release } = holdModelsDev(upstream);
    const first = new Command('sync', environment);
    await asked;
    const second = new Command('sync', environment);
    expect(await second.ended()).toBe(3);
    const { leases } = await storedRuns(environment);
    expect(leases).toHaveLength(1);
    expect(second.output).toContain(`run ${leases[0]} is under way`);
    release();
    expect(await first.ended()).toBe(0);
    expect(await storedRuns(environment)).toEqual({ runs: ['completed'], leases: [] });
  });
});

describe('`migrate`', () => {
  test.each(DATABASES)('does its work once, on $name', async (kind) => {
    const environment = await environmentOn(kind);
    const first = new Command('migrate', environment);
    expect(await first.ended()).toBe(0);
    expect(first.output).toMatch(/^Ran Migration\d+/m);
    const second = new Command('migrate', environment);
    expect(await second.ended()).toBe(0);
    expect(second.output).toBe('The database is up to date.\n');
  });
});

const redisUrl = inject('redisUrl');

describe.skipIf(redisUrl === null && !process.env.CI)('two processes on one Postgres and one Redis', () => {
  /** A Redis database that nothing else here uses, since both processes keep their answers under the usual names. */
  async function cleanRedis(): Promise<string> {
    const url = new URL('/9', redisUrl ?? '').href;
    const client = createClient({ url });
    await client.connect();
    const clean = async () => {
      const keys = await client.keys('em:*');
      if (keys.length > 0) await client.del(keys);
    };
    await clean();
    onTestFinished(async () => {
      await clean();
      client.destroy();
    });
    return url;
  }

  test('have one run at a time and answer alike within two seconds', { timeout: 120_000 }, async () => {
    const environment = {
      ...(await environmentOn(postgres)),
      ...PRODUCTION,
      REDIS_URL: await cleanRedis(),
    };
    const processes = [new Command('start', environment), new Command('start', environment)];
    const addresses = await Promise.all(processes.map((each) => each.url()));
    const listAt = async (address: string) => {
      const response = await fetch(`${address}/v1/models?limit=3`);
      const body = await response.text();
      return {
        body,
        version: (JSON.parse(body) as { meta: { catalogVersion: number } }).meta.catalogVersion,
      };
    };

    for (let round = 1; round <= 10; round++) {
      const [model] = upstream.content.openrouter as { name: string }[];
      upstream.content.openrouter = [
        { ...model, name: `Round ${round}` },
        ...upstream.content.openrouter.slice(1),
      ];
      const { asked, release } = holdModelsDev(upstream);
      const answers = await Promise.all(addresses.map(postSync));
      expect(answers.map(({ status }) => status).toSorted()).toEqual([202, 409]);
      const [id = '', ...others] = new Set(answers.map((answer) => answer.id));
      expect([id.slice(0, 5), others]).toEqual(['sync_', []]);
      await asked;
      expect(await storedRuns(environment)).toMatchObject({ leases: [id] });
      release();
      const holder = addresses[answers.findIndex(({ status }) => status === 202)] ?? '';
      await expect.poll(() => statusOf(holder, id), { timeout: 10_000, interval: 5 }).toBe('completed');

      const committed = performance.now();
      const own = await listAt(holder);
      expect(own.version).toBe(round);
      const other = addresses.find((address) => address !== holder) ?? '';
      let seen = await listAt(other);
      while (seen.version !== round && performance.now() - committed < 5_000) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        seen = await listAt(other);
      }
      expect(performance.now() - committed).toBeLessThan(2_000);
      expect(seen.body).toBe(own.body);
    }
    expect(await storedRuns(environment)).toEqual({ runs: Array(10).fill('completed'), leases: [] });
    expect(await Promise.all(processes.map((each) => each.end('SIGTERM')))).toEqual([0, 0]);
  });

  async function statusOf(address: string, id: string): Promise<SyncRun['status']> {
    const response = await fetch(`${address}/v1/admin/sync/${id}`, { headers: { 'x-admin': ADMIN_SECRET } });
    return ((await response.json()) as { data: SyncRun }).data.status;
  }
});
