import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createClient } from '@redis/client';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { readOpsConfig } from '../../ops/config.ts';
import { variables } from '../../server/config-values.ts';
import { LIMITS } from '../../server/db/orm.ts';
import { TIMES } from '../../server/ports.ts';
import { SAMPLE_MS } from '../../server/db/samples.ts';
import { ANSWER_BUCKETS } from '../../server/metrics/metrics.ts';
import { MAX_STREAMS, MAX_STREAMS_AN_ADDRESS } from '../../server/services/change-streams.ts';
import { MOST_LOST, MOST_REJECTED } from '../../sync/fetch.ts';
import { SOURCES } from '../../sync/sources/index.ts';
import { ALERTS, SEVERITIES } from '../support/alert-rules.ts';
import { DATABASES } from '../support/databases.ts';
import { Command } from '../support/process.ts';
import { ROOT } from '../support/runbook.ts';
import { environmentOn, newestEnded, postSync, PRODUCTION } from '../support/service.ts';
import { startSynced, type Served } from '../support/synced.ts';
import { startUpstream } from '../support/upstream.ts';

const text = readFileSync(`${ROOT}/OPERATIONS.md`, 'utf8').replaceAll(/\s+/g, ' ');

/** The numbers in a sentence of OPERATIONS.md, in their order; the sentence is written with `#` in their places. */
function promised(sentence: string): number[] {
  const pattern = sentence.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('#', '([\\d.,]+)');
  const found = new RegExp(pattern).exec(text);
  if (found === null) throw new Error(`OPERATIONS.md does not say "${sentence}" any more`);
  return found.slice(1).map((number) => Number(number.replaceAll(',', '')));
}

describe('figures of the code', () => {
  test('limits of fetching', () => {
    const { http, syncDeadlineMs, leaseMs, staleMs } = TIMES;
    expect(promised('an instance leaves a source alone for # minutes')).toEqual([
      http.breakerRestMs / 60_000,
    ]);
    expect(promised('no answer may be larger than # MiB')).toEqual([http.maxBytes / 1024 ** 2]);
    expect(promised('a run ends after # minutes at the latest')).toEqual([syncDeadlineMs / 60_000]);
    expect(promised('went on after the lease of # s ran out')).toEqual([leaseMs / 1_000]);
    expect(promised('An attempt may take # seconds, a source # minutes')).toEqual([
      http.attemptTimeoutMs / 1_000,
      http.sourceTimeoutMs / 60_000,
    ]);
    expect(
      promised('tried # times, with random waits that double from # s, or as `Retry-After` asks (# minutes'),
    ).toEqual([http.attempts, http.retryBaseMs / 1_000, http.retryAfterCapMs / 60_000]);
    expect(promised('After # failed attempts in a row')).toEqual([http.breakerFailures]);
    expect(promised('more than # % smaller, or with more than # % of items')).toEqual([
      MOST_LOST * 100,
      MOST_REJECTED * 100,
    ]);
    expect(staleMs).toBe(2 * 3_600_000);
  });

  test('limits of streams, and of statements', () => {
    expect(promised('at most # an instance and # an address')).toEqual([MAX_STREAMS, MAX_STREAMS_AN_ADDRESS]);
    const { read, edit } = LIMITS;
    const seconds = [(read.queryMs ?? 0) / 1_000];
    expect(promised('(statements end after # s)')).toEqual(seconds);
    expect(edit.queryMs).toBe(read.queryMs);
  });

  test('alerts by who is told of them', () => {
    for (const severity of SEVERITIES) {
      const [, listed = ''] =
        new RegExp(`- \\*\\*${severity}\\*\\* \\([^)]*\\): ([^.]+)\\.`).exec(text) ?? [];
      const names = ALERTS.filter(({ labels }) => labels.severity === severity).map(({ alert }) => alert);
      expect([severity, listed.split(', ').toSorted()]).toEqual([severity, names.toSorted()]);
    }
  });

  test('buckets of the histogram stand at the edges of the baselines', () => {
    const edges = [
      ...promised('| < # ms | < # ms | > # ms |'),
      ...promised('| #–# ms | < # ms | > # ms |'),
      ...promised('| 200–# ms | < # ms | > # ms |'),
    ];
    expect(edges).toEqual([50, 100, 500, 100, 150, 300, 1_000, 300, 500, 1_500]);
    for (const edge of edges) expect(ANSWER_BUCKETS).toContain(edge / 1_000);
  });

  test('samples', () => {
    expect(promised('kept for # days')).toEqual([100]);
    expect(SAMPLE_MS).toBe(5 * 60_000);
    expect(text).toContain('every five minutes (`samples`');
  });
});

describe('the tables of variables', () => {
  const rows = [...text.matchAll(/\| ((?:`[A-Z_]+`(?:, )?)+) +\| ([^|]+?) +\| /g)].flatMap(
    ([, names = '', fallback = '']) =>
      [...names.matchAll(/`([A-Z_]+)`/g)].map(([, name = '']) => ({ name, fallback })),
  );
  const listed = new Map(rows.map(({ name, fallback }) => [name, fallback]));

  test('list every variable of the service, and .env.example does too', () => {
    const own = Object.keys(variables.shape);
    const ofSources = SOURCES.flatMap(({ baseUrl, apiKey, maxItems }) =>
      [baseUrl, apiKey, maxItems].flatMap((setting) => setting?.variable ?? []),
    );
    const example = readFileSync(`${ROOT}/.env.example`, 'utf8');
    for (const name of [...own, ...ofSources]) {
      expect([name, listed.has(name)]).toEqual([name, true]);
      expect([name, new RegExp(`^${name}=`, 'm').test(example)]).toEqual([name, true]);
    }
  });

  test('state the defaults that hold', () => {
    for (const name of [
      'ROLE',
      'SYNC_ON_START',
      'HISTORY_RETENTION_DAYS',
      'LOG_LEVEL',
      'RATE_LIMIT_PER_MINUTE',
    ] as const) {
      const stated = listed.get(name)?.replaceAll('`', '') ?? '';
      expect([name, variables.shape[name].parse(undefined)]).toEqual([
        name,
        variables.shape[name].parse(stated),
      ]);
    }
    const { backupDir, backupKeep, incidentsDir } = readOpsConfig({});
    expect(listed.get('BACKUP_DIR')).toBe(`\`${backupDir}\`, ${backupKeep}`);
    expect(listed.get('INCIDENTS_DIR')).toBe(`\`${incidentsDir}\``);
    expect(listed.get('PORT')).toContain(`${variables.shape.PORT.parse(undefined)};`);
    const [, least] = /least (\d+) random characters/.exec(text) ?? [];
    expect(variables.shape.ADMIN_SECRET.safeParse('x'.repeat(Number(least) - 1)).success).toBe(false);
    expect(variables.shape.ADMIN_SECRET.safeParse(randomBytes(32).toString('base64url')).success).toBe(true);
    expect(randomBytes(32).toString('base64url')).toHaveLength(Number(least));
    expect(listed.get('DATABASE_URL')).toBe(`\`${variables.shape.DATABASE_URL.parse(undefined)}\``);
    expect(listed.get('SYNC_CRON')).toBe(`\`${variables.shape.SYNC_CRON.parse(undefined)}\``);
  });
});

describe('figures of the running service', () => {
  let served: Served;
  beforeAll(async () => {
    served = await startSynced(DATABASES[1].create);
  });
  afterAll(() => served.close());

  test('connections an instance may hold', async () => {
    const [most = 0, ...sides] = promised(
      'An instance holds at most # connections: # for reading, # for what requests change, # for syncs',
    );
    const pools = await Promise.all(
      (['read', 'edit', 'write'] as const).map((side) => served.app.database.pool(side)),
    );
    expect(sides).toEqual(pools.map((pool) => pool?.max));
    expect(most).toBe(sides.reduce((sum, side) => sum + side, 0));
  });

  test('the size of a body, and wrong secrets', async () => {
    const [kibibytes = 0] = promised('the body is over # KiB, or not JSON');
    const post = (size: number) =>
      fetch(`${served.app.url}/v1/resolve`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ids: [{ id: 'x'.repeat(size - 25) }] }).slice(0, size),
      });
    expect((await post(kibibytes * 1_024 + 200)).status).toBe(413);
    expect((await post(kibibytes * 1_024 - 200)).status).not.toBe(413);
    expect(text).toContain('The fifth wrong guess of a minute blocks an address for a minute');
    const statuses = [];
    for (let guess = 0; guess < 7; guess += 1)
      statuses.push((await served.app.get('/metrics', { 'x-admin': `wrong-${guess}` })).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429]);
  });

  test.skipIf(inject('redisUrl') === null)(
    'lives of answers and of the counts of the limiter in Redis',
    async () => {
      const redis = new URL(inject('redisUrl') ?? '');
      redis.pathname = '/12';
      const client = createClient({ url: redis.href });
      await client.connect();
      await client.flushDb();
      const own = await startSynced(DATABASES[0].create, {
        environment: { REDIS_URL: redis.href, RATE_LIMIT_PER_MINUTE: '600' },
      });
      try {
        await own.app.get('/v1/models');
        await own.app.get('/v1/models/openai/gpt-5-mini');
        await expect.poll(async () => (await client.keys('em:answers*')).length).toBe(2);
        const lives = async (pattern: string) =>
          Promise.all((await client.keys(pattern)).map(async (key) => (await client.pTTL(key)) / 60_000));
        const [listLow = 0, listHigh = 0, itemLow = 0, itemHigh = 0, limiter = 0] = promised(
          'lists for # to # minutes, single models for # to #, the counts of the rate limiter for # minute',
        );
        const within = ([life = 0]: number[], low: number, high: number) =>
          expect([life >= low - 0.1, life <= high, life]).toEqual([true, true, life]);
        within(await lives('em:answers*models.list*'), listLow, listHigh);
        within(await lives('em:answers*models.get*'), itemLow, itemHigh);
        within(await lives('em:limit*'), 0, limiter);
      } finally {
        await own.close();
        await client.flushDb();
        client.destroy();
      }
    },
  );

  test('SIGTERM to the end', async () => {
    const upstream = await startUpstream();
    try {
      const [delay = 0] = promised('requests are answered for # s more');
      const [most = 0] = promised('and the process ends within # s');
      const service = new Command('start', {
        ...(await environmentOn(upstream, DATABASES[0])),
        ...PRODUCTION,
      });
      const url = await service.url();
      await postSync(url);
      await newestEnded(url);
      const startedAt = performance.now();
      const ended = service.end('SIGTERM');
      await expect.poll(() => fetch(`${url}/health/ready`).then(({ status }) => status)).toBe(503);
      expect((await fetch(`${url}/v1/models`)).status).toBe(200);
      expect(await ended).toBe(0);
      const seconds = (performance.now() - startedAt) / 1_000;
      expect(seconds).toBeGreaterThanOrEqual(delay);
      expect(seconds).toBeLessThan(most);
    } finally {
      await upstream.close();
    }
  });
});
