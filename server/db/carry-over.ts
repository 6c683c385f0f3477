import { setImmediate } from 'node:timers/promises';
import { sql, type Kysely, type Transaction } from 'kysely';
import { historyOf } from '../../sync/history.ts';
import type { ChangeRow, Contents } from '../../sync/rows.ts';
import { modelsAt, offersAt } from './as-of.ts';
import type { Tables } from './orm.ts';
import { insertRows, integer, upsertRows } from './rows.ts';

// History of a time before any was kept is worked out in a catalogue of its own, and carried over from there.

type Side = Kysely<Tables>;

/** The tables of which rows are carried over. */
type Carried = 'models' | 'offers';

const KEYS = { models: ['id'], offers: ['provider', 'provider_model_id'] } as const;

/** Carries the history of `past` over into `db`, whose own begins at `seam`: what `past` holds at last was published until then. */
export async function carryOver(
  db: Transaction<Tables>,
  past: Side,
  { seam, runId }: { seam: string; runId: string },
): Promise<{ changes: number }> {
  const changes = await changesAtSeam(db, past, seam);
  const [from] = await past.selectFrom('catalog').select('history_from').execute();
  await carryVersions(db, past, { changes, seam, runId });
  for (const table of ['models', 'offers'] as const) await carryIntervals(db, past, table, seam);
  await carryNames(db, past);
  await db
    .updateTable('catalog')
    .set({ history_from: from?.history_from ?? seam })
    .where('id', '=', 1)
    .execute();
  return { changes: await count(past, 'changes') };
}

async function count(db: Side, table: 'changes' | 'catalog_versions'): Promise<number> {
  const row = await db
    .selectFrom(table)
    .select((eb) => eb.fn.countAll().as('count'))
    .executeTakeFirstOrThrow();
  return integer(row.count);
}

/** What is published, with contents. */
async function contentsOf(db: Side, at: string | null): Promise<Contents> {
  const models = await modelsAt(db, at)
    .select(['id', 'document', 'open_document as openDocument', 'restricted', 'delisted'])
    .execute();
  const offers = await offersAt(db, at)
    .select(['provider', 'provider_model_id as providerModelId', 'model_id as modelId', 'document'])
    .select('delisted_at as delistedAt')
    .execute();
  return { models, offers };
}

const offerKey = ({ provider, providerModelId }: { provider: string; providerModelId: string }) =>
  `${provider}\n${providerModelId}`;

/** What differs between what was published at last before the seam, and what was at it. */
async function changesAtSeam(db: Side, past: Side, seam: string): Promise<ChangeRow[]> {
  const before = await contentsOf(past, null);
  const after = await contentsOf(db, seam);
  await setImmediate();
  const renamed = await renamedAcross(db, past, after);
  const models = new Set(after.models.map(({ id }) => id));
  const offers = new Set(after.offers.map(offerKey));
  return historyOf({
    before,
    models: after.models.filter(({ delisted }) => delisted === 0),
    offers: after.offers.filter(({ delistedAt }) => delistedAt === null),
    delistedModels: before.models
      .filter(({ id, delisted }) => delisted === 0 && !models.has(id) && !renamed.has(id))
      .map(({ id }) => id),
    delistedOffers: before.offers.filter(
      (offer) => offer.delistedAt === null && !offers.has(offerKey(offer)),
    ),
    became: {
      renamed,
      merged: new Set(
        [...renamed].filter(([, to]) => before.models.some(({ id }) => id === to)).map(([from]) => from),
      ),
      split: [],
    },
    groups: [],
  });
}

/** Ids that were no model's any more at the seam, and the model that most of their offers were of. */
async function renamedAcross(db: Side, past: Side, after: Contents): Promise<Map<string, string>> {
  const ids = new Set(after.models.map(({ id }) => id));
  const records = await past.selectFrom('records').select(['source', 'id', 'model_id as modelId']).execute();
  const gone = records.filter(({ modelId }) => !ids.has(modelId));
  const renamed = new Map<string, string>();
  for (const { source, id, modelId } of gone) {
    if (renamed.has(modelId)) continue;
    const now = await db
      .selectFrom('records')
      .select('model_id as modelId')
      .where('source', '=', source)
      .where('id', '=', id)
      .executeTakeFirst();
    if (now !== undefined && ids.has(now.modelId)) renamed.set(modelId, now.modelId);
  }
  return renamed;
}

/** Numbers the versions and changes of the past down from the first, and tells what changed at the seam instead of that all began there. */
async function carryVersions(
  db: Transaction<Tables>,
  past: Side,
  { changes, seam, runId }: { changes: ChangeRow[]; seam: string; runId: string },
): Promise<void> {
  const first = await db
    .selectFrom('catalog_versions')
    .select((eb) => eb.fn.min('version').as('version'))
    .executeTakeFirstOrThrow();
  const version = integer(first.version ?? 1);
  await db.deleteFrom('changes').where('observed_at', '=', seam).execute();
  const { lowest } = await db
    .selectFrom('changes')
    .select((eb) => eb.fn.min('id').as('lowest'))
    .executeTakeFirstOrThrow();
  const own = changes.map((change) => ({ ...change, version, observedAt: seam }));
  const versions = await past.selectFrom('catalog_versions').selectAll().orderBy('version').execute();
  const below = version - 1 - (versions.at(-1)?.version ?? 0);
  const earlier = await past.selectFrom('changes').selectAll().orderBy('id').execute();
  const start = integer(lowest ?? 1) - own.length - earlier.length;
  await insertRows(
    db,
    'changes',
    earlier.map((row, index) => ({ ...row, id: start + index, version: row.version + below })),
  );
  await upsertRows(
    db,
    'changes',
    ['id'],
    own.map((row, index) => ({ id: start + earlier.length + index, ...row })),
  );
  await insertRows(
    db,
    'catalog_versions',
    versions.map((row) => ({ ...row, version: row.version + below, run_id: runId })),
  );
  await db
    .updateTable('catalog_versions')
    .set({ changes: own.length })
    .where('version', '=', version)
    .execute();
}

/** Carries over when what was published; what is no more stays readable, as delisted. */
async function carryIntervals(
  db: Transaction<Tables>,
  past: Side,
  table: Carried,
  seam: string,
): Promise<void> {
  const put = table === 'models' ? 'model_versions' : 'offer_versions';
  const ended = await past.selectFrom(put).selectAll().execute();
  await insertRows(db, put, ended);
  const columns = Object.keys(ended[0] ?? {});
  const now = new Set(
    (
      await db
        .selectFrom(table)
        .select([...KEYS[table]])
        .execute()
    ).map((row) => JSON.stringify(Object.values(row))),
  );
  const last: object[] = [];
  const gone: object[] = [];
  for (const row of await past.selectFrom(table).selectAll().execute()) {
    const key = JSON.stringify(KEYS[table].map((column) => (row as Record<string, unknown>)[column]));
    const isKnown = now.has(key);
    const wasListed = row.delisted_at === null;
    if (isKnown || wasListed) last.push({ ...pick(row, columns), valid_to: seam });
    if (isKnown) continue;
    const delisted = { valid_from: seam, delisted_at: seam, ...('delisted' in row ? { delisted: 1 } : {}) };
    gone.push(wasListed ? { ...row, ...delisted } : row);
  }
  await insertRows(db, put, last);
  await insertRows(db, table, gone);
}
