import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Problem } from '../../contracts/errors.ts';
import type { Incident } from '../../contracts/incidents.ts';
import { DATABASES } from '../support/databases.ts';
import { problemIn, startSynced, type Served } from '../support/synced.ts';
import {
  ask,
  call,
  IN_QUERY,
  leastInput,
  OPERATIONS,
  PARAMETERS,
  pathOf,
  postJson,
  PROCEDURES,
} from './support/operations.ts';

/** Parameters of one kind, as tables of tests list them. */
const listed = (kinds: string[], parameters = IN_QUERY) =>
  parameters
    .filter(({ schema }) => kinds.includes(String(schema.type)))
    .map((parameter) => ({ ...parameter, title: `${parameter.operation} ${parameter.name}` }));

/** A value of a parameter that it takes. */
function fitting({ name, schema }: (typeof IN_QUERY)[number]): string {
  const options = schema.enum ?? (schema.items as { enum?: unknown[] } | undefined)?.enum;
  if (options !== undefined) return String(options[0]);
  if (schema.type === 'boolean') return 'true';
  if (name === 'lastEventId' || schema.type === 'integer' || schema.type === 'number') return '1';
  return ['before', 'after'].includes(name) ? '2026-03-01' : schema.maxLength === 30 ? '2026-03-01' : 'x';
}

const NOT_NUMBERS =
  '1e1 0x10 0b1 0o7 %205 5%20 5%0A 5%00 %EF%BC%95 %D9%A5 -1 -0 +5 %2B5 NaN Infinity 9e99 1_000 5n .5 5. 1,2 null true [] {}';

/** Names that every object of JavaScript has, and ways to write through them. */
const INHERITED = [
  '__proto__',
  'constructor',
  'toString',
  'hasOwnProperty',
  'valueOf',
  'prototype',
  '__defineGetter__',
  '__proto__[polluted]',
  '__proto__.polluted',
  'constructor[prototype][polluted]',
  'constructor.prototype.polluted',
];

describe.each(DATABASES)('parameters on $name', ({ create }) => {
  let served: Served;
  const everyObject = Object.getOwnPropertyNames(Object.prototype);
  beforeAll(async () => {
    served = await startSynced(create);
  });
  afterAll(async () => {
    expect(served.app.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
    await served.close();
  });

  /** That an answer is a problem which names exactly this fault. */
  async function expectRefused(response: Response, path: string, what: string): Promise<void> {
    const { status, code, errors } = await problemIn(response);
    expect([what, status, code, faulty(errors)]).toEqual([what, 400, 'BAD_REQUEST', [path]]);
    expect(errors[0]?.message.length, what).toBeGreaterThan(5);
  }

  /** The same of a tRPC call. */
  async function expectCallRefused(response: Response, path: string, what: string): Promise<void> {
    const { error } = (await response.json()) as { error?: { data: Problem } };
    const { status, errors = [] } = error?.data ?? {};
    expect([what, response.status, status, faulty(errors)]).toEqual([what, 400, 400, [path]]);
  }

  const numeric = listed(['integer', 'number']);
  test('C1-all every list has numbers to try', () => expect(numeric.length).toBeGreaterThan(15));

  test.each(numeric)('C1 $title takes digits alone', async ({ op, name, schema }) => {
    const isWhole = schema.type === 'integer';
    const bad = [...NOT_NUMBERS.split(' '), String(Number(schema.maximum) + 1), '9'.repeat(400)];
    if (isWhole) bad.push('1.0');
    if (Number(schema.minimum) > 0) bad.push('0', '00');
    for (const value of bad)
      await expectRefused(await ask(served.app, op, `${name}=${value}`), name, `${name}=${value}`);
    const plain = await ask(served.app, op, `${name}=5`);
    expect(plain.status).toBe(200);
    const padded = await ask(served.app, op, `${name}=05`);
    const { timestamp: _plain, ...same } = (await readAnswer(plain)) as Record<string, unknown>;
    expect(await readAnswer(padded)).toMatchObject(same);
    expect(padded.headers.get('etag')).toBe(plain.headers.get('etag'));
  });

  const procedures = new Set(PROCEDURES.map(([name]) => name));
  const called = numeric.filter(({ operation }) => procedures.has(operation));
  test.each(called)('C1a $title by tRPC takes numbers alone', async ({ operation, op, name, schema }) => {
    const bad = ['"5"', '""', 'null', 'true', '[5]', '{}', '-1', '1e99', '1e400'];
    bad.push(String(Number(schema.maximum) + 1));
    if (schema.type === 'integer') bad.push('1.5');
    for (const value of bad) {
      const input = JSON.stringify({ ...leastInput(op), [name]: 0 }).replace(
        `"${name}":0`,
        `"${name}":${value}`,
      );
      await expectCallRefused(await call(served.app, operation, input), name, input);
    }
  });

  test.each(OPERATIONS)('C1b %s refuses names that it does not know', async (name, op) => {
    await expectRefused(await ask(served.app, op, 'nonsense=1'), 'nonsense', name);
    await expectRefused(await ask(served.app, op, '%C3%A9'), 'é', name);
  });

  const single = IN_QUERY.filter(({ schema }) => schema.type !== 'array');
  test.each(single)('C2 $operation $name is given once', async (parameter) => {
    const { op, name } = parameter;
    const value = fitting(parameter);
    for (const query of [`${name}=${value}&${name}=${value}`, `${name}=${value}&${name}=`])
      await expectRefused(await ask(served.app, op, query), name, query);
  });

  test.each(IN_QUERY)('C2a $operation $name has no brackets and is not empty', async (parameter) => {
    const { op, name } = parameter;
    const value = fitting(parameter);
    const upper = name === name.toUpperCase() ? `x${name}` : name.toUpperCase();
    for (const other of [`${name}[]`, `${name}[0]`, `${name}%5B%5D`, `${name}.0`, `%20${name}`, upper]) {
      const { status, errors } = await problemIn(await ask(served.app, op, `${other}=${value}`));
      expect([status, errors.map(({ path }) => path)]).toEqual([400, [decodeURIComponent(other)]]);
    }
    // Browsers send an empty Last-Event-ID by themselves.
    if (name === 'lastEventId') return;
    for (const query of [`${name}=`, name])
      await expectRefused(await ask(served.app, op, query), name, query);
  });

  const lists = listed(['array']);
  test.each(lists)('C2b $title takes several values, each of them whole', async (parameter) => {
    const { op, name } = parameter;
    const value = fitting(parameter);
    for (const query of [`${name}=${value}&${name}=${value}`, `${name}=${value},${value}`]) {
      const answer = await ask(served.app, op, query);
      expect([query, answer.status]).toEqual([query, 200]);
      await answer.body?.cancel();
    }
    for (const query of [`${name}=,`, `${name}=${value},`, `${name}=${value}&${name}=`]) {
      await expectRefused(await ask(served.app, op, query), name, query);
    }
  });

  test.each(listed(['boolean']))('C3 $title is true or false', async ({ op, name }) => {
    for (const value of '1 0 yes no on off TRUE False t f %20true true%20 true,false null'.split(' '))
      await expectRefused(await ask(served.app, op, `${name}=${value}`), name, value);
  });

  test('C3a false is not true: what is over, and what is not', async () => {
    const { admin } = served.client;
    const open = (title: string) =>
      admin.incidents.open.mutate({ title, severity: 3, message: 'We are looking into it.' });
    const [first, second] = [await open('Over'), await open('Open')];
    await admin.incidents.update.mutate({ id: first.data.id, status: 'resolved', message: 'It is over.' });
    const idsOf = async (query: string) =>
      (await served.app.json<{ data: Incident[] }>(`/v1/incidents?${query}`)).data.map(({ id }) => id);
    expect(await idsOf('open=true')).toEqual([second.data.id]);
    expect(await idsOf('open=false')).toEqual([first.data.id]);
    expect((await idsOf('')).toSorted()).toEqual([first.data.id, second.data.id].toSorted());
    for (const value of ['"false"', '0', 'null', '[]'])
      await expectCallRefused(await call(served.app, 'incidents.list', `{"open":${value}}`), 'open', value);
    expect((await served.app.sync('?force=false')).forced).toBe(false);
    expect((await served.app.sync('?force=true')).forced).toBe(true);
  });

  test.each(OPERATIONS)('C4 %s has no inherited parameters', async (_, op) => {
    for (const name of INHERITED)
      await expectRefused(await ask(served.app, op, `${encodeURIComponent(name)}=1`), name, name);
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(everyObject);
  });

  test.each(PROCEDURES)('C4a %s has none in its input', async (name, op) => {
    for (const inherited of INHERITED) {
      const input = `{${JSON.stringify(inherited)}:{"polluted":1,"prototype":{"polluted":1}}}`;
      const answers = [await call(served.app, name, input)];
      if (op.method === 'POST') answers.push(await postJson(served.app.url + pathOf(op), input));
      expect([inherited, ...answers.map(({ status }) => status)]).toEqual([
        inherited,
        ...answers.map(() => 400),
      ]);
      for (const answer of answers) expect(await answer.text()).toContain('"code":"BAD_REQUEST"');
    }
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
    expect(Object.getOwnPropertyNames(Object.prototype)).toEqual(everyObject);
  });

  test('C4b they name nothing as values either', async () => {
    const texts = PARAMETERS.filter(({ schema, place }) => {
      const isFree = schema.type === 'string' && schema.enum === undefined && schema.format === undefined;
      return isFree && place !== 'body';
    });
    for (const { operation, op, name, place } of texts) {
      for (const inherited of INHERITED.slice(0, 7)) {
        const value = encodeURIComponent(inherited);
        const path = pathOf(op, { [name]: value });
        const answer = await ask(served.app, op, place === 'query' ? `${name}=${value}` : '', { path });
        const what = `${operation} ${name}=${inherited} is ${answer.status}`;
        expect([200, 400, 404], what).toContain(answer.status);
        if (answer.status !== 200) await problemIn(answer);
        else if (op.cache !== null) expect(await answer.text(), what).not.toMatch(/<entry>|"data":\[\{/);
        else await answer.body?.cancel();
      }
    }
    for (const inherited of INHERITED.slice(0, 7)) {
      expect((await served.app.get(`/trpc/${inherited}`)).status).toBe(404);
      expect((await served.app.get(`/trpc/models.${inherited}`)).status).toBe(404);
      expect((await served.app.get(`/trpc/models.list.${inherited}`)).status).toBe(404);
      expect((await served.app.get(`/v1/${inherited}`)).status).toBe(404);
    }
  });
});

/** The parameters that a problem names: of a list, whichever of its values is wrong. */
function faulty(errors: Problem['errors']): string[] {
  return [...new Set(errors.map(({ path }) => path.replace(/\.\d+$/, '')))];
}

/** The body of an answer: JSON, or the beginning of what is not. */
async function readAnswer(answer: Response): Promise<unknown> {
  if (answer.headers.get('content-type')?.startsWith('application/json')) return answer.json();
  return { text: await answer.text() };
}
