import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  nanoFromDecimal,
  noPrices,
  partialDate,
  pastDate,
  timeOfDay,
  timestampFromSeconds,
  tokenCount,
  usdFromNano,
} from '../../sync/units.ts';

describe('nanoFromDecimal', () => {
  test.each<[string | number, number, number | null]>([
    ['0.00000015', 6, 150_000_000],
    ['0.0000025', 6, 2_500_000_000],
    ['0.00000008333333333333334', 6, 83_333_333],
    ['0.0000000833333333333333', 6, 83_333_333],
    ['0.000000375', 6, 375_000_000],
    ['0', 6, 0],
    ['0.0', 0, 0],
    ['1e-7', 6, 100_000_000],
    [1e-7, 6, 100_000_000],
    ['1.5E-7', 6, 150_000_000],
    ['1e+2', 0, 100_000_000_000],
    ['.5', 0, 500_000_000],
    ['5.', 0, 5_000_000_000],
    ['+5', 0, 5_000_000_000],
    [0.1, 0, 100_000_000],
    [0.2 + 0.1, 0, 300_000_000],
    [2.5, 0, 2_500_000_000],
    [0.003625, 0, 3_625_000],
    [600, 0, 600_000_000_000],
    // Half-even, at the nano-dollar.
    ['0.0000000005', 0, 0],
    ['0.0000000015', 0, 2],
    ['0.0000000025', 0, 2],
    ['0.00000000250000000000000000001', 0, 3],
    ['0.0000000035', 0, 4],
    ['0.00000000049999', 0, 0],
    ['1e-300', 6, 0],
    // The largest number that is exact.
    ['9007199.254740991', 0, Number.MAX_SAFE_INTEGER],
    ['9007199.254740992', 0, null],
    ['1e300', 0, null],
    ['-1', 6, null],
    [-0.5, 0, null],
    ['', 0, null],
    ['.', 0, null],
    ['e5', 0, null],
    [' 1', 0, null],
    ['1,5', 0, null],
    ['0x10', 0, null],
    ['Infinity', 0, null],
    [Number.NaN, 0, null],
    [Infinity, 0, null],
    ['1e9999', 0, null],
    [`0.${'1'.repeat(200)}`, 0, null],
  ])('%s moved by %i is %s', (text, shift, nano) => {
    expect(nanoFromDecimal(text, shift)).toBe(nano);
  });

  test('takes the decimal and not the float: no product of floats gives these', () => {
    expect(nanoFromDecimal('0.00000029', 6)).toBe(290_000_000);
    expect(nanoFromDecimal('0.0000011', 6)).toBe(1_100_000_000);
  });
});

test.each([
  [150_000_000, '0.15'],
  [83_333_333, '0.083333333'],
  [300_000_000, '0.3'],
  [3_625_000, '0.003625'],
  [1, '1e-9'],
  [0, '0'],
  [999_999_999_999_999, '999999.999999999'],
])('usdFromNano(%i) prints as %s', (nano, text) => {
  expect(String(usdFromNano(nano))).toBe(text);
});

test('below 1,000,000 USD the printed price is the price', () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 999_999_999_999_999 }), (nano) => {
      expect(nanoFromDecimal(JSON.stringify(usdFromNano(nano)), 0)).toBe(nano);
    }),
  );
});

test('noPrices knows none of fourteen prices, and gives a new set each time', () => {
  expect(Object.values(noPrices())).toEqual(Array(14).fill(null));
  expect(noPrices()).not.toBe(noPrices());
});

test.each([
  ['2026', '2026'],
  ['2026-07', '2026-07'],
  ['2026-07-02', '2026-07-02'],
  ['2024-02-29', '2024-02-29'],
  ['2024-09-24T15:48:47.000Z', '2024-09-24'],
  ['2023-02-29', null],
  ['2025-04-31', null],
  ['2025-25-11', null],
  ['2025-00', null],
  ['2025-13', null],
  ['2025-01-00', null],
  ['2025-1-1', null],
  ['2025-', null],
  ['1990', '1990'],
  ['1989-12-31', null],
  ['2090-12-31', '2090-12-31'],
  ['2098-12-31', null],
  ['July 2025', null],
  ['', null],
  [20250711, null],
  [null, null],
  [undefined, null],
])('partialDate(%j) is %j', (value, date) => {
  expect(partialDate(value)).toBe(date);
});

test.each([
  ['2026-07-02T10:00:00Z', '2026-07-02'],
  ['2040-12', '2040-12'],
  ['2041', null],
  ['1970-01-01', null],
  ['9999-12-31', null],
  [1970, null],
])('pastDate(%j) is %j', (value, date) => {
  expect(pastDate(value)).toBe(date);
});

test.each([
  [1_721_260_800, '2024-07-18T00:00:00.000Z'],
  [1_721_260_800.5, '2024-07-18T00:00:00.500Z'],
  [0, null],
  [-1, null],
  [1_721_260_800_000, null],
  [2_240_611_199, '2040-12-31T23:59:59.000Z'],
  [2_240_611_200, null],
  [Number.NaN, null],
  ['1721260800', null],
  [null, null],
])('timestampFromSeconds(%j) is %j', (value, time) => {
  expect(timestampFromSeconds(value)).toBe(time);
});

test.each([
  [0, '00:00'],
  [30, '00:30'],
  [100, '01:00'],
  [1630, '16:30'],
  [2400, '00:00'],
  [16.5, null],
  ['8', '08:00'],
  ['16:30', '16:30'],
  ['8:05', '08:05'],
  ['16:30:00', '16:30'],
  ['16:30Z', '16:30'],
  ['24:00', '00:00'],
  ['24:01', null],
  ['16:60', null],
  [2500, null],
  [60, null],
  [-1, null],
  [Number.NaN, null],
  ['noon', null],
  ['', null],
  [null, null],
  [undefined, null],
])('timeOfDay(%j) is %j', (value, time) => {
  expect(timeOfDay(value)).toBe(time);
});

test.each([
  [1, 1],
  [128_000, 128_000],
  [1_000_000_000, 1_000_000_000],
  [1_000_000_001, null],
  [99_999_999, null],
  [9_999_999, null],
  [999_999, 999_999],
  [100_000_000, 100_000_000],
  [0, null],
  [-1, null],
  [1.5, null],
  ['128000', null],
  [true, null],
  [null, null],
])('tokenCount(%j) is %j', (value, tokens) => {
  expect(tokenCount(value)).toBe(tokens);
});
