import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { openDatabase } from '../../server/db/database.ts';
import { DATABASES } from '../support/databases.ts';

const [, postgres] = DATABASES;

test('what a request changes is given up in time for an answer, and is not stored afterwards', async () => {
  const { url, drop } = await postgres.create();
  const database = await openDatabase(url);
  onTestFinished(async () => {
    await database.close();
    await drop();
  });
  await database.migrate();
  const store = (owner: string, delayMs: number) =>
    database.edit(async (db) => {
      await db.insertInto('leases').values({ name: owner, owner, expires_at_ms: 1 }).execute();
      await sleep(delayMs);
    });
  await store('in time', 0);
  const late = store('late', 2_300);
  await expect(late).rejects.toThrow('The database was not done within 1800 ms');
  await expect.poll(async () => (await database.pool('edit'))?.used, { timeout: 5_000 }).toBe(0);
  expect(await database.read.selectFrom('leases').select('owner').execute()).toEqual([{ owner: 'in time' }]);
});
