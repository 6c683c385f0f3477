import { describe, expect, test } from 'vitest';
import { MIGRATIONS } from '../../migrations/index.ts';
import { contractions } from '../support/expanding.ts';

/** The last migration before the first release: nothing older than it was ever deployed. */
const FIRST_RELEASE = 'Migration20261201031448';

/** What a release has taken away, since the one before no longer used it. */
const CONTRACTED: { statement: string; unusedSince: string }[] = [];

const DIALECTS = ['sqlite', 'postgresql'] as const;

describe('migrations add, and take away only what the release before has done without', () => {
  test.each(DIALECTS)('on %s', (dialect) => {
    const all = MIGRATIONS.map((Migration) => {
      const migration = new Migration(undefined as never, undefined as never);
      return { name: migration.name, statements: migration[dialect] };
    });
    expect(all.map(({ name }) => name)).toContain(FIRST_RELEASE);
    const allowed = new Set(CONTRACTED.map(({ statement }) => statement));
    expect(contractions(all, FIRST_RELEASE).filter(({ statement }) => !allowed.has(statement))).toEqual([]);
  });

  const first = { name: 'M1', statements: ['create table "a" ("id" text not null, "b" int null);'] };
  const found = (...statements: string[]) =>
    contractions([first, { name: 'M2', statements }], null).map(({ why }) => why);

  test.each([
    'drop table "a";',
    'drop table if exists `a`;',
    'alter table "a" drop column "b";',
    'alter table `a` rename column `b` to `c`;',
    'alter table "a" rename to "c";',
    'alter table "a" alter column "b" type text using ("b"::text);',
    'alter table "a" alter column "b" set not null;',
    'alter table "a" add column "c" int not null;',
    'alter table `a` add `c` text not null;',
    'create unique index "a_b_unique" on "a" ("b");',
    'alter table "a" add constraint "a_b_unique" unique ("b");',
    'alter table "a" add constraint "a_b_check" check (b > 0);',
    'drop index "a_b_index";',
  ])('this would take something away: %s', (statement) => {
    expect(found(statement)).not.toEqual([]);
  });

  test.each([
    'create table "c" ("id" text not null, primary key ("id"));',
    'alter table "a" add column "c" text null;',
    'alter table `a` add column `c` integer not null default 0;',
    'create index "a_b_index" on "a" ("b");',
  ])('this adds: %s', (statement) => {
    expect(found(statement)).toEqual([]);
  });

  test('a table may be anything while it is new', () => {
    expect(
      found('create table "c" ("id" text not null);', 'create unique index "c_unique" on "c" ("id");'),
    ).toEqual([]);
  });
});
