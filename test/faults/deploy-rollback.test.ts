import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { ranMigrations } from '../../server/db/migrations.ts';
import packageJson from '../../package.json' with { type: 'json' };
import { DATABASES } from '../support/databases.ts';
import { EDGE_ADDRESS, instancesUp, startHaproxy } from '../support/haproxy.ts';
import { buildNext, NEXT_VERSION } from '../support/next-build.ts';
import { freePort } from '../support/ports.ts';
import { Command } from '../support/process.ts';
import { OwnRedis } from '../support/redis.ts';
import { environmentOn, newestEnded, postSync, PRODUCTION, withDatabase } from '../support/service.ts';
import { startSteady } from '../support/steady.ts';
import { has } from '../support/tools.ts';
import { startUpstream, type FakeUpstream } from '../support/upstream.ts';

const RATE = inject('faultRate');
const [, POSTGRES] = DATABASES;
const LIST = '/v1/models?limit=20';

let upstream: FakeUpstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());

describe.skipIf(!(has('haproxy') && has('redis-server')) && !process.env.CI)(
  'a release that is taken back',
  () => {
    test(
      'S16 loses no request on the way there and back, and nobody reads what the other build has kept',
      { timeout: 180_000 },
      async () => {
        const redis = new OwnRedis(await freePort());
        onTestFinished(() => redis.remove());
        await redis.start();
        const environment = {
          ...(await environmentOn(upstream, POSTGRES)),
          ...PRODUCTION,
          REDIS_URL: redis.url,
          TRUSTED_PROXIES: EDGE_ADDRESS,
        };
        const next = buildNext(onTestFinished);
        const ports: [number, number] = [await freePort(), await freePort()];
        const start = (port: number, main?: string) =>
          new Command(
            'start',
            { ...environment, PORT: String(port) },
            [],
            main === undefined ? {} : { main },
          );
        const instances = ports.map((port) => start(port));
        for (const instance of instances) await instance.url();
        const edge = await startHaproxy(ports, { finish: onTestFinished });
        await instancesUp(edge, 2);
        await postSync(edge.url);
        expect((await newestEnded(edge.url)).status).toBe('completed');
        const before = await (await fetch(edge.url + LIST)).text();

        const load = startSteady(edge.url, RATE);
        const replace = async (main?: string) => {
          const began = performance.now();
          for (const [index, port] of ports.entries()) {
            expect(await instances[index]?.end('SIGTERM')).toBe(0);
            const other = start(port, main);
            instances[index] = other;
            await other.url();
            await instancesUp(edge, 2);
          }
          return Math.round((performance.now() - began) / 1_000);
        };
        const seen = () =>
          Promise.all(
            ports.map(async (port) => {
              const health = (await (await fetch(`http://127.0.0.1:${port}/health`)).json()) as {
                version: string;
              };
              const list = await (await fetch(`http://127.0.0.1:${port}${LIST}`)).text();
              return [health.version, list === before, JSON.parse(list).next as unknown];
            }),
          );
        await replace(next);
        expect(await seen()).toEqual([
          [NEXT_VERSION, false, true],
          [NEXT_VERSION, false, true],
        ]);
        const ran = await withDatabase(environment, ({ read, dialect }) => ranMigrations(read, dialect));
        expect(ran).toContain('Migration20990101000000');

        const seconds = await replace();
        const { version } = packageJson;
        expect(await seen()).toEqual([
          [version, true, undefined],
          [version, true, undefined],
        ]);
        // The older build goes on with the newer schema: it syncs, too.
        await postSync(edge.url);
        expect((await newestEnded(edge.url)).status).toBe('completed');
        const { asked, failures, slowestMs } = await load.stop();
        console.log(`${asked} requests, back within ${seconds} s, the slowest took ${slowestMs} ms`);
        expect(failures).toEqual([]);
      },
    );
  },
);
