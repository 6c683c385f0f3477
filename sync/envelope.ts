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

function placeOf(url: string): string {
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}
