import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { STREAM_TIMES } from '../../server/services/change-streams.ts';
import { ADMIN_SECRET } from '../support/app.ts';
import { commitChanges } from '../support/changes.ts';
import { DATABASES } from '../support/databases.ts';
import { EventReader, follow, startBare, STREAM, until } from '../support/events.ts';
import { Command } from '../support/process.ts';
import { problemIn } from '../support/synced.ts';

const bare = { kind: 'model_added', offer: null, field: null, oldValue: null, newValue: null } as const;

describe.concurrent('at once', () => {
  test(
    'a quiet stream outlives the timeouts of the server',
    { timeout: 40_000 },
    async ({ expect, onTestFinished: finish }) => {
      const app = await startBare(
        { times: { streams: { ...STREAM_TIMES, heartbeatMs: 60_000 } } },
        {},
        finish,
      );
      const reader = await follow(app, '', {}, finish);
      await new Promise((resolve) => setTimeout(resolve, 17_000));
      await commitChanges(app.database, [bare]);
      expect(await reader.count(1)).toHaveLength(1);
    },
  );

  test(
    'a reader that does not read is let go, and nobody else',
    { timeout: 60_000 },
    async ({ expect, onTestFinished: finish }) => {
      const app = await startBare({ times: { streams: { ...STREAM_TIMES, stallMs: 2_000 } } }, {}, finish);
      const row = { ...bare, newValue: 'x'.repeat(20_000) };
      await commitChanges(
        app.database,
        Array.from({ length: 600 }, () => row),
      );
      const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
      finish(() => void socket.destroy());
      // What was let go is reset.
      socket.on('error', () => {});
      socket.pause().write(`GET ${STREAM}?lastEventId=0 HTTP/1.1\r\nHost: localhost\r\n\r\n`);
      const reader = await follow(app, 'lastEventId=0', {}, finish);
      await reader.count(600);
      await new Promise((resolve) => setTimeout(resolve, 4_000));
      let received = 0;
      socket.on('data', (chunk) => (received += chunk.length)).resume();
      await until(() => socket.destroyed);
      expect(received).toBeLessThan(600 * 20_000);
      await commitChanges(app.database, [bare]);
      await reader.count(601);
    },
  );

  test('SIGTERM says goodbye to every stream and ends the process', async ({
    expect,
    onTestFinished: finish,
  }) => {
    const database = await DATABASES[0].create();
    finish(database.drop);
    const command = new Command(
      'start',
      {
        ADMIN_SECRET,
        HOST: '127.0.0.1',
        PORT: '0',
        DATABASE_URL: database.url,
        SYNC_CRON: 'off',
        SYNC_ON_START: 'never',
      },
      [],
      { finish },
    );
    const address = await command.url();
    const readers = await Promise.all(
      Array.from({ length: 5 }, () => EventReader.open(address + STREAM, {}, finish)),
    );
    await until(() => readers.every(({ retryMs }) => retryMs !== null));
    const started = performance.now();
    expect(await command.end('SIGTERM')).toBe(0);
    expect(performance.now() - started).toBeLessThan(5_000);
    for (const reader of readers) {
      expect(await reader.ended).toBe('end');
      expect(reader.comments.at(-1)).toContain('shutting down');
    }
  });
});

describe('places', () => {
  const fromAddress = (address: string) => ({ 'x-forwarded-for': address });
  const behindProxy = () => startBare({}, { TRUSTED_PROXIES: '127.0.0.1' });

  test('429 past ten an address, until one is given back', async () => {
    const app = await behindProxy();
    const readers = await Promise.all(
      Array.from({ length: 10 }, () => follow(app, '', fromAddress('192.0.2.1'))),
    );
    expect(readers.every(({ response }) => response.status === 200)).toBe(true);
    const refused = await app.get(STREAM, fromAddress('192.0.2.1'));
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '30']);
    expect((await problemIn(refused)).code).toBe('TOO_MANY_REQUESTS');
    expect((await follow(app, '', fromAddress('192.0.2.2'))).response.status).toBe(200);
    readers[0]?.close();
    await until(async () => (await follow(app, '', fromAddress('192.0.2.1'))).response.status === 200);
  });

  test('503 past a hundred, and readers that come and go leave nothing behind', async () => {
    const app = await behindProxy();
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    for (let round = 0; round < 2; round += 1) {
      const address = (index: number) => fromAddress(`192.0.2.${index % 10}`);
      const readers = await Promise.all(
        Array.from({ length: 100 }, (_, index) => follow(app, '', address(index))),
      );
      expect(readers.filter(({ response }) => response.status === 200)).toHaveLength(100);
      const refused = await app.get(STREAM, fromAddress('192.0.2.99'));
      expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '30']);
      expect((await app.get('/health/ready')).status).toBe(200);
      for (const reader of readers) reader.close();
      await until(async () => {
        const again = await follow(app, '', fromAddress('192.0.2.99'));
        again.close();
        return again.response.status === 200;
      });
    }
    await until(() => timers() <= before + 10);
  });

  test('a reader that has gone before its stream was open has no place', async () => {
    const app = await startBare();
    for (let round = 0; round < 30; round += 1) {
      const abort = new AbortController();
      const asked = fetch(app.url + STREAM, { signal: abort.signal }).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, round / 5));
      abort.abort();
      await asked;
    }
    await until(async () => {
      const readers = await Promise.all(Array.from({ length: 10 }, () => follow(app)));
      for (const reader of readers) reader.close();
      return readers.every(({ response }) => response.status === 200);
    });
  });
});
