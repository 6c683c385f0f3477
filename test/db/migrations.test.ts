import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, test } from 'vitest';
import { openOrm } from '../../server/db/orm.ts';
import { openDatabase } from '../../server/db/database.ts';
import { DATABASES } from '../support/databases.ts';

const run = promisify(execFile);
const main = fileURLToPath(new URL('../../server/main.ts', import.meta.url));

describe.each(DATABASES)('migrations on $name', ({ create }) => {
  test('bring the schema to where the entities are, and run once', async () => {
    const own = await create();
    const database = await openDatabase(own.url);
    const orm = await openOrm(own.url, 'write');
    try {
      expect(await database.migrate()).not.toEqual([]);
      expect(await database.migrate()).toEqual([]);
      expect((await orm.schema.getUpdateSchemaSQL({ wrap: false })).trim()).toBe('');
    } finally {
      await orm.close(true);
      await database.close();
      await own.drop();
    }
  });

  test('closing ends, also while a connection is being opened', async () => {
    const own = await create();
    const database = await openDatabase(own.url);
    await database.migrate();
    const reading = database.read.selectFrom('catalog').select('version').execute().catch(String);
    await new Promise((resolve) => setTimeout(resolve, 1));
    await database.close();
    await Promise.race([reading, new Promise((resolve) => setTimeout(resolve, 1_000))]);
    await own.drop();
  });

  test('may be run by several processes at once', async () => {
    const own = await create();
    try {
      const env = { ...process.env, DATABASE_URL: own.url };
      const attempts = Array.from({ length: 4 }, () => run(process.execPath, [main, 'migrate'], { env }));
      const said = (await Promise.all(attempts)).map(({ stdout }) => stdout.trim());
      expect(said.filter((line) => line.startsWith('Ran Migration'))).toHaveLength(1);
      expect(said.filter((line) => line === 'The database is up to date.')).toHaveLength(3);
    } finally {
      await own.drop();
    }
  });
});
