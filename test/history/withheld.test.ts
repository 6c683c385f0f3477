import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ModelHistory } from '../../contracts/history.ts';
import type { Ending } from '../../contracts/lifecycle.ts';
import type { Model, ModelDetail } from '../../contracts/models.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { DATABASES } from '../support/databases.ts';
import { changesOf } from '../support/edits.ts';
import { until } from '../support/events.ts';
import { committedAt, startSynced, type Served } from '../support/synced.ts';

const DEEPSEEK = 'deepseek/deepseek-v3.2';

// Where Artificial Analysis is not to be shown, a model that it alone lists any more has been delisted, and vanishes no more than others.
describe.each(DATABASES)('what Artificial Analysis alone lists any more, on $name', ({ create }) => {
  let served: Served;
  let open: TestApp;
  beforeEach(async () => {
    served = await startSynced(create);
    open = await startApp({ DATABASE_URL: served.database.url, ARTIFICIAL_ANALYSIS_PUBLISH: 'off' });
  });
  afterEach(async () => {
    await open.stop();
    await served.close();
  });

  const model = async (query = '') =>
    (await open.json<{ data: ModelDetail }>(`/v1/models/${DEEPSEEK}${query}`)).data;
  const listed = async (app: TestApp, query = '') =>
    (await app.json<{ data: Model[] }>(`/v1/models?limit=100&${query}`)).data.map(({ id }) => id);
  const told = async (app: TestApp, query: string) =>
    (await changesOf(app, `${query}&model=${DEEPSEEK}`)).map(({ kind, source }) => [kind, source]);

  test('is delisted without it, and relisted when another lists it again', async () => {
    const before = await model();
    const { content } = served.upstream;
    const { huggingface, openrouter } = content;
    const isNot = (name: string) => (row: object) =>
      (row as { id: string }).id.toLowerCase() !== name.toLowerCase();
    content.huggingface = huggingface.filter(isNot('deepseek-ai/DeepSeek-V3.2'));
    content.openrouter = openrouter.filter(isNot('deepseek/deepseek-v3.2'));
    for (let miss = 1; miss <= 3; miss++) await served.app.sync();

    // Another instance looks for a new version now and then.
    await until(async () => (await model()).lifecycle.status === 'delisted');
    const at = await committedAt(served.app);
    const day = at.slice(0, 10);
    expect(await listed(served.app)).toContain(DEEPSEEK);
    expect(await listed(open)).not.toContain(DEEPSEEK);
    expect(await listed(open, 'lifecycle=delisted')).toEqual([DEEPSEEK]);
    const gone = await model();
    expect(gone).toMatchObject({
      name: before.name,
      benchmarks: before.benchmarks,
      attributions: before.attributions,
      releaseDate: before.releaseDate,
      lifecycle: { status: 'delisted', date: day },
      providers: [],
      sources: [],
      offers: before.offers.map(({ providerModelId }) => ({
        providerModelId,
        lifecycle: { status: 'delisted', date: day },
      })),
    });
    const answer = await open.get(`/v1/models/${DEEPSEEK}`);
    expect(answer.headers.get('deprecation')).toBe(`@${Date.parse(day) / 1000}`);
    expect(await told(open, 'since=1')).toEqual([
      ['model_delisted', 'huggingface'],
      ['offer_removed', 'openrouter'],
    ]);
    expect((await told(served.app, 'since=1')).map(([kind]) => kind)).not.toContain('model_delisted');
    const { data: history } = await open.json<{ data: ModelHistory }>(`/v1/models/${DEEPSEEK}/history`);
    expect(history).toMatchObject({ delistedAt: at, prices: [{ to: at }] });
    expect((await model('?asOf=1')).lifecycle.status).toBe('active');
    for (const id of [DEEPSEEK, 'deepseek-ai/DeepSeek-V3.2']) {
      const found = await open.get(`/v1/resolve?id=${encodeURIComponent(id)}`);
      expect([found.status, await found.text()]).toEqual([200, expect.stringContaining(`"${DEEPSEEK}"`)]);
    }
    const endings = await open.json<{ data: Ending[] }>(`/v1/lifecycle?status=delisted&model=${DEEPSEEK}`);
    expect(endings.data).toMatchObject([
      { modelId: DEEPSEEK, modelName: before.name, offer: null, status: 'delisted', date: day, source: null },
      { modelId: DEEPSEEK, offer: { provider: 'openrouter' }, status: 'delisted', date: day },
    ]);

    const { version } = await served.app.database.read
      .selectFrom('catalog')
      .select('version')
      .executeTakeFirstOrThrow();
    Object.assign(content, { huggingface, openrouter });
    await served.app.sync();
    await until(async () => (await model()).lifecycle.status === 'active');
    expect(await listed(open)).toContain(DEEPSEEK);
    const { updatedAt: _, records: _records, ...again } = await model();
    const { updatedAt: _then, records: _recordsThen, ...former } = before;
    expect(again).toEqual(former);
    expect((await told(open, `since=${version}`)).toSorted()).toEqual([
      ['model_relisted', 'huggingface'],
      ['offer_added', 'openrouter'],
    ]);
    expect((await model(`?asOf=${version}`)).lifecycle.status).toBe('delisted');
  });
});
