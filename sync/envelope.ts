import type { z } from 'zod';
import { firstFault } from './fields.ts';
import { UpstreamError } from './http.ts';

/** Reads what is around the items. Throws `UpstreamError` of class `shape`, naming the place and the first fault. */
export function readEnvelope<Type extends z.ZodType>(
  schema: Type,
  body: unknown,
  url: string,
): z.output<Type> {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const fault = firstFault(result.error);
  throw new UpstreamError('shape', `${placeOf(url)} answered in an unexpected shape (${fault}).`);
}

/** The address of a next page, which may be relative to `url`. Throws `UpstreamError` where it leads to another origin. */
export function nextPageUrl(link: string, url: string): string {
  const next = URL.parse(link, url);
  if (next === null || next.origin !== new URL(url).origin) {
    throw new UpstreamError(
      'shape',
      `${placeOf(url)} names a next page at another origin, which is not followed.`,
    );
  }
  return next.href;
}

/** An entry of a list, under the id that its source gave it. */
export interface Entry {
  id: unknown;
  value: unknown;
}

/** Gathers the entries of a list that is walked page by page: the list moves meanwhile, so that one can come again. */
export function gatherPages(): {
  entries: Entry[];
  /** Adds those of a page whose ids no earlier page had; answers with how many. */
  add(page: Entry[]): number;
} {
  const entries: Entry[] = [];
  const ids = new Set<unknown>();
  return {
    entries,
    add(page) {
      const fresh = page.filter(({ id }) => id === undefined || !ids.has(id));
      for (const entry of fresh) {
        ids.add(entry.id);
        entries.push(entry);
      }
      return fresh.length;
    },
  };
}

function placeOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
