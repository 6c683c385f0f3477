import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest';
import { ADMIN_SECRET } from '../support/app.ts';
import { crowd } from '../support/crowd.ts';
import { DATABASES } from '../support/databases.ts';
import { Command } from '../support/process.ts';
import { environmentOn, newestEnded, postSync, PRODUCTION } from '../support/service.ts';
import { startUpstream, type FakeUpstream } from '../support/upstream.ts';
import { OPERATIONS } from './support/fuzz/document.ts';
import { judge } from './support/fuzz/judge.ts';
import { fuzzRequests, type FuzzRequest } from './support/fuzz/requests.ts';
import type { Known } from './support/fuzz/values.ts';

const REQUESTS = inject('fuzzRequests') / 2;
/** With FUZZ_SEED the same requests are made again. */
const SEED = inject('fuzzSeed');
const LATEST_MS = 2_000;
/** How much later an answer may be for each millisecond that a timer of this process was late. */
const STARVED = 4;
const BEAT_MS = 50;
const GROWTH_MB = 100;

let upstream: FakeUpstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());

const residentMb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1_024;
const openFiles = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length;

/** What there is to ask for. */
async function knownAt(address: string): Promise<Known> {
  const json = async <Body>(path: string) =>
    (await (await fetch(address + path, { headers: { 'x-admin': ADMIN_SECRET } })).json()) as Body;
  type List = { data: Record<string, string>[]; meta: { nextCursor: string | null } };
  const models = await json<List>('/v1/models?limit=100');
  const page = await json<List>('/v1/models?limit=2');
  const providers = await json<List>('/v1/providers?limit=100');
  const runs = await json<List>('/v1/admin/sync/history?limit=5');
  const changes = await json<List>('/v1/changes?limit=3');
  const opened = await fetch(`${address}/v1/admin/incidents`, {
    method: 'POST',
    headers: { 'x-admin': ADMIN_SECRET, 'content-type': 'application/json' },
    body: JSON.stringify({ title: 'Slow answers', severity: 3, message: 'We are looking into it.' }),
  });
  const incident = ((await opened.json()) as { data: { id: string } }).data.id;
  const ids = models.data.map(({ id = '' }) => id);
  return {
    model: ids,
    id: ids,
    '/v1/admin/sync/{id}': runs.data.map(({ id = '' }) => id),
    '/v1/admin/incidents/{id}/updates': [incident],
    creator: ids.map((id) => id.split('/')[0] ?? ''),
    provider: providers.data.map(({ id = '' }) => id),
    search: ['gpt', 'claude', 'a', '%', '_'],
    cursor: [page.meta.nextCursor, changes.meta.nextCursor].filter((cursor) => cursor !== null),
    asOf: ['2026-01-01', '1', '0', new Date().toISOString()],
    since: ['2026-01-01', '1', new Date().toISOString()],
    until: ['2030-01-01', '2'],
    before: ['2030-01-01'],
    after: ['2020-01-01'],
    lastEventId: ['0', '1'],
  };
}

describe.each(DATABASES)('generated requests on $name', (kind) => {
  test(
    `C1-fuzz ${REQUESTS} of them are answered as the document says, in time, and leave the service as it was`,
    { timeout: 900_000 },
    async () => {
      const service = new Command('start', {
        ...(await environmentOn(upstream, kind, onTestFinished)),
        ...PRODUCTION,
        TRUSTED_PROXIES: '127.0.0.1',
        NODE_OPTIONS: '--max-old-space-size=256',
      });
      const address = await service.url();
      await postSync(address);
      expect((await newestEnded(address)).status).toBe('completed');

      const known = await knownAt(address);
      const saidBefore = service.output.length;
      const requests = fc.sample(fuzzRequests(known, { secret: ADMIN_SECRET }), {
        numRuns: REQUESTS,
        seed: SEED,
      });
      const faults: string[] = [];
      const answered = new Set<string>();
      const late: { at: number; ms: number }[] = [];
      let beat = performance.now();
      const beats = setInterval(() => {
        late.push({ at: performance.now(), ms: Math.max(0, performance.now() - beat - BEAT_MS) });
        beat = performance.now();
      }, BEAT_MS);
      let resident = 0;
      const say = ({ method = 'GET', path, headers, body = '' }: FuzzRequest) =>
        `${method} ${path.slice(0, 300)} ${JSON.stringify({ ...headers, 'x-admin': undefined })} ${body.slice(0, 200)}`;
      const began = performance.now();
      await crowd(address, requests.length, (index) => requests[index] as FuzzRequest, {
        connections: 24,
        onAnswer: (heard, index) => {
          const request = requests[index] as FuzzRequest;
          const wrong = judge(request, heard);
          const since = performance.now() - heard.ms;
          const starved = late.filter(({ at }) => at >= since).reduce((sum, { ms }) => sum + ms, 0);
          if (heard.ms > LATEST_MS + STARVED * starved) wrong.push(`it took ${Math.round(heard.ms)} ms`);
          for (const fault of wrong)
            faults.push(`${fault}: ${say(request)} -> ${heard.status} ${heard.body.slice(0, 300)}`);
          if (request.operation !== null && heard.status < 300)
            answered.add(`${request.operation.method} ${request.operation.path}`);
          // What a first quarter takes is for caches and compiled code.
          if (index === Math.floor(requests.length / 4)) resident = residentMb(service.pid);
        },
      });
      clearInterval(beats);
      const seconds = (performance.now() - began) / 1_000;
      console.log(
        `${requests.length} requests, ${Math.round(requests.length / seconds)} a second, seed ${SEED}`,
      );
      expect(faults.slice(0, 10), `FUZZ_SEED=${SEED}`).toEqual([]);
      // Every operation was asked for something that it has, where so many are made that none is left out.
      if (REQUESTS >= 5_000)
        expect([...answered].toSorted()).toEqual(
          OPERATIONS.map(({ method, path }) => `${method} ${path}`).toSorted(),
        );
      expect(residentMb(service.pid) - resident).toBeLessThan(GROWTH_MB);
      await expect.poll(() => openFiles(service.pid), { timeout: 20_000 }).toBeLessThan(80);
      expect((await fetch(`${address}/health`)).status).toBe(200);
      expect(
        service.output
          .slice(saidBefore)
          .split('\n')
          .filter((text) => /"level":[56]0/.test(text)),
      ).toEqual([]);
      expect(await service.end('SIGTERM')).toBe(0);
    },
  );
});
