import { describe, expect, test } from 'vitest';
import { CREATORS, SOLE_CREATOR } from '../../sync/aliases.ts';
import { BRANDS } from '../../sync/identity/brands.ts';
import { describe as read } from '../../sync/identity/describe.ts';
import { createRulebook, ROWS, RULES, type Rulebook } from '../../sync/identity/rulebook.ts';
import { foldName, groupRecords } from '../../sync/identity.ts';
import type { SourceRecord } from '../../sync/record.ts';
import { recordedRecords } from '../support/judgements.ts';
import { hasPayloads } from '../support/payloads.ts';
import { described, exampleOf, repository, sold } from './builders.ts';

type Table = keyof typeof ROWS;

/** The rules without one row. */
const without = (table: Table, row: number): Rulebook =>
  createRulebook({ ...ROWS, [table]: ROWS[table].filter((_, index) => index !== row) });

const count = (records: SourceRecord[], rules: Rulebook) =>
  groupRecords(records, () => null, new Set(), rules).length;

const brought: Table[] = ['basisTold', 'decorations', 'habits', 'noCreator', 'switchable', 'synonyms'];

describe.each(brought)('every row of %s', (table) => {
  test.each(ROWS[table].map((row, index) => ({ index, row: row as (typeof ROWS.habits)[number] })))(
    'is needed: $row.example',
    ({ index, row }) => {
      const records = exampleOf(row.example);
      const [together, alone] = row.apart === true ? [2, 1] : [1, 2];
      expect(row.reason).not.toBe('');
      expect(count(records, RULES)).toBe(together);
      expect(count(records, without(table, index))).toBe(alone);
    },
  );
});

describe('every row of unmarkedBase', () => {
  test.each(ROWS.unmarkedBase.map((row, index) => ({ index, row })))(
    'is needed: $row.example',
    ({ index, row }) => {
      const records = [repository(row.example[0]), described(row.example[1])];
      const tuningOf = (rules: Rulebook) => read(records[0] as SourceRecord, rules).attributes.tuning;
      expect(tuningOf(RULES)).toBe('base');
      expect(tuningOf(without('unmarkedBase', index))).toBeNull();
      expect(count(records, RULES)).toBe(2);
    },
  );
});

describe('every row of rollingNames', () => {
  test.each(ROWS.rollingNames.map((row, index) => ({ index, row })))(
    'is needed: $row.example',
    ({ index, row }) => {
      for (const record of row.example.map((id) => sold(id))) {
        expect(read(record, RULES).rolling).not.toBeNull();
        expect(read(record, without('rollingNames', index)).rolling).toBeNull();
      }
    },
  );
});

describe('every alias', () => {
  test.each(ROWS.aliases.map((row, index) => ({ index, row })))('is needed: $row.name', ({ index, row }) => {
    const [creator, name] = row.name.split('/');
    const records = [
      sold(row.provider === null ? `nano-gpt/${creator}/${name}` : `${row.provider}/${row.name}`),
      described(row.means),
    ];
    expect(row.reason).not.toBe('');
    expect(count(records, RULES)).toBe(1);
    expect(count(records, without('aliases', index))).toBe(2);
  });
});

test('no spelling names two creators, and every rule names a creator that is there', () => {
  const spellings = CREATORS.flatMap(({ id, spellings: others }) => [id, ...others]);
  expect(spellings.filter((name, index) => spellings.indexOf(name) !== index)).toEqual([]);
  expect(spellings.filter((name) => name !== foldName(name))).toEqual([]);
  const known = new Set(CREATORS.map(({ id }) => id));
  const named = [
    ...SOLE_CREATOR.values(),
    ...BRANDS.map(({ creator }) => creator),
    ...[...ROWS.habits, ...ROWS.rollingNames, ...ROWS.switchable, ...ROWS.synonyms].map(
      ({ creator }) => creator,
    ),
  ];
  expect(named.filter((creator) => !known.has(creator))).toEqual([]);
  const words = BRANDS.map(({ word }) => word);
  expect(words.filter((word, index) => words.indexOf(word) !== index)).toEqual([]);
});

describe.skipIf(!hasPayloads)('on the recorded set of 2026-07-02', () => {
  test('every family word stands in the name of an entry of its creator', () => {
    const found = new Set(
      recordedRecords().flatMap((record) => {
        const tokens = `${record.naming.model} ${record.facts.name}`.toLowerCase().split(/[^a-z]+/);
        const { creator } = read(record);
        return tokens.map((token) => `${creator} ${token}`);
      }),
    );
    const missing = BRANDS.filter(
      ({ word, creator }) => !found.has(`${creator} ${word.replace(/\d+$/, '')}`),
    );
    expect(missing.map(({ word }) => word)).toEqual([]);
  });
});
