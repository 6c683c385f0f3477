import { afterAll, beforeAll, describe, test, type ExpectStatic } from 'vitest';
import { DATABASES } from '../support/databases.ts';
import { instancesUp, startHaproxy } from '../support/haproxy.ts';
import { startNginx } from '../support/nginx.ts';
import { freePort } from '../support/ports.ts';
import type { Finish } from '../support/process.ts';
import { exchange } from '../support/raw.ts';
import { startSynced, type Served } from '../support/synced.ts';
import { has } from '../support/tools.ts';
import {
  BODIES,
  chunk,
  CODINGS,
  END,
  hidden,
  ODD,
  post,
  QUESTION,
  TWO_READINGS,
} from './support/smuggled.ts';

const PROBLEM = /^content-type: application\/problem\+json; charset=utf-8\r$/im;
const isBare = !has('haproxy') || !has('nginx');

describe.skipIf(isBare && !process.env.CI).concurrent('C13 smuggled requests', () => {
  let served: Served;
  let direct: number;
  const proxies = new Map<string, number>();
  const endings: Parameters<Finish>[0][] = [];
  const atTheEnd: Finish = (work) => void endings.unshift(work);

  beforeAll(async () => {
    served = await startSynced(DATABASES[0].create, { environment: { TRUSTED_PROXIES: '127.0.0.2' } });
    atTheEnd(() => served.close());
    direct = Number(new URL(served.app.url).port);
    const haproxy = await startHaproxy([direct, await freePort()], { finish: atTheEnd });
    await instancesUp(haproxy, 1);
    proxies.set('HAProxy', Number(new URL(haproxy.url).port));
    proxies.set('nginx', await startNginx(direct, atTheEnd));
  });
  afterAll(async () => {
    for (const end of endings) await end();
  });

  let count = 0;
  const nextId = () => `hidden-${(count += 1)}`;

  /** Nothing of what was hidden was answered or even seen, and whoever comes next on shared connections gets their own answer. */
  async function expectUnseen(id: string, expect: ExpectStatic): Promise<void> {
    for (const [proxy, port] of proxies) {
      const path = `/innocent/${id}`;
      const answer = await fetch(`http://127.0.0.1:${port}${path}`);
      expect(await answer.json(), proxy).toMatchObject({ status: 404, instance: path });
    }
    expect(served.app.log.filter(({ requestId }) => requestId === id)).toEqual([]);
  }

  test.for(TWO_READINGS)('C13a %s: refused, and the connection is closed', async ([, bytes], { expect }) => {
    const id = nextId();
    const sent = Buffer.from(bytes(id), 'latin1');
    const answer = await exchange(direct, sent);
    expect(answer).toMatchObject({ statuses: [400], closed: true });
    expect(answer.text).toMatch(PROBLEM);
    for (const [proxy, port] of proxies) {
      const { statuses, closed, text } = await exchange(port, sent);
      expect([statuses.length, closed], `${proxy} answered ${text}`).toEqual([1, true]);
      expect([400, 422, 501], proxy).toContain(statuses[0]);
    }
    await expectUnseen(id, expect);
  });

  test.for(ODD)('C13b %s: refused, or one request for everybody', async ([, bytes], { expect }) => {
    const id = nextId();
    const sent = Buffer.from(bytes(id), 'latin1');
    expect(await exchange(direct, sent)).toMatchObject({ statuses: [400], closed: true });
    for (const [proxy, port] of proxies) {
      const { statuses, text } = await exchange(port, sent);
      expect(statuses.length, `${proxy} answered ${text}`).toBe(1);
      expect([200, 400, 422], proxy).toContain(statuses[0]);
    }
    await expectUnseen(id, expect);
  });

  test.for(BODIES)('C13c %s: not a request', async ([, bytes], { expect }) => {
    const id = nextId();
    for (const port of [direct, ...proxies.values()])
      expect((await exchange(port, bytes(id))).statuses.length).toBe(1);
    await expectUnseen(id, expect);
  });

  test.for(['1d;a=b', '1d;a="b;c"', '0000000000001D'])(
    'C13d a chunk of %s: what HTTP allows',
    async (size, { expect }) => {
      const sent = post('Transfer-Encoding: chunked', `${size}\r\n${QUESTION}\r\n${END}`);
      for (const port of [direct, ...proxies.values()])
        expect((await exchange(port, sent)).statuses).toEqual([200]);
    },
  );

  test.for(CODINGS)('C13e %j and nothing else: chunks, or refused', async (coding, { expect }) => {
    const id = nextId();
    const isChunked = /^Transfer-Encoding:[ \t]*chunked$/i.test(coding.split('\r\n').at(-1) ?? '');
    const codings = coding.match(/Transfer-Encoding:/g) ?? [];
    const sent = Buffer.from(post(coding, chunk(QUESTION) + END), 'latin1');
    const { statuses, closed } = await exchange(direct, sent);
    if (isChunked && codings.length < 2) expect(statuses).toEqual([200]);
    else expect([statuses, closed]).toEqual([[400], true]);
    await expectUnseen(id, expect);
  });

  test('C13f chunks of HTTP/1.0, which has none: the connection is closed', async ({ expect }) => {
    const id = nextId();
    const sent = post(
      'Connection: keep-alive\r\nTransfer-Encoding: chunked',
      chunk(QUESTION) + END + hidden(id),
      '1.0',
    );
    for (const port of [direct, ...proxies.values()])
      expect(await exchange(port, sent)).toMatchObject({ statuses: [expect.any(Number)], closed: true });
    await expectUnseen(id, expect);
  });
});
