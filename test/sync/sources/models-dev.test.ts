import { describe, expect, test } from 'vitest';
import { UpstreamError } from '../../../sync/http.ts';
import { modelsDev } from '../../../sync/sources/models-dev.ts';
import { readAll, serve, type Answer } from './served.ts';

const model = { id: 'nova-1', name: 'Nova 1', cost: { input: 1.25, output: 10 } };
const provider = { id: 'acme', name: 'Acme', env: ['ACME_API_KEY'] };
const metadata = {
  id: 'acme/nova-1',
  name: 'Nova 1',
  family: 'nova',
  attachment: true,
  reasoning: true,
  tool_call: true,
  release_date: '2025-08-05',
  last_updated: '2025-08-05',
  modalities: { input: ['text'], output: ['text'] },
  open_weights: true,
  limit: { context: 400_000 },
};

const catalogOf = (...models: object[]) => ({
  acme: { ...provider, models: Object.fromEntries(models.map((entry, index) => [`key-${index}`, entry])) },
});
const answers = (catalog: unknown, models: Answer = { body: { 'acme/nova-1': metadata } }) => ({
  '/base/api.json': { body: catalog },
  '/base/models.json': models,
});

describe('metadata', () => {
  const readMetadata = async (entry: object) => {
    const { records } = await readAll(
      modelsDev,
      answers(catalogOf(model), { body: { 'acme/nova-1': { ...metadata, ...entry } } }),
    );
    return records[1];
  };

  test.each([
    ['GPQA', 'https://artificialanalysis.ai/models/nova-1', 'Artificial Analysis'],
    ['Artificial Analysis Intelligence Index', 'https://openrouter.ai/acme/nova-1', 'Artificial Analysis'],
    ['GPQA', 'https://openrouter.ai/acme/nova-1', 'openrouter.ai'],
    ['GPQA', 'not a page', undefined],
  ])('credits %s from %s to %s', async (name, source, credited) => {
    const record = await readMetadata({ benchmarks: [{ name, score: 50, source }] });
    expect(record?.facts.benchmarks[0]?.attribution?.name).toBe(credited);
  });

  test('names creator and model, and makes no offer', async () => {
    expect(await readMetadata({})).toMatchObject({
      id: 'models.json/acme/nova-1',
      type: 'metadata',
      naming: { creator: 'acme', model: 'nova-1', canonical: null, provider: null, family: 'nova' },
      offer: null,
    });
    expect((await readMetadata({ id: 'nova-1' }))?.naming).toMatchObject({ creator: null, model: 'nova-1' });
  });

  test('has the licence, links and weights with web addresses', async () => {
    const record = await readMetadata({
      license: 'MIT',
      links: [
        { label: 'Model card', url: 'https://acme.test/card', type: 'model_card' },
        { label: 'Broken', url: 'acme.test', type: 'docs' },
        { label: 'Script', url: 'javascript:alert(1)', type: 'docs' },
        'junk/',
      ],
      weights: [{ label: 'Hugging Face', url: 'https://huggingface.co/acme/nova-1' }],
    });
    expect(record?.facts.license).toBe('MIT');
    expect(record?.facts.links).toEqual([
      { label: 'Model card', url: 'https://acme.test/card', type: 'model_card' },
      { label: 'Hugging Face', url: 'https://huggingface.co/acme/nova-1', type: 'weights' },
    ]);
  });

  test('has benchmarks credited to where they were read', async () => {
    const record = await readMetadata({
      benchmarks: [
        {
          name: 'SWE',
          score: 58.6,
          metric: 'resolved',
          source: 'https://www.acme.test/swe',
          date: '2026-05',
        },
        { name: 'Terminal', score: 70, version: '2.1', harness: 'Claude Code', variant: 'xhigh' },
        { name: 'Terminal', score: 71, variant: 'Terminus-2', source: 'nowhere' },
        { name: 'Unmeasured', score: null },
      ],
    });
    const bare = { indexVersion: null, source: 'models.dev', unit: null, date: null, attribution: null };
    expect(record?.facts.benchmarks).toEqual([
      {
        ...bare,
        name: 'SWE',
        value: 58.6,
        unit: 'resolved',
        effort: null,
        variant: null,
        date: '2026-05',
        attribution: { name: 'www.acme.test', url: 'https://www.acme.test/swe' },
      },
      { ...bare, name: 'Terminal', value: 70, effort: 'xhigh', variant: '2.1, Claude Code' },
      { ...bare, name: 'Terminal', value: 71, effort: null, variant: 'Terminus-2' },
    ]);
  });
});

describe('fetching', () => {
  const unchanged = { body: catalogOf(model), notModified: true };
  const unchangedModels = { body: { 'acme/nova-1': metadata }, notModified: true };
  const down = { failure: new UpstreamError('http', 'models.json answered 404') };

  test('brings nothing when nothing was modified', async () => {
    const { upstream, requests } = serve(modelsDev, {
      '/base/api.json': unchanged,
      '/base/models.json': unchangedModels,
    });
    expect(await modelsDev.fetch(upstream)).toEqual({ notModified: true });
    expect(requests.map(({ conditional }) => conditional)).toEqual([true, true]);
  });

  test.each([
    [
      'api.json',
      { '/base/api.json': unchanged, '/base/models.json': { ...unchangedModels, notModified: false } },
    ],
    [
      'models.json',
      { '/base/api.json': { ...unchanged, notModified: false }, '/base/models.json': unchangedModels },
    ],
  ])('asks again for %s when only that was not modified', async (file, served) => {
    const { records, requests } = await readAll(modelsDev, served);
    expect(records.map(({ type }) => type)).toEqual(['offer', 'metadata']);
    expect(requests[2]).toEqual({
      url: `https://upstream.test/base/${file}`,
      headers: {},
      conditional: false,
    });
  });

  test.each([
    ['fails', down],
    ['is of another shape', { body: { error: 'gone' } }],
    ['is a list', { body: [] }],
  ])('goes on with a warning when models.json %s', async (_, models) => {
    const { records, warnings } = await readAll(modelsDev, answers(catalogOf(model), models));
    expect(records.map(({ type }) => type)).toEqual(['offer']);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('Went on without models.json: ');
  });

  test('keeps what it had when api.json was not modified and models.json fails', async () => {
    const { upstream } = serve(modelsDev, { '/base/api.json': unchanged, '/base/models.json': down });
    expect(await modelsDev.fetch(upstream)).toEqual({ notModified: true, keeps: 'models.json/' });
  });

  test('fails when api.json fails', async () => {
    const { upstream } = serve(modelsDev, { '/base/api.json': down, '/base/models.json': unchangedModels });
    await expect(modelsDev.fetch(upstream)).rejects.toThrow(down.failure);
  });

  test.each([[null], [[]], ['<html>'], [{}], [{ error: { message: 'no' } }], [{ acme: { models: [] } }]])(
    'refuses the shape %j',
    async (body) => {
      const { upstream } = serve(modelsDev, answers(body));
      await expect(modelsDev.fetch(upstream)).rejects.toMatchObject({
        name: 'UpstreamError',
        failure: 'shape',
      });
    },
  );

  test('rejects junk entry by entry', async () => {
    const catalog: unknown = JSON.parse(
      `{"acme":{"models":{"a":null,"b":7,"c":[],"__proto__":{"id":"p","name":"P"}}},"junk":"x","empty":{"models":{}},"__proto__":{"models":3}}`,
    );
    const { items, records, rejections, providers } = await readAll(modelsDev, answers(catalog, down));
    expect(records.map(({ id }) => id)).toEqual(['acme/__proto__']);
    expect(rejections.map(({ id }) => id)).toEqual(['acme/a', 'acme/b', 'acme/c', 'junk/', '__proto__/']);
    expect(new Set(rejections.map(({ reason }) => reason))).toEqual(
      new Set([
        'model: Invalid input: expected object, received null',
        'model: Invalid input: expected object, received number',
        'model: Invalid input: expected object, received array',
        'Invalid input: expected object, received string',
        'provider: Invalid input: expected object, received undefined',
      ]),
    );
    expect(items).toHaveLength(6);
    expect(providers.map(({ id, name }) => [id, name])).toEqual([
      ['acme', 'acme'],
      ['empty', 'empty'],
    ]);
  });

  test('gives entries the same id only once', async () => {
    const twice = {
      a: { ...provider, models: { 'b/c': model } },
      'a/b': { ...provider, models: { c: model } },
    };
    const { records, rejections } = await readAll(modelsDev, answers(twice, down));
    expect(records.map(({ id }) => id)).toEqual(['a/b/c']);
    expect(rejections).toEqual([{ id: 'a/b/c (duplicate 1)', reason: 'duplicate id' }]);
  });
});

test('without models.json, what stands of it is kept, and its validators are forgotten', async () => {
  const { upstream, forgotten, warnings } = serve(
    modelsDev,
    answers(catalogOf(model), { failure: new UpstreamError('http', 'answered 503', { httpStatus: 503 }) }),
  );
  expect(await modelsDev.fetch(upstream)).toMatchObject({ notModified: false, keeps: 'models.json/' });
  expect([forgotten, warnings.length]).toEqual([['https://upstream.test/base/models.json'], 1]);
});
