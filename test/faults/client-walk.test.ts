import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Change } from '../../contracts/changes.ts';
import type { ListMeta } from '../../contracts/common.ts';
import type { Model } from '../../contracts/models.ts';
import { DATABASES } from '../support/databases.ts';
import { holdRows, rowOf } from '../support/many.ts';
import { startSynced, type Served } from '../support/synced.ts';
import type { UpstreamContent } from '../support/upstream.ts';

const MODELS = 1_000;
/** Enough for the walks of one test, a few times; that it is counted at all is seen on every answer. */
const PER_MINUTE = 600;

interface Page<Item> {
  data: Item[];
  meta: ListMeta;
}

/** Makes OpenRouter list the models of these numbers beside what is the same for all: everything but their names. */
function list(content: UpstreamContent, numbers: number[]): void {
  holdRows(
    content,
    'openrouter',
    numbers.map((number) => rowOf(content, 'openrouter', number)),
  );
}
const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

describe.each(DATABASES)('a walk through all that there is on $name', ({ create }) => {
  let served: Served;
  beforeAll(async () => {
    served = await startSynced(create, {
      environment: { RATE_LIMIT_PER_MINUTE: String(PER_MINUTE) },
      arrange: (content) => list(content, numbers(0, MODELS)),
    });
  });
  afterAll(() => served.close());

  /** Every page of a list from its first, with the tag of each; between two pages something may happen. */
  async function walk<Item>(
    path: string,
    between: (page: number) => Promise<void> = async () => {},
  ): Promise<{ items: Item[]; pages: { path: string; tag: string }[] }> {
    const items: Item[] = [];
    const pages: { path: string; tag: string }[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const asked = `${path}&limit=100${cursor && `&cursor=${cursor}`}`;
      const answer = await served.app.get(asked);
      expect([asked, answer.status]).toEqual([asked, 200]);
      const tag = answer.headers.get('etag') ?? '';
      expect(tag).toMatch(/^W\/"[\w-]{22}"$/);
      expect(answer.headers.get('ratelimit-policy')).toBe(`"default";q=${PER_MINUTE};w=60`);
      const { data, meta } = (await answer.json()) as Page<Item>;
      items.push(...data);
      pages.push({ path: asked, tag });
      expect(pages.length).toBeLessThan(50);
      cursor = meta.nextCursor;
      if (cursor !== null) {
        expect(data).toHaveLength(100);
        await between(pages.length);
      }
    }
    return { items, pages };
  }

  test.each(['sort=id', 'sort=-name', 'sort=-inputPrice', 'sort=releaseDate', 'sort=downloads'])(
    'C35 by %s, page by page, has each model once, and its tags spare the second walk',
    async (sort) => {
      const { rows } = await stored(served);
      const { items, pages } = await walk<Model>(`/v1/models?${sort}`);
      expect(items.length).toBeGreaterThanOrEqual(MODELS);
      expect(items.map(({ id }) => id).toSorted()).toEqual(rows);
      for (const { path, tag } of pages) {
        const again = await served.app.get(path, { 'if-none-match': tag });
        expect([again.status, await again.text(), again.headers.get('etag')]).toEqual([304, '', tag]);
      }
    },
  );

  test('C35a what changed is walked through in both directions', async () => {
    const newest = await walk<Change>('/v1/changes?sort=-observedAt');
    const oldest = await walk<Change>('/v1/changes?sort=observedAt');
    const ids = newest.items.map(({ id }) => id);
    expect(ids.length).toBeGreaterThan(MODELS);
    expect(new Set(ids).size).toBe(ids.length);
    expect(oldest.items.map(({ id }) => id)).toEqual(ids.toReversed());
  });

  test('C35b who walks while models come and go meets those that stay, once each', async () => {
    const before = await stored(served);
    const { items } = await walk<Model>('/v1/models?sort=-name', async (page) => {
      if (page !== 3 && page !== 6) return;
      list(served.upstream.content, numbers(0, MODELS + page * 10));
      await served.app.sync();
    });
    const met = items.map(({ id }) => id);
    const after = await stored(served);
    expect(after.rows.length).toBe(before.rows.length + 60);
    expect(new Set(met).size).toBe(met.length);
    expect(before.rows.filter((id) => !met.includes(id))).toEqual([]);
    expect(met.filter((id) => !after.rows.includes(id))).toEqual([]);
  });
});

/** The ids of all models that are listed, as the database has them. */
async function stored({ app }: Served): Promise<{ rows: string[] }> {
  const models = app.database.read.selectFrom('models').select('id').where('delisted', '=', 0);
  return { rows: (await models.execute()).map(({ id }) => id).toSorted() };
}
