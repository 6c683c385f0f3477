import { describe, expect, test } from 'vitest';
import { checkItem, sampleOf } from '../../sync/strict-item.ts';

/** Why an item is rejected that came as this text; null: it is not. */
function faultOf(text: string): string | null {
  try {
    checkItem(JSON.parse(text));
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

const nested = (depth: number) => `${'['.repeat(depth)}${']'.repeat(depth)}`;
const list = (length: number) => JSON.stringify(Array(length).fill(0));
const text = (length: number) => JSON.stringify({ text: 'x'.repeat(length) });

describe('an item is rejected that holds', () => {
  test.each([
    ['an integer beyond 2^53', '{"limit":{"context":9007199254740993}}', 'an integer beyond 2^53'],
    ['a negative one', '[-9007199254740992]', 'an integer beyond 2^53'],
    ['an integer of 20 digits', '{"likes":12345678901234567890}', 'an integer beyond 2^53'],
    ['a number past every float', '{"cost":{"input":1e400}}', 'a number too large for JSON'],
    ['a negative one', '{"cost":{"input":-1e400}}', 'a number too large for JSON'],
    ['a prototype', '{"__proto__":{"polluted":true}}', 'a key __proto__'],
    ['a prototype at some depth', '{"a":[{"b":{"__proto__":null}}]}', 'a key __proto__'],
    ['too deep a nesting', nested(34), 'nested more than 32 deep'],
    ['any deeper', nested(100_000), 'nested more than 32 deep'],
    ['too many values', list(20_000), 'more than 20000 values'],
    ['too long a text', text(1_000_000), 'more than 1000000 characters'],
    ['too long a key', `{"${'x'.repeat(1_000_001)}":1}`, 'more than 1000000 characters'],
  ])('%s', (_, item, fault) => {
    expect(faultOf(item)).toContain(fault);
  });
});

test.each([
  '9007199254740991',
  '-9007199254740991',
  '0.1',
  '1e-400',
  '{"constructor":1,"prototype":{},"toString":"__proto__"}',
  nested(32),
  list(19_000),
  text(999_000),
  'null',
  '"\\u0000\\ud800"',
])('an item may be %.60s', (item) => {
  expect(faultOf(item)).toBeNull();
});

test('nothing is polluted by checking', () => {
  expect(faultOf('{"__proto__":{"polluted":true}}')).not.toBeNull();
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

describe('the sample of a rejected item', () => {
  test('is its beginning', () => {
    expect(sampleOf('a', { b: 1 })).toBe('a: {"b":1}');
    expect(sampleOf('a', undefined)).toBe('a: undefined');
    expect(sampleOf('a', { text: 'x'.repeat(1_000) })).toHaveLength(200);
  });

  test('does not end in half a character', () => {
    for (const before of ['', 'x'])
      expect(sampleOf('a', before + '🦙'.repeat(200)).isWellFormed()).toBe(true);
  });

  test('is made of whatever can not be written down, too', () => {
    expect(sampleOf('a', JSON.parse(nested(100_000)))).toBe('a: nested too deep to be shown');
  });
});
