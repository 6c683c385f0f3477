import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Change } from '../../contracts/changes.ts';
import { changesAtom } from '../../contracts/change-feeds.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { feedOf, one, type Element } from '../support/atom.ts';
import { commitChanges, forgetChanges, OBSERVED, type ChangeInShort } from '../support/changes.ts';
import { DATABASES } from '../support/databases.ts';
import { problemIn, startSynced, type Served } from '../support/synced.ts';

const MINI = 'openai/gpt-5-mini';
const about = (kind: Change['kind'], rest: ChangeInShort = {}): ChangeInShort => ({
  kind,
  offer: null,
  field: null,
  oldValue: null,
  newValue: null,
  ...rest,
});
const NASTY = `<b>&amp;"'\u0000\u0001\u000b\u001b[31m\ufffe\uffff]]>\u{1f999}\ttab\r\nline\ud800`;

const TOLD: [change: ChangeInShort, title: string][] = [
  [{}, `${MINI} at azure: input price 2.5 -> 2 USD per 1M tokens`],
  [
    { field: 'pricing.cacheWrite1h', oldValue: null },
    `${MINI} at azure: cache write1h price unknown -> 2 USD per 1M tokens`,
  ],
  [
    { field: 'pricing.perImage', newValue: 0.01 },
    `${MINI} at azure: price per image 2.5 -> 0.01 USD per image`,
  ],
  [
    { field: 'pricing.status', oldValue: 'known', newValue: 'free', source: null },
    `${MINI} at azure: pricing status known -> free`,
  ],
  [about('model_added'), `${MINI} added`],
  [about('model_delisted'), `${MINI} delisted`],
  [about('model_relisted'), `${MINI} listed again`],
  [
    about('model_renamed', { field: 'id', oldValue: 'openai/mini', newValue: MINI }),
    `openai/mini renamed to ${MINI}`,
  ],
  [
    about('model_merged', { field: 'id', oldValue: 'openai/mini', newValue: MINI }),
    `openai/mini merged into ${MINI}`,
  ],
  [
    about('model_split', { field: 'id', oldValue: 'openai/mini', newValue: MINI }),
    `${MINI} split off from openai/mini`,
  ],
  [
    { kind: 'offer_added', field: null, oldValue: null, newValue: null },
    `${MINI} offered by azure as gpt-5-mini`,
  ],
  [
    { kind: 'offer_removed', field: null, oldValue: null, newValue: null },
    `${MINI} no longer offered by azure as gpt-5-mini`,
  ],
  [
    { kind: 'offer_moved', field: 'modelId', oldValue: 'openai/mini', newValue: MINI },
    `gpt-5-mini at azure moved from openai/mini to ${MINI}`,
  ],
  [
    about('limit', { field: 'limits.context', oldValue: 1000, newValue: 2000 }),
    `${MINI}: limits context 1000 -> 2000`,
  ],
  [
    about('capability', { field: 'capabilities.tools', oldValue: false, newValue: true }),
    `${MINI}: capabilities tools no -> yes`,
  ],
  [
    about('capability', { field: 'modalities.input', oldValue: [], newValue: ['text', 'image'] }),
    `${MINI}: modalities input none -> text, image`,
  ],
  [
    about('lifecycle', {
      field: 'lifecycle',
      oldValue: { status: 'active', date: null, successor: null },
      newValue: { status: 'retiring', date: '2027-01-01', successor: null },
    }),
    `${MINI}: lifecycle active -> retiring 2027-01-01`,
  ],
  [
    about('benchmark', {
      field: 'benchmarks.mmlu',
      oldValue: { value: 0.5, unit: null },
      newValue: { value: 0.6 },
    }),
    `${MINI}: benchmarks mmlu 0.5 -> 0.6`,
  ],
  [
    about('details', { field: 'description', oldValue: 'x'.repeat(500), newValue: 'short' }),
    `${MINI}: description ${'x'.repeat(100)}… -> short`,
  ],
  [
    about('details', { modelId: 'odd/a b&c/d?', field: 'name', oldValue: NASTY, newValue: '' }),
    `odd/a b&c/d?: name <b>&amp;"'[31m]]>\u{1f999}\ttab\r\nline\ufffd -> `,
  ],
];

describe.each(DATABASES)('GET /v1/changes.atom on $name', ({ create }) => {
  let served: Served;
  let open: TestApp;
  let changes: Change[];
  beforeAll(async () => {
    served = await startSynced(create);
    await forgetChanges(served.app.database);
    changes = await commitChanges(
      served.app.database,
      TOLD.map(([change]) => change),
    );
    await commitChanges(served.app.database, [
      about('benchmark', { modelId: 'openai/gpt-5.4', view: 'full', observedAt: '2026-03-04T00:00:00.000Z' }),
    ]);
    open = await startApp({ DATABASE_URL: served.database.url, ARTIFICIAL_ANALYSIS_PUBLISH: 'off' });
  });
  afterAll(async () => {
    await open.stop();
    await served.close();
  });

  const read = async (query = '', app = served.app) => {
    const response = await app.get(`/v1/changes.atom${query && `?${query}`}`);
    expect([response.status, response.headers.get('content-type')]).toEqual([
      200,
      'application/atom+xml; charset=utf-8',
    ]);
    return feedOf(await response.text());
  };
  const idsIn = ({ entries }: { entries: Element[] }) =>
    entries.map((entry) => Number(/\d+$/.exec(one(entry, 'id').text)?.[0]));

  test('200: every change, newest first, told for people', async () => {
    const feed = await read();
    expect(idsIn(feed)).toEqual([TOLD.length + 1, ...changes.map(({ id }) => id).toReversed()]);
    const entries = feed.entries.slice(1).toReversed();
    for (const [index, [change, title]] of TOLD.entries()) {
      const entry = entries[index] as Element;
      expect(one(entry, 'title').text).toBe(title);
      expect(one(entry, 'updated').text).toBe(OBSERVED);
      expect(one(entry, 'category').attributes).toEqual({ term: change.kind ?? 'price' });
    }
    expect(one(entries[0] as Element, 'content').text).toBe(
      `Offer: gpt-5-mini at azure\nField: pricing.input\nWas: 2.5\nIs: 2\nSource: models.dev\nObserved: ${OBSERVED}\nCatalogue version: 2`,
    );
    expect(one(entries[3] as Element, 'content').text).not.toContain('Source');
  });

  test('200: the feed is as new as the catalogue, and the same feed whoever asks for it by whatever name', async () => {
    const { feed } = await read();
    const { timestamp } = await served.app.json<{ timestamp: string }>('/v1/changes');
    expect(one(feed, 'updated').text).toBe(timestamp);
    expect(one(feed, 'id').text).toBe('tag:effectmodels.com,2026:changes');
    const forged = await served.app.get('/v1/changes.atom?limit=1', {
      'x-forwarded-host': 'evil.example',
      forwarded: 'host=evil.example',
    });
    expect(await forged.text()).not.toContain('evil');
    expect(await (await served.app.get('/v1/changes.atom')).text()).not.toContain('127.0.0.1');
  });

  test('200: links lead to the feed itself and to the models', async () => {
    const here = `${served.app.url}/v1/changes.atom`;
    const { feed, entries } = await read('limit=2&kind=price,details&model=openai/gpt-5-mini');
    const self = new URL(one(feed, 'link').attributes.href ?? '', here).href;
    expect(self).toBe(`${here}?kind=details%2Cprice&model=openai%2Fgpt-5-mini&limit=2`);
    expect(idsIn(feedOf(await (await fetch(self)).text()))).toEqual(idsIn({ entries }));
    expect(one(feed, 'id').text).toBe(
      'tag:effectmodels.com,2026:changes?kind=details%2Cprice&model=openai%2Fgpt-5-mini',
    );
    expect(one(feed, 'title').text).toBe(
      'Effect Models: changes (kind details,price, model openai/gpt-5-mini)',
    );
    const model = new URL(one(entries[0] as Element, 'link').attributes.href ?? '', here).href;
    expect(((await (await fetch(model)).json()) as { data: { id: string } }).data.id).toBe(MINI);
    const odd = (await read()).entries.map((entry) => one(entry, 'link').attributes.href);
    expect(odd).toContain('models/odd/a%20b%26c%2Fd%3F');
  });

  const filters: [query: string, found: number][] = [
    ['kind=price', 4],
    ['kind=price,limit', 5],
    ['model=odd/a%20b', 0],
    ['model=Azure/GPT-5-mini', TOLD.length - 1],
    ['provider=Azure', 7],
    ['provider=groq', 0],
    ['since=2', 1],
    ['until=2', TOLD.length],
    ['since=2026-03-04', 1],
    ['until=2026-03-04', TOLD.length],
    ['limit=1', 1],
  ];
  test.each(filters)('200 ?%s', async (query, found) => {
    expect((await read(query)).entries).toHaveLength(found);
  });

  test('200: without what Artificial Analysis said', async () => {
    expect(idsIn(await read('limit=1', open))).toEqual([TOLD.length]);
  });

  test('304 until the next version, whatever the spelling of the tag; the next version is another text', async () => {
    const first = await served.app.get('/v1/changes.atom?limit=3');
    const etag = first.headers.get('etag') ?? '';
    expect(first.headers.get('cache-control')).toContain('max-age=60');
    expect(first.headers.get('vary')).toContain('accept-encoding');
    for (const tag of [etag, etag.slice(2), `"x", ${etag}`, '*']) {
      const again = await served.app.get('/v1/changes.atom?limit=3', { 'if-none-match': tag });
      expect([again.status, await again.text()]).toEqual([304, '']);
      expect(again.headers.get('content-type')).toBeNull();
      expect(again.headers.get('etag')).toBe(etag);
    }
    // The version was committed behind the back of the service, which looks for others once a second.
    const cached = async () => (await served.app.get('/v1/changes.atom?limit=3')).headers.get('cache-status');
    await expect.poll(cached, { timeout: 5_000 }).toBe('effect-models; hit');
    const kept = await served.app.get('/v1/changes.atom?limit=3');
    expect(await kept.text()).toBe(await first.text());
  });

  test.each(['identity', 'gzip', 'br'])('HEAD has every header of GET and no body: %s', async (encoding) => {
    await served.app.get('/v1/changes.atom');
    const headers = { 'accept-encoding': encoding, 'x-request-id': 'same', connection: 'close' };
    const ask = (method: string) => fetch(`${served.app.url}/v1/changes.atom`, { method, headers });
    const [whole, head] = [await ask('GET'), await ask('HEAD')];
    const listed = (answer: Response) =>
      [...answer.headers].filter(([name]) => name !== 'date' && name !== 'transfer-encoding');
    expect(listed(head)).toEqual(listed(whole));
    expect(whole.headers.get('content-encoding')).toBe(encoding === 'identity' ? null : encoding);
    expect(await head.text()).toBe('');
    expect(await whole.text()).toMatch(/^<\?xml/);
  });

  const refused: [query: string, path: string][] = [
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['since=2026-02-30', 'since'],
    ['kind=nothing', 'kind.0'],
    ['cursor=x', 'cursor'],
    ['sort=observedAt', 'sort'],
    ['format=rss', 'format'],
  ];
  test.each(refused)('400 ?%s', async (query, path) => {
    const response = await served.app.get(`/v1/changes.atom?${query}`);
    expect(response.status).toBe(400);
    expect((await problemIn(response)).errors.map((issue) => issue.path)).toEqual([path]);
  });

  test('405 with Allow for other methods', async () => {
    const response = await fetch(`${served.app.url}/v1/changes.atom`, { method: 'POST' });
    expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});

test('the feed before the first sync is one, without entries', async () => {
  const [sqlite] = DATABASES;
  const database = await sqlite.create();
  const app = await startApp({ DATABASE_URL: database.url });
  try {
    const { feed, entries } = feedOf(await (await app.get('/v1/changes.atom')).text());
    expect([one(feed, 'updated').text, entries]).toEqual(['1970-01-01T00:00:00.000Z', []]);
  } finally {
    await app.stop();
    await database.drop();
  }
});

test('the example in the document is a feed', () => {
  expect(feedOf(changesAtom.example).entries).toHaveLength(1);
});
