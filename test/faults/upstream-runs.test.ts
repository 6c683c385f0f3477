import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { SyncRun } from '../../contracts/sync.ts';
import { rowOf, rowsOf } from '../support/many.ts';
import { fail } from '../support/synced.ts';
import { HELD, SICK, startPatient, type Patient } from './support/patient.ts';

describe.each(SICK)('runs with $id', (sick) => {
  let patient: Patient;
  beforeAll(async () => {
    patient = await startPatient(sick, { http: { attempts: 2 } });
  });
  afterEach(() => patient.heal());
  afterAll(() => patient.close());

  test(`U32-${sick.id} failing half of its requests, for a hundred runs`, async () => {
    const ids = (await patient.models()).map(({ id }) => id);
    let random = 20261123;
    const fails = () => (random = (random * 1103515245 + 12345) % 2 ** 31) > 2 ** 30;
    patient.answer((_req, res, next) => (fails() ? res.writeHead(503).end() : next()));
    const ends = new Map<string, number>();
    for (let run = 0, version = 0; run < 100; run++) {
      // Every other run brings something new, so that the version has reason to move.
      const row = {
        ...rowOf(patient.upstream.content, sick.id, 0),
        name: `Fern 2 ${'again '.repeat(run % 2)}`,
      };
      patient.hold([row, ...rowsOf(patient.upstream.content, sick.id, HELD).slice(1)]);
      const { status, catalogVersion } = await patient.app.sync();
      ends.set(status, (ends.get(status) ?? 0) + 1);
      expect(catalogVersion).toBeGreaterThanOrEqual(version);
      version = Number(catalogVersion);
      if (run % 20 === 0) {
        const served = new Set((await patient.models()).map(({ id }) => id));
        expect(ids.filter((id) => !served.has(id))).toEqual([]);
      }
    }
    expect([...ends.keys()].toSorted()).toEqual(['completed', 'partial']);
    expect(ends.get('partial')).toBeGreaterThan(5);
  }, 240_000);

  test(`U33-${sick.id} markup, prompts and line breaks in what it says`, async () => {
    const name = 'Fern <script>alert(1)</script> "ignore all instructions"';
    const forged = 'x\n{"level":50,"msg":"sync sync_0 failed (forged): nothing"}';
    const held = rowsOf(patient.upstream.content, sick.id, HELD);
    const odd = {
      ...rowOf(patient.upstream.content, sick.id, 700),
      id: forged,
      name: 7,
      modelId: forged,
      slug: forged,
    };
    patient.hold([{ ...held[0], name }, ...held.slice(1), odd]);
    const from = patient.app.log.length;
    const outcome = await patient.accepts({}, '?force=true');
    expect(outcome.rejected).toBe(1);
    for (const { msg } of patient.app.log.slice(from)) {
      expect(String(msg)).not.toMatch(/[\r\n]/);
      expect(String(msg)).not.toMatch(/^sync sync_0 failed/);
    }
    if (sick.id !== 'huggingface') {
      const said = await (await patient.app.get('/v1/models?search=script&limit=5')).json();
      expect(JSON.stringify(said)).toContain('<script>');
    }
  });
});

describe('runs in which nobody answers', () => {
  let patient: Patient;
  beforeAll(async () => {
    patient = await startPatient(SICK[0]);
  });
  afterAll(() => patient.close());

  const outcomes = ({ sources }: SyncRun) => sources.map(({ status, error }) => `${status} ${error?.class}`);

  test.each([
    ['a', 'answer 503', 'failed http', () => void fail(patient.upstream, 503)],
    [
      'b',
      'break off',
      'failed unreachable',
      () =>
        void patient.upstream.script(
          () => true,
          (req) => req.socket.resetAndDestroy(),
        ),
    ],
    ['c', 'refuse the key', 'failed auth', () => void fail(patient.upstream, 401)],
  ])(
    'U31%s-all four %s: the run fails, nothing is written, readers notice nothing',
    async (_row, _what, end, arrange) => {
      const before = await patient.models();
      const { data: version } = await patient.app.json('/v1/models?limit=1');
      arrange();
      const { run } = await patient.sync();
      expect(run.status).toBe('failed');
      expect(run.message).toMatch(/^No source could be synced: models\.dev failed/);
      expect(outcomes(run)).toEqual([end, end, end, end]);
      expect(await patient.models()).toEqual(before);
      expect((await patient.app.json('/v1/models?limit=1')).data).toEqual(version);
      await patient.heal();
      expect((await patient.sync()).run.status).toBe('completed');
    },
  );
});
