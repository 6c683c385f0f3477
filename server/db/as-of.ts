import { sql, type Kysely, type SelectQueryBuilder } from 'kysely';
import type { Tables } from './orm.ts';
import { MODEL_VERSION_COLUMNS, OFFER_VERSION_COLUMNS } from './version-columns.ts';

/** A point in the history: a time, or a catalogue version. */
export type HistoryPoint = { at: string } | { version: number };

/** A query over the table of models, or over what it held at a time. */
export type Models = SelectQueryBuilder<Tables, 'models', object>;

/** A query over the table of offers, or over what it held at a time. */
export type Offers = SelectQueryBuilder<Tables, 'offers', object>;

/** The models as they were published at a time; null: as they are. Of the past, popularity is not known. */
export function modelsAt(db: Kysely<Tables>, at: string | null): Models {
  if (at === null) return db.selectFrom('models');
  const then = db
    .selectFrom('models')
    .select(MODEL_VERSION_COLUMNS)
    .select(['valid_from as updated_at', sql<number | null>`null`.as('downloads')])
    .where('valid_from', '<=', at)
    .unionAll(
      db
        .selectFrom('model_versions')
        .select(MODEL_VERSION_COLUMNS)
        .select(['valid_from as updated_at', sql<number | null>`null`.as('downloads')])
        .where('valid_from', '<=', at)
        .where('valid_to', '>', at),
    );
  return db.selectFrom(then.as('models'));
}

/** The offers as they were published at a time; null: as they are. */
export function offersAt(db: Kysely<Tables>, at: string | null): Offers {
  if (at === null) return db.selectFrom('offers');
  const then = db
    .selectFrom('offers')
    .select(OFFER_VERSION_COLUMNS)
    .where('valid_from', '<=', at)
    .unionAll(
      db
        .selectFrom('offer_versions')
        .select(OFFER_VERSION_COLUMNS)
        .where('valid_from', '<=', at)
        .where('valid_to', '>', at),
    );
  return db.selectFrom(then.as('offers'));
}

/** Since when history is kept; null: nothing has been published yet. */
export async function historyFrom(db: Kysely<Tables>): Promise<string | null> {
  const row = await db.selectFrom('catalog').select('history_from').where('id', '=', 1).executeTakeFirst();
  return row?.history_from ?? null;
}

/** When what is published was committed: after the clock was set back, later than now. Null: nothing has been published yet. */
export async function lastCommit(db: Kysely<Tables>): Promise<string | null> {
  const row = await db
    .selectFrom('catalog_versions')
    .select((eb) => eb.fn.max('committed_at').as('at'))
    .executeTakeFirst();
  return row?.at ?? null;
}

/** The version that was published at a time; null: none was. */
export async function versionAt(db: Kysely<Tables>, at: string): Promise<number | null> {
  const { version } = await db
    .selectFrom('catalog_versions')
    .select((eb) => eb.fn.max('version').as('version'))
    .where('committed_at', '<=', at)
    .executeTakeFirstOrThrow();
  return version;
}

/** The time of a point in the history; null: there is no such version. */
export async function timeOf(db: Kysely<Tables>, point: HistoryPoint): Promise<string | null> {
  if ('at' in point) return point.at;
  const row = await db
    .selectFrom('catalog_versions')
    .select('committed_at')
    .where('version', '=', point.version)
    .executeTakeFirst();
  return row?.committed_at ?? null;
}
