import { afterAll, afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { ModelDetail } from '../../contracts/models.ts';
import { rowsOf } from '../support/many.ts';
import { HELD, SICK, startPatient, type Expected, type Patient } from './support/patient.ts';

type Row = Record<string, unknown>;

/** A good fetch, whether or not the upstream says that nothing changed. */
const GOOD = { status: expect.stringMatching(/^(ok|not_modified)$/) } as Partial<Expected>;
const QUARANTINED: Expected = { status: 'quarantined', class: 'sanity' };

describe.each(SICK)('what $id lists no more', (sick) => {
  let patient: Patient;
  const rows = () => rowsOf(patient.upstream.content, sick.id, HELD) as Row[];
  const modelOf = async (id: string) =>
    (await patient.app.json<{ data: ModelDetail }>(`/v1/models/${id}`)).data;
  const listed = async () => (await patient.models()).map(({ id }) => id);
  const good = async (fetches: number) => {
    for (let fetch = 0; fetch < fetches; fetch += 1) await patient.accepts(GOOD);
  };
  /** A name of the model whose item the lists of these tests lack, and its id. */
  const MISSING = 'fern-lab/fern-50';
  let missing = '';
  const isMissing = (row: Row) => /^fern.50$/i.test(String(row.slug ?? row.id).replace(/^fern-lab\//, ''));
  const holdWithout = () => patient.hold(rows().filter((row) => !isMissing(row)));
  beforeAll(async () => {
    patient = await startPatient(sick);
    missing = (await modelOf(MISSING)).id;
  });
  afterEach(async () => {
    await patient.heal();
    await patient.accepts({}, '?force=true');
  });
  afterAll(() => patient.close());

  test(`U23f-${sick.id} an item stays for two good fetches without it, and is delisted by the third`, async () => {
    const before = await modelOf(MISSING);
    expect(before.lifecycle.status).not.toBe('delisted');
    holdWithout();
    for (const _fetch of [1, 2]) {
      await good(1);
      expect(await modelOf(MISSING)).toEqual(before);
      expect(await listed()).toContain(missing);
    }
    const day = () => new Date().toISOString().slice(0, 10);
    const earliest = day();
    await good(1);
    expect(await listed()).not.toContain(missing);
    const { lifecycle, name } = await modelOf(MISSING);
    expect([lifecycle.status, name]).toEqual(['delisted', before.name]);
    expect([earliest, day()]).toContain(lifecycle.date);
    await good(1);
    expect((await modelOf(MISSING)).lifecycle).toEqual(lifecycle);
  });

  test(`U23g-${sick.id} fetches that fail or are quarantined do not count`, async () => {
    holdWithout();
    await good(2);
    patient.answerWith(404, {});
    for (const _fetch of [1, 2]) await patient.survives({ status: 'failed' });
    patient.upstream.reset();
    patient.hold(rows().slice(0, HELD / 2));
    for (const _fetch of [1, 2]) await patient.survives(QUARANTINED);
    expect(await listed()).toContain(missing);
    holdWithout();
    await good(1);
    expect(await listed()).not.toContain(missing);
  });

  test(`U23h-${sick.id} an item that comes back is listed again, and is counted anew`, async () => {
    const before = await modelOf(MISSING);
    holdWithout();
    await good(3);
    expect(await listed()).not.toContain(missing);
    patient.hold(rows());
    await good(1);
    const again = await modelOf(MISSING);
    expect([again.lifecycle, again.offers]).toEqual([before.lifecycle, before.offers]);
    holdWithout();
    await good(2);
    patient.hold(rows());
    await good(1);
    holdWithout();
    await good(2);
    expect(await listed()).toContain(missing);
    await good(1);
    expect(await listed()).not.toContain(missing);
  });

  test(`U23i-${sick.id} an item that can not be read is still listed: its last good record stays`, async () => {
    const before = await modelOf(MISSING);
    const unreadable = (row: Row, fetch: number) => ({
      ...row,
      [sick.id === 'huggingface' ? 'likes' : 'flaw']: 2 ** 60 + fetch * 2 ** 20,
    });
    for (let fetch = 0; fetch < 4; fetch += 1) {
      patient.hold(rows().map((row) => (isMissing(row) ? unreadable(row, fetch) : row)));
      expect((await patient.accepts()).rejected).toBe(1);
      expect(await modelOf(MISSING)).toEqual(before);
    }
    // What was missed before it was seen again, unreadable as it was, does not count.
    holdWithout();
    await good(2);
    patient.hold(rows().map((row) => (isMissing(row) ? unreadable(row, 9) : row)));
    await good(1);
    holdWithout();
    await good(2);
    expect(await listed()).toContain(missing);
    await good(1);
    expect(await listed()).not.toContain(missing);
  });

  test(`U23j-${sick.id} an item that is there but for one fetch now and then never goes`, async () => {
    for (let round = 0; round < 3; round += 1) {
      holdWithout();
      await good(2);
      patient.hold(rows());
      await good(1);
      expect(await listed()).toContain(missing);
    }
  });
});

describe.each(SICK.filter(({ id }) => id === 'models.dev' || id === 'openrouter'))(
  'prices of $id that jump',
  (sick) => {
    let patient: Patient;
    const JUMPING = 'fern-lab/fern-50';
    const isJumping = ({ id }: Row) => /^(fern-lab\/)?fern-50$/.test(String(id));
    /** A row that costs so many dollars a million tokens. */
    const costing = (row: Row, dollars: number): Row =>
      sick.id === 'models.dev'
        ? { ...row, cost: { input: dollars, output: dollars * 2 } }
        : {
            ...row,
            pricing: { prompt: (dollars / 1e6).toFixed(12), completion: (dollars / 5e5).toFixed(12) },
          };
    const hold = (all: number, one = all) =>
      patient.hold(
        rowsOf(patient.upstream.content, sick.id, HELD).map((row) =>
          costing(row, isJumping(row) ? one : all),
        ),
      );
    const prices = async (id = JUMPING) => {
      const { data } = await patient.app.json<{ data: ModelDetail }>(`/v1/models/${id}`);
      return data.offers.map(({ pricing }) => [pricing.input, pricing.output]);
    };
    beforeAll(async () => {
      patient = await startPatient(sick);
    });
    afterEach(async () => {
      await patient.heal();
      await patient.accepts({}, '?force=true');
    });
    afterAll(() => patient.close());
    const start = async () => {
      hold(1);
      await patient.accepts({}, '?force=true');
      expect(await prices()).toEqual([[1, 2]]);
    };

    test.each([
      ['b', 'a hundred times as high', 100],
      ['c', 'a hundredth', 0.01],
    ])(
      `U25%s-${sick.id} one price is %s: it waits until a second fetch agrees`,
      async (_row, _how, price) => {
        await start();
        hold(1, price);
        await patient.accepts();
        expect(await prices()).toEqual([[1, 2]]);
        await patient.accepts(GOOD);
        expect(await prices()).toEqual([[price, price * 2]]);
      },
    );

    test(`U25d-${sick.id} a price that moves by less is believed at once`, async () => {
      await start();
      hold(1, 99);
      await patient.accepts();
      expect(await prices()).toEqual([[99, 198]]);
    });

    test(`U25e-${sick.id} a jump that the next fetch takes back, or does not repeat, never shows`, async () => {
      await start();
      for (const price of [100, 200, 300, 1, 100]) {
        hold(1, price);
        await patient.accepts();
        expect(await prices(), `at ${price}`).toEqual([[1, 2]]);
      }
      patient.answerWith(404, {});
      await patient.survives({ status: 'failed' });
      expect(await prices()).toEqual([[1, 2]]);
    });

    test(`U25i-${sick.id} a jump waits through a fetch in which its item can not be read`, async () => {
      await start();
      hold(1, 100);
      await patient.accepts();
      const rows = rowsOf(patient.upstream.content, sick.id, HELD);
      patient.hold(rows.map((row) => ({ ...costing(row, 1), ...(isJumping(row) && { flaw: 2 ** 60 }) })));
      expect((await patient.accepts()).rejected).toBe(1);
      expect(await prices()).toEqual([[1, 2]]);
      hold(1, 100);
      await patient.accepts();
      expect(await prices()).toEqual([[100, 200]]);
    });

    test(`U25f-${sick.id} others change meanwhile, and the waiting one waits`, async () => {
      await start();
      hold(3, 100);
      await patient.accepts();
      expect([await prices(), await prices('fern-lab/fern-51')]).toEqual([[[1, 2]], [[3, 6]]]);
    });

    test.each([
      ['g', 'a thousand times as high', 1_000],
      ['h', 'a thousandth', 0.001],
    ])(`U25%s-${sick.id} all prices are %s: quarantined, until forced`, async (_row, _how, price) => {
      await start();
      hold(price);
      const message = /^The prices that \S+ sent are .* what they were, as if in another unit\./;
      for (const _fetch of [1, 2, 3]) await patient.survives({ ...QUARANTINED, message });
      const { run, outcome } = await patient.sync('?force=true');
      expect([run.status, run.forced, outcome.status]).toEqual(['completed', true, 'ok']);
      expect(await prices()).toEqual([[price, price * 2]]);
      expect(await prices('fern-lab/fern-51')).toEqual([[price, price * 2]]);
      expect(outcome.warnings).toEqual([
        expect.stringMatching(/^Accepted by force: the prices that \S+ sent are .* what they were/),
      ]);
      await patient.accepts(GOOD);
    });
  },
);

test('U23k-models.dev the models of a provider that can not be read stay', async () => {
  const patient = await startPatient(SICK[0]);
  onTestFinished(() => patient.close());
  const catalog = patient.upstream.content.modelsDevApi as Record<string, Row>;
  const moss = { id: 'moss-9', name: 'Moss 9', limit: { context: 8192, output: 1024 } };
  const holdMoss = (models: unknown) =>
    (patient.upstream.content.modelsDevApi = {
      ...catalog,
      'moss-lab': { id: 'moss-lab', name: 'Moss Lab', models },
    });
  const offers = async () => {
    const { data } = await patient.app.json<{ data: ModelDetail }>('/v1/models/moss-lab/moss-9');
    return [data.lifecycle.status, data.offers.map(({ provider }) => provider)];
  };
  holdMoss({ 'moss-9': moss });
  await patient.accepts();
  const before = await offers();
  expect(before[1]).toEqual(['moss-lab']);
  for (let fetch = 0; fetch < 4; fetch += 1) {
    holdMoss(fetch);
    expect((await patient.accepts()).rejected).toBe(1);
    expect(await offers()).toEqual(before);
  }
  for (let fetch = 0; fetch < 3; fetch += 1) {
    holdMoss({});
    await patient.accepts(GOOD);
  }
  expect((await offers())[0]).toBe('delisted');
});
