import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Model, MODEL_SORTS, type ModelSort } from '../../contracts/models.ts';
import type { ListMeta } from '../../contracts/common.ts';
import type { SyncRun } from '../../contracts/sync.ts';
import { DATABASES } from '../support/databases.ts';
import { committedAt, problemIn, problemOf, startSynced, type Served } from '../support/synced.ts';
import type { UpstreamContent } from '../support/upstream.ts';

interface Page {
  data: Model[];
  meta: ListMeta;
  timestamp: string;
}

/** Names that are spelled in a special way, one that differs from another in case alone, and more than fit on a page. */
function arrange(content: UpstreamContent): void {
  const more: [id: string, name: string][] = [
    ['x-ai/grok-4', 'xAI: Grok 4'],
    ['odd-lab/claude-opus-3', 'Odd Lab: CLAUDE OPUS 3'],
    ['odd-lab/literal', 'Odd Lab: 100%_Real\\Deal'],
    ['plain-lab/alder', 'Plain Lab: Alder'],
    ['plain-lab/birch', 'Plain Lab: Birch'],
    ['plain-lab/cedar', 'Plain Lab: Cedar'],
    ['plain-lab/dogwood', 'Plain Lab: Dogwood'],
  ];
  const pricing = { prompt: '0.000003', completion: '0.000015' };
  const rows = more.map(([id, name]) => ({
    ...content.openrouter[0],
    id,
    canonical_slug: id,
    name,
    pricing,
  }));
  content.openrouter = [...content.openrouter, ...rows];
}

const FIELD: Record<ModelSort, (model: Model) => string | number | null> = {
  id: ({ id }) => id,
  name: ({ name }) => name.toLowerCase(),
  releaseDate: ({ releaseDate }) => releaseDate,
  context: ({ limits }) => limits.context,
  inputPrice: ({ pricing }) => pricing.input,
  outputPrice: ({ pricing }) => pricing.output,
  downloads: ({ popularity }) => popularity.downloads,
};

/** Unknown values last, whatever the direction; equal ones by id. */
function inOrder(models: Model[], sort: ModelSort, descending: boolean): string[] {
  const compare = <Value extends string | number>(a: Value, b: Value) => (a < b ? -1 : a > b ? 1 : 0);
  return models
    .toSorted((a, b) => {
      const [left, right] = [FIELD[sort](a), FIELD[sort](b)];
      if (left === null || right === null)
        return Number(left === null) - Number(right === null) || compare(a.id, b.id);
      return (descending ? compare(right, left) : compare(left, right)) || compare(a.id, b.id);
    })
    .map(({ id }) => id);
}

describe.each(DATABASES)('GET /v1/models on $name', ({ create }) => {
  let served: Served & { run: SyncRun };
  let all: Model[];

  beforeAll(async () => {
    served = await startSynced(create, { arrange });
    all = (await list('limit=100')).data;
  });
  afterAll(() => served.close());

  const list = (query = '') => served.app.json<Page>(`/v1/models?${query}`);
  const idsOf = async (query: string) => (await list(query)).data.map(({ id }) => id);
  const refusal = async (query: string) => problemIn(await served.app.get(`/v1/models?${query}`));

  test('200: models in the envelope of lists, as of the commit', async () => {
    const page = await list();
    expect(Object.keys(page)).toEqual(['data', 'meta', 'timestamp']);
    const meta = { total: 21, limit: 20, offset: 0, nextCursor: expect.any(String), catalogVersion: 1 };
    expect(page.meta).toStrictEqual(meta);
    expect(Object.keys(page.meta)).toEqual(Object.keys(meta));
    expect(page.timestamp).toBe(await committedAt(served.app));
    expect(page.data).toHaveLength(20);
    for (const model of page.data)
      expect(Object.keys(model).toSorted()).toEqual(Object.keys(Model.shape).toSorted());
    expect(page.data).toEqual(all.slice(0, 20));
  });

  test('200: limit from 1 to 100, pages by offset', async () => {
    expect((await list('limit=100')).meta).toMatchObject({ total: 21, limit: 100, nextCursor: null });
    for (const [offset, model] of all.entries()) {
      const { data, meta } = await list(`limit=1&offset=${offset}`);
      expect(data).toEqual([model]);
      expect(meta).toMatchObject({ total: 21, limit: 1, offset });
      expect(meta.nextCursor === null).toBe(offset === 20);
    }
  });

  test.each([21, 10_000])('200: an empty page at offset %i, past the end', async (offset) => {
    const { data, meta } = await list(`offset=${offset}`);
    expect(data).toEqual([]);
    expect(meta).toStrictEqual({ total: 21, limit: 20, offset, nextCursor: null, catalogVersion: 1 });
  });

  const sorts = MODEL_SORTS.flatMap((sort) => [
    { query: sort, sort, descending: false },
    { query: `-${sort}`, sort, descending: true },
  ]);
  test.each(sorts)('200: sort=$query, unknown last, ties by id', async ({ query, sort, descending }) => {
    const values = all.map(FIELD[sort]);
    if (sort !== 'id') expect(new Set(values).size, 'there are ties').toBeLessThan(values.length);
    if (sort !== 'id' && sort !== 'name') expect(values).toContain(null);
    expect(await idsOf(`limit=100&sort=${query}`)).toEqual(inOrder(all, sort, descending));
  });

  test.each(sorts)('200: sort=$query, page by page by cursor', async ({ query, sort, descending }) => {
    const found: string[] = [];
    for (let cursor: string | null = '', pages = 0; cursor !== null && pages < 30; pages += 1) {
      const page: Page = await list(`limit=2&sort=${query}${cursor && `&cursor=${cursor}`}`);
      expect(page.meta).toMatchObject({ total: 21, limit: 2, offset: 0 });
      found.push(...page.data.map(({ id }) => id));
      cursor = page.meta.nextCursor;
    }
    expect(found).toEqual(inOrder(all, sort, descending));
  });

  const filters: [query: string, ids: string[]][] = [
    ['provider=azure', ['microsoft/phi-4-mini', 'openai/gpt-5-mini']],
    ['provider=Azure', ['microsoft/phi-4-mini', 'openai/gpt-5-mini']],
    ['provider=azure&creator=openai', ['openai/gpt-5-mini']],
    ['provider=nobody', []],
    ['creator=xai', ['xai/grok-4']],
    ['creator=x-ai', ['xai/grok-4']],
    ['creator=X-AI', ['xai/grok-4']],
    ['creator=meta-llama', ['meta/llama-3.3-70b-instruct']],
    ['creator=Odd-Lab', ['odd-lab/claude-opus-3', 'odd-lab/literal']],
    ['creator=odd', []],
    ['search=sonnet%20claude', sonnets()],
    ['search=CLAUDE+Sonnet', sonnets()],
    ['search=%20claude++%09sonnet%20', sonnets()],
    ['search=claude%20opus&creator=anthropic', ['anthropic/claude-3-opus-20240229']],
    ['search=claude%20nothing', []],
    ['search=deepseek-ai', ['deepseek/deepseek-v3.2']],
    ['search=azure%20gpt-5-mini', ['openai/gpt-5-mini']],
    ['search=moonshot', []],
    ['search=%25', ['odd-lab/literal']],
    ['search=_', ['odd-lab/literal']],
    ['search=%5C', ['odd-lab/literal']],
    ['search=100%25_REAL%5Cdeal', ['odd-lab/literal']],
    ['search=gpt_5', []],
    ['search=gpt%255', []],
    [`search=${encodeURIComponent("' or 1=1 --")}`, []],
  ];
  function sonnets(): string[] {
    const slugs = ['claude-sonnet-4-5', 'claude-sonnet-latest:openrouter'];
    return slugs.map((slug) => `anthropic/${slug}`);
  }
  test.each(filters)('200: %s', async (query, ids) => {
    const { data, meta } = await list(query);
    expect(data.map(({ id }) => id)).toEqual(ids);
    expect(meta.total).toBe(ids.length);
  });

  test('200: a cursor keeps to the filters', async () => {
    const { data, meta } = await list('creator=openai&sort=-name&limit=2');
    const rest = await list(`creator=openai&sort=-name&limit=100&cursor=${meta.nextCursor}`);
    const openai = all.filter(({ creator }) => creator === 'openai');
    expect([...data, ...rest.data].map(({ id }) => id)).toEqual(inOrder(openai, 'name', true));
    expect(rest.meta).toMatchObject({ total: openai.length, nextCursor: null });
  });

  const refused: [query: string, path: string][] = [
    ['limit=0', 'limit'],
    ['limit=101', 'limit'],
    ['limit=-1', 'limit'],
    ['offset=10001', 'offset'],
    ['offset=-1', 'offset'],
    ['sort=popularity', 'sort'],
    ['search=', 'search'],
    ['provider=', 'provider'],
    ['page=2', 'page'],
    ['cursor=garbage', 'cursor'],
    ['cursor=', 'cursor'],
    [`cursor=${Buffer.from('["id"]').toString('base64url')}`, 'cursor'],
  ];
  test.each(refused)('400: %s', async (query, path) => {
    expect(await refusal(query)).toMatchObject({ status: 400, code: 'BAD_REQUEST', errors: [{ path }] });
  });

  test('400: a cursor of another sort, and a cursor beside an offset', async () => {
    const { nextCursor } = (await list('limit=1&sort=-downloads')).meta;
    expect((await list(`sort=-downloads&cursor=${nextCursor}`)).data).toHaveLength(20);
    for (const sort of ['downloads', 'id', '-context']) {
      const problem = await refusal(`sort=${sort}&cursor=${nextCursor}`);
      expect(problem).toMatchObject({ code: 'BAD_REQUEST', errors: [{ path: 'cursor' }] });
      expect(problem.detail).toContain('sort=-downloads');
    }
    expect(await refusal(`sort=-downloads&cursor=${nextCursor}&offset=1`)).toMatchObject({
      code: 'BAD_REQUEST',
    });
  });

  const forged: [sort: string, value: unknown, id: string][] = [
    ['context', 'many', 'a/b'],
    ['inputPrice', 0.5, 'a/b'],
    ['downloads', 1e300, 'a/b'],
    ['name', 5, 'a/b'],
    ['name', 'a\0', 'a/b'],
    ['id', 'a/b', '\0'],
  ];
  test.each(forged)('400: a forged cursor of sort=%s with %j and %j', async (...position) => {
    const cursor = Buffer.from(JSON.stringify(position)).toString('base64url');
    const refused = { status: 400, code: 'BAD_REQUEST', errors: [{ path: 'cursor' }] };
    expect(await refusal(`sort=${position[0]}&cursor=${cursor}`)).toMatchObject(refused);
  });

  test.each(['provider', 'creator', 'search', 'cursor'])(
    '400: NUL in %s, by tRPC as by REST',
    async (path) => {
      const refused = { status: 400, code: 'BAD_REQUEST', errors: [{ path }] };
      expect(await refusal(`${path}=a%00b`)).toMatchObject(refused);
      const call = served.stranger.models.list.query({ [path]: 'a\0b' });
      expect(await problemOf(call)).toMatchObject(refused);
    },
  );

  test('tRPC answers the same', async () => {
    const { models } = served.stranger;
    expect(await models.list.query()).toEqual(await list());
    const input = { limit: 3, offset: 2, sort: '-releaseDate', search: 'gpt', creator: 'openai' } as const;
    const query = 'limit=3&offset=2&sort=-releaseDate&search=gpt&creator=openai';
    expect(await models.list.query(input)).toEqual(await list(query));
    expect(await problemOf(models.list.query({ limit: 0 }))).toEqual(await refusal('limit=0'));
    expect(await problemOf(models.list.query({ cursor: 'garbage' }))).toEqual(
      await refusal('cursor=garbage'),
    );
  });
});
