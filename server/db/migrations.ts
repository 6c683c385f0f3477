import { sql, type Kysely } from 'kysely';
import { MIGRATIONS } from '../../migrations/index.ts';
import type { DialectName, Tables } from './orm.ts';

/** The names of the migrations that this build has, oldest first. */
export const KNOWN_MIGRATIONS = MIGRATIONS.map(({ name }) => name);

const TABLE = 'mikro_orm_migrations';

/** The schema is older than this build, and the role that asks may not change it. */
export class MigrationNeeded extends Error {
  override name = 'MigrationNeeded';
  constructor(pending: string[], options: ErrorOptions) {
    super(
      `The database lacks ${pending.join(', ')}, and this role may not change its schema: run \`npm run migrate\` as ` +
        'the role that owns it (em_migrate), then start again.',
      options,
    );
  }
}

/** The names of the migrations that have run on a database, oldest first. Changes nothing. */
export async function ranMigrations(db: Kysely<Tables>, dialect: DialectName): Promise<string[]> {
  const exists =
    dialect === 'sqlite'
      ? sql<{ found: number | boolean }>`
          select exists (select 1 from sqlite_master where name = ${TABLE}) as found`
      : sql<{ found: number | boolean }>`select to_regclass(${TABLE}) is not null as found`;
  const { rows: known } = await exists.execute(db);
  if (!known[0]?.found) return [];
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(TABLE)} order by id`.execute(db);
  return rows.map(({ name }) => name.replace(/\.[jt]s$/, ''));
}

/** The names of the migrations that this build has and a database lacks. */
export async function pendingMigrations(db: Kysely<Tables>, dialect: DialectName): Promise<string[]> {
  const ran = new Set(await ranMigrations(db, dialect));
  return KNOWN_MIGRATIONS.filter((name) => !ran.has(name));
}
