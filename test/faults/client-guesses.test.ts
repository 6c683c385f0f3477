import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest';
import { ADMIN_SECRET } from '../support/app.ts';
import { crowd, type Asked } from '../support/crowd.ts';
import { DATABASES } from '../support/databases.ts';
import { Command } from '../support/process.ts';
import { environmentOn, PRODUCTION, storedRuns, withDatabase } from '../support/service.ts';
import { startUpstream, type FakeUpstream } from '../support/upstream.ts';

const GUESSES = inject('faultGuesses');
const NEXT = 'n7Hc2mVx9LqW4dKsTz8YbRp1JfGu6EaQi3Xo0MyBvZk';

let upstream: FakeUpstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());

const sha256 = (text: string, form: 'hex' | 'base64url') => createHash('sha256').update(text).digest(form);
const changed = (at: number) => {
  const other = ADMIN_SECRET[at] === 'A' ? 'B' : 'A';
  return ADMIN_SECRET.slice(0, at) + other + ADMIN_SECRET.slice(at + 1);
};

/** What might be taken for the secret: all but it, and random ones of its form. */
const NEAR: ((number: number) => string)[] = [
  (number) => changed(number % ADMIN_SECRET.length),
  (number) => ADMIN_SECRET.slice(0, number % ADMIN_SECRET.length),
  (number) => ADMIN_SECRET.slice(1 + (number % (ADMIN_SECRET.length - 1))),
  () => ADMIN_SECRET.toLowerCase(),
  () => ADMIN_SECRET.toUpperCase(),
  () => ADMIN_SECRET.split('').toReversed().join(''),
  () => `${ADMIN_SECRET}=`,
  () => `${ADMIN_SECRET}, ${ADMIN_SECRET}`,
  () => `"${ADMIN_SECRET}"`,
  () => `${ADMIN_SECRET}${NEXT}`,
  () => encodeURIComponent(` ${ADMIN_SECRET}`),
  () => Buffer.from(ADMIN_SECRET).toString('base64'),
  () => `sha256:${sha256(ADMIN_SECRET, 'hex')}`,
  () => sha256(ADMIN_SECRET, 'hex'),
  () => sha256(ADMIN_SECRET, 'base64url'),
  () => 'true',
  () => 'null',
  () => '[object Object]',
  () => '__proto__',
  (number) => 'x'.repeat(1 + (number % 6_000)),
];
const guessOf = (number: number) =>
  number % 2 === 0
    ? randomBytes(32).toString('base64url')
    : (NEAR[(number >> 1) % NEAR.length]?.(number) ?? '');

/** Ways in: each is only tried, never opened. */
const DOORS: ((guess: string) => Asked)[] = [
  (guess) => ({ path: '/v1/admin/sync', method: 'POST', headers: { 'x-admin': guess } }),
  (guess) => ({ path: '/v1/admin/sync', method: 'POST', headers: { authorization: `Bearer ${guess}` } }),
  (guess) => ({ path: '/v1/admin/sync/history', headers: { 'x-admin': guess } }),
  (guess) => ({ path: '/trpc/admin.sync.history', headers: { 'x-admin': guess } }),
  (guess) => ({ path: '/trpc/admin.sync.history,admin.sync.history?batch=1', headers: { 'X-ADMIN': guess } }),
  (guess) => ({ path: '/metrics', headers: { authorization: `bearer ${guess}` } }),
  (guess) => ({
    path: '/trpc/admin.sync.start',
    method: 'POST',
    headers: { 'x-admin': guess, 'content-type': 'application/json' },
    body: '{}',
  }),
];

test(
  `C28 of ${GUESSES} guesses at the admin secret none gets in, and who has it is not kept out`,
  { timeout: 600_000 },
  async () => {
    const environment = {
      ...(await environmentOn(upstream, DATABASES[0], onTestFinished)),
      ...PRODUCTION,
      ADMIN_SECRET_NEXT: `sha256:${sha256(NEXT, 'hex')}`,
      TRUSTED_PROXIES: '127.0.0.1',
    };
    const service = new Command('start', environment);
    const address = await service.url();
    const counts: Record<number, number> = {};
    await crowd(
      address,
      GUESSES,
      (number) => {
        // Every other guess comes from one address; the rest four from each, so that all of these are looked at.
        const other = number >> 3;
        const from =
          number % 2 === 0 ? '198.51.100.1' : `10.${other >> 16}.${(other >> 8) & 255}.${other & 255}`;
        const asked = DOORS[number % DOORS.length]?.(guessOf(number)) ?? { path: '/' };
        return { ...asked, headers: { ...asked.headers, 'x-forwarded-for': from } };
      },
      { onAnswer: ({ status }) => (counts[status] = (counts[status] ?? 0) + 1) },
    );
    expect(Object.keys(counts).map(Number)).toEqual([401, 429]);
    expect(counts[401]).toBeGreaterThanOrEqual(GUESSES / 2);
    expect(counts[429]).toBeGreaterThanOrEqual(GUESSES / 2 - 1_000);

    expect(await storedRuns(environment)).toEqual({ runs: [], leases: [] });
    const admitted = await withDatabase(environment, ({ read }) =>
      read.selectFrom('admin_audit').select('id').where('result', '=', 'admitted').execute(),
    );
    expect(admitted).toEqual([]);
    for (const secret of [ADMIN_SECRET, NEXT]) {
      const history = await fetch(`${address}/v1/admin/sync/history`, {
        headers: { 'x-admin': secret, 'x-forwarded-for': '203.0.113.1' },
      });
      expect(history.status).toBe(200);
      expect(service.output).not.toContain(secret);
    }
    expect(service.output).not.toMatch(/"level":[56]0/);
    expect(await service.end('SIGTERM')).toBe(0);
  },
);
