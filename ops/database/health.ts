import type { Kysely } from 'kysely';
import { dialectOf, type Tables } from '../../server/db/orm.ts';
import { withOperator, type Address } from './address.ts';
import { postgresSections } from './health-postgres.ts';
import type { Bounds, DatabaseHealth } from './health-section.ts';
import { sqliteSections } from './health-sqlite.ts';

/** Looks at how a database stands; changes nothing. */
export function databaseHealth(address: Address, bounds: Bounds): Promise<DatabaseHealth> {
  const look = (db: Kysely<Tables>) =>
    dialectOf(address.url) === 'sqlite'
      ? sqliteSections(db, address.url, bounds)
      : postgresSections(db, bounds);
  return withOperator(address, look);
}
