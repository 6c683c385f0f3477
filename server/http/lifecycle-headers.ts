import type { Lifecycle } from '../../contracts/offers.ts';
import { lastDayOf } from '../../sync/lifecycle.ts';

/** Whether the model may be ending: nearly none is, and reading every answer would cost more than sending it. */
const MAY_END = /"status":"(?:deprecated|retiring|retired|delisted)"/;

/** What an answer about one model tells in its headers about its end: RFC 9745 and RFC 8594. Of the past nothing ends. */
export function lifecycleHeaders(body: string): Record<string, string> {
  if (!MAY_END.test(body)) return {};
  const { data, meta } = JSON.parse(body) as { data: { lifecycle: Lifecycle }; meta: { asOf?: unknown } };
  if (meta.asOf !== undefined) return {};
  const { status, date, since, successor } = data.lifecycle;
  const end = date === null ? null : new Date(lastDayOf(date));
  const isOver = status === 'retired' || status === 'delisted';
  // Where nothing says since when its use is advised against, since it was first published so.
  const deprecated = isOver || status === 'deprecated' ? (end ?? (since && new Date(since))) : null;
  return {
    ...(deprecated ? { deprecation: `@${Math.floor(deprecated.getTime() / 1000)}` } : {}),
    ...(end !== null && (isOver || status === 'retiring') ? { sunset: end.toUTCString() } : {}),
    ...(status !== 'active' && successor !== null
      ? { link: `</v1/models/${successor}>; rel="successor-version"` }
      : {}),
  };
}
