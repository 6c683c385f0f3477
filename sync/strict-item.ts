import { RejectedItem } from './item.ts';

const MAX_DEPTH = 32;
const MAX_VALUES = 20_000;
const MAX_CHARACTERS = 1_000_000;

/**
 * Checks that an item holds nothing that JSON can not carry exactly or that is not to be handled: lost integers,
 * infinities, `__proto__` keys, and more of anything than an entry about a model can need. Throws `RejectedItem`.
 */
export function checkItem(value: unknown): void {
  const size = { values: 0, characters: 0 };
  checkValue(value, 0, size);
}

function checkValue(value: unknown, depth: number, size: { values: number; characters: number }): void {
  if (++size.values > MAX_VALUES) throw new RejectedItem(`holds more than ${MAX_VALUES} values`);
  if (typeof value === 'string') countCharacters(value, size);
  else if (typeof value === 'number') checkNumber(value);
  else if (typeof value === 'object' && value !== null) {
    if (depth === MAX_DEPTH) throw new RejectedItem(`is nested more than ${MAX_DEPTH} deep`);
    if (Array.isArray(value)) for (const entry of value) checkValue(entry, depth + 1, size);
    else {
      for (const key in value) {
        if (key === '__proto__') throw new RejectedItem('holds a key __proto__');
        countCharacters(key, size);
        checkValue((value as Record<string, unknown>)[key], depth + 1, size);
      }
    }
  }
}

function countCharacters(text: string, size: { characters: number }): void {
  size.characters += text.length;
  if (size.characters > MAX_CHARACTERS)
    throw new RejectedItem(`holds more than ${MAX_CHARACTERS} characters`);
}

function checkNumber(value: number): void {
  if (!Number.isFinite(value)) throw new RejectedItem('holds a number too large for JSON');
  if (Number.isInteger(value) && !Number.isSafeInteger(value))
    throw new RejectedItem('holds an integer beyond 2^53, which is not exact');
}

const SAMPLE_LENGTH = 200;

/** The beginning of a rejected item, for an operator to see. */
export function sampleOf(id: string, value: unknown): string {
  return `${id}: ${textOf(value)}`.slice(0, SAMPLE_LENGTH).toWellFormed();
}

function textOf(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'undefined';
  } catch {
    return 'nested too deep to be shown';
  }
}
