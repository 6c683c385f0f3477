import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Problem } from '../../contracts/errors.ts';
import { DATABASES } from '../support/databases.ts';
import { startSynced, type Served } from '../support/synced.ts';

const ID = 'openai/gpt-5-mini';
const ITEM = encodeURIComponent('{"creator":"openai","slug":"gpt-5-mini"}');

/** What goes wrong within, where it shows, and what the log has to know of it. */
interface Fault {
  name: string;
  plant: string;
  mend: string;
  /** The REST paths that meet it, and the tRPC calls. */
  paths: string[];
  calls: [name: string, input: string][];
  logged: RegExp;
}

/** A row of a model as it should not be; each model and each page is asked for by one fault alone, so that none is known yet. */
function brokenRow(name: string, id: string, limit: number, document: string, logged: RegExp): Fault {
  const [creator, slug] = id.split('/');
  return {
    name,
    plant: `update models set document = ${document} where id = '${id}'`,
    mend: `update models set document = kept_document where id = '${id}'`,
    paths: [`/v1/models?limit=${limit}`, `/v1/models/${id}`, `/v1/models?search=${slug}&sort=-name`],
    calls: [
      ['models.list', `%7B%22limit%22:${limit}%7D`],
      ['models.get', encodeURIComponent(JSON.stringify({ creator, slug }))],
    ],
    logged,
  };
}

const [OPUS, DEEPSEEK, LLAMA] = [
  'anthropic/claude-3-opus-20240229',
  'deepseek/deepseek-v3.2',
  'meta/llama-3.3-70b-instruct',
] as const;

const FAULTS: Fault[] = [
  {
    name: 'a table that is gone',
    plant: 'alter table offers rename to offers_put_away',
    mend: 'alter table offers_put_away rename to offers',
    paths: [`/v1/models/${ID}`, `/v1/models/${ID}/offers?limit=37`, '/v1/models?provider=azure'],
    calls: [
      ['models.get', ITEM],
      ['models.offers', ITEM],
    ],
    logged: /offers/,
  },
  {
    name: 'a column that is gone',
    plant: 'alter table changes rename column observed_at to observed_at_put_away',
    mend: 'alter table changes rename column observed_at_put_away to observed_at',
    paths: ['/v1/changes?limit=37', '/v1/changes.atom?limit=37', `/v1/models/${ID}/history`],
    calls: [
      ['changes.list', '%7B%7D'],
      ['models.history', ITEM],
    ],
    logged: /observed_at/,
  },
  brokenRow('a row that is no JSON', OPUS, 37, `'{"secret-of-the-row'`, /JSON/),
  brokenRow(
    'a row that lacks everything',
    DEEPSEEK,
    38,
    `'{"id":"${DEEPSEEK}"}'`,
    /undefined|output|lifecycle/i,
  ),
  brokenRow(
    'a row that breaks the contract',
    LLAMA,
    39,
    `replace(kept_document, '"id":"${LLAMA}"', '"id":"not an id of the-secret-row"')`,
    /Output validation failed|pattern|invalid_format/i,
  ),
];

/** What tells of the inside: SQL, tables, columns, files, stacks, libraries and their versions. */
const INSIDE =
  /\bselect\b|\binsert\b|\bupdate\b|\bwhere\b|sqlite|postgres|\bpg\b|\bsql\b|kysely|mikro|zod|fastify|trpc\/server|node_modules|node:|\.[jt]s\b|\bat \w+[. ]|JSON|offers_put|observed_at|relation|column|table|secret|document|undefined|Output|v?\d+\.\d+\.\d+/i;
/** The name of the service of each header that answers may have. */
const TELLING = ['server', 'x-powered-by', 'via', 'x-runtime', 'x-aspnet-version'];

describe.each(DATABASES)('what goes wrong within is not told on $name', ({ create }) => {
  let served: Served;
  beforeAll(async () => {
    served = await startSynced(create);
    await run('alter table models add column kept_document text');
    await run('update models set kept_document = document');
  });
  afterAll(() => served.close());
  const run = (statement: string) => sql.raw(statement).execute(served.app.database.write);

  /** That a problem says the least, and that the log says the rest, once. */
  function expectBare(problem: Problem, response: Response, logged: RegExp, instance: string): void {
    const { requestId } = problem;
    expect(problem).toEqual({
      type: 'about:blank',
      title: 'Something went wrong on our side',
      status: 500,
      detail: `Something went wrong on our side. Quote the request id ${requestId} when you report it.`,
      instance,
      code: 'INTERNAL_SERVER_ERROR',
      requestId,
      errors: [],
    });
    expect(requestId).toBe(response.headers.get('x-request-id'));
    const lines = served.app.log.filter(
      (line) => line.requestId === requestId && line.msg === 'Unexpected error',
    );
    expect(lines).toMatchObject([
      { level: 50, err: { message: expect.any(String), stack: expect.any(String) } },
    ]);
    expect(JSON.stringify(lines[0]?.err)).toMatch(logged);
  }

  /** The text of an answer, of which nothing may tell of the inside. */
  async function textOf(response: Response): Promise<string> {
    const text = await response.text();
    expect(text.replaceAll(/"(instance|requestId)":"[^"]*"|request id \S+/g, '')).not.toMatch(INSIDE);
    for (const name of TELLING) expect(response.headers.has(name)).toBe(false);
    expect(response.headers.has('etag')).toBe(false);
    expect(response.headers.get('cache-control')).toBe('no-store');
    return text;
  }

  test.each(FAULTS)('C34 $name', async ({ plant, mend, paths, calls, logged }) => {
    await run(plant);
    try {
      for (const path of paths) {
        const response = await served.app.get(path);
        expect([path, response.status]).toEqual([path, 500]);
        const problem = JSON.parse(await textOf(response)) as Problem;
        expectBare(problem, response, logged, path.replace(/\?.*/, ''));
        const head = await fetch(served.app.url + path, { method: 'HEAD' });
        expect([head.status, await head.text()]).toEqual([500, '']);
      }
      for (const [name, input] of calls) {
        const response = await served.app.get(`/trpc/${name}?input=${input}`);
        expect([name, response.status]).toEqual([name, 500]);
        const { error, ...rest } = JSON.parse(await textOf(response)) as {
          error: { code: number; message: string; data: Problem };
        };
        expectBare(error.data, response, logged, `/trpc/${name}`);
        expect(rest).toEqual({});
        expect(error).toEqual({ code: -32_603, message: error.data.detail, data: error.data });
      }
      const [name, input] = calls[0] ?? ['', ''];
      const inputs = `%7B%220%22:%7B%7D,%221%22:${input}%7D`;
      const batch = await served.app.get(`/trpc/health.live,${name}?batch=1&input=${inputs}`);
      expect(batch.status).toBe(207);
      const [fine, failed] = (await batch.json()) as [{ result: object }, { error: { data: Problem } }];
      expect(Object.keys(fine)).toEqual(['result']);
      expect(JSON.stringify({ ...failed.error.data, instance: '', requestId: '', detail: '' })).not.toMatch(
        INSIDE,
      );
      expectBare(failed.error.data, batch, logged, `/trpc/health.live,${name}`);
    } finally {
      await run(mend);
    }
    for (const path of paths) expect([path, (await served.app.get(path)).status]).toEqual([path, 200]);
  });

  test('C34a pages and health do not tell either', async () => {
    await run('alter table models rename to models_put_away');
    try {
      const paths = ['/health', '/health/ready', '/status', '/v1/status', '/v1/status/summary', '/docs'];
      for (const path of paths) {
        const response = await served.app.get(path);
        const text = await response.text();
        expect(text, path).not.toMatch(
          /put_away|no such|relation "|does not exist|node_modules|[a-z]\.[jt]s:\d/,
        );
        for (const name of TELLING) expect(response.headers.has(name)).toBe(false);
      }
    } finally {
      await run('alter table models_put_away rename to models');
    }
  });

  test('C34-seen what tells of the inside would be seen', () => {
    expect('select * from models').toMatch(INSIDE);
    expect('at Object.get (/app/server.ts:1:2)').toMatch(INSIDE);
    expect('Something went wrong on our side.').not.toMatch(INSIDE);
  });
});
