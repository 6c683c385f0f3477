import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ListMeta } from '../../contracts/common.ts';
import type { Model } from '../../contracts/models.ts';
import { DATABASES } from '../support/databases.ts';
import { startSynced, type Served } from '../support/synced.ts';
import type { UpstreamContent } from '../support/upstream.ts';

const SECOND_MS = 1_000;

/** Names that look like patterns, quotes, comments and expressions, and in other scripts. */
const ODD_NAMES = [
  '100%_Real\\Deal',
  '100 percent real',
  'a%b_c\\d',
  'axbxcxd',
  "Robert'); DROP TABLE models;--",
  '(a+)+$ [^x]*? {1,9}',
  'Ünïcode ÉCLAIR ǅ',
  'אבג \u202eevil\u202c 🦙 𝔄',
  'İstanbul ſtraße',
  '"quoted" `ticks` $1 :name ?',
];

function arrange(content: UpstreamContent): void {
  const pricing = { prompt: '0.000003', completion: '0.000015' };
  const rows = ODD_NAMES.map((name, index) => {
    const id = `odd-lab/odd-${index}`;
    return { ...content.openrouter[0], id, canonical_slug: id, name: `Odd Lab: ${name}`, pricing };
  });
  content.openrouter = [...content.openrouter, ...rows];
}

let services: Served[];
let texts: { id: string; search_text: string }[];

beforeAll(async () => {
  services = await Promise.all(DATABASES.map(({ create }) => startSynced(create, { arrange })));
  const [first, second] = await Promise.all(
    services.map(({ app }) =>
      app.database.read
        .selectFrom('models')
        .select(['id', 'search_text'])
        .where('delisted', '=', 0)
        .execute(),
    ),
  );
  const byId = (a: { id: string }, b: { id: string }) => (a.id < b.id ? -1 : 1);
  texts = (first ?? []).toSorted(byId);
  expect(second?.toSorted(byId)).toEqual(texts);
});
afterAll(async () => {
  for (const { app, close } of services) {
    expect(app.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
    await close();
  }
});

/** What a search has to find: every model whose text has every word as it is. */
function filtered(search: string): string[] {
  const words = search.trim().toLowerCase().split(/\s+/);
  return texts.filter((row) => words.every((word) => row.search_text.includes(word))).map(({ id }) => id);
}

/** What each service finds, in how many. */
function find(search: string, more = ''): Promise<{ ids: string[]; total: number }[]> {
  return Promise.all(
    services.map(async ({ app }) => {
      const query = `limit=100&search=${encodeURIComponent(search)}${more}`;
      const { data, meta } = await app.json<{ data: Model[]; meta: ListMeta }>(`/v1/models?${query}`);
      return { ids: data.map(({ id }) => id), total: meta.total };
    }),
  );
}

async function expectLiteral(search: string, more = ''): Promise<string[]> {
  const ids = filtered(search);
  expect(await find(search, more), search).toEqual(services.map(() => ({ ids, total: ids.length })));
  return ids;
}

test.each(ODD_NAMES)('C7 the name %s finds its model, whichever letters are large', async (name) => {
  const id = `odd-lab/odd-${ODD_NAMES.indexOf(name)}`;
  expect(await expectLiteral(name)).toEqual([id]);
  expect(await expectLiteral(name.toLowerCase())).toEqual([id]);
  expect(await expectLiteral(`odd-lab ${name}`, '&asOf=1')).toEqual([id]);
});

const signs: [search: string, found: number][] = [
  ['%', 2],
  ['_', 2],
  ['\\', 2],
  ["'", 1],
  [';', 1],
  ['%%', 0],
  ['%25', 0],
  ['a%c', 0],
  ['a_b', 0],
  ['100%real', 0],
  ['\\%', 0],
  ['\\_', 0],
  ['\\\\', 0],
  ["'' or ''=''", 0],
  ["' or 1=1 --", 0],
  ["'; drop table models; --", 0],
  ['.*', 0],
  ['^', 1],
  ['(a+)+$', 1],
  ['[a-z]', 0],
  ['🦙', 1],
  ['\u{1F998}', 0],
  ['אב', 1],
  ['\u202e', 1],
];
test.each(signs)('C7a %j is nothing but itself', async (search, found) => {
  expect(await expectLiteral(search)).toHaveLength(found);
});

const bombs = [
  '%'.repeat(200),
  '_'.repeat(200),
  '\\'.repeat(200),
  '%_'.repeat(100),
  'a%'.repeat(100),
  `${'a'.repeat(199)}!`,
  '(a+)+'.repeat(40),
  '(.*a){25}$',
  '\\%'.repeat(100),
  Array.from({ length: 100 }, (_, index) => String.fromCodePoint(0x61 + index)).join(' '),
  Array.from({ length: 66 }, (_, index) => `%${String.fromCodePoint(0x61 + index)}`).join(' '),
];
test.each(bombs)('C7b %s goes off nowhere', async (search) => {
  const from = performance.now();
  await expectLiteral(search);
  expect(performance.now() - from).toBeLessThan(SECOND_MS);
});

test('C7c whatever is searched for, both databases find what an in-memory filter finds', async () => {
  const sign = fc.constantFrom(
    ...Array.from('%_\\\'";*()[]{}^$.+?|-/:@#&=<>~`!, aeinorst0145éßİǅ🦙א\u202e\t'),
  );
  const anything = fc.string({ unit: sign, minLength: 1, maxLength: 12 });
  const piece = fc.tuple(fc.nat(), fc.nat(), fc.nat({ max: 12 })).map(([row, from, length]) => {
    const text = texts[row % texts.length]?.search_text ?? '';
    return text.slice(from % text.length).slice(0, length + 1);
  });
  const search = fc
    .array(fc.oneof(anything, piece), { minLength: 1, maxLength: 3 })
    .map((parts) => parts.join(' ').trim())
    .filter((text) => text !== '' && text.isWellFormed());
  let found = 0;
  await fc.assert(
    fc.asyncProperty(search, async (text) => {
      found += (await expectLiteral(text)).length;
    }),
    { numRuns: 150 },
  );
  expect(found).toBeGreaterThan(100);
});

test('C7d tRPC finds the same', async () => {
  for (const search of ['%', '_', '\\', "'", ODD_NAMES[4] ?? '']) {
    for (const { stranger } of services) {
      const { data } = await stranger.models.list.query({ search, limit: 100 });
      expect(data.map(({ id }) => id)).toEqual(filtered(search));
    }
  }
});
