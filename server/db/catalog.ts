import { sql, type Kysely } from 'kysely';
import type { Provider } from '../../contracts/providers.ts';
import type { DialectName, Tables } from './orm.ts';

/** Which version of the catalogue is published, and since when. */
export interface CatalogVersion {
  version: number;
  committedAt: string;
}

/** What holds before the first sync. */
export const EMPTY_CATALOG: CatalogVersion = { version: 0, committedAt: '1970-01-01T00:00:00.000Z' };

/** The published version. */
export async function catalogVersion(db: Kysely<Tables>): Promise<CatalogVersion> {
  const row = await db
    .selectFrom('catalog')
    .select(['version', 'committed_at as committedAt'])
    .where('id', '=', 1)
    .executeTakeFirst();
  return row ?? EMPTY_CATALOG;
}

/** How many models are published. */
export async function countModels(db: Kysely<Tables>, { withheld }: { withheld: boolean }): Promise<number> {
  let query = db.selectFrom('models').where('delisted', '=', 0);
  if (withheld) query = query.where('restricted', '=', 0);
  const { count } = await query.select((eb) => eb.fn.countAll().as('count')).executeTakeFirstOrThrow();
  return Number(count);
}

/** One page of providers by id, and how many there are. */
export async function listProviders(
  db: Kysely<Tables>,
  dialect: DialectName,
  { limit, offset }: { limit: number; offset: number },
): Promise<{ providers: Provider[]; total: number }> {
  const { count } = await db
    .selectFrom('providers')
    .select((eb) => eb.fn.countAll().as('count'))
    .executeTakeFirstOrThrow();
  const rows = await db
    .selectFrom('providers')
    .select('document')
    .orderBy(dialect === 'postgresql' ? sql`id collate "C"` : 'id')
    .limit(limit)
    .offset(offset)
    .execute();
  return { providers: rows.map(({ document }) => JSON.parse(document) as Provider), total: Number(count) };
}
