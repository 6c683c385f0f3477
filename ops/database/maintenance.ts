import { dialectOf } from '../../server/db/orm.ts';
import type { Address } from './address.ts';
import { maintainPostgres } from './maintain-postgres.ts';
import { maintainSqlite } from './maintain-sqlite.ts';
import type { Maintenance } from './operation.ts';
import type { Steps } from './steps.ts';

/** Maintains a database while it is used. */
export function maintainDatabase(address: Address, steps: Steps): Promise<Maintenance> {
  return (dialectOf(address.url) === 'sqlite' ? maintainSqlite : maintainPostgres)(address, steps);
}
