import type { Kysely, Transaction } from 'kysely';
import { historyOf } from '../../sync/history.ts';
import type { ChangeRow, Contents } from '../../sync/rows.ts';
import { modelsAt, offersAt } from './as-of.ts';
import { carryIntervals } from './carry-intervals.ts';
import { carryNames, renamedAcross } from './carry-names.ts';
import { firstChangeId, lastChangeId } from './changes.ts';
import type { Tables } from './orm.ts';
import { integer, upsertRows } from './rows.ts';

// History of a time before any was kept is worked out in a catalogue of its own, and carried over from there.

/**
 * Carries the history of `past` over into `db`, whose own begins at `seam`: what `past` holds at last was published until
 * then. Of what is published now nothing changes. Answers with how many changes were added.
 */
export async function carryOver(
  db: Transaction<Tables>,
  past: Kysely<Tables>,
  { seam, runId }: { seam: string; runId: string },
): Promise<number> {
  const before = await contentsOf(past, null);
  const after = await contentsOf(db, seam);
  const renamed = await renamedAcross(db, past, new Set(after.models.map(({ id }) => id)));
  const added = await carryVersions(db, past, {
    seam,
    runId,
    changes: changesAtSeam(before, after, renamed),
  });
  await carryIntervals(db, past, { seam, renamed });
  await carryNames(db, past, renamed);
  const { history_from: from } = await past
    .selectFrom('catalog')
    .select('history_from')
    .executeTakeFirstOrThrow();
  await db.updateTable('catalog').set({ history_from: from }).where('id', '=', 1).execute();
  return added;
}

/** What was published at a time, or is now, with contents. */
async function contentsOf(db: Kysely<Tables>, at: string | null): Promise<Contents> {
  const models = await modelsAt(db, at)
    .select(['id', 'document', 'open_document as openDocument', 'restricted', 'delisted'])
    .select('last_open_document as lastOpenDocument')
    .execute();
  const offers = await offersAt(db, at)
    .select(['provider', 'provider_model_id as providerModelId', 'model_id as modelId', 'document'])
    .select('delisted_at as delistedAt')
    .execute();
  return { models, offers };
}

const offerKey = ({ provider, providerModelId }: { provider: string; providerModelId: string }) =>
  `${provider}\n${providerModelId}`;

/** What differs between what was published last before the seam, and what was at it. */
function changesAtSeam(before: Contents, after: Contents, renamed: Map<string, string>): ChangeRow[] {
  const listed = (contents: Contents) => ({
    models: contents.models.filter(({ delisted }) => delisted === 0),
    offers: contents.offers.filter(({ delistedAt }) => delistedAt === null),
  });
  const [was, is] = [listed(before), listed(after)];
  const modelIds = new Set(is.models.map(({ id }) => id));
  const offers = new Set(is.offers.map(offerKey));
  const formerIds = new Set(before.models.map(({ id }) => id));
  return historyOf({
    before,
    ...is,
    delistedModels: was.models.map(({ id }) => id).filter((id) => !modelIds.has(id) && !renamed.has(id)),
    delistedOffers: was.offers.filter((offer) => !offers.has(offerKey(offer))),
    became: {
      renamed,
      merged: new Set([...renamed].filter(([, to]) => formerIds.has(to)).map(([from]) => from)),
      split: [],
    },
    groups: [],
  });
}

/** Numbers the versions and changes of the past down from the first, and tells what changed at the seam, instead of that all began there. */
async function carryVersions(
  db: Transaction<Tables>,
  past: Kysely<Tables>,
  { changes, seam, runId }: { changes: ChangeRow[]; seam: string; runId: string },
): Promise<number> {
  const { first } = await db
    .selectFrom('catalog_versions')
    .select((eb) => eb.fn.min('version').as('first'))
    .executeTakeFirstOrThrow();
  const version = integer(first ?? 1);
  // Ids that were told once are never those of other changes.
  const lowest = (await firstChangeId(db)) ?? (await lastChangeId(db)) + 1;
  await db.deleteFrom('changes').where('observed_at', '=', seam).execute();
  const versions = await past.selectFrom('catalog_versions').selectAll().orderBy('version').execute();
  const earlier = await past.selectFrom('changes').selectAll().orderBy('id').execute();
  const lower = version - 1 - (versions.at(-1)?.version ?? 0);
  const start = lowest - changes.length - earlier.length;
  await upsertRows(
    db,
    'changes',
    ['id'],
    earlier.map((row, index) => ({ ...row, id: start + index, version: row.version + lower })),
  );
  await upsertRows(
    db,
    'changes',
    ['id'],
    changes.map((row, index) => ({ ...row, id: start + earlier.length + index, version, observedAt: seam })),
  );
  await upsertRows(
    db,
    'catalog_versions',
    ['version'],
    versions.map((row) => ({ ...row, version: row.version + lower, run_id: runId })),
  );
  await db
    .updateTable('catalog_versions')
    .set({ changes: changes.length, committed_at: seam })
    .where('version', '=', version)
    .execute();
  return earlier.length + changes.length;
}
