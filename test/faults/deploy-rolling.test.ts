import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { DATABASES } from '../support/databases.ts';
import { EDGE_ADDRESS, instancesUp, startHaproxy } from '../support/haproxy.ts';
import { freePort } from '../support/ports.ts';
import { Command, type Finish } from '../support/process.ts';
import { environmentOn, newestEnded, postSync, PRODUCTION } from '../support/service.ts';
import { startSteady } from '../support/steady.ts';
import { has } from '../support/tools.ts';
import { startUpstream, type FakeUpstream } from '../support/upstream.ts';

const ROUNDS = inject('faultDeploys');
const RATE = inject('faultRate');
const [, POSTGRES] = DATABASES;

/** An edge that asks no other instance where one can not be reached: then nothing but the drain loses no request. */
const withoutRetries = (text: string) =>
  text
    .replace(/^ {2}retries 3$/m, '  retries 0')
    .replace(/^ {2}option redispatch 1$/m, '')
    .replace(/^ {2}retry-on .*$/m, '');

describe.skipIf(!has('haproxy') && !process.env.CI)('three instances behind HAProxy', () => {
  let upstream: FakeUpstream;
  let environment: Record<string, string>;
  let ports: [number, number, number];
  let instances: Command[];
  const endings: Parameters<Finish>[0][] = [];
  const atTheEnd: Finish = (work) => void endings.unshift(work);
  const start = (port: number) =>
    new Command('start', { ...environment, PORT: String(port) }, [], { finish: atTheEnd });

  beforeAll(async () => {
    upstream = await startUpstream();
    atTheEnd(() => upstream.close());
    environment = {
      ...(await environmentOn(upstream, POSTGRES, atTheEnd)),
      ...PRODUCTION,
      TRUSTED_PROXIES: EDGE_ADDRESS,
    };
    ports = [await freePort(), await freePort(), await freePort()];
    instances = ports.map(start);
    const [first = ''] = await Promise.all(instances.map((instance) => instance.url()));
    await postSync(first);
    expect((await newestEnded(first)).status).toBe('completed');
  });
  afterAll(async () => {
    for (const end of endings) await end();
  });

  test.each([
    ['S15a', 'as it is shipped', (text: string) => text],
    ['S15b', 'that never asks another instance', withoutRetries],
  ])(
    '%s a rolling restart under load loses no request, with an edge %s',
    { timeout: 300_000 },
    async (_, __, change) => {
      const edge = await startHaproxy(ports, { finish: atTheEnd, change });
      await instancesUp(edge, 3);
      const load = startSteady(edge.url, RATE);
      for (let round = 0; round < ROUNDS; round += 1) {
        for (const [index, port] of ports.entries()) {
          expect(await instances[index]?.end('SIGTERM')).toBe(0);
          const next = start(port);
          instances[index] = next;
          await next.url();
          await instancesUp(edge, 3);
        }
      }
      const { asked, failures, slowestMs } = await load.stop();
      console.log(`${asked} requests, ${ROUNDS * 3} restarts, the slowest took ${slowestMs} ms`);
      expect(failures).toEqual([]);
      expect(asked).toBeGreaterThan(ROUNDS * RATE * 5);
    },
  );
});
