import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDatabase, type Database } from '../../server/db/database.ts';
import { offersAt } from '../../server/db/as-of.ts';
import { runBackfill } from '../support/backfilled.ts';
import { DATABASES, type TestDatabase } from '../support/databases.ts';
import { hasPayloads, payloadsDir } from '../support/payloads.ts';
import { modelDiff, type ModelMonthDiff } from './model-diff.ts';
import { diffHistory, diffMonths, readMonths, type Month, type MonthDiff } from './payload-diff.ts';

const FOLDER = join(payloadsDir, 'modelsdev');

/** Entries whose price is written otherwise and means the same to a reader of the catalogue, by the reason. */
function unpublished({ price, restated }: MonthDiff, { entries }: Month): Map<string, string> {
  const isNothing = (value: unknown) => value === undefined || value === 0;
  const costOf = (key: string) => (entries.get(key)?.cost ?? {}) as Record<string, unknown>;
  const zeroed = price.filter(
    ({ key, fields }) =>
      fields.every(({ before, after }) => isNothing(before) && isNothing(after)) &&
      isNothing(costOf(key).input) &&
      isNothing(costOf(key).output),
  );
  // Where the tier begins elsewhere, it is another price.
  const moved = restated.filter((key) => {
    const tiers = (costOf(key).tiers ?? []) as { tier: { size: number } }[];
    return tiers.every(({ tier }) => tier.size === 200_000);
  });
  return new Map([
    // The price beyond 200,000 tokens moved to another block.
    ...moved.map((key) => [key, 'restated'] as const),
    // A price of 0 that nothing calls free is as unknown as one that is not written.
    ...zeroed.map(({ key }) => [key, 'zero or absent'] as const),
  ]);
}

/** Entries that came back with another price than the one that they left with. */
function returnedOtherwise(months: Month[], index: number, { returned }: MonthDiff): string[] {
  const month = months[index] as Month;
  return returned.filter((key) => {
    const last = months.slice(0, index).findLast(({ entries }) => entries.has(key)) as Month;
    const only = (of: Month) => ({ ...of, entries: new Map([...of.entries].filter(([id]) => id === key)) });
    const diff = diffMonths(only(last), only(month));
    return diff.price.length > 0 && !unpublished(diff, month).has(key);
  });
}

describe.skipIf(!hasPayloads)('a recorded year in the history, beside a comparison of its files', () => {
  const months = hasPayloads ? readMonths(FOLDER) : [];
  const diffs = diffHistory(months);
  const indexes = months.map((_, index) => index);

  describe.each(DATABASES)('on $name', ({ create }) => {
    let given: TestDatabase;
    let database: Database;
    let models: ModelMonthDiff[];

    beforeAll(async () => {
      given = await create();
      const archives = months.flatMap(({ date }) => {
        const facts = join(FOLDER, `${date}.models.json.gz`);
        return ['--at', date, join(FOLDER, `${date}.api.json.gz`), ...(existsSync(facts) ? [facts] : [])];
      });
      const { code, output } = await runBackfill(given.url, ['--source', 'models.dev', ...archives]);
      expect(code, output).toBe(0);
      database = await openDatabase(given.url);
      const byMonth = new Map<string, Map<string, string>>();
      for (const { date } of months) {
        const offers = await offersAt(database.read, new Date(date).toISOString())
          .select(['provider', 'provider_model_id as id', 'model_id as model'])
          .where('delisted_at', 'is', null)
          .execute();
        byMonth.set(date, new Map(offers.map(({ provider, id, model }) => [`${provider}/${id}`, model])));
      }
      models = modelDiff(byMonth);
    }, 240_000);
    afterAll(async () => {
      await database?.close();
      await given?.drop();
    });

    /** What is told of a month: the keys of offers, or the ids of models, by the kind of change. */
    async function told(index: number, kinds: string[], of: 'model' | 'offer'): Promise<string[]> {
      const rows = await database.read
        .selectFrom('changes')
        .selectAll()
        .where('observed_at', '=', new Date(months[index]?.date ?? '').toISOString())
        .where('kind', 'in', kinds)
        .where('provider', of === 'offer' ? '!=' : '=', '')
        .execute();
      const names = rows.map((row) =>
        of === 'offer' ? `${row.provider}/${row.provider_model_id}` : row.model_id,
      );
      return [...new Set(names)].toSorted();
    }

    test.each(indexes)('month %i: offers that were added', async (index) => {
      expect(await told(index, ['offer_added'], 'offer')).toEqual(diffs[index]?.added.toSorted());
    });

    test.each(indexes)('month %i: offers that were removed', async (index) => {
      expect(await told(index, ['offer_removed'], 'offer')).toEqual(diffs[index]?.removed.toSorted());
    });

    test.each(indexes)('month %i: prices that changed', async (index) => {
      const diff = diffs[index] as MonthDiff;
      const same = unpublished(diff, months[index] as Month);
      const expected = [
        ...diff.price.map(({ key }) => key).filter((key) => !same.has(key)),
        ...returnedOtherwise(months, index, diff),
      ];
      expect(await told(index, ['price'], 'offer')).toEqual(expected.toSorted());
    });

    test.each(indexes)('month %i: models that came and went', async (index) => {
      const diff = models[index] as ModelMonthDiff;
      // Facts about a model make it known though nobody offers it: the file of entries does not have it.
      const offered = (ids: string[]) => {
        const known = new Set([...diff.added, ...diff.relisted, ...diff.regroupedIn]);
        return ids.filter((id) => known.has(id));
      };
      expect(offered(await told(index, ['model_added'], 'model'))).toEqual(diff.added);
      expect(await told(index, ['model_delisted'], 'model')).toEqual(diff.delisted);
      // An id that had gone into another model comes back out of that one.
      const merged = new Set(models.slice(0, index).flatMap(({ regroupedOut }) => regroupedOut));
      const split = diff.relisted.filter((id) => merged.has(id));
      expect(await told(index, ['model_relisted'], 'model')).toEqual(
        diff.relisted.filter((id) => !merged.has(id)),
      );
      expect(await told(index, ['model_split'], 'model')).toEqual([...diff.regroupedIn, ...split].toSorted());
    });

    test('what is left is what the last file has', async () => {
      const { count } = await database.read
        .selectFrom('offers')
        .select((eb) => eb.fn.countAll().as('count'))
        .where('delisted_at', 'is', null)
        .executeTakeFirstOrThrow();
      expect(Number(count)).toBe(months.at(-1)?.entries.size);
    });
  });
});
