import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { ask, startPostgres, type OwnPostgres } from './postgres.ts';

let server: OwnPostgres;
beforeAll(async () => {
  server = await startPostgres();
  await ask(server.url, 'create table kept as select 1 as one');
});
afterAll(() => server?.stop());

const answer = () => ask(server.url, 'select one from kept');

test.each(['fast', 'immediate', 'crash'] as const)(
  'a server that ended (%s) is not there, and starts again with its data where it was',
  async (how) => {
    await server.halt(how);
    await expect(answer()).rejects.toThrow('ECONNREFUSED');
    await server.start();
    expect(await answer()).toEqual([{ one: 1 }]);
  },
);

test('a frozen server leaves connections open and answers nothing, until it is thawed', async () => {
  const client = new pg.Client({ connectionString: server.url });
  await client.connect();
  onTestFinished(() => client.end());
  server.freeze();
  onTestFinished(() => server.thaw());
  const [onOpen, onNew] = [client.query('select 1'), answer()];
  const inTime = new Promise((resolve) => setTimeout(resolve, 300, 'nothing'));
  expect(await Promise.race([onOpen, onNew, inTime])).toBe('nothing');
  server.thaw();
  expect((await onOpen).rowCount).toBe(1);
  expect(await onNew).toEqual([{ one: 1 }]);
});

test('a frozen server can be ended', async () => {
  server.freeze();
  await server.halt('crash');
  await server.start();
  expect(await answer()).toEqual([{ one: 1 }]);
});
