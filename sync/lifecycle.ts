import type { Lifecycle } from '../contracts/offers.ts';
import type { EndFacts } from './record.ts';

/** The last day that a date can mean: of `2026-02` the 28th. */
export function lastDayOf(date: string): string {
  const [year, month, day] = date.split('-').map(Number);
  if (year === undefined || day !== undefined) return date;
  return new Date(Date.UTC(year, month ?? 12, 0)).toISOString().slice(0, 10);
}

/** What is published of what a source says of an end: on its day, what was to end has ended. */
export function publishedLifecycle(
  said: { end: EndFacts; source: string; successor: string | null } | null,
  today: string,
): Lifecycle {
  if (said === null) return { status: 'active', date: null, successor: null, source: null };
  const { end, source, successor } = said;
  const isOver = end.status === 'retiring' && end.date !== null && lastDayOf(end.date) <= today;
  return { status: isOver ? 'retired' : end.status, date: end.date, successor, source };
}
