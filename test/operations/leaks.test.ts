import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { runOps } from '../support/ops.ts';
import { freePort } from '../support/ports.ts';
import { startPostgres } from '../support/postgres.ts';
import { Command } from '../support/process.ts';
import { OwnRedis } from '../support/redis.ts';
import { withDatabase } from '../support/service.ts';
import { has } from '../support/tools.ts';
import { startUpstream, type FakeUpstream, type Handler } from '../support/upstream.ts';

/** What must be read nowhere but in the environment. */
const SECRETS = Object.fromEntries(
  [
    'ADMIN_SECRET',
    'ADMIN_SECRET_NEXT',
    'METRICS_TOKEN',
    'OPENROUTER_API_KEY',
    'HF_TOKEN',
    'ARTIFICIAL_ANALYSIS_API_KEY',
  ].map((name) => [name, randomBytes(32).toString('base64url')]),
);

/** Upstreams that say aloud what they were sent, in every way of failing that has words. */
const ECHOES: [path: string, answer: Handler][] = [
  ['/api.json', (req, res) => void res.writeHead(500).end(JSON.stringify(req.headers))],
  ['/openrouter/', (req, res) => void res.writeHead(401).end(JSON.stringify(req.headers))],
  [
    '/api/models',
    (req, res) => {
      res.writeHead(302, { location: `https://elsewhere.example/?${req.headers.authorization}` }).end();
    },
  ],
  [
    '/language/models',
    (req, res) => void res.writeHead(200).end(`${JSON.stringify(req.headers)} is no JSON`),
  ],
];

describe.skipIf(!has('redis-server') && !process.env.CI)('secrets', () => {
  let upstream: FakeUpstream;
  beforeAll(async () => {
    upstream = await startUpstream();
  });
  afterAll(() => upstream.close());

  test(
    'are in no log, no answer, no figure and no table, whatever goes wrong',
    { timeout: 120_000 },
    async () => {
      const postgres = await startPostgres();
      const redis = new OwnRedis(await freePort());
      await redis.start();
      const redisPassword = randomBytes(24).toString('hex');
      await redis.command('CONFIG', 'SET', 'requirepass', redisPassword);
      onTestFinished(() => redis.remove());
      const { url } = await postgres.create();
      const environment = {
        ...upstream.urls,
        ...SECRETS,
        DATABASE_URL: url,
        REDIS_URL: `redis://:${redisPassword}@127.0.0.1:${redis.port}`,
        HOST: '127.0.0.1',
        PORT: '0',
        SYNC_CRON: 'off',
        SYNC_ON_START: 'never',
        LOG_LEVEL: 'trace',
        NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent("process.on('SIGWINCH', () => { throw new Error('planted') })")}`,
      };
      const secrets = [...Object.values(SECRETS), redisPassword, postgres.password];
      const said: string[] = [];
      const service = new Command('start', environment);
      const address = await service.url();
      const ask = async (path: string, headers: Record<string, string> = {}, method = 'GET') => {
        const answer = await fetch(address + path, { method, headers });
        said.push(JSON.stringify([...answer.headers]), await answer.text());
        return answer.status;
      };
      const admin = { 'x-admin': SECRETS.ADMIN_SECRET ?? '', 'x-request-id': 'one' };

      for (const [path, answer] of ECHOES) upstream.script((asked) => asked.includes(path), answer);
      expect(await ask('/v1/admin/sync', admin, 'POST')).toBe(202);
      const running = () => ask('/v1/status').then(() => /"runningSync":null/.test(said.at(-1) ?? ''));
      await expect.poll(running, { timeout: 60_000 }).toBe(true);
      const history = await fetch(`${address}/v1/admin/sync/history`, { headers: admin });
      const told = await history.text();
      expect(told).toMatch(/"class":"auth"/);
      said.push(told);
      for (const path of [
        '/health',
        '/metrics',
        '/status',
        '/v1/sources',
        '/v1/status/summary',
        '/openapi.json',
        '/docs',
      ])
        expect(await ask(path, admin)).toBe(200);
      expect(await ask('/metrics', { authorization: `Bearer ${SECRETS.METRICS_TOKEN}` })).toBe(200);
      expect(await ask('/v1/admin/sync/history', { authorization: `Bearer ${SECRETS.METRICS_TOKEN}` })).toBe(
        401,
      );
      expect(await ask('/v1/admin/sync/history?limit=x', admin)).toBe(400);
      expect(await ask('/trpc/admin.sync.get', { 'x-admin': SECRETS.ADMIN_SECRET_NEXT ?? '' })).toBe(400);

      const rows = await withDatabase(environment, async ({ read }) => [
        await read.selectFrom('admin_audit').selectAll().execute(),
        await read.selectFrom('sync_runs').selectAll().execute(),
        await read.selectFrom('sources').selectAll().execute(),
      ]);
      said.push(JSON.stringify(rows));
      for (const command of [
        ['triage'],
        ['audit'],
        ['sync', 'history'],
        ['db-health'],
        ['incident', 'new', '--title', 'x', '--severity', '3'],
      ]) {
        const { stdout, stderr } = await runOps(command, {
          ...environment,
          NODE_OPTIONS: '',
          SERVICE_URL: address,
          INCIDENTS_DIR: redis.folder,
        });
        said.push(stdout, stderr);
      }

      await redis.kill();
      await postgres.stop();
      expect(await ask('/v1/models')).toBe(503);
      expect(await ask('/v1/admin/sync', admin, 'POST')).toBe(503);
      for (const command of [['triage'], ['backup'], ['cache', 'clear']]) {
        const { stdout, stderr } = await runOps(command, {
          ...environment,
          NODE_OPTIONS: '',
          SERVICE_URL: address,
          BACKUP_DIR: redis.folder,
        });
        said.push(stdout, stderr);
      }
      service.signal('SIGWINCH');
      expect(await service.ended()).toBe(1);
      said.push(service.output);
      expect(service.output).toMatch(/"level":60/);
      expect(said.join('').length).toBeGreaterThan(100_000);

      const leaked = secrets.filter((secret) =>
        [secret, encodeURIComponent(secret), Buffer.from(secret).toString('base64')].some((form) =>
          said.some((text) => text.includes(form)),
        ),
      );
      expect(leaked).toEqual([]);
    },
  );

  test('are not in what says that the environment can not be used', async () => {
    const wrong = Object.fromEntries(Object.entries(SECRETS).map(([name, secret]) => [name, `${secret},`]));
    const service = new Command('start', {
      ...wrong,
      DATABASE_URL: `mysql://root:${SECRETS.ADMIN_SECRET}@db/em`,
      REDIS_URL: `redis://:${SECRETS.ADMIN_SECRET}@cache:x`,
      TRUSTED_PROXIES: SECRETS.ADMIN_SECRET ?? '',
    });
    expect(await service.ended()).toBe(78);
    for (const secret of Object.values(SECRETS)) expect(service.output).not.toContain(secret);
    expect(service.output.split('\n').length).toBeGreaterThan(6);
  });
});
