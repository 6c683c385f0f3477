import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DATABASES } from '../support/databases.ts';
import { changesOf, entriesOf, outcomeOf } from '../support/edits.ts';
import { fail, startSynced, type Served } from '../support/synced.ts';

const WHISPER = 'openai/whisper-large-v3';
const GPT_OSS = 'openai/gpt-oss-120b';

// What counts as missing, or waits, is settled by every fetch, also where nothing is written of the record itself.
describe.each(DATABASES)('misses on $name', ({ create }) => {
  let served: Served;
  beforeEach(async () => {
    served = await startSynced(create);
  });
  afterEach(() => served.close());

  const record = (source: string, id: string) =>
    served.app.database.read
      .selectFrom('records')
      .select(['missed', 'held'])
      .where('source', '=', source)
      .where('id', '=', id)
      .executeTakeFirst();
  const ended = async () =>
    (await changesOf(served.app, 'since=1')).filter(({ kind }) => /delisted|removed|benchmark/.test(kind));

  test('an entry that comes back with other downloads alone has not been missing in a row', async () => {
    const { content } = served.upstream;
    const all = content.huggingface as { id: string }[];
    for (let round = 1; round <= 3; round++) {
      content.huggingface = all.filter(({ id }) => id !== WHISPER);
      await served.app.sync();
      expect(await record('huggingface', WHISPER)).toMatchObject({ missed: 1 });
      content.huggingface = all.map((row) => (row.id === WHISPER ? { ...row, downloads: round } : row));
      await served.app.sync();
      expect(await record('huggingface', WHISPER)).toMatchObject({ missed: 0 });
    }
    expect(await ended()).toEqual([]);
  });

  test('a jumped price waits anew where it had gone back, whatever else was to be written then', async () => {
    const { content } = served.upstream;
    const entry = entriesOf(content, 'groq')[GPT_OSS] as { cost: { input: number }; [name: string]: unknown };
    const { cost } = entry;
    const waits = async () => (await record('models.dev', `groq/${GPT_OSS}`))?.held !== null;
    entry.cost = { ...cost, input: cost.input * 1_000 };
    await served.app.sync();
    expect(await waits()).toBe(true);
    Object.assign(entry, { cost, a_new_field: 1 });
    content.huggingface = (content.huggingface as { id: string }[]).map((row) =>
      row.id === GPT_OSS ? { ...row, downloads: 1 } : row,
    );
    await served.app.sync();
    expect(await waits()).toBe(false);
    entry.cost = { ...cost, input: cost.input * 1_000 };
    await served.app.sync();
    expect(await waits()).toBe(true);
    expect(await changesOf(served.app, 'since=1&kind=price')).toEqual([]);
  });

  test('what models.json described is not missing while that does not answer', async () => {
    const { content } = served.upstream;
    const described = { ...content.modelsDevModels } as Record<string, unknown>;
    const [id = ''] = Object.keys(described);
    delete described[id];
    content.modelsDevModels = described;
    await served.app.sync();
    expect(await record('models.dev', `models.json/${id}`)).toMatchObject({ missed: 1 });
    fail(served.upstream, 500, (path) => path.startsWith('/modelsdev/models.json'));
    for (let run = 1; run <= 3; run++)
      expect(outcomeOf(await served.app.sync(), 'models.dev').status).toBe('not_modified');
    expect(await record('models.dev', `models.json/${id}`)).toMatchObject({ missed: 1 });
    expect(await ended()).toEqual([]);
  });

  test('what a list that goes round in circles does not have is not missing', async () => {
    const { content } = served.upstream;
    served.upstream.script(
      (path) => path.startsWith('/openrouter'),
      (request, response) => {
        const next = `http://${request.headers.host}${request.url}`;
        const page = { data: content.openrouter.slice(0, -1), links: { next } };
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(page));
      },
    );
    for (let run = 1; run <= 4; run++)
      expect(outcomeOf(await served.app.sync(), 'openrouter')).toMatchObject({
        status: 'ok',
        warnings: [expect.stringContaining('circles')],
      });
    expect(await ended()).toEqual([]);
  });
});
