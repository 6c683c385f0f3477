import { describe, expect, test } from 'vitest';
import { huggingFace } from '../../../sync/sources/huggingface.ts';
import { readAll, serve, type Answer } from './served.ts';

const repository = {
  _id: '69d71ee848d2a47600feda6e',
  id: 'acme/Nova-1-8B',
  likes: 741,
  private: false,
  gated: 'manual',
  downloads: 85_549,
  downloadsAllTime: 1_000_000,
  tags: ['transformers', 'safetensors', 'license:apache-2.0', 'region:us'],
  pipeline_tag: 'text-generation',
  library_name: 'transformers',
  createdAt: '2022-03-02T23:29:04.000Z',
  lastModified: '2026-04-09T03:37:12.000Z',
  safetensors: { parameters: { BF16: 8_030_261_248 }, total: 8_030_261_248 },
};
const PATH = '/base/api/models';

const readRows = (...body: unknown[]) => readAll(huggingFace, { [PATH]: { body } });
const readOne = async (entry: object) => (await readRows({ ...repository, ...entry })).records[0];

describe('a repository', () => {
  test('is read in full', async () => {
    expect((await readRows(repository)).records).toEqual([
      {
        source: 'huggingface',
        id: 'acme/Nova-1-8B',
        type: 'repository',
        naming: { creator: 'acme', model: 'Nova-1-8B', canonical: null, provider: null, family: null },
        kind: 'model',
        target: null,
        facts: {
          name: 'Nova-1-8B',
          creatorName: null,
          family: null,
          description: null,
          inputModalities: ['text'],
          outputModalities: ['text'],
          capabilities: {},
          parameters: [],
          reasoning: null,
          limits: { context: null, input: null, output: null },
          openWeights: true,
          parameterCount: 8_030_261_248,
          tokenizer: null,
          task: 'text-generation',
          baseModels: [],
          languages: [],
          library: 'transformers',
          gated: true,
          license: 'apache-2.0',
          links: [{ label: 'Hugging Face', url: 'https://huggingface.co/acme/Nova-1-8B', type: 'weights' }],
          releaseDate: null,
          lastUpdated: '2026-04-09',
          knowledgeCutoff: null,
          stage: null,
          lifecycle: null,
          popularity: { downloads: 85_549, downloadsAllTime: 1_000_000, likes: 741 },
          benchmarks: [],
        },
        offer: null,
      },
    ]);
  });

  test('says what it was made from, and which languages it knows', async () => {
    const tags = [
      'base_model:acme/Nova-1',
      'base_model:finetune:acme/Nova-1',
      'en',
      'zh',
      'tf',
      'moe',
      'license:mit',
    ];
    const record = await readOne({ tags });
    expect(record?.facts).toMatchObject({
      baseModels: ['acme/Nova-1'],
      languages: ['en', 'zh'],
      license: 'mit',
    });
  });

  test('of a list without `expand` has what such a list gives', async () => {
    const { gated, lastModified, downloadsAllTime, safetensors, ...short } = repository;
    expect([gated, lastModified, downloadsAllTime, safetensors]).not.toContain(undefined);
    const { records } = await readRows({ ...short, modelId: short.id, trendingScore: 741 });
    expect(records[0]?.facts).toMatchObject({
      gated: null,
      lastUpdated: null,
      parameterCount: null,
      license: 'apache-2.0',
      popularity: { downloads: 85_549, downloadsAllTime: null, likes: 741 },
    });
  });

  test('of the early days has no owner', async () => {
    expect((await readOne({ id: 'gpt2' }))?.naming).toMatchObject({ creator: null, model: 'gpt2' });
  });

  test.each([
    ['text-generation', ['text'], ['text']],
    ['image-text-to-text', ['text', 'image'], ['text']],
    ['text-to-image', ['text'], ['image']],
    ['automatic-speech-recognition', ['audio'], ['text']],
    ['text-to-speech', ['text'], ['audio']],
    ['any-to-any', null, null],
    ['constructor', null, null],
    [undefined, null, null],
  ])('for %s takes %j and gives %j', async (pipeline_tag, inputModalities, outputModalities) => {
    expect((await readOne({ pipeline_tag }))?.facts).toMatchObject({
      task: pipeline_tag ?? null,
      inputModalities,
      outputModalities,
    });
  });

  test.each([
    [false, false],
    ['auto', true],
    ['manual', true],
    [true, true],
    ['perhaps', null],
    [undefined, null],
  ])('that is gated %j', async (gated, expected) => {
    expect((await readOne({ gated }))?.facts.gated).toBe(expected);
  });

  test('with broken optional fields keeps the others', async () => {
    const record = await readOne({
      downloads: -1,
      likes: 'many',
      tags: [7, 'license:', 'license:mit'],
      safetensors: { total: 0.5 },
      lastModified: '0001-01-01T00:00:00.000Z',
    });
    expect(record?.facts).toMatchObject({
      popularity: { downloads: null, downloadsAllTime: 1_000_000, likes: null },
      license: null,
      parameterCount: null,
      lastUpdated: null,
    });
  });

  test.each([
    ['private', { private: true }, 'private repository'],
    ['without an id', { id: undefined }, 'not a repository id'],
    ['with a number as id', { id: 7 }, 'id: Invalid input: expected string, received number'],
    ['with a path as id', { id: 'acme/../nova' }, 'id: not a repository id'],
    ['with a NUL in the id', { id: 'acme/nova\u0000' }, 'id: not a repository id'],
    ['with a lone surrogate in the id', { id: 'acme/nova\udc00' }, 'id: not a repository id'],
  ])('%s is rejected', async (_, entry, reason) => {
    const { records, rejections } = await readRows({ ...repository, ...entry });
    expect(records).toEqual([]);
    expect(rejections.map((rejection) => rejection.reason)).toEqual([reason]);
  });

  test('that is none is rejected by itself', async () => {
    const { records, rejections } = await readRows(null, 'x', [], repository);
    expect(records).toHaveLength(1);
    expect(rejections.map(({ id }) => id)).toEqual(['#0', '#1', '#2']);
  });
});

describe('walking the list', () => {
  /** Serves pages by cursor, the first one without. */
  function paged(pages: Record<string, Answer>) {
    const served = serve(huggingFace, {});
    const limits: string[] = [];
    served.upstream.getJson = (url) => {
      const query = new URL(url).searchParams;
      limits.push(query.get('limit') ?? '');
      const page = pages[query.get('cursor') ?? ''];
      if (page === undefined) return Promise.reject(new Error(`unlisted request: ${url}`));
      const headers = new Headers(page.link === undefined ? {} : { link: page.link });
      return Promise.resolve({ notModified: false, body: page.body, headers });
    };
    const walk = async (maxItems: number | null) => {
      const fetched = await huggingFace.fetch({ ...served.upstream, maxItems });
      return fetched.notModified ? [] : fetched.items.map(({ id }) => id);
    };
    return { walk, limits };
  }
  const next = (cursor: string) =>
    `<https://upstream.test/base/api/models?sort=downloads&limit=2&cursor=${cursor}>; rel="next"`;
  const rows = (...ids: string[]) => ids.map((id) => ({ ...repository, id }));

  test('asks for the properties in use, with the token if there is one', async () => {
    const { requests } = await readAll(
      huggingFace,
      { [PATH]: { body: [] } },
      { apiKey: 'hf_test', maxItems: 20 },
    );
    const [request] = requests;
    const query = new URL(request?.url ?? '').searchParams;
    expect([query.get('sort'), query.get('limit')]).toEqual(['downloads', '20']);
    expect(query.getAll('expand')).toEqual([
      'downloads',
      'downloadsAllTime',
      'likes',
      'tags',
      'pipeline_tag',
      'library_name',
      'createdAt',
      'lastModified',
      'gated',
      'private',
      'safetensors',
    ]);
    expect(request?.headers).toEqual({ authorization: 'Bearer hf_test' });
  });

  test('goes on by the Link header until it has enough', async () => {
    const { walk, limits } = paged({
      '': { body: rows('a/1', 'a/2'), link: next('x') },
      x: { body: rows('a/3', 'a/4'), link: `<https://upstream.test/first>; rel="prev", ${next('y')}` },
      y: { body: rows('a/5', 'a/6'), link: next('z') },
    });
    expect(await walk(5)).toEqual(['a/1', 'a/2', 'a/3', 'a/4', 'a/5']);
    expect(limits).toEqual(['5', '3', '1']);
  });

  test('goes on to the end where there is no bound', async () => {
    const { walk, limits } = paged({
      '': { body: rows('a/1'), link: next('x') },
      x: { body: rows('a/2'), link: '</base/api/models?cursor=y>; rel=next' },
      y: { body: rows('a/3') },
    });
    expect(await walk(null)).toEqual(['a/1', 'a/2', 'a/3']);
    expect(limits).toEqual(['500', '500', '500']);
  });

  test('keeps a repository that comes again on a later page once', async () => {
    const { walk } = paged({
      '': { body: rows('a/1', 'a/2'), link: next('x') },
      x: { body: rows('a/2', 'a/3'), link: next('y') },
      y: { body: rows('a/1', 'a/4') },
    });
    expect(await walk(null)).toEqual(['a/1', 'a/2', 'a/3', 'a/4']);
  });

  test.each([
    ['repeats a cursor', { body: rows('a/2'), link: next('x') }],
    ['is empty', { body: [], link: next('y') }],
    ['brings nothing new', { body: rows('a/1'), link: next('y') }],
  ])('stops where a page %s', async (_, page) => {
    const { walk, limits } = paged({ '': { body: rows('a/1'), link: next('x') }, x: page });
    const ids = await walk(null);
    expect(ids[0]).toBe('a/1');
    expect(limits).toHaveLength(2);
  });

  test('counts a repository that is twice on one page as a duplicate', async () => {
    const { records, rejections } = await readRows(repository, repository);
    expect(records).toHaveLength(1);
    expect(rejections).toEqual([{ id: 'acme/Nova-1-8B (duplicate 1)', reason: 'duplicate id' }]);
  });

  test.each([
    ['of another shape', { body: { error: 'Invalid' } }],
    ['that leads elsewhere', { body: rows('a/1'), link: '<https://elsewhere.test/api/models>; rel="next"' }],
  ])('refuses a page %s', async (_, page) => {
    await expect(paged({ '': page }).walk(null)).rejects.toMatchObject({
      name: 'UpstreamError',
      failure: 'shape',
    });
  });
});
