import type { Config } from '../server/config.ts';
import { openDatabase, type Database } from '../server/db/database.ts';
import { isUnavailable } from '../server/db/unavailable.ts';
import { OpsError } from './command.ts';

/** Opens the database of the service for as long as `work` takes. Throws `OpsError` where it can not be reached. */
export async function withDatabase<Result>(
  { databaseUrl, databasePasswordFile }: Pick<Config, 'databaseUrl' | 'databasePasswordFile'>,
  work: (database: Database) => Promise<Result>,
): Promise<Result> {
  const database = await openDatabase(databaseUrl, { passwordFile: databasePasswordFile });
  try {
    return await work(database);
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    throw new OpsError(
      `the database of DATABASE_URL can not be used: ${(error as Error).message || 'no connection'}. Check that it runs, and the address and password`,
    );
  } finally {
    await database.close();
  }
}
