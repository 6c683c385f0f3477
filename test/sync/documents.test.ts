import { expect, test } from 'vitest';
import { readModel, readOffer } from '../../sync/documents.ts';

test.each([
  ['beta', 'beta', 'active'],
  ['alpha', 'alpha', 'active'],
  ['deprecated', null, 'deprecated'],
  ['active', null, 'active'],
])('a document of before stages that says %s is read as stage %s, %s', (said, stage, status) => {
  const text = JSON.stringify({ name: 'm', lifecycle: { status: said, date: null, successor: null } });
  const expected = { name: 'm', stage, lifecycle: { status, date: null, successor: null, source: null } };
  expect([readModel(text), readOffer(text)]).toEqual([expected, expected]);
});

test('a document of today is read as it is', () => {
  const lifecycle = { status: 'retired', date: '2026-07-05', successor: 'a/b', source: 'openrouter' };
  const document = { name: 'm', stage: 'beta', lifecycle };
  expect(readModel(JSON.stringify(document))).toEqual(document);
});
