import { execFileSync, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createClient } from '@redis/client';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { ADMIN_SECRET, startApp } from '../support/app.ts';
import { OPS } from '../support/compose.ts';
import { DATABASES } from '../support/databases.ts';
import { freePort } from '../support/ports.ts';
import { Command, OF_NODE } from '../support/process.ts';
import { environmentOn, newestEnded, postSync, PRODUCTION, withDatabase } from '../support/service.ts';
import { startSynced, type Served } from '../support/synced.ts';
import { has } from '../support/tools.ts';
import { startUpstream } from '../support/upstream.ts';

const [sqlite] = DATABASES;
const SMOKE = fileURLToPath(new URL('../../ops/smoke.ts', import.meta.url));

/** Runs the smoke test as a workflow does. */
async function smoke(
  args: string[],
  environment: Record<string, string> = {},
): Promise<{ code: unknown; output: string }> {
  const child = spawn(process.execPath, [SMOKE, ...args], {
    env: { ...OF_NODE, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const [code] = (await once(child, 'close')) as [unknown];
  return { code, output };
}

describe('ops/DEPLOYMENT.md', () => {
  const notes = readFileSync(join(OPS, 'DEPLOYMENT.md'), 'utf8');

  test('points to files that are there', () => {
    const links = [...notes.matchAll(/\]\(([^)#]+)\)/g)].map(([, link = '']) => link);
    expect(links.length).toBeGreaterThan(3);
    expect(links.filter((link) => !existsSync(join(OPS, link)))).toEqual([]);
  });

  test('has no command but those that need a platform', () => {
    const blocks = [...notes.matchAll(/^```(.+)$/gm)].map(([, kind]) => kind);
    expect(new Set(blocks)).toEqual(new Set(['sh platform']));
  });

  test('says how to print the digests that ops/.env has', () => {
    const folder = mkdtempSync(join(tmpdir(), 'effect-models-digests-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    mkdirSync(join(folder, 'ops/secrets'), { recursive: true });
    const secret = randomBytes(32).toString('base64');
    writeFileSync(join(folder, 'ops/secrets/metrics_token'), `${secret}\n`);
    const texts = notes + readFileSync(join(OPS, '.env.example'), 'utf8');
    const commands = [...texts.matchAll(/printf 'sha256:.*-f1\)"/g)].map(([command]) => command);
    expect(commands).toHaveLength(2);
    for (const command of commands)
      expect(
        execFileSync('bash', ['-c', command], {
          cwd: folder,
          env: { PATH: process.env.PATH, ADMIN_SECRET: secret },
          encoding: 'utf8',
        }),
      ).toBe(`sha256:${createHash('sha256').update(secret).digest('hex')}\n`);
  });

  test('names variables that something reads', () => {
    const named = [...notes.matchAll(/`([A-Z][A-Z_]{3,})(?:=[^`]*)?`/g)].map(([, name = '']) => name);
    const readers = [
      'compose.yaml',
      '.env.example',
      'config.ts',
      '../server/config-values.ts',
      '../server/config.ts',
    ];
    const workflows = readdirSync(join(OPS, '../.github/workflows')).map(
      (name) => `../.github/workflows/${name}`,
    );
    const read = [...readers, ...workflows].map((name) => readFileSync(join(OPS, name), 'utf8')).join('\n');
    expect(named.length).toBeGreaterThan(20);
    // What DigitalOcean calls a job.
    const others = new Set(['PRE_DEPLOY', 'SIGTERM', 'SIGKILL', 'FLUSHDB']);
    const unread = named.filter((name) => !others.has(name) && !new RegExp(`\\b${name}\\b`).test(read));
    expect(unread).toEqual([]);
  });

  test('knows the platforms that are deployed to', () => {
    const script = readFileSync(join(OPS, 'deploy.sh'), 'utf8');
    const platforms = [...script.matchAll(/^ {2}([a-z]+)\)$/gm)].map(([, name = '']) => name);
    expect(platforms).toEqual(['compose', 'fly', 'railway', 'digitalocean']);
    for (const platform of platforms) expect(notes).toContain(`\`${platform}\``);
  });
});

test.each(DATABASES)('a version runs on the schema of the one after it, on $name', async (kind) => {
  const upstream = await startUpstream();
  onTestFinished(() => upstream.close());
  const environment = { ...(await environmentOn(upstream, kind)), ...PRODUCTION };
  expect(await new Command('migrate', environment).ended()).toBe(0);
  await withDatabase(environment, async ({ write }) => {
    await sql`alter table models add column of_the_next_version text`.execute(write);
    await sql`create table of_the_next_version (id text primary key)`.execute(write);
    await sql`insert into mikro_orm_migrations (name, executed_at) values ('Migration29990101000000', current_timestamp)`.execute(
      write,
    );
  });
  const service = new Command('start', environment);
  const address = await service.url();
  await postSync(address);
  expect(await newestEnded(address)).toMatchObject({ status: 'completed' });
  expect((await fetch(`${address}/v1/models?limit=1`)).status).toBe(200);
  expect(await service.end('SIGTERM')).toBe(0);
});

describe('the smoke test', () => {
  let served: Served;
  beforeAll(async () => {
    served = await startSynced(sqlite.create);
  });
  afterAll(() => served.close());

  test('finds that a synced service is well', async () => {
    const { code, output } = await smoke([`${served.app.url}/`, '--expect-version', packageJson.version], {
      ADMIN_SECRET: 'true',
    });
    expect([code, output]).toEqual([0, expect.stringContaining('7 of 7 well')]);
    expect(output).toContain(`ok      version: ${packageJson.version}\n`);
    expect(output).toMatch(/^ok {6}syncs: the last, of .*: completed$/m);
    expect(output).not.toContain('FAILED');
  });

  test('leaves out what needs the secret where there is none', async () => {
    const { code, output } = await smoke([served.app.url]);
    expect([code, output]).toEqual([0, expect.stringContaining('6 of 6 well')]);
  });

  test('says what is wrong, and ends with 1: another version, a secret that is refused', async () => {
    const { code, output } = await smoke([served.app.url, '--expect-version', '9.9.9'], { ADMIN_SECRET });
    expect([code, output]).toEqual([1, expect.stringContaining('5 of 7 well')]);
    expect(output).toContain(`FAILED  version: instances are ${packageJson.version}, not 9.9.9\n`);
    expect(output).toContain('FAILED  syncs: answered 401, not 200\n');
  });

  test('an empty catalogue is not well', async () => {
    const { url, drop } = await sqlite.create();
    const app = await startApp({ DATABASE_URL: url });
    onTestFinished(async () => {
      await app.stop();
      await drop();
    });
    const { code, output } = await smoke([app.url], { ADMIN_SECRET: 'true' });
    expect(code).toBe(1);
    expect(output).toContain('FAILED  models: the catalogue is empty: sync it\n');
    expect(output).toContain('FAILED  syncs: there has been no sync yet\n');
  });

  test('`--within` waits for a service that is being deployed', async () => {
    const upstream = await startUpstream();
    onTestFinished(() => upstream.close());
    const port = await freePort();
    const finished = smoke([`http://127.0.0.1:${port}`, '--within', '60']);
    const environment = { ...(await environmentOn(upstream, sqlite)), ...PRODUCTION, PORT: String(port) };
    const service = new Command('start', { ...environment, SYNC_ON_START: 'always' });
    expect(await finished).toMatchObject({ code: 0 });
    expect(await service.end('SIGTERM')).toBe(0);
  });

  test('a service that is away is not well', async () => {
    const { code, output } = await smoke([`http://127.0.0.1:${await freePort()}`]);
    expect([code, output]).toEqual([1, expect.stringMatching(/^FAILED {2}health: connect ECONNREFUSED/)]);
  });

  test.each([
    [[]],
    [['example.com']],
    [['http://a', 'http://b']],
    [['http://a', '--within', 'x']],
    [['--fast']],
  ])('%j is refused with a line on how it is meant', async (args) => {
    const { code, output } = await smoke(args);
    expect([code, output]).toEqual([64, expect.stringContaining('Usage: npm run smoke -- <url>')]);
  });
});

describe.skipIf(!has('redis-server') && !process.env.CI)('ops/redis.conf', () => {
  test('is taken by Redis: 5 GB, the least recently used goes first, nothing is saved', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'effect-models-redis-'));
    const port = await freePort();
    const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder];
    const server = spawn('redis-server', [join(OPS, 'redis.conf'), ...own], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [server.stdout, server.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => (output += text));
    const closed = once(server, 'close');
    onTestFinished(async () => {
      server.kill('SIGKILL');
      await closed;
      rmSync(folder, { recursive: true, force: true });
    });
    await expect.poll(() => output, { timeout: 10_000 }).toContain('Ready to accept connections');
    const client = createClient({ url: `redis://127.0.0.1:${port}` });
    await client.connect();
    expect(await client.configGet(['maxmemory', 'maxmemory-policy', 'save', 'appendonly'])).toEqual({
      maxmemory: String(5 * 1024 ** 3),
      'maxmemory-policy': 'allkeys-lru',
      save: '',
      appendonly: 'no',
    });
    await client.set('a', 'b');
    client.destroy();
    server.kill('SIGTERM');
    expect(await closed).toEqual([0, null]);
    expect(readdirSync(folder)).toEqual([]);
  });
});
