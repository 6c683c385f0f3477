/** A date as a name gives it, in one of its readings: `0925` is 25 September, or September 2025. */
export interface DateReading {
  year: number | null;
  month: number;
  day: number | null;
}

/** A date in a name, in every reading that makes sense; never empty. */
export type NameDate = DateReading[];

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const MONTH =
  '(january|jan|february|feb|march|mar|april|apr|may|june|jun|july|jul|august|aug|september|sept|sep|october|oct|november|nov|december|dec)';

const FIRST_YEAR = 2020;
const LAST_YEAR = 2035;

function reading(year: number | null, month: number, day: number | null): DateReading | null {
  const fits =
    (year === null || (year >= FIRST_YEAR && year <= LAST_YEAR)) &&
    month >= 1 &&
    month <= 12 &&
    (day === null || (day >= 1 && day <= 31));
  return fits ? { year, month, day } : null;
}

type Read = (...digits: string[]) => (DateReading | null)[];

const full: Read = (year, month, day) => [reading(Number(year), Number(month), Number(day))];
const short: Read = (year, month, day) => [reading(2000 + Number(year), Number(month), Number(day))];
const monthOfYear: Read = (month, year) => [reading(Number(year), Number(month), null)];
const named: Read = (month = '', year = '') => [
  reading(
    year === '' ? null : year.length === 2 ? 2000 + Number(year) : Number(year),
    MONTHS.indexOf(month.slice(0, 3)) + 1,
    null,
  ),
];
/** Two pairs of digits: year and month, month and day, or month and year. */
const pairs: Read = (first, second) => {
  const [a, b] = [Number(first), Number(second)];
  const byYear = reading(2000 + a, b, null);
  return byYear === null ? [reading(null, a, b), reading(2000 + b, a, null)] : [byYear];
};
const monthAndDay: Read = (month, day) => [
  reading(null, Number(month), Number(day)),
  reading(2000 + Number(day), Number(month), null),
];

/** How dates are written in names, the longest form first. Each stands between characters that are neither letter nor digit. */
const FORMS: [form: RegExp, read: Read][] = [
  [/(20\d\d)[-./](\d\d)[-./](\d\d)/, full],
  [/(20\d\d)(\d\d)(\d\d)/, full],
  [/(\d\d)[-/](20\d\d)/, monthOfYear],
  [new RegExp(`${MONTH}['’]?[-\\s]*['’]?\\s*(20\\d\\d|\\d\\d)`), named],
  [new RegExp(`${MONTH}(?=\\W*$)`), (month) => named(month)],
  [/(2\d)(\d\d)(\d\d)/, short],
  // 1024 is a power of two.
  [/(?!1024)(\d\d)(\d\d)/, pairs],
  [/(\d\d)[-/](\d\d)/, monthAndDay],
  [/(2\d)\.(\d\d)/, (year, month) => [reading(2000 + Number(year), Number(month), null)]],
];
const BOUNDED = FORMS.map(
  ([form, read]) => [new RegExp(`(?<![a-z0-9.])(?:${form.source})(?![a-z0-9]|\\.\\d)`), read] as const,
);

/** Finds the date in a name (lower case), and gives back the name without it. */
export function takeDate(name: string): { date: NameDate | null; rest: string } {
  for (const [form, read] of BOUNDED) {
    const match = form.exec(name);
    if (match === null || (match.index === 0 && match[0].length === name.length)) continue;
    const date = read(...match.slice(1).map((group) => group ?? '')).filter((found) => found !== null);
    if (date.length === 0) continue;
    return { date, rest: `${name.slice(0, match.index)} ${name.slice(match.index + match[0].length)}` };
  }
  return { date: null, rest: name };
}

const same = (a: number | null, b: number | null) => a === null || b === null || a === b;

/** Whether two dates can be the same, as far as each goes. */
export function datesAgree(a: NameDate, b: NameDate): boolean {
  // Of two short dates the day of one must not be taken for the year of the other.
  if (a.length > 1 && b.length > 1) return dateKey(a) === dateKey(b);
  return a.some((left) =>
    b.some((right) => left.month === right.month && same(left.year, right.year) && same(left.day, right.day)),
  );
}

/** A snapshot is named after the day it was made, and launched a few days later. */
const LAUNCH_DAYS = 10;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Whether a date in a name can be that of a release: of the same month, or a few days away. */
export function agreesWithRelease(date: NameDate, released: string): boolean {
  const [year = 0, month = 1, day] = released.split('-').map(Number);
  const first = Date.UTC(year, month - 1, day ?? 1);
  const last = day === undefined ? Date.UTC(year, month, 0) : first;
  return date.some((found) => {
    const years = found.year === null ? [year - 1, year, year + 1] : [found.year];
    return years.some((of) => {
      const from = Date.UTC(of, found.month - 1, found.day ?? 1);
      const to = found.day === null ? Date.UTC(of, found.month, 0) : from;
      if (of === year && found.month === month) return true;
      return from - last <= LAUNCH_DAYS * DAY_MS && first - to <= LAUNCH_DAYS * DAY_MS;
    });
  });
}

/** How exactly a date is known: a day is more than a month. */
export function datePrecision(date: NameDate): number {
  return Math.max(...date.map(({ year, day }) => Number(year !== null) + Number(day !== null)));
}

/** A date as text, equal for equal dates. */
export function dateKey(date: NameDate): string {
  return date
    .map(({ year, month, day }) => `${year ?? 'y'}-${month}-${day ?? 'd'}`)
    .toSorted()
    .join('|');
}
