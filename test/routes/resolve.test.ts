import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { MAX_NAMES, type Resolution, type Resolved } from '../../contracts/resolve.ts';
import type { SyncRun } from '../../contracts/sync.ts';
import { DATABASES } from '../support/databases.ts';
import {
  committedAt,
  during,
  problemIn,
  problemOf,
  startSynced,
  syncUntilDelisted,
  type Served,
} from '../support/synced.ts';
import type { UpstreamContent } from '../support/upstream.ts';

interface Answer<Data> {
  data: Data;
  meta: { catalogVersion: number };
  timestamp: string;
}

interface Catalog {
  azure: { models: Record<string, object> };
}

const whisper = {
  id: 'whisper-large-v3',
  name: 'Whisper',
  family: 'whisper',
  release_date: '2023-11-06',
  last_updated: '2023-11-06',
  modalities: { input: ['audio'], output: ['text'] },
  open_weights: true,
  limit: { context: 0, output: 0 },
};

/** Azure sells a Whisper of which nobody knows whether it is the one at Groq, and one model is measured that nobody else lists. */
function arrange(content: UpstreamContent): void {
  (content.modelsDevApi as Catalog).azure.models['whisper-large-v3'] = {
    ...whisper,
    family: 'azure-whisper',
  };
  content.artificialAnalysis = [
    ...content.artificialAnalysis,
    {
      id: '00000000-0000-4000-8000-000000000099',
      name: 'Palmyra X9 (high)',
      slug: 'palmyra-x9-high',
      model_creator: { name: 'Writer' },
      evaluations: { artificial_analysis_intelligence_index: 30 },
    },
  ];
}

const path = (id: string, source?: string) =>
  `/v1/resolve?${new URLSearchParams({ id, ...(source === undefined ? {} : { source }) }).toString()}`;

const WHISPERS = ['unknown/azure-whisper-large-v3', 'unknown/groq-whisper-large-v3'];
const SONNET = 'anthropic/claude-sonnet-4-5';
const LLAMA = 'meta/llama-3.3-70b-instruct';

/** A name, where it is from, the model, and how it is told. */
const NAMES: [id: string, source: string | undefined, model: string, kind: string, rule: string | null][] = [
  ['openai/gpt-5-mini', undefined, 'openai/gpt-5-mini', 'exact', null],
  ['OpenAI/GPT-5-Mini', undefined, 'openai/gpt-5-mini', 'exact', null],
  ['  openai/gpt-5-mini ', undefined, 'openai/gpt-5-mini', 'exact', null],
  ['meta-llama/llama-3.3-70b-instruct', undefined, LLAMA, 'exact', null],
  ['Meta-Llama/Llama-3.3-70B-Instruct', 'huggingface', LLAMA, 'exact', null],
  ['groq/llama-3.3-70b-versatile', undefined, LLAMA, 'rule', 'left-out'],
  ['groq/llama-3.3-70b-versatile', 'models.dev', LLAMA, 'rule', 'left-out'],
  ['LLAMA-3.3-70b-versatile', 'groq', LLAMA, 'rule', 'left-out'],
  ['llama-3-3-instruct-70b', 'artificialanalysis', LLAMA, 'rule', 'spelling'],
  ['00000000-0000-4000-8000-000000000003', undefined, SONNET, 'rule', 'mode'],
  ['openrouter/anthropic/claude-sonnet-4.5', undefined, SONNET, 'link', 'same-offer'],
  ['models.json/anthropic/claude-sonnet-4-5', 'models.dev', SONNET, 'exact', null],
  ['whisper-large-v3', 'groq', 'unknown/groq-whisper-large-v3', 'exact', null],
  ['us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0', undefined, SONNET, 'rule', 'region-prefix'],
  ['groq/llama-3.3-70b-versatile-fp8', undefined, LLAMA, 'rule', 'left-out'],
  ['Claude Sonnet 4.5', undefined, SONNET, 'rule', 'creator'],
  ['claude-4.5-sonnet', undefined, SONNET, 'rule', 'creator'],
  ['azure-gpt-5-mini', 'azure', 'openai/gpt-5-mini', 'rule', 'host-prefix'],
  ['writer/palmyra-x9', undefined, 'writer/palmyra-x9', 'exact', null],
];

describe.each(DATABASES)('/v1/resolve on $name', ({ create }) => {
  let served: Served & { run: SyncRun };
  beforeAll(async () => {
    served = await startSynced(create, { arrange });
  });
  afterAll(() => served.close());

  const resolve = (id: string, source?: string) => served.app.json<Answer<Resolved>>(path(id, source));
  const post = (body: unknown, headers = { 'content-type': 'application/json' }) =>
    fetch(`${served.app.url}/v1/resolve`, {
      method: 'POST',
      headers,
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });

  test.each(NAMES)('200: %s of %s', async (id, source, model, kind, rule) => {
    const { data } = await resolve(id, source);
    expect([data.model?.id, data.match?.kind, data.match?.rule]).toEqual([model, kind, rule]);
    expect(data.query).toEqual({ id: id.trim(), source: source ?? null });
  });

  test('200: the model in short, the rule and what it found, as of the commit; kept by caches', async () => {
    const id = 'us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0';
    const response = await served.app.get(path(id));
    expect(response.headers.get('etag')).toMatch(/^W\/"/);
    expect(await response.json()).toStrictEqual({
      data: {
        query: { id, source: null },
        model: {
          id: SONNET,
          kind: 'model',
          target: null,
          since: null,
          name: 'Claude Sonnet 4.5',
          creator: 'anthropic',
          creatorName: 'Anthropic',
          family: 'claude-sonnet',
          releaseDate: '2025-09-29',
          lifecycle: { status: 'active', date: null, successor: null, source: null },
        },
        match: {
          kind: 'rule',
          rule: 'region-prefix',
          evidence: [
            'us-gov.anthropic. before claude-sonnet-4-5-20250929-v1:0',
            expect.stringContaining('Bedrock counts revisions of its interface behind a colon'),
            ...(await resolve(id)).data.match.evidence.slice(2),
          ],
        },
      },
      meta: { catalogVersion: 1 },
      timestamp: await committedAt(served.app),
    });
  });

  test('200: a name that its owner moves is an entry of its own, with its target', async () => {
    const { data } = await resolve('~anthropic/claude-sonnet-latest');
    expect(data.model).toMatchObject({
      id: 'anthropic/claude-sonnet-latest:openrouter',
      kind: 'rolling',
      target: SONNET,
    });
    expect(during(served.run, data.model.since)).toBe(true);
  });

  test('400: an unknown source, saying which there are', async () => {
    const problem = await problemIn(await served.app.get(path('gpt-5-mini', 'nowhere')));
    expect(problem).toMatchObject({ status: 400, code: 'BAD_REQUEST', errors: [{ path: 'source' }] });
    expect(problem.detail).toContain(
      'there are: artificialanalysis, huggingface, models.dev, openrouter, anthropic, azure, groq, openai',
    );
    expect(await problemIn(await post({ ids: [{ id: 'a' }, { id: 'b', source: 'x' }] }))).toMatchObject({
      status: 400,
      errors: [{ path: 'ids.1.source' }],
    });
  });

  test.each(['', '?id=', '?id=%20', '?id=a&id=b', '?id=a&fuzzy=true', '?id=%00', `?id=${'x'.repeat(501)}`])(
    '400: /v1/resolve%s',
    async (query) => {
      const problem = await problemIn(await served.app.get(`/v1/resolve${query}`));
      expect(problem).toMatchObject({ status: 400, code: 'BAD_REQUEST' });
    },
  );

  test('409: a name that means different models in different places, unless it is said where it is from', async () => {
    const problem = await problemIn(await served.app.get(path('Whisper-Large-v3')));
    expect(problem).toMatchObject({ status: 409, code: 'CONFLICT', errors: [] });
    expect(problem.detail).toContain(WHISPERS.join(', '));
    expect(problem.candidates?.map(({ id }) => id)).toEqual(WHISPERS);
    expect(problem.candidates?.[0]).toStrictEqual({
      id: WHISPERS[0],
      name: 'Whisper',
      usages: [
        {
          namespace: 'azure',
          match: { kind: 'exact', rule: null, evidence: [] },
        },
      ],
    });
    for (const [index, source] of ['azure', 'groq'].entries())
      expect((await resolve('whisper-large-v3', source)).data.model.id).toBe(WHISPERS[index]);
    expect(await problemOf(served.stranger.resolve.get.query({ id: 'Whisper-Large-v3' }))).toEqual(problem);
  });

  test('404: hints of the same family, nearest first, that are no match', async () => {
    const problem = await problemIn(await served.app.get(path('gpt-9-mini')));
    expect(problem).toMatchObject({ status: 404, code: 'NOT_FOUND' });
    expect(problem.hints?.[0]).toStrictEqual({
      id: 'openai/gpt-5-mini',
      name: 'GPT-5 Mini',
      isGuess: true,
      because: 'the same family; version 9 is not 5',
    });
    expect(problem.hints?.every(({ isGuess }) => isGuess)).toBe(true);
    expect(await problemOf(served.stranger.resolve.get.query({ id: 'gpt-9-mini' }))).toEqual(problem);
  });

  const UNKNOWN = ['nothing-like-it', '!!!', '///', '%_\\', "';--", '~', ':free', '..', '(('.repeat(200)];
  test.each(UNKNOWN)('404: %s, and nothing near it', async (id) => {
    const problem = await problemIn(await served.app.get(path(id)));
    expect(problem).toMatchObject({ status: 404, code: 'NOT_FOUND', hints: [] });
  });

  test('404 of a model points here', async () => {
    const { detail } = await problemIn(await served.app.get('/v1/models/no/such-model'));
    expect(detail).toContain('GET /v1/resolve?id=');
  });

  test('200: many names in their order, each with what became of it', async () => {
    const ids = [
      { id: 'gpt-5-mini', source: 'azure' },
      { id: 'whisper-large-v3' },
      { id: 'gpt-9-mini' },
      { id: 'gpt-5-mini', source: 'azure' },
    ];
    const response = await post({ ids });
    expect([response.status, response.headers.get('cache-control')]).toEqual([200, 'no-store']);
    const answer = (await response.json()) as Answer<Resolution[]>;
    expect(answer).toMatchObject({ meta: { catalogVersion: 1 }, timestamp: await committedAt(served.app) });
    const [first, second, third, again] = answer.data;
    const { data } = await resolve('gpt-5-mini', 'azure');
    expect(first).toStrictEqual({ status: 'resolved', ...data, candidates: [], hints: [] });
    expect(again).toEqual(first);
    const nothing = { model: null, match: null, candidates: [], hints: [] };
    const { candidates } = await problemIn(await served.app.get(path('whisper-large-v3')));
    const { hints } = await problemIn(await served.app.get(path('gpt-9-mini')));
    const query = (id: string) => ({ id, source: null });
    expect(second).toStrictEqual({
      ...nothing,
      status: 'ambiguous',
      query: query('whisper-large-v3'),
      candidates,
    });
    expect(third).toStrictEqual({ ...nothing, status: 'not_found', query: query('gpt-9-mini'), hints });
    expect(await served.stranger.resolve.many.mutate({ ids })).toEqual(answer);
  });

  test('200: as many names as may be asked for at once', async () => {
    const ids = Array.from({ length: MAX_NAMES }, (_, index) => ({ id: `claude-sonnet-4-5-fp${index}` }));
    const { data } = (await (await post({ ids })).json()) as Answer<Resolution[]>;
    expect(data.map(({ query }) => query.id)).toEqual(ids.map(({ id }) => id));
    expect(data[8]).toMatchObject({ status: 'resolved', model: { id: SONNET } });
  });

  const refused: [body: unknown, path: string][] = [
    [{}, 'ids'],
    [{ ids: [] }, 'ids'],
    [{ ids: ['gpt-5-mini'] }, 'ids.0'],
    [{ ids: [{ id: '' }] }, 'ids.0.id'],
    [{ ids: [{ id: 'a', sources: 'b' }] }, 'ids.0.sources'],
    [{ ids: [{ id: 'a' }], source: 'azure' }, 'source'],
    [{ ids: Array.from({ length: MAX_NAMES + 1 }, () => ({ id: 'a' })) }, 'ids'],
  ];
  test.each(refused)('400: %j', async (body, at) => {
    const problem = await problemIn(await post(body));
    expect(problem).toMatchObject({ status: 400, code: 'BAD_REQUEST', errors: [{ path: at }] });
  });

  test('413 and 415: a body that is too large, and one that is not JSON', async () => {
    const large = { ids: Array.from({ length: MAX_NAMES }, () => ({ id: 'x'.repeat(200) })) };
    expect(await problemIn(await post(large))).toMatchObject({ status: 413, code: 'PAYLOAD_TOO_LARGE' });
    const text = await post('{}', { 'content-type': 'text/plain' });
    expect(await problemIn(text)).toMatchObject({ status: 415, code: 'UNSUPPORTED_MEDIA_TYPE' });
  });

  test('tRPC answers the same', async () => {
    const input = { id: 'LLAMA-3.3-70b-versatile', source: 'groq' };
    expect(await served.stranger.resolve.get.query(input)).toEqual(await resolve(input.id, input.source));
    const wrong = await problemIn(await served.app.get(path('a', 'nowhere')));
    expect(await problemOf(served.stranger.resolve.get.query({ id: 'a', source: 'nowhere' }))).toEqual(wrong);
  });

  test('200: a former id, and what became of it; a name whose entry is gone', async () => {
    const { content } = served.upstream;
    content.modelsDevModels = {
      ...content.modelsDevModels,
      'openai/whisper-large-v3': { ...whisper, id: 'openai/whisper-large-v3', release_date: '2024-12-06' },
    };
    const { azure, ...others } = content.modelsDevApi as Catalog;
    const { 'phi-4-mini': _, ...models } = azure.models;
    content.modelsDevApi = { ...others, azure: { ...azure, models } };
    const run = await syncUntilDelisted(served.app, '?force=true');
    expect(run.status).toBe('completed');
    const former = await vi.waitUntil(async () => {
      const { data, meta } = await resolve('Unknown/Groq-Whisper-Large-v3');
      return meta.catalogVersion === run.catalogVersion && data;
    }, 10_000);
    expect(former.model.id).toBe('openai/whisper-large-v3');
    expect(former.match).toStrictEqual({
      kind: 'alias',
      rule: 'former-id',
      evidence: [
        expect.stringMatching(
          /^unknown\/groq-whisper-large-v3 was merged into openai\/whisper-large-v3 on \d{4}-\d\d-\d\d: /,
        ),
      ],
    });
    const { data: gone } = await resolve('phi-4-mini', 'azure');
    expect(gone.model).toMatchObject({ id: 'microsoft/phi-4-mini', lifecycle: { status: 'delisted' } });
    expect(gone.match).toMatchObject({ kind: 'alias', rule: 'known-name' });
  });
});

describe.each(DATABASES)('/v1/resolve where Artificial Analysis is withheld, on $name', ({ create }) => {
  test('what it alone knows is not known', async () => {
    const served = await startSynced(create, {
      arrange,
      environment: { ARTIFICIAL_ANALYSIS_PUBLISH: 'off' },
    });
    try {
      const hidden: [id: string, source?: string][] = [
        ['writer/palmyra-x9'],
        ['palmyra-x9-high'],
        ['palmyra-x9', 'artificialanalysis'],
        ['palmyra-x8'],
        ['00000000-0000-4000-8000-000000000003'],
        ['00000000-0000-4000-8000-000000000003', 'artificialanalysis'],
      ];
      for (const [id, source] of hidden)
        expect(await problemIn(await served.app.get(path(id, source))), id).toMatchObject({
          status: 404,
          hints: [],
        });
      for (const [id, source, model, kind] of NAMES) {
        if (source === 'artificialanalysis' || /^0000|^writer/.test(id)) continue;
        const response = await served.app.get(path(id, source));
        const body = await response.text();
        expect(JSON.parse(body), id).toMatchObject({ data: { model: { id: model }, match: { kind } } });
        expect(body).not.toMatch(/\(reasoning\)|Llama 3.3 Instruct 70B|GPT-5 mini \(/i);
      }
    } finally {
      await served.close();
    }
  });
});
