import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Change } from '../../contracts/changes.ts';
import type { Model } from '../../contracts/models.ts';
import type { SyncRun } from '../../contracts/sync.ts';
import type { Database } from '../../server/db/database.ts';
import { lastChangeId } from '../../server/db/changes.ts';
import { runBackfill } from '../support/backfilled.ts';
import { DATABASES } from '../support/databases.ts';
import { changesOf } from '../support/edits.ts';
import { hasPayloads, payloadsDir, recordedContent } from '../support/payloads.ts';
import { ADMIN, startServed, startSynced, type Served } from '../support/synced.ts';

/** What is published now, as it is stored, but for times. */
async function active({ read }: Database) {
  const models = await read
    .selectFrom('models')
    .select(['id', 'hash', 'name_key', 'search_text', 'document', 'open_document', 'restricted'])
    .where('delisted', '=', 0)
    .execute();
  const offers = await read
    .selectFrom('offers')
    .select(['provider', 'provider_model_id', 'model_id', 'hash', 'document'])
    .where('delisted_at', 'is', null)
    .execute();
  const records = await read.selectFrom('records').select(['source', 'id', 'hash', 'model_id']).execute();
  const providers = await read.selectFrom('providers').select(['id', 'document']).execute();
  const conflicts = await read.selectFrom('conflicts').selectAll().execute();
  const texts = (rows: object[]) => rows.map((row) => JSON.stringify(row)).toSorted();
  return {
    models: texts(models),
    offers: texts(offers),
    records: texts(records),
    providers: texts(providers),
    conflicts: texts(conflicts),
  };
}

describe.skipIf(!hasPayloads).each(DATABASES)('a recorded year, then a sync, on $name', ({ create }) => {
  test('is what a first sync would have made of it', { timeout: 240_000 }, async () => {
    const folder = join(payloadsDir, 'modelsdev');
    const arrange = (content: object) =>
      void Object.assign(content, recordedContent({ huggingface: 300 }), { artificialAnalysisRetired: null });
    const [filled, fresh] = [await startServed(create, { arrange }), await startSynced(create, { arrange })];
    try {
      const months = Array.from({ length: 12 }, (_, month) =>
        new Date(Date.UTC(2025, 6 + month, 1)).toISOString().slice(0, 10),
      );
      const files = months.map((date) => join(folder, `${date}.api.json.gz`));
      expect(files.filter((file) => !existsSync(file))).toEqual([]);
      const args = months.flatMap((date, index) => ['--at', date, files[index] ?? '']);
      const { code, output } = await runBackfill(filled.database.url, ['--source', 'models.dev', ...args]);
      expect(code, output).toBe(0);
      const run = await filled.app.sync();
      expect(run.status, run.message).toBe(fresh.run.status);
      expect(await active(filled.app.database)).toEqual(await active(fresh.app.database));
    } finally {
      await Promise.all([filled.close(), fresh.close()]);
    }
  });
});

/** `api.json` of one provider with these models at these input prices. */
const catalogue = (prices: Record<string, number>) => ({
  openai: {
    id: 'openai',
    name: 'OpenAI',
    models: Object.fromEntries(
      Object.entries(prices).map(([id, input]) => [
        id,
        { id, name: id, limit: { context: 8192, output: 1024 }, cost: { input, output: input * 2 } },
      ]),
    ),
  },
});

describe.each(DATABASES)('archives on $name', ({ create }) => {
  let served: Served;
  let folder: string;

  beforeAll(async () => {
    served = await startServed(create);
    folder = mkdtempSync(join(tmpdir(), 'effect-models-archives-'));
    served.upstream.content.modelsDevApi = catalogue({ 'gpt-4o': 2.5, 'gpt-4o-mini': 0.15 });
    await served.app.sync();
  });
  afterAll(async () => {
    await served?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Writes an archive down; answers with its path. */
  function archive(name: string, body: unknown): string {
    const path = join(folder, name);
    const text = typeof body === 'string' ? body : JSON.stringify(body);
    writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text);
    return path;
  }

  const load = (...args: string[]) => runBackfill(served.database.url, args);

  test.each([
    ['nothing', [], /Usage:/],
    ['an unknown option', ['--since', '2026-01-01'], /--since.*Usage:/s],
    ['no time', ['--source', 'models.dev', 'a.json'], /Say --at before a\.json/],
    ['no file', ['--source', 'models.dev', '--at', '2026-01-01'], /No file is named after --at 2026-01-01/],
    ['a day that is none', ['--source', 'models.dev', '--at', '2026-02-30', 'a'], /neither a day/],
    [
      'an unknown source',
      ['--source', 'acme', '--at', '2026-01-01', 'a'],
      /no source "acme"; there are: models\.dev/,
    ],
    [
      'a file that is not there',
      ['--source', 'models.dev', '--at', '2026-01-01', 'gone.json'],
      /gone\.json can not be opened/,
    ],
    ['a time to come', ['--source', 'models.dev', '--at', '2999-01-01', 'package.json'], /is yet to come/],
  ])('%s is refused, and nothing written', async (_, args, message) => {
    const before = await active(served.app.database);
    const { code, output } = await load(...args);
    expect([code, output]).toEqual([1, expect.stringMatching(message)]);
    expect(await active(served.app.database)).toEqual(before);
  });

  test('an answer that is not one is refused with its name', async () => {
    const at = ['--source', 'models.dev', '--at', '2026-01-01'];
    const broken = archive('broken.json', '{"openai": ');
    expect((await load(...at, broken)).output).toMatch(/broken\.json.*not JSON/);
    const other = archive('other.json', { data: [] });
    expect((await load(...at, other)).output).toMatch(/was not loaded: .*unexpected shape/);
    const good = archive('good.json', catalogue({ 'gpt-4o': 5 }));
    const [second, third] = [archive('x.json', {}), archive('y.json', {})];
    expect((await load(...at, good, second, third)).output).toMatch(/y\.json: no part of one answer/);
    const { output } = await load(...at, good, '--at', '2026-01-01T00:00:00Z', good);
    expect(output).toMatch(/is said twice/);
    const late = await load('--source', 'models.dev', '--at', new Date().toISOString(), good);
    expect(late.output).toMatch(/The history begins at .* is not before it/);
    const kept = await runBackfill(served.database.url, [...at, good], { HISTORY_RETENTION_DAYS: '30' });
    expect(kept.output).toMatch(/HISTORY_RETENTION_DAYS is 30/);
  });

  test('are what was published before, and leave what is as it is', async () => {
    const before = await active(served.app.database);
    const { version, committed_at: seam } = await served.app.database.read
      .selectFrom('catalog')
      .selectAll()
      .executeTakeFirstOrThrow();
    const toldBefore = new Map((await changesOf(served.app, '')).map((change) => [change.id, change]));
    const newest = await lastChangeId(served.app.database.read);
    const [january, march] = [
      archive('january.json.gz', catalogue({ 'gpt-4o': 5, 'gpt-3.5-turbo': 0.5 })),
      archive('march.json', catalogue({ 'gpt-4o': 5 })),
    ];
    // Given in another order, they are read in that of time.
    const { code, output } = await load(
      '--source',
      'models.dev',
      '--at',
      '2026-03-01',
      march,
      '--at',
      '2026-01-01',
      january,
    );
    expect(code, output).toBe(0);
    expect(await active(served.app.database)).toEqual(before);
    // Whoever follows the changes goes on from the one that they saw last.
    expect(await lastChangeId(served.app.database.read)).toBe(newest);
    // An id that was told once is never that of another change.
    const carried = await changesOf(served.app, '');
    expect(carried.length).toBeGreaterThan(0);
    const known = carried.filter(({ id }) => toldBefore.has(id));
    expect(known).toEqual(known.map(({ id }) => toldBefore.get(id)));
    const added = carried.filter(({ id }) => !toldBefore.has(id)).map(({ id }) => id);
    expect(Math.max(...added)).toBeLessThan(Math.min(...toldBefore.keys()));

    const at = async (asOf: string) =>
      (
        await served.app.json<{ data: Model[] }>(`/v1/models?provider=openai&sort=name&asOf=${asOf}`)
      ).data.map(({ id }) => id);
    expect(await at('2026-01-01')).toEqual(['openai/gpt-3.5-turbo', 'openai/gpt-4o']);
    expect(await at('2026-02-28')).toEqual(['openai/gpt-3.5-turbo', 'openai/gpt-4o']);
    expect(await at('2026-03-01')).toEqual(['openai/gpt-4o']);
    expect(await at(seam)).toEqual(['openai/gpt-4o', 'openai/gpt-4o-mini']);
    expect(await at(String(version))).toEqual(['openai/gpt-4o', 'openai/gpt-4o-mini']);
    expect((await served.app.get('/v1/models?asOf=2025-12-31')).status).toBe(400);

    const told = async (query: string) =>
      (await served.app.json<{ data: Change[] }>(`/v1/changes?provider=openai&sort=observedAt&${query}`))
        .data;
    const brief = ({ observedAt, kind, offer, field, oldValue, newValue }: Change) =>
      [observedAt.slice(0, 10), kind, offer?.providerModelId, field, oldValue, newValue].filter(
        (part) => part != null,
      );
    const today = seam.slice(0, 10);
    expect((await told('kind=offer_added,offer_removed,price')).map(brief)).toEqual([
      ['2026-01-01', 'offer_added', 'gpt-3.5-turbo'],
      ['2026-01-01', 'offer_added', 'gpt-4o'],
      ['2026-03-01', 'offer_removed', 'gpt-3.5-turbo'],
      [today, 'price', 'gpt-4o', 'pricing.input', 5, 2.5],
      [today, 'price', 'gpt-4o', 'pricing.output', 10, 5],
      [today, 'offer_added', 'gpt-4o-mini'],
    ]);
    const versions = (await told('')).map(({ catalogVersion }) => catalogVersion);
    expect(versions).toEqual(versions.toSorted((a, b) => a - b));
    expect(versions[0]).toBeLessThan(1);
    expect(await at(String(versions[0]))).toEqual(await at('2026-01-01'));
  });

  test('what only they have stays readable, as delisted, with its prices', async () => {
    const { data } = await served.app.json<{ data: Model }>('/v1/models/openai/gpt-3.5-turbo');
    expect(data.lifecycle).toMatchObject({ status: 'delisted' });
    const history = await served.app.json<{ data: { prices: object[] } }>(
      '/v1/models/openai/gpt-4o/history?provider=openai',
    );
    expect(history.data.prices).toMatchObject([
      { from: '2026-01-01T00:00:00.000Z', pricing: { input: 5 } },
      { to: null, pricing: { input: 2.5 } },
    ]);
  });

  test('the next sync goes on as if nothing had been loaded, and the run of it is told', async () => {
    const before = await active(served.app.database);
    const run = await served.app.sync();
    expect(run.status).toBe('completed');
    expect(await active(served.app.database)).toEqual(before);
    const { data } = await served.app.json<{ data: SyncRun[] }>('/v1/admin/sync/history', ADMIN);
    expect(data.map(({ trigger }) => trigger)).toContain('backfill');
  });
});
