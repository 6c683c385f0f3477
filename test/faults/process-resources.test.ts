import { closeSync, openSync, readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { DATABASES } from '../support/databases.ts';
import { Command } from '../support/process.ts';
import { environmentOn, newestEnded, postSync, PRODUCTION } from '../support/service.ts';
import { startUpstream, type FakeUpstream } from '../support/upstream.ts';

const [sqlite] = DATABASES;
const isLinux = process.platform === 'linux' || process.env.CI === 'true';

let upstream: FakeUpstream;

beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());
beforeEach(() => upstream.reset());

const statusOf = async (url: string) => (await fetch(url)).status;
const environment = async () => ({ ...(await environmentOn(upstream, sqlite)), ...PRODUCTION });

test.skipIf(!isLinux)(
  'S10 an upstream of 500 MB fails alone, in 256 MB of heap',
  { timeout: 60_000 },
  async () => {
    const megabyte = Buffer.alloc(1024 * 1024, 0x20);
    upstream.script(
      (path) => path.includes('/openrouter/'),
      (_req, res) => {
        res.writeHead(200, { 'content-type': 'application/json' });
        let sent = 0;
        const send = () => {
          while (sent < 500 && !res.destroyed) {
            sent += 1;
            if (!res.write(megabyte)) return void res.once('drain', send);
          }
          res.end();
        };
        send();
      },
    );
    const service = new Command('start', {
      ...(await environment()),
      NODE_OPTIONS: '--max-old-space-size=256',
    });
    const address = await service.url();
    expect((await postSync(address)).status).toBe(202);
    const run = await newestEnded(address);
    const outcome = run.sources.find(({ source }) => source === 'openrouter');
    expect([run.status, outcome?.error?.class]).toEqual(['partial', 'too_large']);
    const [, peakKb = ''] =
      /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${service.pid}/status`, 'utf8')) ?? [];
    expect(Number(peakKb)).toBeLessThan(512 * 1024);
    expect(await service.end('SIGTERM')).toBe(0);
  },
);

/** Enough requests to write more log than a pipe holds. */
async function talk(address: string): Promise<void> {
  for (let round = 0; round < 40; round++) {
    const asked = Array.from({ length: 50 }, () => statusOf(`${address}/v1/status`));
    expect(new Set(await Promise.all(asked))).toEqual(new Set([200]));
  }
}

test('S12a standard output is closed, and it serves on', async () => {
  const service = new Command('start', await environment());
  const address = await service.url();
  service.stopReading({ close: true });
  await talk(address);
  expect(await service.end('SIGTERM')).toBe(0);
});

test('S12b nobody reads standard output, and it serves on; then the log goes on', async () => {
  const service = new Command('start', await environment());
  const address = await service.url();
  service.stopReading({ close: false });
  await talk(address);
  expect(await statusOf(`${address}/health/live`)).toBe(200);
  service.readOn();
  await statusOf(`${address}/v1/providers`);
  await service.says(/GET \/v1\/providers 200/);
  expect(await service.end('SIGTERM')).toBe(0);
});

test.skipIf(!isLinux)('S12c the disk of the log is full, and it serves on', async () => {
  const full = openSync('/dev/full', 'w');
  try {
    const service = new Command('start', { ...(await environment()), PORT: '39317' }, [], { stdout: full });
    const address = 'http://127.0.0.1:39317';
    await expect
      .poll(() => statusOf(`${address}/health/ready`).catch(() => 0), { timeout: 10_000 })
      .toBe(200);
    await talk(address);
    expect(await service.end('SIGTERM')).toBe(0);
  } finally {
    closeSync(full);
  }
});

test.skipIf(!isLinux)(
  'S13 no file descriptors are left: others are refused, then all is well again',
  { timeout: 60_000 },
  async () => {
    const within = ['/bin/sh', '-c', 'ulimit -n 256; exec "$@"', 'sh'];
    const service = new Command('start', await environment(), [], { within });
    const address = await service.url();
    const sockets: Socket[] = [];
    for (let number = 0; number < 1_000; number++) {
      const socket = connect(Number(new URL(address).port), '127.0.0.1');
      socket.on('error', () => {});
      sockets.push(socket);
    }
    await sleep(1_500);
    for (const socket of sockets) socket.destroy();
    await expect.poll(() => statusOf(`${address}/v1/models`).catch(() => 0), { timeout: 10_000 }).toBe(200);
    await postSync(address);
    expect((await newestEnded(address)).status).toBe('completed');
    expect(service.output).not.toMatch(/"level":60/);
    expect(await service.end('SIGTERM')).toBe(0);
  },
);
