import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAX_OFFSET } from '../../contracts/common.ts';
import type { Problem } from '../../contracts/errors.ts';
import { DATABASES } from '../support/databases.ts';
import { problemIn, startSynced, type Served } from '../support/synced.ts';
import {
  ask,
  call,
  IN_QUERY,
  leastInput,
  PARAMETERS,
  pathOf,
  postJson,
  PROCEDURES,
  type Schema,
} from './support/operations.ts';

const SECOND_MS = 1_000;
/** The longest URL that fits the 8 KiB of headers, and what else is in them. */
const LONG = 7_000;

const named = <Item extends { operation: string; name: string }>(items: Item[]) =>
  items.map((item) => ({ ...item, title: `${item.operation} ${item.name}` }));
const isText = ({ type, enum: options, maxLength }: Schema) =>
  type === 'string' && options === undefined && maxLength !== undefined;

/** A cursor that nobody has given out. */
const cursorAt = (place: unknown[]) => Buffer.from(JSON.stringify(place)).toString('base64url');

describe.each(DATABASES)('sizes on $name', ({ create }) => {
  let served: Served;
  beforeAll(async () => {
    served = await startSynced(create);
  });
  afterAll(async () => {
    expect(served.app.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
    expect((await served.app.get('/health/live')).status).toBe(200);
    await served.close();
  });

  /** The problem of an answer that has to be a refusal of one parameter, and has to come soon. */
  async function refusal(asked: () => Promise<Response>, path: string): Promise<string> {
    const from = performance.now();
    const { status, errors } = await problemIn(await asked());
    expect([status, [...new Set(errors.map((error) => error.path.split('.')[0]))]]).toEqual([400, [path]]);
    expect(performance.now() - from).toBeLessThan(SECOND_MS);
    return errors[0]?.message ?? '';
  }

  const offsets = IN_QUERY.filter(({ name }) => name === 'offset');
  test('C5-all every list that has offsets is tried', () => expect(offsets.length).toBe(8));

  test.each(offsets)('C5 $operation has no offset past 10,000, and says how else', async ({ op }) => {
    for (const deep of [MAX_OFFSET + 1, 1_000_000_000, 999_999_999_999_999]) {
      const message = await refusal(() => ask(served.app, op, `offset=${deep}`), 'offset');
      expect(message).toContain('cursor');
    }
    const past = `offset=${MAX_OFFSET}`;
    const answer = await ask(served.app, op, past);
    expect(answer.status).toBe(200);
    const { data, meta } = (await answer.json()) as { data: unknown[]; meta: { total: number } };
    const first = (await (await ask(served.app, op, '')).json()) as { meta: { total: number } };
    expect([data, meta]).toEqual([[], { ...first.meta, offset: MAX_OFFSET, nextCursor: null }]);
  });

  const ends: [list: string, place: unknown[]][] = [
    ['/v1/models?sort=id', ['id', '~', '~']],
    ['/v1/models?sort=-name', ['-name', '', '~']],
    ['/v1/models?sort=downloads', ['downloads', null, '~']],
    ['/v1/models?sort=context', ['context', null, '~']],
    ['/v1/changes?sort=observedAt', ['observedAt', '9999-12-31T23:59:59.999Z', Number.MAX_SAFE_INTEGER]],
    ['/v1/changes?sort=-observedAt', ['-observedAt', '0000-01-01T00:00:00.000Z', Number.MIN_SAFE_INTEGER]],
  ];
  test.each(ends)('C5a %s has nothing after %j', async (list, place) => {
    const answer = await served.app.get(`${list}&cursor=${cursorAt(place)}`);
    expect([answer.status, await answer.json()]).toMatchObject([
      200,
      { data: [], meta: { nextCursor: null } },
    ]);
  });

  const cursors = IN_QUERY.filter(({ name }) => name === 'cursor');
  const models = cursorAt(['id', 'a/b', 'a/b']);
  const forged: [name: string, cursor: string][] = [
    ['padding', `${models}=`],
    ['a blank', `${models}%20`],
    ['another alphabet', encodeURIComponent(Buffer.from('["id","??>>~~","x"]').toString('base64'))],
    ['bits that say nothing', cursorAt(['id', 'a/b', 'a/bc']).replace(/Q$/, 'R')],
    ['blanks in its JSON', Buffer.from('["id", "a/b","a/b"]').toString('base64url')],
    ['another escape', Buffer.from('["id","\\u0061/b","a/b"]').toString('base64url')],
    ['one item more', cursorAt(['id', 'a/b', 'a/b', 'a/b'])],
    ['a list of nothing', cursorAt([])],
    ['an object', cursorAt({ 0: 'id', 1: 'a/b', 2: 'a/b', length: 3 } as unknown as unknown[])],
    ['a name of every object', cursorAt(['constructor', 'a/b', 'a/b'])],
    ['bytes that are no text', Buffer.from([0x5b, 0xff, 0x5d]).toString('base64url')],
    ['half a character', Buffer.from('["id","\\ud800","a/b"]').toString('base64url')],
    ['deep brackets', Buffer.from('['.repeat(370)).toString('base64url')],
  ];
  test.each(forged)('C5b a cursor with %s is not ours', async (_, cursor) => {
    for (const { op } of cursors) await refusal(() => ask(served.app, op, `cursor=${cursor}`), 'cursor');
  });

  test('C5c a cursor of another list, or of another order, is not ours', async () => {
    const ofModels = cursorAt(['id', 'a/b', 'a/b']);
    const ofChanges = cursorAt(['observedAt', '2026-01-01T00:00:00.000Z', 1]);
    for (const { op } of cursors) {
      const others = op.path === '/v1/models' ? [ofChanges] : [ofModels, ofChanges];
      for (const cursor of others) await refusal(() => ask(served.app, op, `cursor=${cursor}`), 'cursor');
    }
    await refusal(() => served.app.get(`/v1/models?sort=name&cursor=${ofModels}`), 'cursor');
  });

  const texts = named(PARAMETERS.filter(({ schema }) => isText(schema)));
  test.each(texts)('C6 $title has a longest text', async ({ op, name, place, schema, operation }) => {
    for (const length of [Number(schema.maxLength) + 1, LONG]) {
      const text = 'a'.repeat(length);
      const body = { ...leastInput(op), [name]: text };
      if (place === 'body')
        await refusal(() => ask(served.app, op, '', { body: withoutPath(op, body) }), name);
      else if (place === 'query') await refusal(() => ask(served.app, op, `${name}=${text}`), name);
      // Beyond what a name in a path may have, the path itself is refused.
      else if (length < 512)
        await refusal(() => ask(served.app, op, '', { path: pathOf(op, { [name]: text }) }), name);
      if (!PROCEDURES.some(([known]) => known === operation)) continue;
      const answer = await call(served.app, operation, JSON.stringify(body));
      expect([answer.status, paths(await answer.json())]).toEqual([400, [name]]);
    }
  });

  const lists = named(PARAMETERS.filter(({ schema }) => schema.type === 'array'));
  test.each(lists)('C6b $title has a most of values', async ({ op, name, place, schema, operation }) => {
    const { enum: options, type } = schema.items as Schema;
    const value = options?.[0] ?? (type === 'object' ? { id: 'gpt-5-mini' } : '');
    for (const count of [Number(schema.maxItems) + 1, 400, 1_000]) {
      const values = Array<unknown>(count).fill(value);
      if (place === 'body') {
        const short = count > 400 ? values.map(() => 1) : values;
        await refusal(() => postJson(served.app.url + op.path, JSON.stringify({ [name]: short })), name);
      } else if (`${value as string},`.length * count < LONG)
        await refusal(() => ask(served.app, op, `${name}=${values.join(',')}`), name);
      if (place === 'body' || count > 100) continue;
      if (!PROCEDURES.some(([known]) => known === operation)) continue;
      const answer = await call(served.app, operation, JSON.stringify({ ...leastInput(op), [name]: values }));
      expect([answer.status, paths(await answer.json())]).toEqual([400, [name]]);
    }
  });

  test('C6c a search of 10 KB does not fit a request, one of 7 KB not the rules', async () => {
    const tooLong = await served.app.get(`/v1/models?search=${'a'.repeat(10_240)}`);
    expect([tooLong.status, tooLong.headers.get('content-type')]).toEqual([
      431,
      'application/problem+json; charset=utf-8',
    ]);
    await refusal(() => served.app.get(`/v1/models?search=${'a'.repeat(LONG)}`), 'search');
  });

  test('C6d a thousand parameters are named, a hundred of them, and soon', async () => {
    const from = performance.now();
    const unknown = Array.from({ length: 1_000 }, (_, index) => `p${index}=`).join('&');
    const same = Array<string>(1_400).fill('kind').join('&');
    const first = await problemIn(await served.app.get(`/v1/models?${unknown}`));
    expect([first.status, first.errors.length]).toEqual([400, 100]);
    expect(first.detail.length).toBeLessThanOrEqual(1_000);
    await refusal(() => served.app.get(`/v1/changes?${same}`), 'kind');
    expect(performance.now() - from).toBeLessThan(2 * SECOND_MS);
  });

  test('C6e a body that is all brackets is refused, wherever it is', async () => {
    const deep = (inside: string) => inside.replace('DEEP', '['.repeat(8_000) + ']'.repeat(8_000));
    const bodies: [path: string, body: string][] = [
      ['/v1/resolve', deep('DEEP')],
      ['/v1/resolve', deep('{"ids":DEEP}')],
      ['/v1/resolve', deep('{"x":DEEP}')],
      ['/v1/admin/sync', deep('{"x":DEEP}')],
      ['/v1/admin/incidents', deep('{"title":DEEP}')],
      ['/trpc/resolve.many', deep('{"ids":DEEP}')],
      ['/trpc/admin.sync.start', deep('{"x":DEEP}')],
      ['/trpc/admin.incidents.open', deep('{"title":DEEP}')],
      ['/trpc/admin.sync.start?batch=1', deep('{"0":{"x":DEEP}}')],
    ];
    for (const [path, body] of bodies) {
      expect(body.length).toBeLessThanOrEqual(16_384);
      const answer = await postJson(served.app.url + path, body);
      expect([path, answer.status, await answer.text()]).toEqual([path, 400, expect.any(String)]);
    }
  });
});

/** The inputs that have their place in the body. */
function withoutPath(op: { path: string }, input: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(input).filter(([name]) => !op.path.includes(`{${name}}`)));
}

/** The parameters that a refused tRPC call names. */
function paths(body: unknown): string[] {
  const { errors } = (body as { error: { data: Problem } }).error.data;
  return [...new Set(errors.map(({ path }) => path.split('.')[0] ?? ''))];
}
