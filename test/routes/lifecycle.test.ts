import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ListMeta } from '../../contracts/common.ts';
import { Ending } from '../../contracts/lifecycle.ts';
import type { SyncRun } from '../../contracts/sync.ts';
import { lifecycleHeaders } from '../../server/http/lifecycle-headers.ts';
import { DATABASES } from '../support/databases.ts';
import { committedAt, during, problemIn, problemOf, startSynced, type Served } from '../support/synced.ts';
import type { UpstreamContent } from '../support/upstream.ts';

interface Page {
  data: Ending[];
  meta: ListMeta;
  timestamp: string;
}

const DEPRECATED = 'This model has been deprecated by Acme in favor of the (small one)[openai/gpt-5-mini].';

/** Beside the model of the fixtures that is deprecated: one that has ended, one that will, and offers that do. */
function arrange(content: UpstreamContent): void {
  const route = (id: string, entry: object) => ({
    ...content.openrouter[0],
    canonical_slug: id,
    hugging_face_id: null,
    name: id,
    ...entry,
    id,
  });
  content.openrouter = [
    ...content.openrouter,
    route('openrouter/owl-alpha', { expiration_date: '2020-03-01', description: DEPRECATED }),
    route('openrouter/fox-beta', { expiration_date: '2031-05-31' }),
    route('acme/nova-1', { expiration_date: '2031-06' }),
    route('acme/nova-2', { description: DEPRECATED }),
  ];
}

const inShort = ({ data }: Page) =>
  data.map(({ modelId, offer, status, date }) =>
    [date, status, modelId, ...(offer === null ? [] : [offer.provider])].join(' '),
  );
const OWL = ['2020-03-01 retired openrouter/owl-alpha', '2020-03-01 retired openrouter/owl-alpha openrouter'];
const FOX = ['2031-05-31 retiring openrouter/fox-beta', '2031-05-31 retiring openrouter/fox-beta openrouter'];
const NOVA_1 = ['2031-06 retiring acme/nova-1 openrouter'];
const NOVA_2 = [' deprecated acme/nova-2', ' deprecated acme/nova-2 openrouter'];
const OPUS = [
  ' deprecated anthropic/claude-3-opus-20240229',
  ' deprecated anthropic/claude-3-opus-20240229 anthropic',
];

describe.each(DATABASES)('GET /v1/lifecycle on $name', ({ create }) => {
  let served: Served & { run: SyncRun };
  beforeAll(async () => {
    served = await startSynced(create, { arrange });
  });
  afterAll(() => served.close());

  const list = (query = '') => served.app.json<Page>(`/v1/lifecycle?${query}`);

  test('200: by date, then model and offer, those without a date last, as of the commit', async () => {
    const page = await list();
    expect(inShort(page)).toEqual([...OWL, ...FOX, ...NOVA_1, ...NOVA_2, ...OPUS]);
    expect(page.meta).toStrictEqual({ total: 9, limit: 20, offset: 0, nextCursor: null, catalogVersion: 1 });
    expect(during(served.run, page.timestamp)).toBe(true);
    for (const ending of page.data)
      expect(Object.keys(ending).toSorted()).toEqual(Object.keys(Ending.shape).toSorted());
  });

  test('200: with the name, the successor and who says so', async () => {
    const { data } = await list('model=openrouter/owl-alpha');
    const said = {
      status: 'retired',
      date: '2020-03-01',
      successor: 'openai/gpt-5-mini',
      source: 'openrouter',
    };
    const model = { modelId: 'openrouter/owl-alpha', modelName: 'openrouter/owl-alpha' };
    const offer = { provider: 'openrouter', providerModelId: 'openrouter/owl-alpha' };
    const since = await committedAt(served.app);
    expect(data).toStrictEqual([
      { ...model, offer: null, ...said, since },
      { ...model, offer, ...said, since },
    ]);
  });

  test.each([
    ['before=2031-05-31', OWL],
    ['before=2031-06-01', [...OWL, ...FOX]],
    ['before=2031-06-30', [...OWL, ...FOX]],
    ['before=2031-07-01', [...OWL, ...FOX, ...NOVA_1]],
    ['after=2031-05-30', [...FOX, ...NOVA_1]],
    ['after=2031-05-31', NOVA_1],
    ['after=2020-03-01&before=2031-06-01', FOX],
    ['after=2031-06-01&before=2020-03-01', []],
    ['status=retired', OWL],
    ['status=retired,deprecated', [...OWL, ...NOVA_2, ...OPUS]],
    ['status=delisted', []],
    ['creator=OpenRouter', [...OWL, ...FOX]],
    ['creator=acme&status=retiring', NOVA_1],
    ['provider=anthropic', OPUS.slice(1)],
    ['provider=OpenRouter&before=2031-06-01', [OWL[1], FOX[1]]],
    ['model=anthropic/Claude-3-Opus-20240229', OPUS],
    ['model=openai/gpt-5-mini', []],
    ['model=no/such', []],
    ['limit=2&offset=1', [OWL[1], FOX[0]]],
  ])('200: %s', async (query, expected) => {
    const page = await list(query);
    expect(inShort(page)).toEqual(expected);
    if (!query.includes('limit')) expect(page.meta.total).toBe(expected.length);
  });

  test.each([
    'before=2031',
    'before=2031-02-30',
    'after=soon',
    'status=active',
    'status=gone',
    'limit=0',
    'model=',
    'sort=date',
  ])('400: %s', async (query) => {
    const [name = ''] = query.split('=');
    const path = name === 'status' ? 'status.0' : name;
    const problem = await problemIn(await served.app.get(`/v1/lifecycle?${query}`));
    expect(problem).toMatchObject({ status: 400, code: 'BAD_REQUEST', errors: [{ path }] });
  });

  test('tRPC answers the same', async () => {
    const { lifecycle } = served.stranger;
    expect(await lifecycle.list.query()).toEqual(await list());
    const input = { before: '2031-06-01', status: ['retired' as const], limit: 1 };
    expect(await lifecycle.list.query(input)).toEqual(await list('before=2031-06-01&status=retired&limit=1'));
    const problem = await problemIn(await served.app.get('/v1/lifecycle?limit=101'));
    expect(await problemOf(lifecycle.list.query({ limit: 101 }))).toEqual(problem);
  });

  const OWL_HEADERS = {
    deprecation: '@1583020800',
    sunset: 'Sun, 01 Mar 2020 00:00:00 GMT',
    link: '</v1/models/openai/gpt-5-mini>; rel="successor-version"',
  };
  const told = ({ headers }: Response) =>
    Object.fromEntries(
      ['deprecation', 'sunset', 'link'].flatMap((name) => {
        const value = headers.get(name);
        return value === null ? [] : [[name, value]];
      }),
    );

  test('a model that has ended says so in its headers, kept or not, to HEAD and with 304', async () => {
    const path = '/v1/models/openrouter/owl-alpha';
    const answers = [await served.app.get(path), await served.app.get(path)];
    expect(answers.map(({ headers }) => headers.get('cache-status'))).toEqual([
      'effect-models; fwd=miss',
      'effect-models; hit',
    ]);
    const head = await fetch(served.app.url + path, { method: 'HEAD' });
    const same = await served.app.get(path, { 'if-none-match': head.headers.get('etag') ?? '' });
    expect([head.status, same.status]).toEqual([200, 304]);
    for (const answer of [...answers, head, same]) expect(told(answer)).toEqual(OWL_HEADERS);
    const whole = await served.app.get(`${path}?include=provenance`);
    expect(told(whole)).toEqual(OWL_HEADERS);
  });

  test.each([
    ['openrouter/fox-beta', { sunset: 'Sat, 31 May 2031 00:00:00 GMT' }],
    ['acme/nova-1', {}],
    ['acme/nova-2', { deprecation: 'since', link: OWL_HEADERS.link }],
    ['anthropic/claude-3-opus-20240229', { deprecation: 'since' }],
    ['openai/gpt-5-mini', {}],
  ])('%s says in its headers what is known of its end', async (id, headers) => {
    // Of these no source says since when: they are since they were first published so.
    const since = { deprecation: `@${Math.floor(Date.parse(await committedAt(served.app)) / 1000)}` };
    expect(told(await served.app.get(`/v1/models/${id}`))).toEqual({
      ...headers,
      ...('deprecation' in headers ? since : {}),
    });
  });

  test('200: what is delisted is listed where it is asked for, with the day, and says so in its headers', async () => {
    const { write } = served.app.database;
    const at = '2026-07-05T23:59:59.000Z';
    await write
      .updateTable('models')
      .set({ delisted: 1, delisted_at: at, updated_at: at })
      .where('id', '=', 'acme/nova-2')
      .execute();
    await write.updateTable('offers').set({ delisted_at: at }).where('model_id', 'like', 'acme/%').execute();
    expect(inShort(await list('status=delisted&limit=99'))).toEqual([
      '2026-07-05 delisted acme/nova-1 openrouter',
      '2026-07-05 delisted acme/nova-2',
      '2026-07-05 delisted acme/nova-2 openrouter',
    ]);
    expect((await list('status=delisted&limit=1&offset=1')).data).toStrictEqual([
      {
        modelId: 'acme/nova-2',
        modelName: 'acme/nova-2',
        offer: null,
        status: 'delisted',
        date: '2026-07-05',
        successor: 'openai/gpt-5-mini',
        source: null,
      },
    ]);
    expect(inShort(await list('limit=99'))).toEqual([...OWL, ...FOX, ...OPUS]);
    expect(told(await served.app.get('/v1/models/acme/nova-2?include=provenance'))).toEqual({
      deprecation: `@${Date.UTC(2026, 6, 5) / 1000}`,
      sunset: 'Sun, 05 Jul 2026 00:00:00 GMT',
      link: OWL_HEADERS.link,
    });
  });
});

describe.each(DATABASES)('ends where Artificial Analysis is withheld, on $name', ({ create }) => {
  test('200: without the models that nobody else knows', async () => {
    const served = await startSynced(create, {
      environment: { ARTIFICIAL_ANALYSIS_PUBLISH: 'off' },
      arrange: (content) => {
        const model_creator = { id: 'c', name: 'Acme', slug: 'acme' };
        const row = {
          ...content.artificialAnalysis[0],
          id: 'n',
          name: 'Nova 1',
          slug: 'nova-1',
          model_creator,
        };
        content.artificialAnalysis = [...content.artificialAnalysis, row];
      },
    });
    try {
      const { write } = served.app.database;
      const changed = await write
        .updateTable('models')
        .set({ delisted: 1, delisted_at: '2026-07-05T00:00:00.000Z' })
        .where('restricted', '=', 1)
        .executeTakeFirstOrThrow();
      expect(Number(changed.numUpdatedRows)).toBeGreaterThan(0);
      expect((await served.app.json<Page>('/v1/lifecycle?status=delisted')).meta.total).toBe(0);
      expect((await served.app.json<Page>('/v1/lifecycle')).meta.total).toBe(2);
    } finally {
      await served.close();
    }
  });
});

describe('headers', () => {
  const of = (lifecycle: object) => lifecycleHeaders(JSON.stringify({ data: { lifecycle }, meta: {} }));

  test('what is deprecated since a day has no end for that; a month counts as its last day', () => {
    expect(of({ status: 'deprecated', date: '2026-07-05', successor: null, source: 'x' })).toEqual({
      deprecation: `@${Date.UTC(2026, 6, 5) / 1000}`,
    });
    expect(of({ status: 'retiring', date: '2026-02', successor: null, source: 'x' })).toEqual({
      sunset: 'Sat, 28 Feb 2026 00:00:00 GMT',
    });
  });

  test('what is deprecated without a day is so since that was published; of the past nothing is told', () => {
    const lifecycle = { status: 'deprecated', date: null, successor: 'a/b', source: 'x' };
    const since = '2026-03-02T09:58:11.000Z';
    const link = '</v1/models/a/b>; rel="successor-version"';
    expect(of({ ...lifecycle, since })).toEqual({ deprecation: `@${Date.parse(since) / 1000}`, link });
    expect(of(lifecycle)).toEqual({ link });
    const meta = { asOf: { at: since, version: 1 } };
    expect(lifecycleHeaders(JSON.stringify({ data: { lifecycle: { ...lifecycle, since } }, meta }))).toEqual(
      {},
    );
  });

  test('an active model has none, whatever becomes of its offers and whatever is written about it', () => {
    const data = {
      description: '"status":"retired"',
      lifecycle: { status: 'active', date: null, successor: null, source: null },
      offers: [{ lifecycle: { status: 'retired', date: '2026-07-05', successor: 'a/b', source: 'x' } }],
    };
    expect(lifecycleHeaders(JSON.stringify({ data, meta: {} }))).toEqual({});
  });
});
