import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { createClient } from '@redis/client';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, onTestFinished, test } from 'vitest';
import type { SyncRun } from '../contracts/sync.ts';
import { openDatabase } from '../server/db/database.ts';
import { ADMIN_SECRET } from './support/app.ts';
import { DATABASES } from './support/databases.ts';
import { Command } from './support/process.ts';
import { AA_KEY, startUpstream, type FakeUpstream } from './support/upstream.ts';

const CONFIGURATION_ERROR = 78;
const [sqlite, postgres] = DATABASES;

let upstream: FakeUpstream;

beforeAll(async () => {
  upstream = await startUpstream();
});

afterAll(() => upstream.close());

beforeEach(() => upstream.reset());

/** The environment of a process on a database of its own, which fetches from the fake upstream. */
async function environmentOn({ create }: (typeof DATABASES)[number] = sqlite): Promise<
  Record<string, string>
> {
  const { url, drop } = await create();
  onTestFinished(drop);
  return {
    ...upstream.urls,
    ARTIFICIAL_ANALYSIS_API_KEY: AA_KEY,
    DATABASE_URL: url,
    PORT: '0',
    SYNC_CRON: 'off',
    SYNC_ON_START: 'never',
  };
}

const production = { ADMIN_SECRET, HOST: '127.0.0.1' };

/** What the database says about its runs, oldest first, and who holds the lease. */
async function storedRuns(
  environment: Record<string, string>,
): Promise<{ runs: string[]; leases: string[] }> {
  const database = await openDatabase(environment.DATABASE_URL ?? '');
  const runs = await database.read.selectFrom('sync_runs').select('status').orderBy('started_at').execute();
  const leases = await database.read.selectFrom('leases').select('owner').execute();
  await database.close();
  return { runs: runs.map(({ status }) => status), leases: leases.map(({ owner }) => owner) };
}

/** Keeps models.dev from answering. `asked` resolves once it was asked, `release` lets it answer. */
function holdModelsDev(): { asked: Promise<void>; release: () => void } {
  const asked = Promise.withResolvers<void>();
  const released = Promise.withResolvers<void>();
  const remove = upstream.script(
    (path) => path.endsWith('/api.json'),
    (_req, _res, next) => {
      asked.resolve();
      void released.promise.then(next);
    },
  );
  return {
    asked: asked.promise,
    release: () => {
      remove();
      released.resolve();
    },
  };
}

const refuse = (matcher: (path: string) => boolean) =>
  upstream.script(matcher, (_req, res) => void res.writeHead(404).end());

async function post(address: string): Promise<{ status: number; id: string }> {
  const response = await fetch(`${address}/v1/admin/sync`, {
    method: 'POST',
    headers: { 'x-admin': ADMIN_SECRET },
  });
  const body = (await response.json()) as { data?: { id: string }; runId?: string };
  return { status: response.status, id: body.data?.id ?? body.runId ?? '' };
}

describe('an environment that can not be used', () => {
  test.each([
    ['no ADMIN_SECRET', {}, ['ADMIN_SECRET']],
    ['ADMIN_SECRET=true', { ADMIN_SECRET: 'true' }, ['ADMIN_SECRET']],
    ['a SYNC_CRON that is none', { ADMIN_SECRET, SYNC_CRON: 'every-tuesday' }, ['SYNC_CRON']],
    [
      'several at once',
      { PORT: 'eighty', DATABASE_URL: 'mysql://root:hunter2@db/em', LOG_LEVEL: 'shouting' },
      ['ADMIN_SECRET', 'PORT', 'DATABASE_URL', 'LOG_LEVEL'],
    ],
    [
      'several at once, SYNC_CRON among them',
      { PORT: 'eighty', SYNC_CRON: 'every-tuesday', ADMIN_SECRET: 'hunter2' },
      ['ADMIN_SECRET', 'PORT', 'SYNC_CRON'],
    ],
    [
      'a DATABASE_URL that no driver reads',
      { ADMIN_SECRET, DATABASE_URL: 'postgres://em:hunter2@db:x/em' },
      ['DATABASE_URL'],
    ],
    [
      'a REDIS_URL that no client reads',
      { ADMIN_SECRET, REDIS_URL: 'redis://:hunter2@cache:x' },
      ['REDIS_URL'],
    ],
  ])('ends `start` with 78 in seconds: %s', async (_what, environment: Record<string, string>, named) => {
    const started = performance.now();
    const command = new Command('start', { ...(await environmentOn()), ...environment });
    expect(await command.ended()).toBe(CONFIGURATION_ERROR);
    expect(performance.now() - started).toBeLessThan(5_000);
    const lines = command.output.trim().split('\n');
    expect(lines[0]).toMatch(/The environment can not be used:$/);
    const variables = lines.slice(1).map((line) => line.trim().split(' ')[0]);
    expect(variables.toSorted()).toEqual(named.toSorted());
    for (const value of ['hunter2', 'every-tuesday', 'eighty', 'shouting'])
      expect(command.output).not.toContain(value);
  });

  test('a port in use ends `start` with a line that names it', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    onTestFinished(() => void other.close());
    const { port } = other.address() as AddressInfo;
    const command = new Command('start', { ...(await environmentOn()), ...production, PORT: String(port) });
    expect(await command.ended()).toBe(78);
    expect(command.output).toContain(`PORT ${port} at 127.0.0.1 is taken by another program`);
  });

  test('an unknown command ends with a line that names the known ones', async () => {
    const command = new Command('serve', await environmentOn());
    expect(await command.ended()).toBe(1);
    expect(command.output).toMatch(/use dev, start, sync, migrate or explain/);
  });
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

  test.each(DATABASES)('SIGTERM in the middle of a sync aborts it, on $name', async (kind) => {
    const environment: Record<string, string> = { ...(await environmentOn(kind)), SYNC_ON_START: 'always' };
    const { asked } = holdModelsDev();
    const command = new Command('dev', environment);
    const address = await command.url();
    await asked;
    expect(await storedRuns(environment)).toMatchObject({ runs: ['running'] });
    expect((await fetch(`${address}/health/ready`)).status).toBe(200);

    const started = performance.now();
    expect(await command.end('SIGTERM')).toBe(0);
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(await storedRuns(environment)).toEqual({ runs: ['aborted'], leases: [] });
  });

  test('SIGTERM while the database is away ends it with 0', async () => {
    const command = new Command('start', {
      ...(await environmentOn()),
      ...production,
      DATABASE_URL: 'postgres://127.0.0.1:1/none',
    });
    await command.says(/can not be reached/);
    expect(await command.end('SIGTERM')).toBe(0);
  });
});

describe('`sync`', () => {
  test('SIGTERM aborts its run and ends it with 1, the lease given back', async () => {
    const environment = await environmentOn();
    const { asked, release } = holdModelsDev();
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
    const { asked, release } = holdModelsDev();
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

  test.each(DATABASES)('follows a run that was killed once its lease has run out, on $name', async (kind) => {
    const environment = await environmentOn(kind);
    const { asked, release } = holdModelsDev();
    const killed = new Command('sync', environment);
    await asked;
    expect(await killed.end('SIGKILL')).toBe('SIGKILL');
    release();

    expect(await new Command('sync', environment).ended()).toBe(3);
    expect(await storedRuns(environment)).toMatchObject({ runs: ['running'] });
    const database = await openDatabase(environment.DATABASE_URL ?? '');
    const lease = await database.read.selectFrom('leases').select('expires_at_ms').executeTakeFirstOrThrow();
    expect(lease.expires_at_ms - Date.now()).toBeGreaterThan(60_000);
    await database.write
      .updateTable('leases')
      .set({ expires_at_ms: Date.now() - 1 })
      .execute();
    await database.close();

    expect(await new Command('sync', environment).ended()).toBe(0);
    expect(await storedRuns(environment)).toEqual({ runs: ['interrupted', 'completed'], leases: [] });
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
      ...production,
      REDIS_URL: await cleanRedis(),
      RATE_LIMIT_PER_MINUTE: '0',
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
      const { asked, release } = holdModelsDev();
      const answers = await Promise.all(addresses.map(post));
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
