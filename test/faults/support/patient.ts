import { expect } from 'vitest';
import type { Model } from '../../../contracts/models.ts';
import type { FailureClass, OutcomeStatus, Source, SourceOutcome, SyncRun } from '../../../contracts/sync.ts';
import type { Times } from '../../../server/ports.ts';
import { HTTP_LIMITS, type HttpLimits } from '../../../sync/http.ts';
import { startApp, type TestApp } from '../../support/app.ts';
import { DATABASES } from '../../support/databases.ts';
import { holdRows, rowsOf, type SourceId } from '../../support/many.ts';
import { AA_KEY, startUpstream, type FakeUpstream, type Handler } from '../../support/upstream.ts';

/**
 * The four sources that every row of the fault list is tried on: where they are, the list that they give (its path below the
 * base URL), and the requests of a good fetch.
 */
export const SICK = [
  { id: 'models.dev', variable: 'MODELS_DEV_URL', prefix: '/modelsdev/', path: '/api.json', requests: 2 },
  { id: 'openrouter', variable: 'OPENROUTER_URL', prefix: '/openrouter/', path: '/models', requests: 1 },
  {
    id: 'huggingface',
    variable: 'HUGGINGFACE_URL',
    prefix: '/huggingface/',
    path: '/api/models?sort=downloads&full=true',
    requests: 1,
  },
  {
    id: 'artificialanalysis',
    variable: 'ARTIFICIAL_ANALYSIS_URL',
    prefix: '/artificialanalysis/',
    path: '/language/models/free',
    requests: 1,
  },
] as const satisfies { id: SourceId; variable: string; prefix: string; path: string; requests: number }[];
export type Sick = (typeof SICK)[number];

/** Items that the sick source holds while it is well. */
export const HELD = 100;

/** The limits of production with short waits; nobody is left alone, so that every test sees all attempts. */
export const LIMITS: HttpLimits = {
  ...HTTP_LIMITS,
  retryBaseMs: 1,
  attemptTimeoutMs: 5_000,
  breakerFailures: 1e9,
};

/** How a run has to end for the sick source. */
export interface Expected {
  status: OutcomeStatus;
  class?: FailureClass;
  requests?: number;
  httpStatus?: number | null;
  /** What the message has to say. */
  message?: RegExp;
}

/** A service with a catalogue, whose one source falls ill. */
export interface Patient {
  app: TestApp;
  upstream: FakeUpstream;
  /** Answers every request to the sick source by `handler`; `count` is 1 at the first. */
  answer(handler: (...args: [...Parameters<Handler>, count: number]) => void): void;
  answerWith(status: number, headers: Record<string, string>, body?: string | Buffer): void;
  /** Makes the sick source hold these rows. */
  hold(rows: unknown[]): void;
  sync(query?: string): Promise<{ run: SyncRun; outcome: SourceOutcome }>;
  /** Every model as it is served. */
  models(): Promise<Model[]>;
  /** Syncs, and asserts the outcome, and that whatever was served before still is. */
  survives(expected: Expected, query?: string): Promise<SourceOutcome>;
  /** Syncs, and asserts that what the source sent was accepted, while no reader saw the catalogue go back. */
  accepts(expected?: Partial<Expected>, query?: string): Promise<SourceOutcome>;
  /** Goes on with another service on the same catalogue; without options as at first, unless it is so. */
  restart(options?: PatientOptions | null): Promise<void>;
  /** Back to a healthy source with what it held at first. */
  heal(): Promise<void>;
  close(): Promise<void>;
}

/** What a service can be started with. */
export interface PatientOptions {
  http?: Partial<HttpLimits>;
  times?: Partial<Times>;
  environment?: Record<string, string>;
}

/** Starts a service on SQLite, and syncs it once. */
export async function startPatient(sick: Sick, options: PatientOptions = {}): Promise<Patient> {
  const upstream = await startUpstream();
  const database = await DATABASES[0].create();
  const start = ({ http = {}, times = {}, environment = {} }: PatientOptions) =>
    startApp(
      { ...upstream.urls, ARTIFICIAL_ANALYSIS_API_KEY: AA_KEY, DATABASE_URL: database.url, ...environment },
      { times: { http: { ...LIMITS, ...http }, ...times } },
    );
  const fill = () => holdRows(upstream.content, sick.id, rowsOf(upstream.content, sick.id, HELD));
  fill();
  let app = await start(options);
  let usual = true;

  const outcomeIn = (run: SyncRun) => {
    const outcome = run.sources.find(({ source }) => source === sick.id);
    if (outcome === undefined) throw new Error(`The run says nothing about ${sick.id}: ${run.message}`);
    return outcome;
  };
  const sourceNow = async () => {
    const { data } = await app.json<{ data: Source[] }>('/v1/sources');
    return data.find(({ id }) => id === sick.id);
  };

  async function models(): Promise<Model[]> {
    const found: Model[] = [];
    for (let offset = 0; ; offset += 100) {
      const { data, meta } = await app.json<{ data: Model[]; meta: { total: number } }>(
        `/v1/models?limit=100&offset=${offset}&sort=id`,
      );
      found.push(...data);
      if (found.length >= meta.total || data.length === 0) return found;
    }
  }

  /** Reads all the while that `work` takes: every answer is good, and no version lower than one before. */
  async function whileReading<Result>(work: () => Promise<Result>): Promise<Result> {
    let ended = false;
    const readers = (async () => {
      for (let version = 0; !ended; await new Promise((resolve) => setTimeout(resolve, 50))) {
        const response = await app.get('/v1/models?limit=1');
        expect(response.status).toBe(200);
        const { meta } = (await response.json()) as { meta: { catalogVersion: number } };
        expect(meta.catalogVersion).toBeGreaterThanOrEqual(version);
        version = meta.catalogVersion;
      }
    })();
    try {
      return await work();
    } finally {
      ended = true;
      await readers;
    }
  }

  const patient: Patient = {
    get app() {
      return app;
    },
    upstream,
    answer(handler) {
      let count = 0;
      upstream.script(
        (path) => path.startsWith(sick.prefix),
        (req, res, next) => handler(req, res, next, ++count),
      );
    },
    answerWith: (status, headers, body) =>
      patient.answer((_req, res) => void res.writeHead(status, headers).end(body)),
    hold: (rows) => holdRows(upstream.content, sick.id, rows),
    async sync(query = '') {
      const run = await whileReading(() => app.sync(query));
      return { run, outcome: outcomeIn(run) };
    },
    models,
    async survives(expected, query) {
      const [before, source] = [await models(), await sourceNow()];
      const version = await versionOf(app);
      const { run, outcome } = await patient.sync(query);
      const { class: failure, message, ...exact } = expected;
      expect(outcome).toMatchObject({ ...exact, ...(failure && { error: { class: failure } }) });
      if (message !== undefined) expect(outcome.error?.message).toMatch(message);
      expect(run.status).toBe('partial');
      expect(run.message).toContain(`${sick.id} ${outcome.status} (${outcome.error?.class}: `);
      for (const other of run.sources)
        if (other.source !== sick.id) expect(['ok', 'not_modified']).toContain(other.status);
      expect(await models()).toEqual(before);
      expect(await versionOf(app)).toBe(version);
      expect(await sourceNow()).toEqual({ ...source, status: outcome.status, error: outcome.error });
      return outcome;
    },
    async accepts(expected = {}, query) {
      const version = await versionOf(app);
      const { run, outcome } = await patient.sync(query);
      expect([run.status, outcome.error]).toEqual(['completed', null]);
      expect(outcome).toMatchObject({ status: 'ok', ...expected });
      expect(await versionOf(app)).toBeGreaterThanOrEqual(version);
      return outcome;
    },
    async restart(next = null) {
      if (next === null && usual) return;
      usual = next === null;
      await app.stop();
      app = await start(next ?? options);
    },
    async heal() {
      upstream.reset();
      fill();
    },
    async close() {
      await app.stop();
      await database.drop();
      await upstream.close();
    },
  };
  await patient.accepts({ requests: sick.requests, fetched: HELD } as Partial<Expected>);
  return patient;
}

async function versionOf(app: TestApp): Promise<number> {
  const { meta } = await app.json<{ meta: { catalogVersion: number } }>('/v1/models?limit=1');
  return meta.catalogVersion;
}
