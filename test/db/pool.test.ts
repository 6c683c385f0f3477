import { sql } from 'kysely';
import { expect, onTestFinished, test } from 'vitest';
import { openDatabase, type Database } from '../../server/db/database.ts';
import { LIMITS } from '../../server/db/orm.ts';
import { DATABASES } from '../support/databases.ts';

const [, postgres] = DATABASES;

/** A database with one connection, which is idle. */
async function openIdle(): Promise<Database> {
  const { url, drop } = await postgres.create();
  const database = await openDatabase(url);
  onTestFinished(async () => {
    await database.close();
    await drop();
  });
  await sql`select 1`.execute(database.read);
  await database.pool('read');
  return database;
}

const waitingFor = async ({ pool }: Database) => (await pool('read'))?.waiting;

test('a query that has an idle connection in the next tick waits for none', async () => {
  const database = await openIdle();
  const seen: unknown[] = [];
  // The query reaches the pool some promises after it was begun.
  for (let promises = 0; promises < 30; promises += 1) {
    const query = sql`select 1`.execute(database.read);
    for (let passed = 0; passed < promises; passed += 1) await Promise.resolve();
    seen.push(await waitingFor(database));
    await query;
  }
  expect(seen).toEqual(Array(30).fill(0));
});

test('queries beyond those that may have connections wait', async () => {
  const database = await openIdle();
  const queries = Array.from({ length: LIMITS.read.max + 3 }, () =>
    sql`select pg_sleep(0.4)`.execute(database.read),
  );
  const over = Promise.allSettled(queries);
  await expect.poll(() => waitingFor(database), { interval: 10 }).toBe(3);
  await over;
});
