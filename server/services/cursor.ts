import { z } from 'zod';
import { ApiError } from '../../contracts/errors.ts';
import type { Position } from '../db/models.ts';

const Cursor = z.tuple([z.string(), z.union([z.string(), z.number(), z.null()]), z.string()]);

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
    throw refuse('The cursor can not be read: pass meta.nextCursor of the page before, unchanged.');
  }
  const [cursorSort, value, id] = parsed;
  if (cursorSort !== sort) {
    throw refuse(
      `The cursor belongs to sort=${cursorSort}: ask with the same sort, or begin without a cursor.`,
    );
  }
  return { value, id };
}
