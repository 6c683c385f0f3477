import { setTimeout } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from './database.ts';
import { isAway } from './unavailable.ts';

const RETRY_MS = 1_000;

/** Brings the schema up to date, however long the database is away before. */
export async function migrateWhenReachable(
  database: Database,
  logger: Logger,
  isStopping: () => boolean,
): Promise<void> {
  for (let warned = false; !isStopping(); warned = true) {
    try {
      const ran = await database.migrate();
      if (ran.length > 0) logger.info(`Migrated the database: ${ran.join(', ')}`);
      return;
    } catch (error) {
      if (!isAway(error)) throw error;
      if (!warned) logger.warn({ err: error }, 'The database can not be reached: trying again every second');
      await setTimeout(RETRY_MS);
    }
  }
}
