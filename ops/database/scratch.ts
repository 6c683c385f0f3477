import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { sql, type Kysely } from 'kysely';
import type { Tables } from '../../server/db/orm.ts';
import { removedAtOnce } from '../interrupt.ts';
import { onServerOf, withOperator, type Address } from './address.ts';
import { makeFolder } from './folder.ts';
import { removeDatabase } from './restore-sqlite.ts';

/** A place that is removed, whatever happens. */
export interface Scratch<Place> {
  place: Place;
  remove: () => Promise<void>;
}

/** Makes a folder among the backups, where there is room for another. */
export async function scratchFolder(beside: string): Promise<Scratch<string>> {
  await makeFolder(beside);
  const place = await mkdtemp(join(beside, '.drill-'));
  const settle = removedAtOnce(place);
  const remove = async () => {
    await rm(place, { recursive: true, force: true });
    settle();
  };
  return { place, remove };
}

/** Names an SQLite file that is not there yet. */
export const scratchFile = (path: string): Scratch<Address> => ({
  place: { url: `file:${path}`, passwordFile: null },
  remove: () => removeDatabase(path),
});

const PREFIX = 'effect_models_drill_';
const ABANDONED_MS = 24 * 60 * 60_000;

/** Makes an empty database on a server of Postgres; those that killed drills have left go after a day. */
export async function scratchDatabase(server: Address): Promise<Scratch<Address>> {
  const name = `${PREFIX}${Date.now()}_${randomBytes(4).toString('hex')}`;
  const drop = (db: Kysely<Tables>, database: string) =>
    sql`drop database if exists ${sql.id(database)} with (force)`.execute(db);
  await withOperator(server, async (db) => {
    const { rows } = await sql<{ name: string }>`
      select datname as name from pg_database where starts_with(datname, ${PREFIX})`.execute(db);
    for (const { name: left } of rows)
      if (Date.now() - Number(left.slice(PREFIX.length).split('_')[0]) > ABANDONED_MS) await drop(db, left);
    await sql`create database ${sql.id(name)} template template0 encoding 'UTF8'`.execute(db);
  });
  return {
    place: onServerOf(server, name),
    remove: () => withOperator(server, async (db) => void (await drop(db, name))),
  };
}
