import { text } from 'node:stream/consumers';
import { beforeEach, expect, onTestFinished, test } from 'vitest';
import type { RawContext } from '../contracts/raw.ts';
import { openDatabase, type Database } from '../server/db/database.ts';
import { createChangeStreams, type ChangeStreams } from '../server/services/change-streams.ts';
import { commitChanges } from './support/changes.ts';
import { DATABASES } from './support/databases.ts';
import { until } from './support/events.ts';

const [sqlite] = DATABASES;
const HEARTBEAT_MS = 50;

let database: Database;
let streams: ChangeStreams;
let loads: number;
let failing: boolean;
let errors: unknown[];

beforeEach(async () => {
  const { url, drop } = await sqlite.create();
  database = await openDatabase(url);
  await database.migrate();
  [loads, failing, errors] = [0, false, []];
  const snapshot: Database['snapshot'] = (work) => {
    loads += 1;
    return failing ? Promise.reject(new Error('The database is away')) : database.snapshot(work);
  };
  streams = createChangeStreams({
    database: { ...database, snapshot },
    withheld: false,
    onError: (error) => errors.push(error),
    times: { heartbeatMs: HEARTBEAT_MS, stallMs: 5_000 },
  });
  onTestFinished(async () => {
    await streams.close();
    await database.close();
    await drop();
  });
});

/** Opens a stream for an address of its own, and gathers what it says. */
async function open(address: string, lastEventId?: string): Promise<{ said: () => string }> {
  const stream = await streams.open({ lastEventId }, { address } as RawContext);
  let said = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
  return { said: () => said };
}

test('what several streams wait for is loaded once', async () => {
  await commitChanges(database, [{}]);
  const readers = await Promise.all(Array.from({ length: 60 }, (_, index) => open(`192.0.2.${index}`)));
  await until(() => readers.every(({ said }) => said().includes('id: 1\n\n')));
  const before = loads;
  await commitChanges(
    database,
    Array.from({ length: 500 }, () => ({})),
  );
  streams.wake();
  await until(() => readers.every(({ said }) => said().includes('id: 501\n')));
  expect(loads - before).toBe(3);
});

test('a database that is away ends no stream, and nothing is lost', async () => {
  const { said } = await open('192.0.2.1');
  await until(() => said().includes('id: 0'));
  failing = true;
  await commitChanges(database, [{}]);
  streams.wake();
  await until(() => errors.length >= 2);
  expect(said()).not.toContain('event:');
  failing = false;
  await until(() => said().includes('id: 1\nevent: price\n'));
});

test('closing ends every stream with a comment, and takes no more', async () => {
  const stream = await streams.open({}, { address: '192.0.2.1' } as RawContext);
  const unread = await streams.open({ lastEventId: '0' }, { address: '192.0.2.2' } as RawContext);
  const whole = text(stream);
  await streams.close();
  expect(await whole).toMatch(/\n: the service is shutting down: connect again\n\n$/);
  expect([unread.closed, stream.closed]).toEqual([true, true]);
  await expect(streams.open({}, { address: '192.0.2.1' } as RawContext)).rejects.toMatchObject({
    code: 'SERVICE_UNAVAILABLE',
  });
});
