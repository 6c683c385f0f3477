import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Model, ModelDetail } from '../../contracts/models.ts';
import type { Provider } from '../../contracts/providers.ts';
import type { Source } from '../../contracts/sync.ts';
import type { Times } from '../../server/ports.ts';
import { HTTP_LIMITS } from '../../sync/http.ts';
import type { Match } from '../../sync/identity.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { DATABASES, type TestDatabase } from '../support/databases.ts';
import { holdRows, rowsOf } from '../support/many.ts';
import { syncUntilDelisted } from '../support/synced.ts';
import { AA_KEY, startUpstream, type FakeUpstream } from '../support/upstream.ts';

type Entries = Record<string, { models: Record<string, Record<string, unknown>> }>;

const FAST = { ...HTTP_LIMITS, retryBaseMs: 1, attemptTimeoutMs: 2_000 };

describe.each(DATABASES)('a sync on $name', ({ create }) => {
  let upstream: FakeUpstream;
  let own: TestDatabase;
  let app: TestApp;
  const environment = () => ({
    ...upstream.urls,
    ARTIFICIAL_ANALYSIS_API_KEY: AA_KEY,
    DATABASE_URL: own.url,
  });
  const models = async () => (await app.json<{ data: Model[] }>('/v1/models?limit=100')).data;
  const model = async (id: string) => (await app.json<{ data: ModelDetail }>(`/v1/models/${id}`)).data;
  const entries = () => upstream.content.modelsDevApi as Entries;
  const fail = (part: string, status = 500) =>
    upstream.script(
      (path) => path.includes(part),
      (_request, response) => response.writeHead(status, { 'content-type': 'application/json' }).end('{}'),
    );

  beforeEach(async () => {
    upstream = await startUpstream();
    own = await create();
    app = await startApp(environment(), { times: { http: FAST } });
  });
  afterEach(async () => {
    await app.stop();
    await own.drop();
    await upstream.close();
  });

  test('a source fails alone: the others go on, and its last good records stay', async () => {
    await app.sync();
    const before = await model('deepseek/deepseek-v3.2');
    const heal = fail('/openrouter/');
    entries().openai!.models['gpt-5.4']!.name = 'GPT-5.4 renamed';
    const run = await app.sync();
    expect(run.status).toBe('partial');
    expect(run.message).toMatch(/^Synced .*models\.dev.*; openrouter failed \(http: /);
    const outcome = run.sources.find(({ source }) => source === 'openrouter');
    expect(outcome).toMatchObject({
      status: 'failed',
      httpStatus: 500,
      requests: 4,
      error: { class: 'http' },
    });
    expect((await model('deepseek/deepseek-v3.2')).offers).toEqual(before.offers);
    expect((await model('openai/gpt-5.4')).name).toBe('GPT-5.4 renamed');
    heal();
    expect((await app.sync()).status).toBe('completed');
  });

  test('a hung source fails with its deadline, and holds up nobody', async () => {
    upstream.script(
      (path) => path.includes('/huggingface/'),
      () => {},
    );
    const quick = await restart({ http: { ...FAST, attempts: 1, attemptTimeoutMs: 300 } });
    const run = await quick.sync();
    expect(run.status).toBe('partial');
    expect(run.sources.find(({ source }) => source === 'huggingface')?.error?.class).toBe('timeout');
    expect(run.totalStored).toBeGreaterThan(10);
  });

  test('where every source fails, nothing is written and the run says so', async () => {
    await app.sync();
    const before = await models();
    fail('/', 503);
    const run = await app.sync();
    expect(run).toMatchObject({ status: 'failed', catalogVersion: 1 });
    expect(run.message).toMatch(/^No source could be synced: .*models\.dev failed/);
    expect(await models()).toEqual(before);
  });

  test('models.json missing is a warning, not a failure', async () => {
    upstream.content.modelsDevModels = null;
    const run = await app.sync();
    const outcome = run.sources.find(({ source }) => source === 'models.dev');
    expect([run.status, outcome?.status]).toEqual(['completed', 'ok']);
    expect(outcome?.warnings.join()).toMatch(/models\.json/);
  });

  test('metadata that can not be fetched stays as it was, and is fetched again', async () => {
    await app.sync();
    const license = async () => (await model('openai/gpt-oss-120b')).license;
    const { modelsDevModels } = upstream.content;
    const before = (await models()).map(({ id }) => id);
    upstream.content.modelsDevModels = null;
    entries().openai!.models['gpt-5.4']!.name = 'GPT-5.4 renamed';
    const run = await app.sync();
    expect(run.sources.find(({ source }) => source === 'models.dev')?.warnings.join()).toMatch(
      /models\.json/,
    );
    expect([run.status, await license()]).toEqual(['completed', 'Apache-2.0']);
    expect((await models()).map(({ id }) => id)).toEqual(before);
    expect((await model('openai/gpt-5.4')).name).toBe('GPT-5.4 renamed');
    upstream.content.modelsDevModels = structuredClone(modelsDevModels);
    (upstream.content.modelsDevModels as Record<string, { license?: string }>)[
      'openai/gpt-oss-120b'
    ]!.license = 'MIT';
    await app.sync();
    expect(await license()).toBe('MIT');
  });

  test.each([
    ['empty', () => []],
    ['shrunken', (rows: object[]) => rows.slice(0, 6)],
    ['unreadable', (rows: object[]) => rows.map((row) => ({ ...row, id: 7 }))],
  ])('a source that comes back %s keeps its last good records, until it is forced', async (_how, change) => {
    await app.sync();
    const before = await models();
    upstream.content.openrouter = change(upstream.content.openrouter);
    const run = await app.sync();
    const outcome = run.sources.find(({ source }) => source === 'openrouter');
    expect([run.status, outcome?.status, outcome?.error?.class]).toEqual([
      'partial',
      'quarantined',
      'sanity',
    ]);
    expect(outcome?.error?.message).toMatch(/force=true/);
    expect(await models()).toEqual(before);
    const forced = await app.sync('?force=true');
    expect(forced.status).toBe('completed');
    expect(forced.sources.find(({ source }) => source === 'openrouter')?.warnings).toEqual([
      expect.stringMatching(/^Accepted by force: /),
    ]);
    expect([run.forced, forced.forced]).toEqual([false, true]);
    expect((await syncUntilDelisted(app, '?force=true')).status).toBe('completed');
    expect(await models()).not.toEqual(before);
  });

  test('items that do not parse are rejected one by one, counted, with samples', async () => {
    for (const source of ['models.dev', 'openrouter'] as const)
      holdRows(upstream.content, source, rowsOf(upstream.content, source, 40));
    const provider = entries()['fern-lab']!;
    provider.models['broken-one'] = { id: 'broken-one', name: 7 };
    provider.models['broken-two'] = { id: 'broken-two', name: null };
    upstream.content.openrouter.push('not an object' as never);
    const run = await app.sync();
    expect(run.status).toBe('completed');
    const [dev, router] = ['models.dev', 'openrouter'].map((id) =>
      run.sources.find(({ source }) => source === id),
    );
    expect([dev?.rejected, router?.rejected]).toEqual([2, 1]);
    expect(dev?.rejections.flatMap(({ samples }) => samples).join()).toMatch(/broken-one.*broken-two/);
    expect(dev?.parsed).toBe((dev?.fetched ?? 0) - 2);
  });

  test('an unchanged upstream is asked with validators, writes no model and raises no version', async () => {
    await app.sync();
    const before = await models();
    upstream.requests.length = 0;
    const run = await app.sync();
    expect(run).toMatchObject({ status: 'completed', catalogVersion: 1, totalFetched: 35 });
    expect(run.sources.map(({ source, status }) => `${source} ${status}`).toSorted()).toEqual([
      'artificialanalysis ok',
      'huggingface ok',
      'models.dev not_modified',
      'openrouter not_modified',
    ]);
    expect(upstream.requests.filter(({ status }) => status === 304)).toHaveLength(3);
    expect(await models()).toEqual(before);
  });

  test('with force, every source is fetched whole and compared, and still nothing differs', async () => {
    await app.sync();
    upstream.requests.length = 0;
    const run = await app.sync('?force=true');
    expect(run).toMatchObject({ status: 'completed', catalogVersion: 1 });
    expect(run.sources.map(({ status }) => status)).toEqual(['ok', 'ok', 'ok', 'ok']);
    expect(upstream.requests.filter(({ status }) => status === 304)).toEqual([]);
  });

  test('in pages, a change on the last page is seen though the first has not changed', async () => {
    upstream.content.pageSize.openrouter = 3;
    await app.sync();
    const last = upstream.content.openrouter.at(-1) as { id: string; name: string };
    upstream.content.openrouter = [...upstream.content.openrouter.slice(0, -1), { ...last, name: 'Renamed' }];
    const run = await app.sync();
    expect(run.sources.find(({ source }) => source === 'openrouter')?.status).toBe('ok');
    const [creator, slug] = last.id.split('/');
    expect((await model(`${creator}/${slug}`)).name).toBe('Renamed');
  });

  test('while the version stays, so does every byte', async () => {
    await app.sync();
    const answer = () => app.get('/v1/models/openai/whisper-large-v3').then((response) => response.text());
    const before = await answer();
    const item = upstream.content.huggingface.find(
      (row) => (row as { id: string }).id === 'openai/whisper-large-v3',
    );
    (item as { downloads: number }).downloads += 1;
    expect((await app.sync()).catalogVersion).toBe(1);
    await restart({});
    expect(await answer()).toBe(before);
  });

  test('only what differs is written', async () => {
    await app.sync();
    const before = new Map((await models()).map((row) => [row.id, row.updatedAt]));
    (entries().openai!.models['gpt-5.4'] as { cost: { input: number } }).cost.input = 2.75;
    const run = await app.sync();
    expect(run.catalogVersion).toBe(2);
    const changed = (await models()).filter(({ id, updatedAt }) => before.get(id) !== updatedAt);
    expect(changed.map(({ id, pricing }) => [id, pricing.input])).toEqual([['openai/gpt-5.4', 2.75]]);
    expect(changed[0]?.firstSeenAt).toBe(before.get('openai/gpt-5.4'));
  });

  test('popularity moves at most daily', async () => {
    await app.sync();
    const item = upstream.content.huggingface.find(
      (row) => (row as { id: string }).id === 'openai/whisper-large-v3',
    );
    (item as { downloads: number }).downloads += 1;
    expect((await app.sync()).catalogVersion).toBe(1);
    const yesterday = new Date(Date.now() - 25 * 3_600_000).toISOString();
    await app.database.write.updateTable('models').set({ refreshed_at: yesterday }).execute();
    (item as { downloads: number }).downloads += 1;
    expect((await app.sync()).catalogVersion).toBe(2);
    expect((await model('openai/whisper-large-v3')).popularity.downloads).toBe(5_020_102);
  });

  test('a model that no source lists any more is delisted, stays readable, and comes back', async () => {
    await app.sync();
    const id = 'anthropic/claude-3-opus-20240229';
    const { models: listed } = entries().anthropic!;
    const entry = listed['claude-3-opus-20240229']!;
    delete listed['claude-3-opus-20240229'];
    const run = await syncUntilDelisted(app);
    expect((await models()).map((row) => row.id)).not.toContain(id);
    expect(run.totalStored).toBe((await models()).length);
    expect(await model(id)).toMatchObject({
      lifecycle: { status: 'delisted' },
      providers: [],
      offers: [{ provider: 'anthropic', lifecycle: { status: 'delisted' }, sources: [] }],
      sources: [],
    });
    listed['claude-3-opus-20240229'] = entry;
    await app.sync();
    expect(await model(id)).toMatchObject({ lifecycle: { status: 'deprecated' }, providers: ['anthropic'] });
  });

  test('a model whose entry is listed but can not be read stays, and what is listed no more goes', async () => {
    await app.sync();
    const id = 'anthropic/claude-3-opus-20240229';
    const before = await model(id);
    const { models: listed } = entries().anthropic!;
    listed['claude-3-opus-20240229'] = { ...listed['claude-3-opus-20240229'], flaw: 2 ** 60 };
    const run = await syncUntilDelisted(app, '?force=true');
    expect(run.sources.find(({ source }) => source === 'models.dev')?.rejected).toBe(1);
    expect(await model(id)).toEqual(before);
    delete listed['claude-3-opus-20240229'];
    await syncUntilDelisted(app);
    expect((await model(id)).lifecycle.status).toBe('delisted');
  });

  test('an id that is not listed any more stays with the records that had it', async () => {
    const { models: listed } = entries().groq!;
    const sold = (id: string) => ({ ...listed['whisper-large-v3'], id, name: id });
    listed['zed-9'] = sold('zed-9');
    await app.sync();
    const id = 'unknown/groq-zed-9';
    expect((await model(id)).providers).toEqual(['groq']);
    delete listed['zed-9'];
    await syncUntilDelisted(app);
    expect((await model(id)).lifecycle.status).toBe('delisted');
    listed['Zed.9'] = sold('Zed.9');
    await app.sync();
    expect((await model(id)).lifecycle.status).toBe('delisted');
    expect((await model('groq/Zed.9')).id).toBe('unknown/groq-zed.9');
    listed['zed-9'] = sold('zed-9');
    await app.sync();
    expect((await model(id)).offers.map(({ providerModelId }) => providerModelId)).toEqual([
      'Zed.9',
      'zed-9',
    ]);
  });

  const counts = async (provider: string) => {
    const { data } = await app.json<{ data: Provider[] }>('/v1/providers?limit=100');
    const found = data.find(({ id }) => id === provider);
    return [found?.models, found?.offers];
  };

  test('an id whose records move to another model keeps resolving', async () => {
    await app.sync();
    const former = 'unknown/groq-whisper-large-v3';
    expect((await model(former)).id).toBe(former);
    const { models: listed } = entries().groq!;
    listed['whisper-large-v3']!.family = 'whisper';
    entries().openai!.models['whisper-large-v3'] = { ...listed['whisper-large-v3'] };
    expect(await counts('groq')).toEqual([3, 3]);
    expect(await counts('openai')).toEqual([2, 2]);
    const run = await app.sync();
    const now = await model(former);
    expect(now.id).toBe('openai/whisper-large-v3');
    const { meta } = await app.json<{ meta: { modelId: string } }>(`/v1/models/${former}/offers`);
    expect(meta.modelId).toBe(now.id);
    const changes = await app.database.read.selectFrom('identity_changes').selectAll().execute();
    expect(changes).toEqual([
      {
        from_id: former,
        to_id: now.id,
        at: expect.any(String),
        kind: 'merged',
        reason: 'its records were found to be of that model',
      },
    ]);
    expect(run.startedAt <= changes[0]!.at && changes[0]!.at <= run.completedAt!).toBe(true);
    expect(await counts('groq')).toEqual([3, 3]);
    expect(await counts('openai')).toEqual([3, 3]);
    delete listed['whisper-large-v3'];
    await syncUntilDelisted(app);
    expect(await counts('groq')).toEqual([2, 2]);
    expect((await model('groq/whisper-large-v3')).id).toBe('openai/whisper-large-v3');
    listed['whisper-large-v3'] = { ...entries().openai!.models['whisper-large-v3'] };
    await app.sync();
    expect((await model(former)).id).toBe('openai/whisper-large-v3');
    expect((await model(former)).providers).toEqual(['groq', 'openai']);
    expect((await models()).map(({ id }) => id)).not.toContain(former);
  });

  test.each(['gpt-5-nano', 'gpt-4.1'])(
    'a record that turns out to be of %s leaves its former model the id',
    async (name) => {
      await app.sync();
      const before = await model('openai/gpt-5-mini');
      Object.assign(entries().azure!.models['gpt-5-mini']!, { id: name, name: name.replace('gpt', 'GPT') });
      await app.sync();
      const left = await model('openai/gpt-5-mini');
      expect([left.name, left.providers]).toEqual([before.name, ['openai', 'openrouter']]);
      expect(left.firstSeenAt).toBe(before.firstSeenAt);
      expect(await model(`openai/${name}`)).toMatchObject({ id: `openai/${name}`, providers: ['azure'] });
      const changes = await app.database.read.selectFrom('identity_changes').selectAll().execute();
      expect(changes).toMatchObject([
        {
          kind: 'split',
          from_id: 'openai/gpt-5-mini',
          to_id: `openai/${name}`,
          reason: 'found to be another model: models.dev azure/gpt-5-mini',
        },
      ]);
    },
  );

  test('of every record is kept by which rule it was placed', async () => {
    await app.sync();
    const rows = await app.database.read
      .selectFrom('records')
      .select(['source', 'id', 'match'])
      .where('model_id', '=', 'meta/llama-3.3-70b-instruct')
      .execute();
    const rules = Object.fromEntries(
      rows.map(({ source, id, match }) => {
        const { kind, rule } = JSON.parse(match ?? 'null') as Match;
        return [`${source} ${id}`, [kind, rule]];
      }),
    );
    expect(rules).toEqual({
      'artificialanalysis 00000000-0000-4000-8000-000000000004': ['rule', 'spelling'],
      'huggingface meta-llama/Llama-3.3-70B-Instruct': ['exact', null],
      'models.dev groq/llama-3.3-70b-versatile': ['rule', 'left-out'],
      'models.dev models.json/meta/llama-3.3-70b-instruct': ['exact', null],
      'models.dev openrouter/meta-llama/llama-3.3-70b-instruct': ['link', 'same-offer'],
      'openrouter meta-llama/llama-3.3-70b-instruct': ['exact', null],
    });
    for (const { match } of rows) {
      const { kind, evidence } = JSON.parse(match ?? '') as Match;
      expect(evidence.length > 0 || kind === 'exact').toBe(true);
    }
  });

  test('upstreams are told who asks', async () => {
    await app.sync();
    const agents = new Set(upstream.requests.map(({ headers }) => headers['user-agent']));
    expect([...agents]).toEqual([
      expect.stringMatching(/^effect-models\/\d+\.\d+\.\d+ \(\+https:\/\/effectmodels\.com\)$/),
    ]);
  });

  test('a source without its key is disabled, which does not make the run partial', async () => {
    const keyless = await restart({}, { ARTIFICIAL_ANALYSIS_API_KEY: '' });
    const run = await keyless.sync();
    expect(run.status).toBe('completed');
    expect(run.sources.find(({ source }) => source === 'artificialanalysis')).toMatchObject({
      status: 'disabled',
      requests: 0,
    });
  });

  test('Artificial Analysis is credited, and one switch withholds all that it said', async () => {
    const [measured] = upstream.content.artificialAnalysis as Record<string, unknown>[];
    const alone = ['Quill 1', 'Quill 2 (Reasoning)', 'Quill 2 Mini'].map((name, index) => ({
      ...measured,
      id: `alone-${index}`,
      slug: `quill-${index}`,
      name,
      model_creator: { name: 'Quill Lab' },
    }));
    upstream.content.artificialAnalysis.push(...alone);
    await app.sync();
    expect((await model('quill-lab/quill-2')).benchmarks[0]?.effort).toBe('reasoning');
    const credited = await model('openai/gpt-5-mini');
    const owed = { name: 'Artificial Analysis', url: 'https://artificialanalysis.ai' };
    const relayed = (await model('openai/gpt-5.4')).benchmarks.filter(({ name }) =>
      name.startsWith('artificial_analysis'),
    );
    expect(credited.attributions).toEqual([{ ...owed, fields: ['benchmarks'] }]);
    expect(
      credited.benchmarks
        .filter(({ source }) => source === 'artificialanalysis')
        .every(({ attribution }) => attribution?.name === owed.name),
    ).toBe(true);
    expect(relayed.map(({ source, attribution }) => [source, attribution])).toEqual(
      relayed.map(() => ['openrouter', owed]),
    );
    expect(relayed).not.toEqual([]);
    const all = await models();

    const open = await restart({}, { ARTIFICIAL_ANALYSIS_PUBLISH: 'off' });
    const shown = await open.json<{ data: Model[]; meta: { total: number } }>('/v1/models?limit=100');
    expect(JSON.stringify(shown)).not.toMatch(/artificial.?analysis/i);
    expect(all.length - shown.data.length).toBe(3);
    expect(shown.meta.total).toBe(shown.data.length);
    for (const slug of ['quill-1', 'quill-2', 'quill-2-mini'])
      expect((await open.get(`/v1/models/quill-lab/${slug}`)).status).toBe(404);
    const sorted = await open.json<{ data: Model[] }>('/v1/models?limit=100&sort=-releaseDate');
    const dates = sorted.data.map(({ releaseDate }) => releaseDate ?? '');
    expect(dates).toEqual(dates.toSorted().toReversed());
    expect(await (await open.get('/v1/models/openai/gpt-5-mini')).text()).not.toMatch(
      /artificial.?analysis/i,
    );
  });

  test('with no upstream at all, a dev server shows the bundled copy, and drops it whole at the first good fetch', async () => {
    const heal = fail('/', 503);
    const run = await app.sync();
    expect(run.status).toBe('partial');
    const bundled = await models();
    expect(bundled.length).toBe(100);
    expect(bundled[0]?.sources).toEqual([{ id: 'bundled', asOf: expect.stringMatching(/^20\d\d-\d\d/) }]);
    const { data } = await app.json<{ data: Source[] }>('/v1/sources');
    expect(data.find(({ id }) => id === 'bundled')).toMatchObject({
      asOf: bundled[0]?.sources[0]?.asOf,
      url: null,
    });
    expect(
      app.log.filter(({ msg }) =>
        /No upstream answered: showing the bundled copy of models\.dev, dated 20\d\d/.test(String(msg)),
      ),
    ).toHaveLength(1);

    heal();
    const whole = await app.sync();
    expect(
      (await models()).map(({ firstSeenAt }) => firstSeenAt).filter((time) => time < whole.startedAt),
    ).toEqual([]);
    expect((await models()).map(({ id }) => id)).toHaveLength(14);
    for (const table of ['models', 'records', 'record_keys', 'model_aliases', 'aliases', 'offers'] as const) {
      const rows = await app.database.read.selectFrom(table).selectAll().execute();
      expect(JSON.stringify(rows), table).not.toContain('bundled');
    }
    expect((await app.json<{ data: Source[] }>('/v1/sources')).data.map(({ id }) => id)).not.toContain(
      'bundled',
    );
  });

  test('with upstreams that never answer, the bundled copy is shown when their time is up', async () => {
    upstream.script(
      () => true,
      () => {},
    );
    const patient = await restart({ answerTimeoutMs: 300 });
    const run = await patient.sync();
    expect(run.message).toMatch(/^Synced bundled \(of 20\d\d-\d\d-\d\d\); .*models\.dev failed \(timeout/);
    const detail = await model('openai/gpt-4o');
    const dated = { id: 'bundled', asOf: detail.sources[0]?.asOf };
    expect(dated.asOf).toMatch(/^20\d\d/);
    expect(detail.offers.flatMap(({ sources }) => sources)).toEqual(detail.offers.map(() => dated));
    expect(detail.records.every(({ asOf }) => asOf === dated.asOf)).toBe(true);
  });

  test('the bundled copy is dropped by a production sync as well', async () => {
    const heal = fail('/', 503);
    await app.sync();
    heal();
    await app.stop();
    app = await startApp(environment(), { world: 'production', times: { http: FAST } });
    await app.sync();
    for (const table of ['aliases', 'model_aliases'] as const)
      expect(JSON.stringify(await app.database.read.selectFrom(table).selectAll().execute())).not.toContain(
        'bundled',
      );
    expect(await models()).toHaveLength(14);
  });

  test('an item that would break answers is turned down or mended, on both databases', async () => {
    const [row] = upstream.content.openrouter as Record<string, unknown>[];
    upstream.content.openrouter.push({ ...row, id: 'long/name', name: 'x'.repeat(9_000) });
    const [measured] = upstream.content.artificialAnalysis as Record<string, unknown>[];
    upstream.content.artificialAnalysis.push({
      ...measured,
      id: 'colon',
      slug: 'colon',
      name: 'Colon A+',
      model_creator: { name: 'Foo: Bar' },
    });
    const run = await app.sync();
    expect(run.sources.find(({ source }) => source === 'openrouter')?.rejected).toBe(1);
    expect((await models()).map(({ id }) => id)).toContain('foo-bar/colon-a-plus');
  });

  test('production never shows the bundled copy', async () => {
    fail('/', 503);
    await app.stop();
    app = await startApp(environment(), { world: 'production', times: { http: FAST } });
    expect(await app.sync()).toMatchObject({ status: 'failed', totalStored: 0 });
  });

  async function restart(times: Partial<Times>, more: Record<string, string> = {}): Promise<TestApp> {
    await app.stop();
    app = await startApp({ ...environment(), ...more }, { times: { http: FAST, ...times } });
    return app;
  }
});
