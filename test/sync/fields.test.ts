import { describe, expect, test } from 'vitest';
import {
  Description,
  isPlainText,
  isProviderId,
  OptionalDate,
  OptionalPastDate,
  OptionalText,
  webUrl,
} from '../../sync/fields.ts';

describe('an id', () => {
  test.each([
    'gpt-4o',
    '@cf/meta/llama-3:free',
    '~openai/gpt-latest',
    'a b%20c',
    '..',
    '<script>',
    '模型',
    'نموذج',
    '🦙',
    '\u202eelddim',
    'constructor',
    'x'.repeat(500),
    '模'.repeat(166),
  ])('may be %.40s', (id) => {
    expect(isPlainText(id)).toBe(true);
  });

  test.each([
    ['empty', ''],
    ['blank', ' \u00a0'],
    ['a number', 4],
    ['with a NUL', 'a\0b'],
    ['with a newline', 'a\nb'],
    ['with a line separator', 'a\u2028b'],
    ['with a paragraph separator', 'a\u2029b'],
    ['with a control character of Latin-1', 'a\u0085b'],
    ['with half a character', 'a\ud800'],
    ['with a character that was lost', 'gpt\ufffd4'],
    ['too long', 'x'.repeat(501)],
    ['too long for an index of Postgres', '模'.repeat(167)],
  ])('may not be %s', (_, id) => {
    expect(isPlainText(id)).toBe(false);
  });

  test('of a provider is no longer than what can be asked for', () => {
    expect([isProviderId('x'.repeat(100)), isProviderId('x'.repeat(101)), isProviderId('a\0')]).toEqual([
      true,
      false,
      false,
    ]);
  });
});

test('a text that may be missing is null where it is too long', () => {
  expect(OptionalText.parse('x'.repeat(2_000))).toHaveLength(2_000);
  expect(OptionalText.parse('x'.repeat(2_001))).toBeNull();
  expect(OptionalText.parse('a\0b\ud800')).toBe('ab\ufffd');
});

test('a description that goes on for too long is cut, between characters', () => {
  expect(Description.parse('word '.repeat(100))).toBe('word '.repeat(100).trim());
  expect(Description.parse('x'.repeat(20_001))).toBe(`${'x'.repeat(20_000)}…`);
  const cut = Description.parse(`x${'🦙'.repeat(10_000)}`);
  expect([cut?.length, cut?.isWellFormed()]).toEqual([20_001, true]);
  expect([Description.parse(7), Description.parse(undefined), Description.parse(' \0 ')]).toEqual([
    null,
    null,
    null,
  ]);
});

test('what has happened is not dated far ahead, what will end may be', () => {
  expect(OptionalPastDate.parse('2090-01-01')).toBeNull();
  expect(OptionalDate.parse('2090-01-01')).toBe('2090-01-01');
  expect([OptionalPastDate.parse(undefined), OptionalPastDate.parse(1970)]).toEqual([null, null]);
});

test.each([
  ['https://acme.test/docs', true],
  [`https://acme.test/${'x'.repeat(2_000)}`, false],
  ['https://acme.test/\ufffd', false],
  ['javascript:alert(1)', false],
  ['https://a b', false],
  ['https://[::1', false],
])('%.40s is a web address: %s', (address, is) => {
  expect(webUrl(address) !== null).toBe(is);
});
