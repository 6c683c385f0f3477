import type { Kysely } from 'kysely';
import { z } from 'zod';
import type { ChangeKind } from '../../contracts/changes.ts';
import { Timestamp } from '../../contracts/common.ts';
import { ApiError } from '../../contracts/errors.ts';
import type { Handlers } from '../../contracts/index.ts';
import type { HistoryPoint } from '../db/as-of.ts';
import { catalogVersion } from '../db/catalog.ts';
import { forgottenSince, listChanges, type ChangePosition, type ChangeQuery } from '../db/changes.ts';
import type { Database } from '../db/database.ts';
import { findModelId, formerIds } from '../db/model-ids.ts';
import type { View } from '../db/view.ts';
import type { Tables } from '../db/orm.ts';
import { namesOfId } from './names.ts';

/** The largest number that a column of versions holds. */
const MAX_VERSION = 2_147_483_647;

/** Reads a point in the history as a caller gives it: digits are a version, a day is its first moment in UTC. */
export function pointOf(text: string): HistoryPoint {
  if (/^-?\d{1,10}$/.test(text))
    return { version: Math.max(-MAX_VERSION, Math.min(Number(text), MAX_VERSION)) };
  return { at: new Date(text).toISOString() };
}

/** Reads `since`. Throws `ApiError` BAD_REQUEST where that version is yet to come, or changes since then are forgotten. */
async function sinceOf(db: Kysely<Tables>, since: string): Promise<HistoryPoint> {
  const refuse = (message: string) =>
    new ApiError('BAD_REQUEST', message, { extra: { errors: [{ path: 'since', message }] } });
  const point = pointOf(since);
  const { version } = await catalogVersion(db);
  if ('version' in point && point.version > version)
    throw refuse(
      `The catalogue is at version ${version}, before ${since}: take meta.catalogVersion of an answer, or a day such as 2026-03-01.`,
    );
  const forgotten = await forgottenSince(db, point);
  if (forgotten === null) return point;
  throw refuse(
    `The history begins at ${forgotten}, and changes since ${since} are forgotten: load what is published anew, and ask since then.`,
  );
}

/** The filters of a list, feed or stream of changes, as its contract parsed them. */
export interface ChangeFilters {
  since?: string | undefined;
  until?: string | undefined;
  kind?: ChangeKind[] | undefined;
  model?: string | undefined;
  provider?: string | undefined;
}

/** Which changes the filters mean as the catalogue stands: a model's under every id that it has had. */
export async function changeQuery(
  db: Kysely<Tables>,
  { since, until, kind, model, provider }: ChangeFilters,
  view: View,
): Promise<ChangeQuery> {
  const modelId = model === undefined ? null : await findModelId(db, namesOfId(model), view);
  const known = modelId === null ? [] : [modelId, ...(await formerIds(db, modelId))];
  return {
    since: since === undefined ? null : await sinceOf(db, since),
    until: until === undefined ? null : pointOf(until),
    kinds: kind ?? null,
    // A model that nobody knows has no changes, and no id is empty.
    modelIds: model === undefined ? null : modelId === null ? [''] : known,
    provider: provider?.toLowerCase() ?? null,
  };
}

/** Writes down where a page of changes ended. */
export function cursorOf({ observedAt, id }: ChangePosition, sort: string): string {
  return Buffer.from(JSON.stringify([sort, observedAt, id])).toString('base64url');
}

const Cursor = z.tuple([z.enum(['observedAt', '-observedAt']), Timestamp, z.int()]);

/** Reads a cursor back. Throws `ApiError` BAD_REQUEST where it is not ours, or of another sort. */
export function positionOf(cursor: string, sort: string): ChangePosition {
  const message = 'The cursor can not be read: pass meta.nextCursor of the page before, with the same sort.';
  try {
    const [cursorSort, observedAt, id] = Cursor.parse(
      JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')),
    );
    const position = { observedAt, id };
    // Another spelling of the same place would be another question.
    if (cursorSort === sort && cursorOf(position, sort) === cursor) return position;
  } catch {
    // Answered below, as a cursor of another sort is.
  }
  throw new ApiError('BAD_REQUEST', message, { extra: { errors: [{ path: 'cursor', message }] } });
}

/** Answers about what changed. */
export function createChangeService({
  database: { snapshot },
  withheld,
}: {
  database: Database;
  /** Whether Artificial Analysis values are left out. */
  withheld: boolean;
}): Pick<Handlers, 'changes'> {
  return {
    changes: {
      list: ({ limit, cursor, sort, ...filters }) =>
        snapshot(async (db) => {
          const { version, committedAt } = await catalogVersion(db);
          const { changes, next, total } = await listChanges(
            db,
            await changeQuery(db, filters, { withheld }),
            {
              after: cursor === undefined ? null : positionOf(cursor, sort),
              descending: sort.startsWith('-'),
              limit,
            },
            { withheld },
          );
          const nextCursor = next === null ? null : cursorOf(next, sort);
          return {
            data: changes,
            meta: { total, limit, offset: 0, nextCursor, catalogVersion: version },
            timestamp: committedAt,
          };
        }),
    },
  };
}
