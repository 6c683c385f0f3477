import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ModelDetail, type Model } from '../../contracts/models.ts';
import { DATABASES } from '../support/databases.ts';
import { checkModel, checkOffer } from '../support/invariants.ts';
import { MUTATED_SOURCES } from '../support/mutated-sources.ts';
import { mutated, MUTATION_SEED, MUTATIONS } from '../support/mutations.ts';
import { startServed, type Served } from '../support/synced.ts';

/** Payloads of each source in a round; every twentieth of those that are read is stored. */
const BATCH = 50;
const ROUNDS = Math.max(2, Math.round(MUTATIONS / 20 / BATCH));

/** What the upstreams answer in a round: every source mutated, Artificial Analysis in one shape after the other. */
function answersOf(round: number): Map<string, Buffer> {
  const shapes = MUTATED_SOURCES.filter(
    ({ source, name }) =>
      source.id !== 'artificialanalysis' || name.includes('retired') === (round % 2 === 1),
  );
  const answers = new Map<string, Buffer>();
  for (const [index, { payloads, answers: hold }] of shapes.entries()) {
    const seed = MUTATION_SEED + round * MUTATED_SOURCES.length + index;
    const [batch = []] = fc.sample(mutated(payloads, BATCH), { seed, numRuns: 1 });
    for (const [path, body] of Object.entries(hold(batch))) {
      const before = answers.get(path);
      // Both parts of models.dev are answered in every round; the mutated one has more in it.
      const text = Buffer.from(JSON.stringify(body));
      if (before === undefined || before.length < text.length) answers.set(path, text);
    }
  }
  return answers;
}

const TABLES = [
  'records',
  'record_keys',
  'models',
  'offers',
  'model_aliases',
  'aliases',
  'conflicts',
  'providers',
  'changes',
  'model_versions',
  'offer_versions',
] as const;

const isTime = (column: string) => /_(at|since|from|to)$/.test(column);

/** Every stored row but for its times and the number of a change, as text: the same on whichever database. */
async function rowsOf({ app }: Served, table: (typeof TABLES)[number]): Promise<string[]> {
  const rows = (await app.database.read.selectFrom(table).selectAll().execute()) as Record<string, unknown>[];
  return rows
    .map((row) => {
      const columns = Object.entries(row).filter(
        ([column]) => !isTime(column) && !(table === 'changes' && column === 'id'),
      );
      // Postgres answers 64-bit integers as text.
      const plain = columns.map(([column, value]) => [
        column,
        value === null ? null : `${value as string | number}`,
      ]);
      return JSON.stringify(plain.toSorted());
    })
    .toSorted();
}

describe(`mutated payloads, ${ROUNDS} syncs one upon the other`, () => {
  const served: Served[] = [];
  let answers = new Map<string, Buffer>();

  beforeAll(async () => {
    for (const { create } of DATABASES) {
      const one = await startServed(create);
      one.upstream.script(
        () => true,
        (request, response, next) => {
          const path = request.url?.split('?')[0]?.slice(1) ?? '';
          const body = answers.get(path);
          if (body === undefined) return next();
          response.writeHead(200, { 'content-type': 'application/json' }).end(body);
        },
      );
      served.push(one);
    }
  });
  afterAll(() => Promise.all(served.map((one) => one.close())));

  test.each(Array.from({ length: ROUNDS }, (_, round) => round))(
    `U20m-stored round %i of seed ${MUTATION_SEED}: both databases hold the same`,
    { timeout: 120_000 },
    async (round) => {
      answers = answersOf(round);
      for (const { app } of served) {
        const run = await app.sync('?force=true');
        expect(run.status, run.message).toBe('completed');
        expect(run.totalStored).toBeGreaterThan(BATCH);
      }
      const [sqlite, postgres] = served as [Served, Served];
      for (const table of TABLES) {
        const [one, other] = await Promise.all([rowsOf(sqlite, table), rowsOf(postgres, table)]);
        const at = one.findIndex((row, index) => row !== other[index]);
        expect({ table, rows: one.length, row: one[at] }).toEqual({
          table,
          rows: other.length,
          row: other[at],
        });
      }
    },
  );

  test.each(DATABASES.map(({ name }, index) => ({ name, index })))(
    'U27m-stored on $name every stored model is listed, and found by its id',
    { timeout: 300_000 },
    async ({ index }) => {
      const { app } = served[index] as Served;
      const listed = new Set<string>();
      for (let cursor: string | null = ''; cursor !== null;) {
        const page: { data: Model[]; meta: { nextCursor: string | null } } = await app.json(
          `/v1/models?limit=100&sort=-name${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
        );
        for (const model of page.data) checkModel(model);
        for (const { id } of page.data) listed.add(id);
        cursor = page.meta.nextCursor;
      }
      const stored = await app.database.read
        .selectFrom('models')
        .select(['id', 'delisted', 'restricted'])
        .execute();
      expect([...listed].toSorted()).toEqual(
        stored
          .filter(({ delisted }) => delisted === 0)
          .map(({ id }) => id)
          .toSorted(),
      );
      for (const { id } of stored) {
        const path = id.split('/').map(encodeURIComponent).join('/');
        const answer = await app.get(`/v1/models/${path}?include=provenance`);
        const body = (await answer.json()) as { data: ModelDetail };
        expect(answer.status, `${id}: ${JSON.stringify(body).slice(0, 500)}`).toBe(200);
        expect(ModelDetail.safeParse(body.data).error).toBeUndefined();
        expect(body.data.id).toBe(id);
        for (const offer of body.data.offers) checkOffer(offer);
      }
    },
  );

  test('U33m-stored no mutated text ends up as a line of the log, or as an answer of 500', () => {
    for (const { app } of served) {
      const messages = app.log.map((line) => String(line.msg));
      expect(messages.filter((message) => /[\n\r]|drop table|alert\(1\)/.test(message))).toEqual([]);
      expect(app.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
    }
  });
});
