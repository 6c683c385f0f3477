import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Change, CHANGE_KINDS } from '../../contracts/changes.ts';
import type { ListMeta } from '../../contracts/common.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { commitChanges, forgetChanges, type ChangeInShort } from '../support/changes.ts';
import { DATABASES } from '../support/databases.ts';
import { problemIn, problemOf, startSynced, type Served } from '../support/synced.ts';

interface Page {
  data: Change[];
  meta: ListMeta;
  timestamp: string;
}

const MINI = 'openai/gpt-5-mini';
const at = (day: string, time = '12:00:00.000') => `2026-${day}T${time}Z`;
const groq = { provider: 'groq', providerModelId: 'openai/gpt-oss-120b' };

/** By the version that brings them: 2, 3 and 4. Version 3 is told late, as an archive is. */
const COMMITS: ChangeInShort[][] = [
  [
    {
      kind: 'model_added',
      offer: null,
      field: null,
      oldValue: null,
      newValue: null,
      observedAt: at('03-01'),
    },
    { observedAt: at('03-01') },
    {
      kind: 'offer_added',
      offer: groq,
      modelId: 'openai/gpt-oss-120b',
      observedAt: at('03-02', '00:00:00.000'),
    },
  ],
  [{ kind: 'limit', modelId: 'openai/gpt-mini-before', field: 'limits.context', observedAt: at('01-15') }],
  [
    { kind: 'benchmark', offer: null, field: 'benchmarks.index', view: 'full', observedAt: at('03-03') },
    { kind: 'benchmark', offer: null, field: 'benchmarks.other', view: 'open', observedAt: at('03-03') },
    {
      kind: 'lifecycle',
      offer: null,
      source: null,
      newValue: { status: 'retiring' },
      observedAt: at('03-03'),
    },
  ],
];

describe.each(DATABASES)('GET /v1/changes on $name', ({ create }) => {
  let served: Served;
  let open: TestApp;
  let changes: Change[];
  beforeAll(async () => {
    served = await startSynced(create);
    const { database } = served.app;
    await forgetChanges(database);
    await database.write
      .insertInto('aliases')
      .values({ alias: 'openai/gpt-mini-before', model_id: MINI, source: 'former' })
      .execute();
    changes = [];
    for (const rows of COMMITS) changes.push(...(await commitChanges(database, rows)));
    open = await startApp({ DATABASE_URL: served.database.url, ARTIFICIAL_ANALYSIS_PUBLISH: 'off' });
  });
  afterAll(async () => {
    await open.stop();
    await served.close();
  });

  const list = (query = '', app = served.app) => app.json<Page>(`/v1/changes?${query}`);
  const ids = async (query = '', app = served.app) => (await list(query, app)).data.map(({ id }) => id);
  const NEWEST_FIRST = [7, 5, 3, 2, 1, 4];

  test('200: newest first, in the envelope of lists, as they were committed', async () => {
    const page = await list();
    expect(Object.keys(page)).toEqual(['data', 'meta', 'timestamp']);
    expect(page.meta).toStrictEqual({ total: 6, limit: 20, offset: 0, nextCursor: null, catalogVersion: 4 });
    expect(page.data).toStrictEqual(NEWEST_FIRST.map((id) => changes[id - 1]));
    for (const change of page.data)
      expect(Object.keys(change).toSorted()).toEqual(Object.keys(Change.shape).toSorted());
    expect(await ids('sort=observedAt')).toEqual(NEWEST_FIRST.toReversed());
  });

  const filters: [query: string, found: number[]][] = [
    ['kind=price', [2]],
    ['kind=price,lifecycle', [7, 2]],
    ['kind=price&kind=limit', [2, 4]],
    ['kind=model_split', []],
    [`model=${MINI}`, [7, 5, 2, 1, 4]],
    ['model=Azure/GPT-5-mini', [7, 5, 2, 1, 4]],
    ['model=openai/gpt-mini-before', [7, 5, 2, 1, 4]],
    ['model=no/such-model', []],
    ['model=nothing', []],
    ['provider=azure', [2, 4]],
    ['provider=Groq', [3]],
    ['provider=%25', []],
    [`model=${MINI}&provider=azure&kind=limit`, [4]],
    ['since=2026-03-02', [7, 5, 3]],
    ['since=2026-03-02T00:00:00Z', [7, 5, 3]],
    ['since=2026-03-02T00:00:00.001Z', [7, 5]],
    ['until=2026-03-02', [2, 1, 4]],
    ['until=2026-03-02T00:00:00.001Z', [3, 2, 1, 4]],
    ['since=2026-03-01&until=2026-03-02', [2, 1]],
    ['since=2', [7, 5, 4]],
    ['since=4', []],
    ['until=3', [3, 2, 1, 4]],
    ['since=2&until=3', [4]],
    ['since=2026-03-01&until=3', [3, 2, 1]],
    ['since=0', NEWEST_FIRST],
    ['since=-1', NEWEST_FIRST],
    ['until=9999999999', NEWEST_FIRST],
    ['since=2026-03-04&until=2026-03-01', []],
  ];
  test.each(filters)('200 ?%s', async (query, found) => {
    const page = await list(query);
    expect(page.data.map(({ id }) => id)).toEqual(found);
    expect(page.meta.total).toBe(found.length);
  });

  test.each(['observedAt', '-observedAt'])(
    '200: the cursor walks through all by %s, whatever comes meanwhile',
    async (sort) => {
      const seen: number[] = [];
      for (let cursor: string | null = ''; cursor !== null;) {
        const page: Page = await list(`sort=${sort}&limit=2${cursor && `&cursor=${cursor}`}`);
        expect(page.meta.total).toBe(6);
        expect(page.data.length).toBeLessThanOrEqual(2);
        seen.push(...page.data.map(({ id }) => id));
        cursor = page.meta.nextCursor;
      }
      expect(seen).toEqual(sort.startsWith('-') ? NEWEST_FIRST : NEWEST_FIRST.toReversed());
    },
  );

  test('200: without what Artificial Analysis said, and with what differs for that', async () => {
    expect(await ids('', open)).toEqual([7, 6, 3, 2, 1, 4]);
    expect(await ids('kind=benchmark', open)).toEqual([6]);
    expect(await ids('kind=benchmark')).toEqual([5]);
  });

  test('304 while the catalogue is the same', async () => {
    const { headers } = await served.app.get('/v1/changes?limit=3');
    const etag = headers.get('etag') ?? '';
    expect((await served.app.get('/v1/changes?limit=3', { 'if-none-match': etag })).status).toBe(304);
  });

  const cursor = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const refused: [query: string, path: string][] = [
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['kind=price,nothing', 'kind.1'],
    ['kind=', 'kind.0'],
    ['model=', 'model'],
    ['provider=', 'provider'],
    ['since=yesterday', 'since'],
    ['since=2026-02-30', 'since'],
    ['since=2026-13-01', 'since'],
    ['since=2026-03', 'since'],
    ['since=12345678901', 'since'],
    ['since=9999999999', 'since'],
    ['since=2026', 'since'],
    ['until=2026-03-01T25:00:00Z', 'until'],
    ['until=2026-03-01T12:00:00%2B01:00', 'until'],
    ['sort=id', 'sort'],
    ['offset=1', 'offset'],
    ['cursor=x', 'cursor'],
    ['cursor=bnVsbA', 'cursor'],
    [`cursor=${cursor(['-observedAt', 'x', 1])}`, 'cursor'],
    [`cursor=${cursor(['-observedAt', at('03-01'), '1; drop table changes'])}`, 'cursor'],
    [`cursor=${cursor(['-observedAt', at('03-01'), 1.5])}`, 'cursor'],
    [`cursor=${cursor(['-observedAt', at('03-01'), 1e300])}`, 'cursor'],
    [`sort=observedAt&cursor=${cursor(['-observedAt', at('03-01'), 1])}`, 'cursor'],
  ];
  test.each(refused)('400 ?%s', async (query, path) => {
    const response = await served.app.get(`/v1/changes?${query}`);
    expect(response.status).toBe(400);
    const problem = await problemIn(response);
    expect(problem.code).toBe('BAD_REQUEST');
    expect(problem.errors.map((issue) => issue.path)).toEqual([path]);
  });

  test('every kind can be asked for', async () => {
    expect(await ids(`kind=${CHANGE_KINDS.join(',')}`)).toEqual(NEWEST_FIRST);
  });

  test('tRPC answers the same, and refuses the same', async () => {
    const page = await served.stranger.changes.list.query({ kind: ['price'], model: MINI });
    expect(page).toEqual(await list(`kind=price&model=${MINI}`));
    const problem = await problemOf(served.stranger.changes.list.query({ since: '2026-02-30' }));
    expect([problem.status, problem.errors.map(({ path }) => path)]).toEqual([400, ['since']]);
  });
});
