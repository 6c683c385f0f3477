import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { groupRecords } from '../../sync/identity.ts';
import { artificialAnalysis } from '../../sync/sources/artificial-analysis.ts';
import { huggingFace } from '../../sync/sources/huggingface.ts';
import { modelsDev } from '../../sync/sources/models-dev.ts';
import { openRouter } from '../../sync/sources/openrouter.ts';
import { DATABASES } from '../support/databases.ts';
import { hasPayloads, payloadsDir, readPayload, recordedContent } from '../support/payloads.ts';
import { startServed, type Served } from '../support/synced.ts';

const SOURCES = new Map(
  [modelsDev, openRouter, huggingFace, artificialAnalysis].map((source) => [source.id, source]),
);

/** The recorded answers of a source, by date. */
const answers = (folder: string, ending: string) =>
  readdirSync(join(payloadsDir, folder))
    .filter((name) => name.endsWith(ending))
    .toSorted()
    .map((name) => ({ date: name.slice(0, 10), path: `${folder}/${name}` }));

/** The answer of a source that was the newest on a day; before its first, none. */
const asOf = (folder: string, ending: string, day: string): unknown => {
  const last = answers(folder, ending).findLast(({ date }) => date <= day);
  return last === undefined ? null : readPayload(last.path);
};

/** Records by model, as text: what belongs together, whatever it is called. */
const partition = (groups: Iterable<{ source: string; id: string }[]>) =>
  [...groups]
    .map((records) =>
      records
        .map(({ source, id }) => `${source} ${id}`)
        .toSorted()
        .join('\n'),
    )
    .toSorted();

describe.skipIf(!hasPayloads)('a recorded year, month by month', () => {
  const months = hasPayloads ? answers('modelsdev', '.api.json.gz').map(({ date }) => date) : [];

  describe.each(DATABASES)('on $name', ({ create }) => {
    let served: Served;
    /** Every id that was ever published, and the month. */
    const everPublished = new Map<string, string>();

    beforeAll(async () => {
      served = await startServed(create, {
        arrange: (content) => {
          Object.assign(content, recordedContent({ huggingface: 300 }), { artificialAnalysisRetired: null });
        },
      });
    });
    afterAll(() => served?.close());

    test.each(months)('%s: placed as if it were the first sync', { timeout: 120_000 }, async (month) => {
      const { content } = served.upstream;
      content.modelsDevApi = asOf('modelsdev', '.api.json.gz', month) as object;
      content.modelsDevModels = asOf('modelsdev', '.models.json.gz', month) as object | null;
      content.openrouter =
        (asOf('openrouter', '.models.json.gz', month) as { data: object[] } | null)?.data ?? [];
      content.artificialAnalysisRetired = asOf('artificialanalysis', '.models.json.gz', month) as
        object | null;
      const run = await served.app.sync('?force=true');
      expect(run.status, run.message).toMatch(/completed|partial/);

      const stored = await served.app.database.read
        .selectFrom('records')
        .select(['source', 'id', 'raw', 'model_id as modelId'])
        .execute();
      const records = stored.map(({ source, id, raw }) => {
        const parsed = SOURCES.get(source)?.parse({ id, value: JSON.parse(raw) as unknown });
        if (parsed === undefined) throw new Error(`no source ${source}`);
        return parsed;
      });
      const incremental = Map.groupBy(stored, ({ modelId }) => modelId).values();
      expect(partition(incremental)).toEqual(partition(groupRecords(records).map(({ records: own }) => own)));
      const models = await served.app.database.read.selectFrom('models').select('id').execute();
      for (const { id } of models) if (!everPublished.has(id)) everPublished.set(id, month);
    });

    test('every id that was ever published still resolves, and what became of it is recorded', async () => {
      const { read } = served.app.database;
      const models = new Set((await read.selectFrom('models').select('id').execute()).map(({ id }) => id));
      const former = new Map(
        (await read.selectFrom('aliases').selectAll().execute()).map((row) => [row.alias, row.model_id]),
      );
      const changes = await read.selectFrom('identity_changes').selectAll().execute();
      const left = [...everPublished.keys()].filter((id) => !models.has(id));
      expect(left.length).toBeGreaterThan(0);
      expect(left.filter((id) => !models.has(former.get(id) ?? ''))).toEqual([]);
      expect(left.filter((id) => !changes.some((change) => change.from_id === id))).toEqual([]);
      for (const id of left.slice(0, 50)) {
        const { data } = await served.app.json<{ data: { id: string } }>(`/v1/models/${id}`);
        expect(data.id).toBe(former.get(id));
      }
    });
  });
});
