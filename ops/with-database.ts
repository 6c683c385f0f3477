import type { Config } from '../server/config.ts';
import { openDatabase, type Database } from '../server/db/database.ts';
import { isUnavailable } from '../server/db/unavailable.ts';
import { OpsError } from './command.ts';
import { requireFile } from './database/address.ts';

/** Opens the database of the service for as long as `work` takes. Throws `OpsError` where it can not be reached. */
export async function withDatabase<Result>(
  { databaseUrl, databasePasswordFile }: Pick<Config, 'databaseUrl' | 'databasePasswordFile'>,
  work: (database: Database) => Promise<Result>,
): Promise<Result> {
  requireFile(databaseUrl);
  const database = await openDatabase(databaseUrl, { passwordFile: databasePasswordFile });
  try {
    return await work(database);
  } catch (error) {
    if (lacksTables(error))
      throw new OpsError('the database of DATABASE_URL has no tables yet: run `npm run migrate`', {
        cause: error,
      });
    if (!isUnavailable(error)) throw error;
    throw new OpsError(
      `the database of DATABASE_URL can not be used: ${(error as Error).message || 'no connection'}. Check that it runs, and the address and password`,
    );
  } finally {
    await database.close();
  }
}

/** SQLSTATE of a table that is not there; SQLite says so in words alone. */
const NO_TABLE = '42P01';

function lacksTables(error: unknown): boolean {
  const { code, message } = error as Error & { code?: string };
  return code === NO_TABLE || message.includes('no such table');
}
