import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { ModelDetail } from '../../contracts/models.ts';
import type { Offer } from '../../contracts/offers.ts';
import { rowOf, rowsOf, type SourceId } from '../support/many.ts';
import { HELD, SICK, startPatient, type Expected, type Patient } from './support/patient.ts';

type Row = Record<string, unknown>;

/** A row of a source with a price, a context and a date as they should not be. */
function spoilt(
  source: SourceId,
  row: Row,
  { price, context, date }: { price?: unknown; context?: unknown; date?: unknown },
): Row {
  const at = <Value>(value: unknown, make: (value: unknown) => Value) =>
    value === undefined ? {} : make(value);
  switch (source) {
    case 'models.dev':
      return {
        ...row,
        ...at(price, (input) => ({ cost: { input, output: 2 } })),
        ...at(context, (tokens) => ({ limit: { context: tokens, output: 1024 } })),
        ...at(date, (day) => ({ release_date: day, last_updated: day, knowledge: day })),
      };
    case 'openrouter':
      return {
        ...row,
        ...at(price, (prompt) => ({ pricing: { prompt, completion: '0.000002' } })),
        ...at(context, (tokens) => ({ context_length: tokens, top_provider: { context_length: tokens } })),
        ...at(date, (day) => ({ knowledge_cutoff: day, expiration_date: day, created: day })),
      };
    case 'huggingface':
      return {
        ...row,
        ...at(price, (downloads) => ({ downloads })),
        ...at(context, (total) => ({ safetensors: { total } })),
        ...at(date, (day) => ({ lastModified: day, createdAt: day })),
      };
    case 'artificialanalysis':
      return {
        ...row,
        ...at(price, (input) => ({ pricing: { price_1m_input_tokens: input } })),
        ...at(context, (tokens) => ({ context_window: tokens })),
        ...at(date, (day) => ({ release_date: day })),
      };
  }
}

describe.each(SICK)('what $id says', (sick) => {
  let patient: Patient;
  const rows = (count: number) => rowsOf(patient.upstream.content, sick.id, count);
  const broken = (count: number): Row[] =>
    Array.from({ length: count }, (_, index) => ({ id: `odd ${index}!`, name: 7 }));
  const quarantined: Expected = {
    status: 'quarantined',
    class: 'sanity',
    httpStatus: 200,
    message: /Its last good records stay; look at it, and sync with force=true to accept it\.$/,
  };
  // Of all values that are none, only 1e300 can not be passed over: it is an integer that nobody meant.
  const inexact = [
    {
      reason: 'holds an integer beyond 2^53, which is not exact',
      count: 1,
      samples: [expect.stringMatching(/fern|00000000-0000-4000/i)],
    },
  ];
  beforeAll(async () => {
    patient = await startPatient(sick);
  });
  afterEach(async () => {
    await patient.heal();
    await patient.accepts({}, '?force=true');
  });
  afterAll(() => patient.close());

  test.each([
    ['a', '1 %', 99, 1],
    ['b', '4.9 %', 194, 10],
  ])(
    `U20%s-${sick.id} %s of its items can not be read: the others are taken`,
    async (_row, _share, good, bad) => {
      patient.hold([...rows(good), ...broken(bad)]);
      const outcome = await patient.accepts();
      expect([outcome.parsed, outcome.rejected]).toEqual([good, bad]);
      expect(outcome.rejections.flatMap(({ samples }) => samples).length).toBeGreaterThan(0);
    },
  );

  test.each([
    ['c', '5.1 %', 186, 10],
    ['d', '100 %', 1, 200],
  ])(`U20%s-${sick.id} %s of its items can not be read: quarantined`, async (_row, _share, good, bad) => {
    patient.hold([...rows(good), ...broken(bad)]);
    const outcome = await patient.survives({
      ...quarantined,
      message: new RegExp(`has ${bad} items of ${good + bad} that can not be read`),
    });
    expect(outcome).toMatchObject({ fetched: good + bad, parsed: good, rejected: bad });
    const forced = await patient.accepts({}, '?force=true');
    expect(forced.warnings).toEqual([expect.stringMatching(/^Accepted by force: .*can not be read/)]);
  });

  test(`U20e-${sick.id} fields and values that nobody knows are passed over`, async () => {
    patient.hold(
      rows(HELD).map((row) => ({
        ...row,
        novelty: { deep: [1] },
        status: 'sublime',
        pipeline_tag: 'divination',
      })),
    );
    expect(await patient.accepts()).toMatchObject({ parsed: HELD, rejected: 0 });
  });

  test(`U21a-${sick.id} an id twice`, async () => {
    const held = rows(HELD);
    if (sick.id !== 'models.dev') held.push({ ...held[0] });
    patient.hold(held);
    const outcome = await patient.accepts({}, '?force=true');
    expect([outcome.parsed, outcome.rejected]).toEqual([HELD, sick.id === 'models.dev' ? 0 : 1]);
  });

  test(`U21b-${sick.id} an id in another case`, async () => {
    const twin = rowOf(patient.upstream.content, sick.id, 0);
    patient.hold([...rows(HELD), { ...twin, id: String(twin.id).toUpperCase(), modelId: undefined }]);
    expect((await patient.accepts()).rejected).toBe(0);
    const ids = (await patient.models()).map(({ id }) => id);
    expect(new Set(ids.map((id) => id.toLowerCase())).size).toBe(ids.length);
  });

  test(`U21c-${sick.id} another order changes nothing`, async () => {
    const before = await patient.models();
    patient.hold(rows(HELD).toReversed());
    await patient.accepts();
    expect(await patient.models()).toEqual(before);
  });

  test.each([
    ['a', 'no items', () => patient.hold([])],
    ['b', 'an empty object', () => patient.answerWith(200, { 'content-type': 'application/json' }, '{}')],
    ['c', '204', () => patient.answerWith(204, {})],
  ])(`U22%s-${sick.id} %s`, async (row, _what, arrange) => {
    arrange();
    const { status } = await patient.survives({
      status: row === 'a' && sick.id !== 'models.dev' ? 'quarantined' : (expect.any(String) as never),
    });
    expect(['quarantined', 'failed']).toContain(status);
  });

  test.each([
    ['a', 79],
    ['b', 50],
    ['c', 1],
  ])(`U23%s-${sick.id} %i of a hundred items: quarantined, until forced`, async (_row, left) => {
    patient.hold(rows(left));
    await patient.survives({
      ...quarantined,
      message: new RegExp(`has ${left} records where ${HELD} were expected`),
    });
    await patient.survives(quarantined);
    const forced = await patient.accepts({}, '?force=true');
    expect(forced.warnings).toEqual([expect.stringMatching(/^Accepted by force: .*were expected/)]);
    await patient.accepts({ status: expect.stringMatching(/^(ok|not_modified)$/) as never });
  });

  test.each([
    ['d', 80],
    ['e', 81],
  ])(`U23%s-${sick.id} %i of a hundred items: taken`, async (_row, left) => {
    const before = (await patient.models()).map(({ id }) => id);
    patient.hold(rows(left));
    expect((await patient.accepts()).parsed).toBe(left);
    expect((await patient.models()).map(({ id }) => id)).toEqual(before);
  });

  test(`U25-${sick.id} prices that are none`, async () => {
    const prices = [0, -1, '', 'free', null, Number.NaN, 1e300, 1e-30, '-0.1', [], {}, true, '1e400'];
    const held = rows(HELD);
    patient.hold([
      ...prices.map((price, index) => spoilt(sick.id, held[index] ?? {}, { price })),
      ...held.slice(prices.length),
    ]);
    expect((await patient.accepts()).rejections).toEqual(inexact);
    for (const offer of await offers()) {
      for (const price of Object.values(offer.pricing))
        if (typeof price === 'number')
          expect(price >= 0 && price <= 10_000, `${offer.providerModelId} ${price}`).toBe(true);
    }
  });

  test(`U26-${sick.id} limits that are none`, async () => {
    const limits = [0, -1, 99_999_999_999, '128k', 1.5, null, [], '4096', 1e300];
    const held = rows(HELD);
    patient.hold([
      ...limits.map((context, index) => spoilt(sick.id, held[index] ?? {}, { context })),
      ...held.slice(limits.length),
    ]);
    expect((await patient.accepts()).rejections).toEqual(inexact);
    for (const { limits: said } of await patient.models())
      expect(said.context === null || (Number.isSafeInteger(said.context) && said.context > 0)).toBe(true);
  });

  test(`U28-${sick.id} dates that are none`, async () => {
    const dates = ['1970-01-01', '9999-12-31', '2026-13-45', 'yesterday', 0, -1, 1e300, null, ''];
    const held = rows(HELD);
    patient.hold([
      ...dates.map((date, index) => spoilt(sick.id, held[index] ?? {}, { date })),
      ...held.slice(dates.length),
    ]);
    expect((await patient.accepts()).rejections).toEqual(inexact);
    for (const { releaseDate } of await patient.models())
      if (releaseDate !== null) expect(releaseDate).toMatch(/^(199|20)\d/);
  });

  test(`U27-${sick.id} ids that are strange`, async () => {
    const strange = [
      'a:b',
      'a@b',
      'a~b',
      'a b',
      'a%2Fb',
      'a..b',
      'x'.repeat(90),
      'שלום-7',
      'fern-🌿',
      '<script>',
    ];
    const unusable = ['nul\u0000', 'new\nline', 'half\ud800'];
    const named = (id: string) => ({
      ...rowOf(patient.upstream.content, sick.id, 500),
      id,
      modelId: undefined,
      name: `Odd ${strange.indexOf(id)}`,
    });
    patient.hold([...rows(300), ...[...strange, ...unusable].map(named)]);
    await patient.accepts();
    for (const { id } of await patient.models()) {
      expect(id).toMatch(/^[^\p{Cc}\p{Cs}]+$/u);
      const path = id.split('/').map(encodeURIComponent).join('/');
      if (!id.startsWith('fern-lab/'))
        expect((await patient.app.get(`/v1/models/${path}`)).status, id).toBe(200);
    }
  });

  test.each([
    ['a', 'doubled', 2 * HELD],
    ['b', 'ten times as long', 10 * HELD],
  ])(`U24%s-${sick.id} a list that is %s: taken`, async (_row, _how, count) => {
    patient.hold(rows(count));
    expect((await patient.accepts()).parsed).toBe(count);
  });

  /** The offers of the models that only the sick source has. */
  async function offers(): Promise<Offer[]> {
    const found: Offer[] = [];
    for (const { id } of (await patient.models())
      .filter((model) => model.id.startsWith('fern-lab/'))
      .slice(0, 20)) {
      const { data } = await patient.app.json<{ data: ModelDetail }>(`/v1/models/${id}`);
      found.push(...data.offers);
    }
    return found;
  }
});
