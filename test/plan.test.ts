import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import packageJson from '../package.json' with { type: 'json' };
import type { Model } from '../contracts/models.ts';
import type { SyncRun } from '../contracts/sync.ts';
import { DATABASES } from './support/databases.ts';
import { ended, startSynced, type Served } from './support/synced.ts';

/** Where the operators' plan expects the service. */
const HOST = 'https://api.effectmodels.com';

/** What their plan shows of a run. */
const FIELDS = [
  'id',
  'status',
  'message',
  'startedAt',
  'completedAt',
  'totalFetched',
  'totalStored',
] as const;

const run = promisify(execFile);

/** What a script prints. */
const bash = async (script: string): Promise<string> => (await run('bash', ['-c', script])).stdout;

function has(command: string): boolean {
  try {
    execFileSync('bash', ['-c', `command -v ${command}`]);
    return true;
  } catch {
    return false;
  }
}

const hasJq = has('jq');

/** The filters of jq that the plan uses, for machines without it. */
const FILTERS: Record<string, (body: { data?: unknown[] }) => unknown> = {
  '.': (body) => body,
  "'.data[0]'": (body) => body.data?.[0] ?? null,
};

describe.skipIf(!has('curl'))("the operators' plan, line by line under `npm run dev`", () => {
  let served: Served & { run: SyncRun };
  beforeAll(async () => {
    served = await startSynced(DATABASES[0].create);
  });
  afterAll(() => served.close());

  /** Runs a line of the plan as it is written there, but for the host, in a shell; answers with the JSON that it prints. */
  async function print<Printed>(line: string): Promise<Printed> {
    const here = line.replace(HOST, served.app.url);
    const [curl = '', filter] = here.split(' | jq ');
    if (filter === undefined || hasJq) return JSON.parse(await bash(here)) as Printed;
    const body = JSON.parse(await bash(curl)) as { data?: unknown[] };
    return FILTERS[filter]?.(body) as Printed;
  }

  test('check API is responding', async () => {
    const health = await print<object>('curl -s https://api.effectmodels.com/health | jq .');
    expect(health).toStrictEqual({
      status: 'ok',
      timestamp: expect.any(String),
      version: packageJson.version,
    });
    expect(Object.keys(health)).toEqual(['status', 'timestamp', 'version']);
  });

  test('verify old version running', async () => {
    const { status, version } = await print<Record<string, string>>(
      'curl https://api.effectmodels.com/health',
    );
    expect([status, version]).toEqual(['ok', packageJson.version]);
  });

  test('get a model to verify DB connectivity', async () => {
    const model = await print<Model>(
      "curl -s 'https://api.effectmodels.com/v1/models?limit=1' | jq '.data[0]'",
    );
    expect(model).toMatchObject({
      id: 'anthropic/claude-3-opus-20240229',
      creator: 'anthropic',
      name: 'Claude Opus 3',
    });
  });

  test('check last sync', async () => {
    const last = await print<SyncRun>(`curl -s 'https://api.effectmodels.com/v1/admin/sync/history?limit=1' \\
  -H "x-admin: true" | jq '.data[0]'`);
    expect(last).toEqual(served.run);
  });

  test('retry sync manually via API, then get sync history', async () => {
    const started = await print<{
      data: SyncRun;
    }>(`curl -X POST 'https://api.effectmodels.com/v1/admin/sync' \\
     -H "x-admin: true"`);
    expect(started.data).toMatchObject({ id: expect.stringMatching(/^sync_/), status: 'running' });
    const latest = await ended(served.app, started.data.id);
    const history = await print<{ data: SyncRun[]; timestamp: string }>(
      `curl 'https://api.effectmodels.com/v1/admin/sync/history?limit=10' \\
  -H "x-admin: true"`,
    );
    expect(history.data).toEqual([latest, served.run]);
    for (const entry of history.data) {
      expect(Object.fromEntries(FIELDS.map((field) => [field, entry[field]]))).toStrictEqual({
        id: expect.stringMatching(/^sync_\w+$/),
        status: 'completed',
        message: 'Successfully synced from all sources',
        startedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/),
        completedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/),
        totalFetched: 35,
        totalStored: 14,
      });
    }
    expect(Math.abs(Date.parse(history.timestamp) - Date.now())).toBeLessThan(60_000);
  });

  test('on one line each, too', async () => {
    const one = await print<{ data: SyncRun[] }>(
      `curl -s 'https://api.effectmodels.com/v1/admin/sync/history?limit=1' -H "x-admin: true"`,
    );
    expect(one.data).toHaveLength(1);
    const ten = await print<{ data: SyncRun[] }>(
      `curl 'https://api.effectmodels.com/v1/admin/sync/history?limit=10' -H "x-admin: true"`,
    );
    expect(ten.data).toHaveLength(2);
    expect(ten.data[0]).toEqual(one.data[0]);
    const started = await print<{ data: SyncRun }>(
      `curl -X POST 'https://api.effectmodels.com/v1/admin/sync' -H "x-admin: true"`,
    );
    expect((await ended(served.app, started.data.id)).status).toBe('completed');
  });
});
