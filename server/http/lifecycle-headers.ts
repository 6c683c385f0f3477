import type { Lifecycle } from '../../contracts/offers.ts';
import { lastDayOf } from '../../sync/lifecycle.ts';

/** Whether the model may be ending: nearly none is, and reading every answer would cost more than sending it. */
const MAY_END = /"status":"(?:deprecated|retiring|retired|delisted)"/;

/** What an answer about one model tells in its headers about its end: RFC 9745 and RFC 8594. */
export function lifecycleHeaders(body: string): Record<string, string> {
  if (!MAY_END.test(body)) return {};
  const { data } = JSON.parse(body) as { data: { lifecycle: Lifecycle } };
  const { status, date, successor } = data.lifecycle;
  const at = date === null ? null : new Date(lastDayOf(date));
  const isOver = status === 'retired' || status === 'delisted';
  return {
    ...(at !== null && (isOver || status === 'deprecated')
      ? { deprecation: `@${Math.floor(at.getTime() / 1000)}` }
      : {}),
    ...(at !== null && (isOver || status === 'retiring') ? { sunset: at.toUTCString() } : {}),
    ...(status !== 'active' && successor !== null
      ? { link: `</v1/models/${successor}>; rel="successor-version"` }
      : {}),
  };
}
