import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { DATABASES } from '../support/databases.ts';
import { MUTATED_SOURCES } from '../support/mutated-sources.ts';
import { ideographs } from '../support/mutations.ts';
import { startServed, type Served } from '../support/synced.ts';

/** What JSON can say and an item may not hold, as a field of the item. */
const FAULTS = [
  ['U17', 'an infinity', '"faulty":1e400', 'holds a number too large for JSON'],
  ['U17', 'a lost integer', '"faulty":12345678901234567890', 'holds an integer beyond 2^53'],
  ['U17', 'a prototype', '"__proto__":{"polluted":true}', 'holds a key __proto__'],
  ['U18', 'a nesting of 100', `"faulty":${'['.repeat(100)}${']'.repeat(100)}`, 'is nested more than 32 deep'],
  ['U18', 'a text of 10 MB', `"faulty":"${'x'.repeat(10_000_000)}"`, 'holds more than 1000000 characters'],
  ['U18', 'a list of 1,000,000', `"faulty":[${'0,'.repeat(999_999)}0]`, 'holds more than 20000 values'],
] as const;

/** The model's own entry in a payload: below its provider, or its id, or the payload itself. */
function entryOf(payload: unknown): Record<string, unknown> {
  const object = payload as Record<string, unknown>;
  const keys = Object.keys(object);
  const inner = keys.includes('models') ? object.models : keys.length === 1 ? object[keys[0] ?? ''] : null;
  return inner === null ? object : entryOf(inner);
}

/** The items among which a faulty one is put. */
const SOUND = 30;

const cases = MUTATED_SOURCES.flatMap((subject) =>
  FAULTS.map(([row, what, text, reason]) => ({ row, name: subject.name, what, text, reason, subject })),
);

describe.each(DATABASES)('one faulty item among sound ones on $name', ({ name: database, create }) => {
  let served: Served;
  let answers = new Map<string, string>();

  beforeAll(async () => {
    served = await startServed(create);
    served.upstream.script(
      () => true,
      (request, response, next) => {
        const body = answers.get(request.url?.split('?')[0]?.slice(1) ?? '');
        if (body === undefined) return next();
        response.writeHead(200, { 'content-type': 'application/json' }).end(body);
      },
    );
  });
  afterEach(() => answers.clear());
  afterAll(() => served.close());

  // What is not about the database is asked of one of them.
  test.each(database === 'SQLite' ? cases : [])(
    '$row-$name $what: it is rejected, and the others are stored',
    async ({ text, reason, subject }) => {
      const { source, payloads, answers: hold } = subject;
      const marked = structuredClone(payloads.slice(0, SOUND));
      entryOf(marked[1]).marker = 'here';
      answers = new Map(
        Object.entries(hold(marked)).map(([path, body]) => [
          path,
          JSON.stringify(body).replace('"marker":"here"', () => text),
        ]),
      );
      const run = await served.app.sync('?force=true');
      expect(run.status).toBe('completed');
      const outcome = run.sources.find((one) => one.source === source.id);
      expect(outcome?.rejections).toMatchObject([
        { count: 1, reason: expect.stringContaining(reason) as string },
      ]);
      expect(outcome?.parsed).toBe(Number(outcome?.fetched) - 1);
      expect(outcome?.rejections[0]?.samples[0]?.length).toBeLessThanOrEqual(200);
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    },
  );

  test(`U27-stored on ${database} ids as long as they may be are stored, and models found by them`, async () => {
    const provider = ideographs(100);
    const id = `a${ideographs(166)}`;
    const key = `a${ideographs(66)}`;
    const text = JSON.stringify({
      [provider]: { name: 'P', models: { [key]: { id, name: ideographs(500) } } },
    });
    const row = { id, name: id, canonical_slug: id, hugging_face_id: id, alias_target: { slug: id } };
    answers = new Map([
      ['modelsdev/api.json', text],
      ['openrouter/api/v1/models', JSON.stringify({ data: [row] })],
    ]);
    const run = await served.app.sync('?force=true');
    expect([run.status, run.message]).toEqual(['completed', run.message]);
    const outcomes = run.sources.filter(({ source }) => ['models.dev', 'openrouter'].includes(source));
    expect(outcomes.map(({ rejected }) => rejected)).toEqual([0, 0]);
    for (const name of [id, `${provider}/${id}`]) {
      const answer = await served.app.get(`/v1/resolve?id=${encodeURIComponent(name)}`);
      expect([200, 409]).toContain(answer.status);
    }
    const listed = await served.app.json<{ data: unknown[] }>(
      `/v1/models?provider=${encodeURIComponent(provider)}`,
    );
    expect(listed.data).toHaveLength(1);
  });
});
