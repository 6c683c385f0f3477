import { z } from 'zod';
import { Text } from '../../contracts/common.ts';
import { ApiError } from '../../contracts/errors.ts';
import { MODEL_SORTS, type ModelSort } from '../../contracts/models.ts';
import type { Position } from '../db/models.ts';

const text = Text.nullable();
const number = z.int().nonnegative().nullable();

/** What the sort value of a position may be, so that a forged cursor never reaches the database. */
const VALUE: Record<ModelSort, z.ZodType<string | number | null>> = {
  id: Text,
  name: Text,
  releaseDate: text,
  context: number,
  inputPrice: number,
  outputPrice: number,
  downloads: number,
};

const SORTS = MODEL_SORTS.flatMap((field) => [field, `-${field}` as const]);

const Cursor = z.tuple([z.enum(SORTS), z.unknown(), Text]);

const UNREADABLE = 'The cursor can not be read: pass meta.nextCursor of the page before, unchanged.';

/** Writes down where a page ended, as text without meaning to the caller. */
export function encodeCursor({ value, id }: Position, sort: string): string {
  return Buffer.from(JSON.stringify([sort, value, id])).toString('base64url');
}

/** Reads a cursor back. Throws `ApiError` BAD_REQUEST where it is not ours, or of another sort. */
export function decodeCursor(cursor: string, sort: string): Position {
  const refuse = (detail: string) =>
    new ApiError('BAD_REQUEST', detail, { extra: { errors: [{ path: 'cursor', message: detail }] } });
  let parsed: z.infer<typeof Cursor>;
  try {
    parsed = Cursor.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8')));
  } catch {
    throw refuse(UNREADABLE);
  }
  const [cursorSort, , id] = parsed;
  if (cursorSort !== sort) {
    throw refuse(
      `The cursor belongs to sort=${cursorSort}: ask with the same sort, or begin without a cursor.`,
    );
  }
  const value = VALUE[sort.replace('-', '') as ModelSort].safeParse(parsed[1]);
  if (!value.success) throw refuse(UNREADABLE);
  const position = { value: value.data, id };
  // Another spelling of the same place would be another question.
  if (encodeCursor(position, sort) !== cursor) throw refuse(UNREADABLE);
  return position;
}
