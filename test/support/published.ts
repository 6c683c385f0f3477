import type { ListMeta } from '../../contracts/common.ts';
import { LIFECYCLE_STATUSES } from '../../contracts/common.ts';
import type { Model, ModelDetail } from '../../contracts/models.ts';
import type { Offer } from '../../contracts/offers.ts';
import { isSpeed } from '../../sync/merge.ts';
import type { TestApp } from './app.ts';

/** Everything that is published of models and offers at a time. */
export interface PublishedCatalog {
  /** Those that are listed, and those that are not any more, by id. */
  listed: Map<string, Model>;
  delisted: Map<string, Model>;
  /** All of them, with offers, by id. */
  details: Map<string, ModelDetail>;
  /** The offers of each, delisted ones too. */
  offers: Map<string, Offer[]>;
  /** The ids that filtered and sorted lists show, by their query. */
  lists: Map<string, string[]>;
}

/** Lists that say something of every column that they sort or filter by, but for the downloads. */
const LISTS = [
  'sort=-name',
  'sort=releaseDate',
  'sort=-context',
  'sort=inputPrice',
  'sort=-outputPrice',
  'provider=groq',
  'provider=openrouter&sort=name',
  'creator=openai',
  'search=gpt',
  'search=fern',
  'lifecycle=deprecated,retiring,retired',
  'lifecycle=active,delisted',
];

/** Every item of a list, page by page. */
async function allOf<Item>(app: TestApp, path: string, paging: 'cursor' | 'offset'): Promise<Item[]> {
  const items: Item[] = [];
  for (let next = ''; ;) {
    const { data, meta } = await app.json<{ data: Item[]; meta: ListMeta }>(`${path}&limit=7${next}`);
    items.push(...data);
    const isLast = paging === 'cursor' ? meta.nextCursor === null : items.length >= meta.total;
    if (isLast) {
      if (items.length !== meta.total)
        throw new Error(`${path} has ${items.length} items, and says ${meta.total}`);
      return items;
    }
    next = paging === 'cursor' ? `&cursor=${meta.nextCursor}` : `&offset=${items.length}`;
  }
}

/** Reads all that is published through the API, or was at a time. */
export async function readPublished(app: TestApp, asOf: number | string | null): Promise<PublishedCatalog> {
  const at = asOf === null ? '' : `&asOf=${asOf}`;
  const models = (query: string) => allOf<Model>(app, `/v1/models?${query}${at}`, 'cursor');
  const byId = <Item extends { id: string }>(items: Item[]) => new Map(items.map((item) => [item.id, item]));
  const listed = byId(await models('sort=id'));
  const delisted = byId(await models('lifecycle=delisted'));
  const details = new Map<string, ModelDetail>();
  const offers = new Map<string, Offer[]>();
  const everyStatus = LIFECYCLE_STATUSES.join(',');
  const ids = [...listed.keys(), ...delisted.keys()];
  const readNext = async () => {
    for (let id = ids.pop(); id !== undefined; id = ids.pop()) {
      const { data } = await app.json<{ data: ModelDetail }>(`/v1/models/${id}?${at.slice(1)}`);
      details.set(id, data);
      const path = `/v1/models/${id}/offers?lifecycle=${everyStatus}${at}`;
      offers.set(id, await allOf<Offer>(app, path, 'offset'));
    }
  };
  // No more at once than the database has connections for: on a busy machine others would be told to come back.
  await Promise.all(Array.from({ length: 8 }, readNext));
  const lists = new Map<string, string[]>();
  await Promise.all(
    LISTS.map(async (query) => {
      const found = await models(query);
      lists.set(
        query,
        found.map(({ id }) => id),
      );
    }),
  );
  return { listed, delisted, details, offers, lists };
}

/** What of it is kept of the past: all but popularity, speeds, the entries behind a model, and when those last moved. */
export function lasting({ listed, delisted, details, ...rest }: PublishedCatalog): object {
  const steady = <Item extends Model>({
    popularity: _popularity,
    updatedAt: _updatedAt,
    ...model
  }: Item) => ({
    ...model,
    benchmarks: model.benchmarks.filter((row) => !isSpeed(row)),
  });
  const each = <From, To>(items: Map<string, From>, to: (item: From) => To) =>
    Object.fromEntries([...items].map(([id, item]) => [id, to(item)]));
  return {
    listed: each(listed, steady),
    delisted: each(delisted, steady),
    details: each(details, ({ records: _records, ...model }) => steady(model as ModelDetail)),
    offers: each(rest.offers, (offers) => offers),
    lists: each(rest.lists, (ids) => ids),
  };
}
