import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { SICK, startPatient, type Patient } from './support/patient.ts';

const json = { 'content-type': 'application/json' };

describe.each(SICK)('statuses of $id', (sick) => {
  let patient: Patient;
  beforeAll(async () => {
    patient = await startPatient(sick);
  });
  afterEach(() => patient.heal());
  afterAll(() => patient.close());

  /** Answers the first request with `status` and `headers`, and tells how long it was until the next came. */
  async function gapAfter(status: number, headers: () => Record<string, string>): Promise<number> {
    const times: number[] = [];
    patient.answer((_req, res, next, count) => {
      times.push(performance.now());
      if (count === 1) res.writeHead(status, headers()).end();
      else next();
    });
    await patient.accepts({ requests: sick.requests + 1, httpStatus: 200 }, '?force=true');
    return Number(times[1]) - Number(times[0]);
  }

  test(`U4a-${sick.id} 429 with Retry-After in seconds`, async () => {
    expect(await gapAfter(429, () => ({ 'retry-after': '1' }))).toBeGreaterThan(950);
  });

  test(`U4b-${sick.id} 429 with Retry-After as a date, by the upstream's own clock`, async () => {
    const date = Date.UTC(2026, 1, 1, 12);
    const at = (time: number) => new Date(time).toUTCString();
    const headers = { date: at(date), 'retry-after': at(date + 1000) };
    expect(await gapAfter(429, () => headers)).toBeGreaterThan(950);
  });

  test.each([
    ['c', 'without Retry-After', null],
    ['d', 'with a negative Retry-After', '-30'],
    ['e', 'with a garbled Retry-After', 'soon, 99 Xyz'],
    ['f', 'with Retry-After 1e9', '1e9'],
  ])(`U4%s-${sick.id} 429 %s backs off`, async (_row, _what, value) => {
    expect(await gapAfter(429, () => (value === null ? {} : { 'retry-after': value }))).toBeLessThan(5_000);
  });

  test.each([
    ['g', '1000000000'],
    ['h', '901'],
    ['i', new Date(Date.now() + 86_400_000).toUTCString()],
  ])(`U4%s-${sick.id} 429 with Retry-After %s, beyond the cap, fails at once`, async (_row, value) => {
    patient.answerWith(429, { 'retry-after': value });
    await patient.survives({
      status: 'failed',
      class: 'rate_limited',
      requests: 1,
      httpStatus: 429,
      message: /asks to wait \d+ s/,
    });
  });

  test(`U4j-${sick.id} 429 to every request`, async () => {
    patient.answerWith(429, {});
    await patient.survives({ status: 'failed', class: 'rate_limited', requests: 4, httpStatus: 429 });
  });

  test.each([
    ['a', 500, 1],
    ['b', 502, 2],
    ['c', 503, 3],
  ])(`U5%s-${sick.id} %i, %i times`, async (_row, status, times) => {
    patient.answer((_req, res, next, count) => (count <= times ? res.writeHead(status).end() : next()));
    await patient.accepts({ requests: sick.requests + times, httpStatus: 200 }, '?force=true');
  });

  test.each([
    ['d', 500],
    ['e', 502],
    ['f', 503],
    ['g', 504],
  ])(`U5%s-${sick.id} %i to every request`, async (_row, httpStatus) => {
    patient.answerWith(httpStatus, json, '{}');
    await patient.survives({ status: 'failed', class: 'http', requests: 4, httpStatus });
  });

  test.each([
    ['a', 401],
    ['b', 403],
  ])(`U6%s-${sick.id} %i`, async (_row, httpStatus) => {
    patient.answerWith(httpStatus, json, '{}');
    await patient.survives({ status: 'failed', class: 'auth', requests: 1, httpStatus, message: /API key/ });
  });

  test.each([
    ['a', 404],
    ['b', 410],
    ['c', 451],
  ])(`U7%s-${sick.id} %i`, async (_row, httpStatus) => {
    patient.answerWith(httpStatus, json, '{}');
    await patient.survives({ status: 'failed', class: 'http', requests: 1, httpStatus });
  });
});

describe.each(SICK)('the breaker of $id', (sick) => {
  const REST_MS = 700;
  let patient: Patient;
  beforeAll(async () => {
    patient = await startPatient(sick, { http: { breakerFailures: 8, breakerRestMs: REST_MS } });
  });
  afterEach(() => patient.heal());
  afterAll(() => patient.close());

  test(`U5h-${sick.id} failing eight times in a row is left alone, then tried once`, async () => {
    patient.answerWith(503, {});
    for (const _run of [1, 2]) await patient.survives({ status: 'failed', class: 'http', requests: 4 });
    const { error } = await patient.survives({ status: 'failed', class: 'circuit_open', requests: 0 });
    expect(error?.message).toMatch(/failed 8 times in a row\. It is tried again from 20\S+Z/);
    await new Promise((resolve) => setTimeout(resolve, REST_MS));
    await patient.survives({ status: 'failed', class: 'http', requests: 1, httpStatus: 503 });
    await patient.survives({ status: 'failed', class: 'circuit_open', requests: 0, httpStatus: null });
    await patient.heal();
    await patient.accepts({ requests: sick.requests }, '?force=true');
    patient.answerWith(503, {});
    await patient.survives({ status: 'failed', class: 'http', requests: 4 });
  });

  test(`U5i-${sick.id} answering again after its rest is asked as usual`, async () => {
    await patient.accepts({}, '?force=true');
    patient.answerWith(503, {});
    for (const _run of [1, 2]) await patient.survives({ status: 'failed', requests: 4 });
    await new Promise((resolve) => setTimeout(resolve, REST_MS));
    await patient.heal();
    expect((await patient.sync()).run.status).toBe('completed');
    patient.answerWith(503, {});
    await patient.survives({ status: 'failed', class: 'http', requests: 4 });
  });
});
