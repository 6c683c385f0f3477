import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { ADMIN_SECRET } from '../support/app.ts';
import { DATABASES } from '../support/databases.ts';
import { Command } from '../support/process.ts';
import { PRODUCTION } from '../support/service.ts';

const CONFIGURATION_ERROR = 78;

async function environmentOn({ create } = DATABASES[0]): Promise<Record<string, string>> {
  const { url, drop } = await create();
  onTestFinished(drop);
  return { DATABASE_URL: url, PORT: '0', SYNC_CRON: 'off', SYNC_ON_START: 'never' };
}

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
])(
  'S14a an environment that can not be used ends `start` with 78, naming the variables: %s',
  async (_what, environment: Record<string, string>, named) => {
    const started = performance.now();
    const command = new Command('start', { ...(await environmentOn()), ...environment });
    expect(await command.ended()).toBe(CONFIGURATION_ERROR);
    expect(performance.now() - started).toBeLessThan(15_000);
    const lines = command.output.trim().split('\n');
    expect(lines[0]).toMatch(/The environment can not be used:$/);
    const variables = lines.slice(1).map((line) => line.trim().split(' ')[0]);
    expect(variables.toSorted()).toEqual(named.toSorted());
    for (const value of ['hunter2', 'every-tuesday', 'eighty', 'shouting'])
      expect(command.output).not.toContain(value);
  },
);

test('S14b a port in use ends `start` with a line that names it', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  const command = new Command('start', { ...(await environmentOn()), ...PRODUCTION, PORT: String(port) });
  expect(await command.ended()).toBe(78);
  expect(command.output).toContain(`PORT ${port} at 127.0.0.1 is taken by another program`);
});

test('S17a every package of the lockfile is pinned by its hash, wherever it comes from', () => {
  const text = readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8');
  const { packages } = JSON.parse(text) as { packages: Record<string, { integrity?: string }> };
  const installed = Object.entries(packages).filter(([path]) => path !== '');
  expect(installed.length).toBeGreaterThan(100);
  const loose = installed.filter(([, { integrity }]) => !integrity?.startsWith('sha512-'));
  expect(loose.map(([path]) => path)).toEqual([]);
});

test('S17b every dependency is one version, and runs no script where it is installed', () => {
  const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  const loose = ['package.json', 'client/package.json'].flatMap((file) => {
    const manifest = JSON.parse(read(file)) as Record<string, Record<string, string> | undefined>;
    const all = ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((kind) =>
      Object.entries(manifest[kind] ?? {}),
    );
    return all.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version));
  });
  expect(loose).toEqual([]);
  expect(read('.npmrc').split('\n')).toEqual(
    expect.arrayContaining(['ignore-scripts=true', 'save-exact=true']),
  );
});

test('S17c a native module that can not be loaded ends `start`, before any request', async () => {
  const planted = "process.dlopen = () => { throw new Error('planted: no such binary'); }";
  const command = new Command('start', {
    ...(await environmentOn()),
    ...PRODUCTION,
    NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(planted)}`,
  });
  expect(await command.ended()).toBe(1);
  expect(command.output).toContain('planted: no such binary');
  expect(command.output).not.toMatch(/"status":200/);
});
