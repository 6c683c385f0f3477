import { describe, expect, test } from 'vitest';
import { Model } from '../../contracts/models.ts';
import { PRICE_NAMES } from '../../contracts/offers.ts';
import { STATED_FIELDS, Trust } from '../../contracts/provenance.ts';
import { Chooser, inOrder, trustOf } from '../../sync/choose.ts';
import { PRECEDENCE, precedenceOf } from '../../sync/precedence.ts';
import { offered, offerFacts, record } from '../support/records.ts';

/** What no source says: the catalogue makes it. */
const OURS = new Set([
  'id',
  'kind',
  'since',
  'creator',
  'attributions',
  'providers',
  'sources',
  'firstSeenAt',
  'updatedAt',
]);

describe('the table of precedence', () => {
  test('has a row for every field that is published, and for no other', () => {
    const published = Object.keys(Model.shape).filter((field) => !OURS.has(field));
    const rows = Object.keys(PRECEDENCE).map((row) => row.split('.')[0]);
    expect([...new Set(rows)].toSorted()).toEqual(published.toSorted());
    expect([...new Set(STATED_FIELDS.map((field) => field.split('.')[0]))].toSorted()).toEqual(
      published.toSorted(),
    );
    const prices = STATED_FIELDS.filter((field) => field.startsWith('pricing.'));
    expect(prices).toEqual(expect.arrayContaining(PRICE_NAMES.map((name) => `pricing.${name}`)));
  });

  test.each(Object.entries(PRECEDENCE))(
    '%s names each class once, and says why',
    (_row, { order, because }) => {
      expect(new Set(order).size).toBe(order.length);
      expect(Trust.options).toEqual(expect.arrayContaining([...order]));
      expect(because).toMatch(/^[A-Z].{15,}\.$/);
    },
  );

  test('a part of a field goes by its own row, else by that of the field', () => {
    expect(precedenceOf('limits.output')).toBe(PRECEDENCE['limits.output']);
    expect(precedenceOf('limits.context')).toBe(PRECEDENCE.limits);
    expect(precedenceOf('pricing.cacheRead')).toBe(PRECEDENCE.pricing);
    expect(precedenceOf('releaseDate')).toBe(PRECEDENCE.releaseDate);
  });
});

describe('what is chosen', () => {
  const date = (day: string) => ({ facts: { releaseDate: day, openWeights: false, lastUpdated: day } });
  const records = {
    metadata: record({ id: 'models.json/meta/m', ...date('2024-01-01') }),
    own: offered('llama', 'm', date('2024-01-02')),
    openrouter: record({
      source: 'openrouter',
      id: 'meta-llama/m',
      type: 'offer',
      naming: { provider: 'openrouter' },
      offer: offerFacts('openrouter', 'meta-llama/m'),
      ...date('2024-01-03'),
    }),
    host: offered('groq', 'm', date('2024-01-04')),
    repository: record({
      source: 'huggingface',
      id: 'meta-llama/m',
      type: 'repository',
      ...date('2024-01-05'),
    }),
    measurement: record({
      source: 'artificialanalysis',
      id: 'u',
      type: 'measurement',
      ...date('2024-01-06'),
    }),
  };

  test.each(Object.entries(records))('%s is a class of its own', (trust, own) => {
    expect(trustOf(own, ['llama'])).toBe(trust);
  });

  test.each(['releaseDate', 'openWeights', 'lastUpdated', 'name'] as const)(
    '%s: class by class, as its row has it, and never of another class',
    (field) => {
      const left = { ...records };
      for (const trust of precedenceOf(field).order) {
        const choice = new Chooser(inOrder(Object.values(left)), ['llama']).choose(field);
        expect(choice).toMatchObject({ trust, records: [records[trust]] });
        delete (left as Partial<typeof left>)[trust];
      }
      expect(new Chooser(inOrder(Object.values(left)), ['llama']).choose(field)).toBeNull();
    },
  );

  test('among equals, what most of them say, and all that say it are named', () => {
    const hosts = ['2024-02', '2024-03', '2024-03'].map((day, index) =>
      offered(`host-${index}`, 'm', date(day)),
    );
    const choice = new Chooser(inOrder(hosts), []).choose('releaseDate');
    expect(choice).toEqual({ value: '2024-03', trust: 'host', records: hosts.slice(1) });
  });

  test('parts that belong together come from one record', () => {
    const none = {
      mandatory: null,
      efforts: [],
      enabledByDefault: null,
      defaultEffort: null,
      interleavedField: null,
      budgetTokens: null,
    };
    const sparse = record({ id: 'models.json/meta/m', facts: { reasoning: { ...none, efforts: ['low'] } } });
    const full = offered('groq', 'm', {
      facts: { reasoning: { ...none, mandatory: true, efforts: ['high'] } },
    });
    const chooser = new Chooser(inOrder([sparse, full]), []);
    expect(chooser.choose('reasoning.efforts')).toMatchObject({ value: ['low'], records: [sparse] });
    expect(chooser.choose('reasoning.mandatory')).toBeNull();
  });
});
