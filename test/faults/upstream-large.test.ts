import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rowsOf } from '../support/many.ts';
import { AA_KEY } from '../support/upstream.ts';
import { HELD, SICK, startPatient, type Patient } from './support/patient.ts';

/** Longest that nothing else may be done: half of what a health check waits. */
const LONGEST_MS = 1_500;

/** Finds out for how long at a time nothing else was done. */
function startWatch(): { stop: () => number } {
  let [last, longest] = [performance.now(), 0];
  const look = () => {
    const now = performance.now();
    longest = Math.max(longest, now - last);
    last = now;
  };
  const timer = setInterval(look, 5);
  return {
    stop() {
      clearInterval(timer);
      look();
      return longest;
    },
  };
}

describe.each(SICK)('a large answer of $id', (sick) => {
  let patient: Patient;
  beforeAll(async () => {
    patient = await startPatient(sick);
  });
  afterAll(() => patient.close());

  test(`U18d-${sick.id} 15 MB of two million values: taken, while requests are answered`, async () => {
    // As many values as an item may have, in a field that the upstream gives.
    const values = Array<number>(19_000).fill(12_345_678);
    const field = sick.id === 'huggingface' ? 'tags' : 'novelty';
    patient.hold(rowsOf(patient.upstream.content, sick.id, HELD).map((row) => ({ ...row, [field]: values })));
    const url = patient.upstream.urls[sick.variable] + sick.path;
    const expand = sick.id === 'huggingface' ? '&limit=1000' : '';
    const body = await (await fetch(url + expand, { headers: { 'x-api-key': AA_KEY } })).text();
    expect(body.length).toBeGreaterThan(15_000_000);
    patient.answer((req, res, next) =>
      req.url?.includes(sick.path.replace(/\?.*/, ''))
        ? res.writeHead(200, { 'content-type': 'application/json' }).end(body)
        : next(),
    );
    const watch = startWatch();
    const { bytes, parsed } = await patient.accepts();
    expect(watch.stop()).toBeLessThan(LONGEST_MS);
    expect([parsed, bytes > 15_000_000]).toEqual([HELD, true]);
  });
});
