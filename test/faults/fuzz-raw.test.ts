import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { DATABASES } from '../support/databases.ts';
import { Command } from '../support/process.ts';
import { environmentOn, newestEnded, postSync, PRODUCTION, storedRuns } from '../support/service.ts';
import { startUpstream, type FakeUpstream } from '../support/upstream.ts';
import { malformed } from './support/fuzz/bytes.ts';

const COUNT = inject('fuzzRaw');
/** With FUZZ_SEED the same bytes are sent again. */
const SEED = inject('fuzzSeed');
/** The longest that the server waits for the rest of a request, and what a busy machine adds. */
const CLOSED_MS = 17_000;

let upstream: FakeUpstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());

/** Sends bytes and no more; resolves when the server has closed the connection. */
async function send(port: number, bytes: Buffer): Promise<{ answer: string; ms: number }> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => {});
  await once(socket, 'connect');
  const began = performance.now();
  let answer = '';
  socket.setEncoding('latin1').on('data', (text: string) => (answer += text));
  const closed = new Promise((resolve) => socket.once('end', resolve).once('close', resolve));
  socket.write(bytes);
  await closed;
  socket.destroy();
  return { answer, ms: performance.now() - began };
}

const files = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;
const residentMb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;

test(
  `C12-fuzz ${COUNT} requests that are none are refused or closed, and good ones answered all along`,
  { timeout: 900_000 },
  async () => {
    const environment = {
      ...(await environmentOn(upstream, DATABASES[0], onTestFinished)),
      ...PRODUCTION,
      NODE_OPTIONS: '--max-old-space-size=256',
    };
    const service = new Command('start', environment);
    const address = await service.url();
    await postSync(address);
    expect((await newestEnded(address)).status).toBe('completed');
    const saidBefore = service.output.length;
    const port = Number(new URL(address).port);
    const all = fc.sample(malformed, { numRuns: COUNT, seed: SEED });
    const faults: string[] = [];
    let resident = 0;
    let next = 0;
    const sendNext = async () => {
      while (next < all.length) {
        const index = next++;
        const bytes = all[index] ?? Buffer.alloc(0);
        const { answer, ms } = await send(port, bytes);
        const said = `${JSON.stringify(bytes.toString('latin1').slice(0, 300))} -> ${JSON.stringify(answer.slice(0, 200))}`;
        const statuses = [...answer.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status));
        if (answer !== '' && !answer.startsWith('HTTP/1.1 ')) faults.push(`no answer of HTTP: ${said}`);
        if (statuses.some((status) => status >= 500)) faults.push(`5xx: ${said}`);
        if (ms > CLOSED_MS) faults.push(`it took ${Math.round(ms)} ms: ${said}`);
        if (index === Math.floor(COUNT / 4)) resident = residentMb(service.pid);
      }
    };
    let over = false;
    const asked = (async () => {
      while (!over) {
        const began = performance.now();
        const { status } = await fetch(`${address}/v1/models?limit=1`);
        if (status !== 200) faults.push(`a good request is ${status}`);
        if (performance.now() - began > 5_000) faults.push('a good request took over 5 s');
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    })();
    // Many wait for the rest of a request at once, until the server gives them up.
    await Promise.all(Array.from({ length: 1_000 }, sendNext));
    over = true;
    await asked;
    expect(faults.slice(0, 10), `FUZZ_SEED=${SEED}`).toEqual([]);
    expect((await storedRuns(environment)).runs).toEqual(['completed']);
    expect(residentMb(service.pid) - resident).toBeLessThan(100);
    await expect.poll(() => files(service.pid), { timeout: 20_000 }).toBeLessThan(80);
    expect(
      service.output
        .slice(saidBefore)
        .split('\n')
        .filter((text) => /"level":[56]0/.test(text)),
    ).toEqual([]);
    expect(await service.end('SIGTERM')).toBe(0);
  },
);
