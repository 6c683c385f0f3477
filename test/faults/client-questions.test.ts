import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAnswerCache } from '../../server/cache/answers.ts';
import { createMemoryStore } from '../../server/cache/store.ts';
import { createInputReader } from '../../server/http/input.ts';
import { DATABASES } from '../support/databases.ts';
import { freePort } from '../support/ports.ts';
import { OwnRedis } from '../support/redis.ts';
import { startSynced, type Served } from '../support/synced.ts';
import { has } from '../support/tools.ts';
import { OPERATIONS, type AnyOperation } from './support/operations.ts';

/** How the values of one question may be spelled; of a list, and of words, in any order too. */
interface Question {
  operation: string;
  path: string;
  /** Spellings of each parameter that mean the same; an empty one: it is left out. */
  values: Record<string, string[]>;
  lists?: Record<string, string[]>;
  words?: string[];
  /** The parameters in which case does not matter. */
  anyCase?: string[];
}

const QUESTIONS: Question[] = [
  {
    operation: 'models.list',
    path: '/v1/models',
    values: {
      limit: ['', '20', '020', '000000000000020'],
      offset: ['', '0', '00'],
      sort: ['', 'id'],
      provider: ['openai'],
      creator: ['openai'],
      asOf: ['1', '01', '0000000001'],
    },
    lists: { lifecycle: ['active', 'deprecated', 'retiring'] },
    words: ['gpt', 'mini', '5'],
    anyCase: ['provider', 'creator', 'search'],
  },
  {
    operation: 'lifecycle.list',
    path: '/v1/lifecycle',
    values: { limit: ['', '20'], offset: ['', '0'], model: ['openai/gpt-5-mini'], creator: ['openai'] },
    lists: { status: ['deprecated', 'retiring', 'retired'] },
    anyCase: ['model', 'creator'],
  },
  {
    operation: 'changes.list',
    path: '/v1/changes',
    values: {
      sort: ['', '-observedAt'],
      since: [
        '2026-03-01',
        '2026-03-01T00:00:00Z',
        '2026-03-01T00:00:00.000Z',
        '2026-03-01T00:00:00.0000001Z',
      ],
      until: ['2099-03-01T12:00:00Z', '2099-03-01T12:00:00.0Z', '2099-03-01T12:00:00.000Z'],
    },
    lists: { kind: ['price', 'limit', 'details'] },
  },
  {
    operation: 'conflicts.list',
    path: '/v1/conflicts',
    values: { minSize: ['0.5', '0.50', '00.500000000'], source: ['openrouter'], field: ['limits.context'] },
    anyCase: ['source'],
  },
  {
    operation: 'models.get',
    path: '/v1/models/openai/gpt-5-mini',
    values: {},
    lists: { include: ['provenance'] },
  },
  {
    operation: 'changes.atom',
    path: '/v1/changes.atom',
    values: { limit: ['', '50', '0050'], provider: ['openrouter'] },
    anyCase: ['provider'],
  },
];

const shuffled = <Item>(items: Item[]) => fc.shuffledSubarray(items, { minLength: items.length });

/** A text with letters large or small, and escaped or not, as the bits of numbers have it. */
const respelled = (text: string, anyCase: boolean) =>
  fc.tuple(fc.nat(), fc.nat(), fc.nat()).map(([cases, escapes, digits]) => {
    const isSet = (bits: number, at: number) => ((bits >> (at % 31)) & 1) === 1;
    return Array.from(text, (letter, at) => {
      const cased = anyCase && isSet(cases, at) ? letter.toUpperCase() : letter;
      if (!isSet(escapes, at)) return encodeURIComponent(cased);
      const hex = cased.charCodeAt(0).toString(16).padStart(2, '0');
      return `%${isSet(digits, at) ? hex.toUpperCase() : hex}`;
    }).join('');
  });

/** One of the ways to ask a question. */
function spelling({ path, values, lists = {}, words, anyCase = [] }: Question): fc.Arbitrary<string> {
  const pair = (name: string, text: string): fc.Arbitrary<string[]> =>
    fc
      .tuple(respelled(name, false), respelled(text, anyCase.includes(name)))
      .map((parts) => [parts.join('=')]);
  const none: fc.Arbitrary<string[]> = fc.constant([]);
  const single = Object.entries(values).map(([name, texts]) =>
    fc.constantFrom(...texts).chain((text) => (text === '' ? none : pair(name, text))),
  );
  const several = Object.entries(lists).map(([name, members]) =>
    fc.tuple(shuffled([...members, ...members]), fc.boolean()).chain(([all, together]) => {
      const texts = together ? [all.join(',')] : all;
      return fc.tuple(...texts.map((text) => pair(name, text))).map((pairs) => pairs.flat());
    }),
  );
  const search = (words === undefined ? [] : [words]).map((all) =>
    fc
      .tuple(shuffled([...all, all[0] ?? '']), fc.constantFrom(' ', '  ', '\t', ' \n '))
      .chain(([ordered, gap]) => pair('search', `${gap}${ordered.join(gap)}${gap}`)),
  );
  const query = fc
    .tuple(...single, ...several, ...search)
    .map((groups) => groups.flat())
    .chain((pairs) => fc.tuple(shuffled(pairs), fc.constantFrom('&', '&&')))
    .map(([pairs, between]) => pairs.join(between));
  return fc
    .tuple(fc.constant(path), query)
    .map(([asked, pairs]) => (pairs === '' ? asked : `${asked}?${pairs}`));
}

const opOf = ({ operation }: Question): AnyOperation => {
  const found = OPERATIONS.find(([name]) => name === operation)?.[1];
  if (found === undefined) throw new Error(`There is no operation ${operation}`);
  return found;
};

const catalog = { version: 7, committedAt: '2026-07-01T00:00:00.000Z' };

/** The question that has most spellings is asked in most. */
const counted = QUESTIONS.map((question, index) => ({ ...question, count: index === 0 ? 10_000 : 1_000 }));

test.each(counted)(
  'C26 $count spellings of one question to $operation are answered once',
  async (question) => {
    const op = opOf(question);
    const reader = createInputReader(op);
    const answers = createAnswerCache(createMemoryStore(), { catalog: () => catalog });
    const spellings = fc.sample(spelling(question), { numRuns: question.count, seed: 26 });
    expect(new Set(spellings).size).toBeGreaterThan(question.count * 0.9);
    let loads = 0;
    for (const url of spellings) {
      const input = reader.parse(reader.read({ raw: { url } } as never));
      const load = async () => ({ catalog, body: `{"load":${++loads}}` });
      const { operation } = question;
      const { body } = await answers.serve({ operation, kind: 'list', input, load });
      expect(body, url).toBe('{"load":1}');
    }
  },
);

test('C26a another question is another answer', () => {
  const reader = createInputReader(opOf(QUESTIONS[0] as Question));
  const inputOf = (query: string) =>
    JSON.stringify(reader.parse(reader.read({ raw: { url: `/v1/models?${query}` } } as never)));
  const queries =
    `|limit=21|offset=1|sort=name|sort=-id|provider=a|creator=a|search=a|search=a+b|search=ab|lifecycle=active
|lifecycle=active,retired|asOf=1|asOf=2|asOf=2026-03-01|asOf=2026-03-01T00:00:00.001Z|asOf=2026-03-02`.split(
      /\|/,
    );
  expect(new Set(queries.map((query) => inputOf(query.trim()))).size).toBe(queries.length);
});

describe.skipIf(!has('redis-server') && !process.env.CI)('C26 with Redis', () => {
  let redis: OwnRedis;
  let served: Served;
  beforeAll(async () => {
    redis = new OwnRedis(await freePort());
    await redis.start();
    served = await startSynced(DATABASES[0].create, { environment: { REDIS_URL: redis.url } });
  });
  afterAll(async () => {
    await served.close();
    await redis.remove();
  });
  const keys = async () => (await redis.command('KEYS', '*')) as string[];

  test.each(QUESTIONS)('C26b $operation, however it is asked, is one key', async (question) => {
    await redis.command('FLUSHALL');
    const spellings = fc.sample(spelling(question), { numRuns: 100, seed: 27 });
    const tags = new Set<string | null>();
    for (const url of spellings) {
      const answer = await served.app.get(url);
      expect([url, answer.status]).toEqual([url, 200]);
      tags.add(answer.headers.get('etag'));
      await answer.body?.cancel();
    }
    expect(tags.size).toBe(1);
    await expect.poll(keys).toHaveLength(1);
  });

  test('C26c in a path letters may be large or escaped', async () => {
    await redis.command('FLUSHALL');
    for (const path of [
      'openai/gpt-5-mini',
      'OpenAI/GPT-5-Mini',
      '%6fpenai/gpt%2D5-mini',
      'OPENAI/%47pt-5-mini',
    ])
      expect((await served.app.get(`/v1/models/${path}`)).status).toBe(200);
    await expect.poll(keys).toHaveLength(1);
  });

  test('C26d whatever is asked, what is kept goes away by itself, and what is refused is not kept', async () => {
    await redis.command('FLUSHALL');
    const asked = Array.from({ length: 100 }, (_, index) => [
      `/v1/models?search=word${index}`,
      `/v1/models?provider=nobody${index}`,
      `/v1/models/openai/nothing-${index}`,
      `/v1/resolve?id=nothing-${index}`,
      `/v1/models?asOf=${9_000 + index}`,
      `/v1/models?cursor=nothing${index}`,
      `/v1/models?x${index}=1`,
    ]).flat();
    const statuses = await Promise.all(asked.map(async (path) => (await served.app.get(path)).status));
    expect(statuses.filter((status) => status === 200)).toHaveLength(200);
    await expect.poll(keys).toHaveLength(200);
    expect((await served.app.get('/v1/models/openai/gpt-5-mini')).status).toBe(200);
    await expect.poll(keys).toHaveLength(201);
    const [MINUTE_MS, HOUR_MS] = [60_000, 3_600_000];
    let searches = 0;
    for (const key of await keys()) {
      const life = Number(await redis.command('PTTL', key));
      expect(life, key).toBeGreaterThan(0);
      expect(life, key).toBeLessThanOrEqual(key.includes('models.get') ? 2 * HOUR_MS : HOUR_MS);
      if (life <= MINUTE_MS) searches += 1;
    }
    // What was searched for is gone within a minute: words can be made up without end.
    expect(searches).toBe(100);
  });
});

test('C26e in memory, ten thousand questions take no more than their bytes', async () => {
  const bytes = 256 * 1_024;
  const answers = createAnswerCache(createMemoryStore(bytes), { catalog: () => catalog });
  let loads = 0;
  const ask = async (search: string) => {
    const load = async () => ({ catalog, body: `{"data":"${'x'.repeat(1_000)}","load":${++loads}}` });
    return answers.serve({ operation: 'models.list', kind: 'list', input: { search }, load });
  };
  for (let at = 0; at < 10_000; at++) await ask(`word${at}`);
  expect(loads).toBe(10_000);
  for (let at = 9_999; at >= 0; at--) await ask(`word${at}`);
  const kept = 20_000 - loads;
  expect(kept).toBeGreaterThan(50);
  expect(kept * 1_000 * 2).toBeLessThanOrEqual(bytes);
});
