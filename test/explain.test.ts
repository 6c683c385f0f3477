import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DATABASES } from './support/databases.ts';
import { Command } from './support/process.ts';
import { startSynced, type Served } from './support/synced.ts';
import type { UpstreamContent } from './support/upstream.ts';

/** Runs `npm run explain -- ...` and answers with what it printed and how it ended. */
async function explain(url: string, ...args: string[]) {
  const command = new Command('explain', { DATABASE_URL: url }, args);
  return { code: await command.ended(), text: command.output };
}

/** Azure sells a Whisper of which nobody knows whether it is the one at Groq. */
function arrange({ modelsDevApi }: UpstreamContent): void {
  const { azure, groq } = modelsDevApi as Record<string, { models: Record<string, object> }>;
  if (azure && groq)
    azure.models['whisper-large-v3'] = { ...groq.models['whisper-large-v3'], family: 'other' };
}

describe.each(DATABASES)('npm run explain on $name', ({ create }) => {
  let served: Served;
  beforeAll(async () => {
    served = await startSynced(create, { arrange });
  });
  afterAll(() => served.close());
  const ask = (...args: string[]) => explain(served.database.url, ...args);

  test('says what a name that nobody uses is taken for, and everything behind its model', async () => {
    const { code, text } = await ask('us-gov.anthropic.claude-sonnet-4-5-20250929-v1:0');
    expect(code).toBe(0);
    for (const line of [
      'taken for   a name that nobody is known to use, read by the rules',
      'means       anthropic/claude-sonnet-4-5  Claude Sonnet 4.5 (model)',
      'because     rule, region-prefix',
      'read as     claude-sonnet-4-5-20250929, of anthropic: words sonnet; version 4.5; date 2025-09-29',
      'by rule     region-prefix: us-gov.anthropic. before claude-sonnet-4-5-20250929-v1:0',
      'records stand behind anthropic/claude-sonnet-4-5',
      'openrouter  anthropic/claude-sonnet-4.5  (offer)',
      'artificialanalysis  00000000-0000-4000-8000-000000000003  (measurement)',
      'mode: (reasoning) is no part of the name',
      'stands here link, same-offer',
      'Kept apart from anthropic/claude-sonnet-4-5',
      'What became of ids',
    ])
      expect(text).toContain(line);
  });

  test('says why models of one family are kept apart', async () => {
    const { text } = await ask('openai/gpt-5.4');
    expect(text).toContain('taken for   an id of this catalogue');
    expect(text).toContain('no other model is of its family');
    served.upstream.content.openrouter = served.upstream.content.openrouter.map((row) =>
      'id' in row && row.id === 'openai/gpt-5.4'
        ? { ...row, id: 'openai/gpt-5.4-mini', canonical_slug: '' }
        : row,
    );
    await served.app.sync('?force=true');
    const again = await ask('gpt-5-mini', '--source', 'azure');
    expect(again.code).toBe(0);
    expect(again.text).toContain('from        provider azure');
    expect(again.text).toContain('taken for   a name that sources or providers use (azure)');
    expect(again.text).toContain('openai/gpt-5.4-mini  (version 5 is not 5.4)');
  });

  test('says where a name that its owner moves points to', async () => {
    const { code, text } = await ask('~anthropic/claude-sonnet-latest');
    expect(code).toBe(0);
    expect(text).toContain('(rolling; points to anthropic/claude-sonnet-4-5)');
    expect(text).toContain('a name that its owner moves');
  });

  test('1: a name that means nothing, with what is near and how it was read', async () => {
    const { code, text } = await ask('gpt-9-mini');
    expect(code).toBe(1);
    expect(text).toContain('Near to it, but no match\n');
    expect(text).toContain('openai/gpt-5-mini  (the same family; version 9 is not 5)');
    expect(text).toContain('read as     gpt-9-mini, of openai: words gpt mini; version 9');
    expect(await ask('nothing-like-it')).toMatchObject({
      code: 1,
      text: expect.stringContaining('No model is near'),
    });
  });

  test('1: a name that means different models in different places, with where and why', async () => {
    const { code, text } = await ask('whisper-large-v3');
    expect(code).toBe(1);
    expect(text).toContain('means       different models in different places: ask with --source');
    for (const provider of ['azure', 'groq'])
      expect(text).toMatch(new RegExp(`unknown/${provider}-whisper-large-v3 .*\n  ${provider} +exact`));
  });

  test('1: a source that is not known, and which there are', async () => {
    const { code, text } = await ask('gpt-5-mini', '--source=nowhere');
    expect([code, text]).toEqual([
      1,
      'There is no source or provider "nowhere"; there are: artificialanalysis, huggingface, models.dev, openrouter, anthropic, azure, groq, openai\n',
    ]);
  });

  test.each([[[]], [['--sources', 'x', 'y']], [[' ']]])('1: %j is no question', async (args) => {
    expect(await ask(...args)).toEqual({
      code: 1,
      text: 'Usage: npm run explain -- <id> [--source <source or provider>]\n',
    });
  });

  test('1: a database that holds nothing', async () => {
    const empty = await create();
    try {
      const answer = { code: 1, text: 'The database holds no catalogue yet: run `npm run sync` first.\n' };
      expect(await explain(empty.url, 'gpt-5-mini')).toEqual(answer);
      expect(await new Command('migrate', { DATABASE_URL: empty.url }).ended()).toBe(0);
      expect(await explain(empty.url, 'gpt-5-mini')).toEqual(answer);
    } finally {
      await empty.drop();
    }
  });
});
