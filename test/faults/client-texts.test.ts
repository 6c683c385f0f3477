import { afterAll, beforeAll, expect, test } from 'vitest';
import { DATABASES } from '../support/databases.ts';
import { sendRaw, sendTarget, statusOf } from '../support/raw.ts';
import { problemIn, startSynced, type Served } from '../support/synced.ts';
import {
  ask,
  call,
  leastInput,
  PARAMETERS,
  pathOf,
  postJson,
  PROCEDURES,
  type Parameter,
} from './support/operations.ts';

let services: Served[];
beforeAll(async () => {
  services = await Promise.all(DATABASES.map(({ create }) => startSynced(create)));
});
afterAll(async () => {
  for (const { app, close } of services) {
    expect(app.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
    await close();
  }
});

const named = (parameters: Parameter[]) =>
  parameters
    .filter(({ schema }) => schema.type === 'string')
    .map((parameter) => ({ ...parameter, title: `${parameter.operation} ${parameter.name}` }));
const texts = named(PARAMETERS);
const inUrl = texts.filter(({ place }) => place !== 'body');

/** Percent-encoded, what is no text, or none that a database keeps. */
const BROKEN = {
  NUL: '%00',
  'NUL within': 'a%00b',
  'a percent sign': '%',
  'half an escape': 'a%2',
  'no digits': '%zz',
  'an overlong slash': '%C0%AF',
  'a longer slash': '%E0%80%AF',
  'an overlong NUL': '%C0%80',
  'the first half of a character': '%ED%A0%80',
  'the second half': '%ED%B0%80',
  'two halves': '%ED%A0%BD%ED%B8%80',
  'a lone byte': '%FF',
  'a byte of the middle': '%80',
  'a text cut off': 'a%E2%82',
  'what is beyond Unicode': '%F4%90%80%80',
};

/** Asks with a text in its place, percent-encoded already. */
const askWith = ({ app }: Served, { op, name, place }: Parameter, text: string) =>
  place === 'path'
    ? ask(app, op, '', { path: pathOf(op, { [name]: text }) })
    : ask(app, op, `${name}=${text}`);

test.each(inUrl)('C8 $title is a text, or refused', async (parameter) => {
  const tries = services.flatMap((served) =>
    Object.entries(BROKEN).map(async ([what, text]) => {
      const { status, errors } = await problemIn(await askWith(served, parameter, text));
      expect([what, status]).toEqual([what, 400]);
      // What can not be decoded is refused before anybody knows which path is meant.
      if (parameter.place === 'query' || text.includes('%00'))
        expect([what, errors.map(({ path }) => path)]).toEqual([what, [parameter.name]]);
    }),
  );
  await Promise.all(tries);
});

/** Texts of every kind that is one. */
const WHOLE = {
  'right to left': 'אבג',
  'turned around': '\u202eevil\u202c',
  'four bytes': '🦙',
  'a family of signs': '👩‍👩‍👧‍👦',
  'the last of Unicode': '\u{10ffff}',
  'no character': '\uffff',
  'a mark for what was broken': '\ufffd',
  'a mark of byte order': '\ufeffx',
  'a heap of accents': `z${'\u0301'.repeat(60)}`,
  'control characters': '\u0001\u007f\u0085x',
  'a new line': 'a\r\nb',
  'a percent sign': '100%',
  'an escape': '%00',
  quotes: `'"\`$1;--`,
};

test.each(inUrl)('C8a $title takes any text there is, the same on both databases', async (parameter) => {
  const statusOn = async (served: Served, text: string): Promise<number> => {
    const answer = await askWith(served, parameter, encodeURIComponent(text));
    if (answer.status === 200) await answer.body?.cancel();
    else await problemIn(answer);
    // An address has ten streams, and the service hears a little later that one was left.
    return answer.status === 429 ? statusOn(served, text) : answer.status;
  };
  const tries = Object.entries(WHOLE).map(async ([what, text]) => {
    const [first = 0, second] = await Promise.all(services.map((served) => statusOn(served, text)));
    expect([200, 400, 404], what).toContain(first);
    expect(second, what).toBe(first);
  });
  await Promise.all(tries);
});

/** In JSON, what is no text, or none that a database keeps. */
const ESCAPES = ['\\u0000', 'a\\u0000b', '\\ud800', '\\udc00', '\\udc00\\ud800', 'a\\ud83eb'];
const procedures = new Map(PROCEDURES);
const called = texts.filter(
  ({ operation, schema }) => procedures.has(operation) && schema.enum === undefined,
);

test.each(called)('C8b $title is a text in JSON too, or refused', async (parameter) => {
  const { operation, op, name, place } = parameter;
  const withText = (text: string, input: object) =>
    JSON.stringify({ ...input, [name]: '' }).replace(`"${name}":""`, `"${name}":"${text}"`);
  for (const { app } of services) {
    for (const text of ESCAPES) {
      const answer = await call(app, operation, withText(text, leastInput(op)));
      const { error } = (await answer.json()) as { error?: { data: { errors: { path: string }[] } } };
      expect([text, answer.status, error?.data.errors[0]?.path]).toEqual([text, 400, name]);
      if (place !== 'body') continue;
      const { id: _, ...body } = leastInput(op);
      const refused = await problemIn(await postJson(app.url + pathOf(op), withText(text, body)));
      expect([text, refused.status, refused.errors[0]?.path]).toEqual([text, 400, name]);
    }
  }
});

test('C8c names to resolve are texts, each on its own', async () => {
  for (const { app } of services) {
    for (const text of ESCAPES) {
      const body = `{"ids":[{"id":"gpt-5-mini"},{"id":"${text}"},{"id":"x","source":"${text}"}]}`;
      const { status, errors } = await problemIn(await postJson(`${app.url}/v1/resolve`, body));
      const paths = errors.map(({ path }) => path);
      expect([text, status, paths]).toEqual([text, 400, ['ids.1.id', 'ids.2.source']]);
    }
  }
});

test('C8d what is said in any script is kept as it was said', async () => {
  for (const { client } of services) {
    for (const text of Object.values(WHOLE)) {
      const { data } = await client.admin.incidents.open.mutate({ title: text, severity: 3, message: text });
      expect([data.title, data.updates[0]?.message]).toEqual([text, text]);
      const listed = (await client.incidents.list.query({ limit: 100 })).data;
      expect(listed.find(({ id }) => id === data.id)).toEqual(data);
      const resolved = await client.resolve.many.mutate({ ids: [{ id: `x${text}` }] });
      expect(resolved.data[0]?.query.id).toBe(`x${text}`.trim());
    }
  }
});

test('C8e bytes beyond ASCII are no URL, and no name of a parameter is NUL', async () => {
  for (const { app } of services) {
    const port = Number(new URL(app.url).port);
    for (const target of ['/v1/models?search=é', '/v1/models/openai/é', '/v1/é', '/trpc/é'])
      expect(statusOf(await sendTarget(port, target))).toBe(400);
    expect(statusOf(await sendRaw(port, 'GET /v1/models?search=a\0b HTTP/1.1\r\nHost: a\r\n\r\n'))).toBe(400);
    for (const name of ['%00', 'limit%00', '%FF', '%'])
      expect((await problemIn(await app.get(`/v1/models?${name}=1`))).status).toBe(400);
  }
});

test.each(['a\u0080', '1, 1', '1.5', '-', '1'.repeat(16), '1'.repeat(5_000), '0x1', "1' or 1=1"])(
  'C8f a Last-Event-ID of %s is none',
  async (id) => {
    for (const { app } of services) {
      const { status, errors } = await problemIn(
        await app.get('/v1/changes/stream', { 'last-event-id': id }),
      );
      expect([status, [...new Set(errors.map(({ path }) => path))]]).toEqual([400, ['lastEventId']]);
    }
  },
);
