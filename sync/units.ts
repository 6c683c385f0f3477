import { PRICE_NAMES } from '../contracts/offers.ts';
import type { NanoPrices } from './record.ts';

const NANO_DIGITS = 9;
const DECIMAL = /^\+?(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d{1,3}))?$/;

/**
 * Reads a decimal (USD) as whole nano-dollars, its point moved `shift` places to the right: 6 turns a price per token
 * into one per 1,000,000. Exact, rounded half-even. Null: negative, not a decimal, or past Number.MAX_SAFE_INTEGER.
 */
export function nanoFromDecimal(text: string | number, shift: number): number | null {
  const [matched, whole = '', fraction = '', exponent = '0'] = DECIMAL.exec(String(text)) ?? [];
  const digits = whole + fraction;
  if (matched === undefined || digits === '' || digits.length > 100) return null;
  const places = NANO_DIGITS + shift + Number(exponent) - fraction.length;
  const nano =
    places >= 0
      ? BigInt(digits) * 10n ** BigInt(places)
      : divideHalfEven(BigInt(digits), 10n ** BigInt(-places));
  return nano > BigInt(Number.MAX_SAFE_INTEGER) ? null : Number(nano);
}

function divideHalfEven(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  const twice = (dividend % divisor) * 2n;
  const up = twice > divisor || (twice === divisor && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}

/**
 * Nano-dollars as USD. Both operands are exact and IEEE 754 division rounds correctly, so the result is the double
 * nearest to the true value, and below 1,000,000 USD (15 digits) JSON prints it as the decimal that was meant.
 */
export function usdFromNano(nano: number): number {
  return nano / 1e9;
}

/** Prices of which none is known, to be filled in. */
export function noPrices(): NanoPrices {
  return Object.fromEntries(PRICE_NAMES.map((name) => [name, null])) as NanoPrices;
}

const FIRST_YEAR = 1990;
const LAST_YEAR = 2090;
const PARTIAL_DATE = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T\S*)?)?)?$/;

/**
 * Reads `YYYY`, `YYYY-MM` or `YYYY-MM-DD` (a time after it is dropped). Null: anything else, days that no calendar has,
 * and years outside 1990 to 2090, so that sentinels such as 2098-12-31 are unknown.
 */
export function partialDate(value: unknown): string | null {
  if (typeof value !== 'string') return null;
  const [, year, month, day] = PARTIAL_DATE.exec(value) ?? [];
  if (year === undefined || !isPlausibleYear(Number(year))) return null;
  if (month === undefined) return year;
  if (Number(month) < 1 || Number(month) > 12) return null;
  if (day === undefined) return `${year}-${month}`;
  const lastDay = new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
  return Number(day) < 1 || Number(day) > lastDay ? null : `${year}-${month}-${day}`;
}

/** Releases are announced a year or two ahead at most, so that what is later was not meant. */
const LAST_PAST_YEAR = 2040;

/** Reads the date of a release, an update or a listing; null as `partialDate`, and after 2040. */
export function pastDate(value: unknown): string | null {
  const date = partialDate(value);
  return date === null || Number(date.slice(0, 4)) > LAST_PAST_YEAR ? null : date;
}

/** Unix seconds as an ISO 8601 time in UTC with milliseconds; null outside 1990 to 2040. */
export function timestampFromSeconds(value: unknown): string | null {
  if (typeof value !== 'number') return null;
  const date = new Date(value * 1000);
  const year = date.getUTCFullYear();
  return isPlausibleYear(year) && year <= LAST_PAST_YEAR ? date.toISOString() : null;
}

function isPlausibleYear(year: number): boolean {
  return year >= FIRST_YEAR && year <= LAST_YEAR;
}

const CLOCK_TIME = /^(\d{1,2})(?::(\d{2})(?::\d{2})?)?Z?$/;

/** Reads a time of day, `H`, `HH:MM`, `HH:MM:SS` or a number HHMM (1630, and 30 is 00:30), as `HH:MM`; 24:00 is midnight. Null: not one. */
export function timeOfDay(value: unknown): string | null {
  if (typeof value === 'number')
    return Number.isInteger(value) ? clockTime(Math.floor(value / 100), value % 100) : null;
  if (typeof value !== 'string') return null;
  const [, hours, minutes = '0'] = CLOCK_TIME.exec(value.trim()) ?? [];
  return hours === undefined ? null : clockTime(Number(hours), Number(minutes));
}

function clockTime(hours: number, minutes: number): string | null {
  if (!(hours >= 0 && hours <= 24 && minutes >= 0 && minutes < 60) || (hours === 24 && minutes > 0))
    return null;
  return `${String(hours % 24).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`;
}

const MOST_TOKENS = 1e9;
/** Catalogues write 99,999,999 where there is no limit, or none that they know. */
const PLACEHOLDER = /^9{7,}$/;

/** Reads a number of tokens; null: 0, negative, not whole, above 1,000,000,000, or nothing but nines. */
export function tokenCount(value: unknown): number | null {
  if (typeof value !== 'number' || !Number.isInteger(value)) return null;
  return value > 0 && value <= MOST_TOKENS && !PLACEHOLDER.test(String(value)) ? value : null;
}
