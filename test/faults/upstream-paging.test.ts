import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { rowsOf } from '../support/many.ts';
import { HELD, SICK, startPatient, type Patient, type Sick } from './support/patient.ts';

/** The answer of a source with one page of rows, and where the next is said to be. */
function page(sick: Sick, rows: object[], next: string | null, pageNumber: number) {
  switch (sick.id) {
    case 'models.dev':
      return { headers: {}, body: {} };
    case 'openrouter':
      return { headers: {}, body: { data: rows, total_count: 7, links: { next } } };
    case 'huggingface':
      return { headers: next === null ? {} : { link: `<${next}>; rel="next"` }, body: rows };
    case 'artificialanalysis':
      return {
        headers: {},
        body: { pagination: { page: pageNumber, total_pages: 1, has_more: next !== null }, data: rows },
      };
  }
}

describe.each(SICK)('pages of $id', (sick) => {
  let patient: Patient;
  const isPaged = sick.id !== 'models.dev';
  const rows = () => rowsOf(patient.upstream.content, sick.id, HELD);
  beforeAll(async () => {
    patient = await startPatient(sick, { environment: { HUGGINGFACE_MAX_MODELS: '200' } });
  });
  afterEach(async () => {
    await patient.heal();
    await patient.accepts({}, '?force=true');
  });
  afterAll(() => patient.close());

  /** Answers page by page: `rowsAt` is given the number of the request, `nextOf` what the page before it was asked by. */
  function answerPages(rowsAt: (count: number) => object[], nextOf: (count: number) => string | null): void {
    const { origin } = new URL(patient.upstream.urls[sick.variable]);
    patient.answer((req, res, _next, count) => {
      const path = new URL(req.url ?? '', origin).pathname;
      const next = nextOf(count);
      const { headers, body } = page(sick, rowsAt(count), next && `${origin}${path}?${next}`, count);
      res.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
    });
  }

  if (isPaged) {
    test(`U29a-${sick.id} a cursor that comes again`, async () => {
      answerPages(rows, () => 'cursor=same');
      const outcome = await patient.accepts({ fetched: HELD } as object, '?force=true');
      expect(outcome.requests).toBeLessThanOrEqual(2);
      expect(outcome.rejected).toBe(0);
    });

    test(`U29b-${sick.id} a next page for ever`, async () => {
      const all = rows();
      answerPages(
        (count) =>
          count === 1
            ? all
            : [{ ...all[0], id: `fern-lab/extra-${count}`, slug: `extra-${count}`, modelId: undefined }],
        (count) => `cursor=${count}&limit=1`,
      );
      const outcome = await patient.accepts({}, '?force=true');
      expect(outcome.requests).toBeLessThanOrEqual(1_000);
      expect(outcome.parsed).toBeGreaterThanOrEqual(HELD);
    });

    test(`U29c-${sick.id} a list that moves while it is read`, async () => {
      const all = rows();
      answerPages(
        (count) => (count === 1 ? all.slice(0, 60) : all.slice(50)),
        (count) => (count === 1 ? 'cursor=2' : null),
      );
      const outcome = await patient.accepts({ requests: 2 }, '?force=true');
      expect([outcome.fetched, outcome.rejected]).toEqual([HELD, 0]);
    });

    test(`U29d-${sick.id} a count that lies`, async () => {
      answerPages(rows, () => null);
      expect((await patient.accepts({ requests: 1 }, '?force=true')).parsed).toBe(HELD);
    });

    test(`U29e-${sick.id} a page in the middle fails: nothing of the others is taken`, async () => {
      const all = rows();
      patient.answer((_req, res, _next, count) => {
        if (count > 1) return void res.writeHead(503).end();
        const { pathname } = new URL(patient.upstream.urls[sick.variable] + sick.path);
        const { headers, body } = page(sick, all.slice(0, 90), `${pathname}?cursor=2`, 1);
        res.writeHead(200, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
      });
      await patient.survives(
        { status: 'failed', class: 'http', httpStatus: 503, requests: 5 },
        '?force=true',
      );
    });
  } else {
    test(`U29-${sick.id} has no pages: a link to a next one is passed over`, async () => {
      patient.answer((_req, res, next) => {
        res.setHeader('link', `<${patient.upstream.urls[sick.variable]}/api.json?page=2>; rel="next"`);
        next();
      });
      await patient.accepts({ requests: 2 }, '?force=true');
    });
  }

  test(`U30a-${sick.id} 304 to what it gave before`, async () => {
    await patient.accepts({}, '?force=true');
    const { run, outcome } = await patient.sync();
    expect(run.status).toBe('completed');
    const isConditional = sick.id === 'models.dev' || sick.id === 'openrouter';
    expect(outcome).toMatchObject(
      isConditional
        ? { status: 'not_modified', httpStatus: 304, fetched: HELD, bytes: 0 }
        : { status: 'ok', httpStatus: 200, fetched: HELD },
    );
  });

  test(`U30b-${sick.id} 304 though the list has changed is found out within a week`, async () => {
    await patient.accepts({}, '?force=true');
    patient.hold([...rows(), ...rowsOf(patient.upstream.content, sick.id, HELD + 5).slice(-5)]);
    patient.answer((req, res, next) =>
      req.headers['if-none-match'] === undefined ? next() : res.writeHead(304).end(),
    );
    const isConditional = sick.id === 'models.dev' || sick.id === 'openrouter';
    expect((await patient.sync()).outcome.fetched).toBe(isConditional ? HELD : HELD + 5);
    const weekAgo = new Date(Date.now() - 8 * 24 * 3_600_000).toISOString();
    await patient.app.database.write
      .updateTable('sources')
      .set({ whole_at: weekAgo })
      .where('id', '=', sick.id)
      .execute();
    await patient.accepts({ fetched: HELD + 5 } as object);
  });

  test(`U30c-${sick.id} 304 to what was not asked conditionally`, async () => {
    patient.answerWith(304, {});
    await patient.survives({ status: 'failed', class: 'http', httpStatus: 304, requests: 1 }, '?force=true');
  });
});
