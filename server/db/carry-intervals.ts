import type { Kysely, Transaction } from 'kysely';
import type { Renamed } from './carry-names.ts';
import type { Tables } from './orm.ts';
import { upsertRows } from './rows.ts';
import { MODEL_VERSION_COLUMNS, OFFER_VERSION_COLUMNS } from './version-columns.ts';

type Row = Record<string, unknown>;

/** Columns of `row` as they are put away. */
const put = (row: Row, columns: readonly string[], seam: string): Row => ({
  ...Object.fromEntries(columns.map((column) => [column, row[column]])),
  valid_to: seam,
});

/** Carries over since when and until when what was published; what is no more stays readable, as delisted at the seam. */
export async function carryIntervals(
  db: Transaction<Tables>,
  past: Kysely<Tables>,
  { seam, renamed }: { seam: string; renamed: Renamed },
): Promise<void> {
  for (const table of ['models', 'model_versions', 'offers', 'offer_versions'] as const)
    await db.updateTable(table).set({ valid_from: seam }).where('valid_from', '<', seam).execute();
  await carryModels(db, past, { seam, renamed });
  await carryOffers(db, past, { seam, renamed });
}

async function carryModels(
  db: Transaction<Tables>,
  past: Kysely<Tables>,
  { seam, renamed }: { seam: string; renamed: Renamed },
): Promise<void> {
  const ended = await past.selectFrom('model_versions').selectAll().execute();
  await upsertRows(db, 'model_versions', ['id', 'valid_from'], ended);
  const taken = new Set([
    ...renamed.keys(),
    ...(await db.selectFrom('models').select('id').execute()).map(({ id }) => id),
    ...(await db.selectFrom('aliases').select('alias').execute()).map(({ alias }) => alias),
  ]);
  const rows = await past.selectFrom('models').selectAll().execute();
  const last = rows.filter((row) => taken.has(row.id) || row.delisted === 0);
  await upsertRows(
    db,
    'model_versions',
    ['id', 'valid_from'],
    last.map((row) => put(row, [...MODEL_VERSION_COLUMNS, 'updated_at'], seam)),
  );
  const gone = rows
    .filter((row) => !taken.has(row.id))
    .map((row) => (row.delisted === 1 ? row : { ...row, delisted: 1, delisted_at: seam, valid_from: seam }));
  await upsertRows(db, 'models', ['id'], gone);
}

async function carryOffers(
  db: Transaction<Tables>,
  past: Kysely<Tables>,
  { seam, renamed }: { seam: string; renamed: Renamed },
): Promise<void> {
  const key = ['provider', 'provider_model_id'];
  const ended = await past.selectFrom('offer_versions').selectAll().execute();
  await upsertRows(db, 'offer_versions', [...key, 'valid_from'], ended);
  const keyOf = (row: { provider: string; provider_model_id: string }) =>
    `${row.provider}\n${row.provider_model_id}`;
  const taken = new Set(
    (await db.selectFrom('offers').select(['provider', 'provider_model_id']).execute()).map(keyOf),
  );
  const rows = await past.selectFrom('offers').selectAll().execute();
  const last = rows.filter((row) => taken.has(keyOf(row)) || row.delisted_at === null);
  await upsertRows(
    db,
    'offer_versions',
    [...key, 'valid_from'],
    last.map((row) => put(row, OFFER_VERSION_COLUMNS, seam)),
  );
  const gone = rows
    .filter((row) => !taken.has(keyOf(row)))
    .map((row) => ({ ...row, model_id: renamed.get(row.model_id) ?? row.model_id }))
    .map((row) => (row.delisted_at === null ? { ...row, delisted_at: seam, valid_from: seam } : row));
  await upsertRows(db, 'offers', key, gone);
}
