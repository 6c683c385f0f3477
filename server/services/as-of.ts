import type { Kysely } from 'kysely';
import { ApiError } from '../../contracts/errors.ts';
import { historyFrom, lastCommit, timeOf, versionAt } from '../db/as-of.ts';
import type { Tables } from '../db/orm.ts';
import { pointOf } from './changes.ts';

function refuse(message: string): ApiError {
  return new ApiError('BAD_REQUEST', message, { extra: { errors: [{ path: 'asOf', message }] } });
}

/** What `asOf` means: a time, or null for now, and what an answer says of it in `meta`. */
interface Past {
  at: string | null;
  told: { asOf?: { at: string; version: number } };
}

/** Reads `asOf`. Throws `ApiError` BAD_REQUEST where nothing is known of that time. */
export async function pastOf(db: Kysely<Tables>, asOf: string | undefined): Promise<Past> {
  if (asOf === undefined) return { at: null, told: {} };
  const [at, begins] = [await timeOf(db, pointOf(asOf)), await historyFrom(db)];
  if (at === null)
    throw refuse(
      `There is no catalogue version ${asOf} in the history.${begins === null ? '' : ` The history begins at ${begins}: ask for that time or a later one.`}`,
    );
  if (Date.parse(at) > Date.now() && at > ((await lastCommit(db)) ?? ''))
    throw refuse(`${asOf} is yet to come: leave asOf out to see what is published now.`);
  if (begins === null) throw refuse('Nothing has been published yet: ask again after the first sync.');
  if (at < begins) throw refuse(`The history begins at ${begins}: ask for that time or a later one.`);
  const version = await versionAt(db, at);
  return { at, told: version === null ? {} : { asOf: { at, version } } };
}
