import type { Kysely, Selectable } from 'kysely';
import type { Tables } from './orm.ts';

/** A backup, restore, drill or maintenance of the database. */
export type DatabaseOperation = Selectable<Tables['operations']>;

/** The last operation of a kind, however it ended, and when one last completed; null: there was none. */
export interface LastOperation {
  kind: string;
  last: DatabaseOperation;
  completedAt: string | null;
}

/** How the last operation of each kind ended. */
export async function lastOperations(db: Kysely<Tables>): Promise<LastOperation[]> {
  const kinds = await db.selectFrom('operations').select('kind').distinct().orderBy('kind').execute();
  return Promise.all(
    kinds.map(async ({ kind }) => {
      const newest = db
        .selectFrom('operations')
        .where('kind', '=', kind)
        .orderBy('started_at', 'desc')
        .limit(1);
      const last = await newest.selectAll().executeTakeFirstOrThrow();
      const completed = await newest
        .where('status', '=', 'completed')
        .select('completed_at')
        .executeTakeFirst();
      return { kind, last, completedAt: completed?.completed_at ?? null };
    }),
  );
}

/** The operations that began in a time, or ended in it, oldest first; `to` is the first moment after it. */
export function operationsBetween(
  db: Kysely<Tables>,
  { from, to }: { from: string; to: string },
  by: 'started_at' | 'completed_at' = 'started_at',
): Promise<DatabaseOperation[]> {
  return db
    .selectFrom('operations')
    .selectAll()
    .where(by, '>=', from)
    .where(by, '<', to)
    .orderBy(by)
    .execute();
}
