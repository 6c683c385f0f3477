import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Change } from '../../contracts/changes.ts';
import { lastChangeId } from '../../server/db/changes.ts';
import { STREAM_TIMES } from '../../server/services/change-streams.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { commitChanges, type ChangeInShort } from '../support/changes.ts';
import { DATABASES } from '../support/databases.ts';
import { EventReader, follow, startBare, STREAM, until } from '../support/events.ts';
import { problemIn, startSynced, type Served } from '../support/synced.ts';

const MINI = 'openai/gpt-5-mini';
const bare = { kind: 'model_added', offer: null, field: null, oldValue: null, newValue: null } as const;

const idsOf = ({ events }: EventReader, last: number) => events.map(({ data }) => data.id - last);

describe.each(DATABASES)('GET /v1/changes/stream on $name', ({ create }) => {
  let served: Served;
  let replica: TestApp;
  beforeAll(async () => {
    served = await startSynced(create);
    replica = await startApp({ DATABASE_URL: served.database.url, ARTIFICIAL_ANALYSIS_PUBLISH: 'off' });
  });
  afterAll(async () => {
    await replica.stop();
    await served.close();
  });
  /** The change that was told last: ids are counted from it. */
  let last: number;
  beforeEach(async () => {
    last = await lastChangeId(served.app.database.read);
  });

  const commit = (rows: ChangeInShort[]): Promise<Change[]> => commitChanges(served.app.database, rows);

  test('200: an event a change from now on, as the list has it, on every replica', async () => {
    await commit([{}]);
    const readers = [await follow(served.app), await follow(replica)];
    for (const { response, lastEventId, retryMs, events } of readers) {
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-type': 'text/event-stream; charset=utf-8',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
        'access-control-allow-origin': '*',
      });
      expect(response.headers.get('content-encoding')).toBeNull();
      expect([lastEventId, events]).toEqual([String(last + 1), []]);
      expect(retryMs).toBeGreaterThanOrEqual(1_000);
    }
    const told = await commit([{ oldValue: 'line\nfeed' }, bare]);
    for (const reader of readers) {
      expect(await reader.count(2)).toEqual(
        told.map((data) => ({ id: String(data.id), event: data.kind, data })),
      );
    }
    const { data } = await served.app.json<{ data: Change[] }>(
      `/v1/changes?sort=observedAt&limit=2&since=${(told[0]?.catalogVersion ?? 0) - 1}`,
    );
    expect(data).toEqual(told);
  });

  test('200: goes on after Last-Event-ID, by header or query; the header, which is newer, goes before', async () => {
    await commit([{}, {}, {}]);
    const readers = [
      await follow(served.app, '', { 'last-event-id': String(last + 1) }),
      await follow(served.app, `lastEventId=${last + 1}`),
      await follow(served.app, `lastEventId=${last}`, { 'last-event-id': String(last + 1) }),
    ];
    for (const reader of readers) {
      await reader.count(2);
      expect(idsOf(reader, last)).toEqual([2, 3]);
    }
    const beyond = await follow(served.app, 'lastEventId=999999999999999');
    expect([beyond.lastEventId, beyond.events]).toEqual([String(last + 3), []]);
    await commit([{}]);
    await beyond.count(1);
    expect(idsOf(beyond, last)).toEqual([4]);
  });

  test('200: every change once and in order, however far behind, while more come', async () => {
    await commit(Array.from({ length: 450 }, () => ({})));
    const reader = await follow(served.app, `lastEventId=${last}`);
    await commit(Array.from({ length: 250 }, () => ({})));
    await reader.count(700);
    expect(idsOf(reader, last)).toEqual(Array.from({ length: 700 }, (_, index) => index + 1));
  });

  const filters: [query: string, found: number[]][] = [
    ['kind=price', [1, 5]],
    ['kind=price,model_added', [1, 2, 5]],
    [`model=${MINI}`, [1, 2, 4]],
    ['model=Azure/GPT-5-mini', [1, 2, 4]],
    ['model=no/such-model', []],
    ['provider=Groq', [5]],
    ['provider=azure&kind=limit', [4]],
  ];
  test('200: what matches a filter, and how far all has been told', async () => {
    await commit([{}]);
    const open = async ([query, found]: (typeof filters)[number]) => ({
      query,
      found,
      late: await follow(served.app, `${query}&lastEventId=${last}`),
      live: await follow(replica, query),
    });
    const readers = await Promise.all(filters.map(open));
    await commit([
      bare,
      { kind: 'details', offer: null, modelId: 'openai/gpt-5.4' },
      { kind: 'limit' },
      { modelId: 'openai/gpt-oss-120b', offer: { provider: 'groq', providerModelId: 'x' } },
      { kind: 'details', offer: null, modelId: 'openai/gpt-5.4' },
    ]);
    for (const { query, found, late, live } of readers) {
      await until(() => late.lastEventId === String(last + 6) && live.lastEventId === String(last + 6));
      expect(idsOf(late, last), query).toEqual(found);
      expect(idsOf(live, last), query).toEqual(found.filter((id) => id > 1));
    }
  });

  test('200: without what Artificial Analysis said', async () => {
    const [all, open] = [await follow(served.app), await follow(replica)];
    await commit([{ view: 'full' }, { view: 'open' }, {}]);
    await until(() => all.events.length === 2 && open.events.length === 2);
    expect([idsOf(all, last), idsOf(open, last)]).toEqual([
      [1, 3],
      [2, 3],
    ]);
  });

  test('200: what a sync of this process publishes', async () => {
    const reader = await follow(served.app);
    const [first] = served.upstream.content.openrouter;
    served.upstream.content.openrouter = [
      ...served.upstream.content.openrouter,
      { ...first, id: 'odd-lab/new-one', canonical_slug: 'odd-lab/new-one', name: 'Odd Lab: New One' },
    ];
    await served.app.sync();
    await reader.count(2);
    const told = reader.events.map(({ data }) => [data.kind, data.modelId]);
    expect(told).toContainEqual(['model_added', 'odd-lab/new-one']);
    expect(told).toContainEqual(['offer_added', 'odd-lab/new-one']);
  });

  const garbage = ['x', '-', '1.5', '1e3', '1 2', '1, 2', '9'.repeat(16), '0x1'];
  test.each(garbage)('400 for Last-Event-ID "%s"', async (id) => {
    for (const response of [
      await served.app.get(STREAM, { 'last-event-id': id }),
      await served.app.get(`${STREAM}?lastEventId=${encodeURIComponent(id)}`),
    ]) {
      expect(response.status).toBe(400);
      expect((await problemIn(response)).errors.map(({ path }) => path)).toEqual(['lastEventId']);
    }
  });

  test('400 for what only lists have, 405 for other methods', async () => {
    for (const query of ['since=1', 'limit=5', 'kind=nothing', 'Last-Event-ID=1'])
      expect((await served.app.get(`${STREAM}?${query}`)).status).toBe(400);
    const posted = await fetch(served.app.url + STREAM, { method: 'POST' });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });
});

test('HEAD has every header of GET and ends', async () => {
  const app = await startBare();
  const get = await follow(app, '', { 'x-request-id': 'same', connection: 'close' });
  const head = await fetch(app.url + STREAM, {
    method: 'HEAD',
    headers: { 'x-request-id': 'same', connection: 'close' },
  });
  const listed = ({ headers }: Response) =>
    [...headers].filter(([name]) => name !== 'date' && name !== 'transfer-encoding');
  expect([head.status, listed(head)]).toEqual([200, listed(get.response)]);
  expect((await fetch(`${app.url}${STREAM}?limit=1`, { method: 'HEAD' })).status).toBe(400);
});

test('a quiet stream shows that it is alive', async () => {
  const app = await startBare({ times: { streams: { ...STREAM_TIMES, heartbeatMs: 20 } } });
  const reader = await follow(app);
  await until(() => reader.comments.length >= 3);
  expect(reader.events).toEqual([]);
});
