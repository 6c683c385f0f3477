import { CompiledQuery } from 'kysely';
import { pino } from 'pino';
import { createApp, type App } from '../../server/app.ts';
import { readConfig } from '../../server/config.ts';
import type { StartedRun } from '../../sync/run.ts';
import { hasPayloads } from '../support/payloads.ts';
import { findPostgres, readRows, sqlite, TABLES, type Kind, type Rows } from './databases.ts';
import { startChildUpstream, type ChildUpstream } from './upstream.ts';

// Measures a sync against what it can not be faster than: fetching the same bodies, parsing them, and inserting the very
// same rows. Run by `npm run bench:sync`.

const ROUNDS = 3;
/** A first sync may take so many times as long as the baseline. */
const AIM = 5;

type FinishedRun = Awaited<StartedRun['finished']>;

/** One thing that was measured. */
interface Measure {
  ms: number;
  rows: number;
  /** Rows of the models table among them. */
  models: number;
  /** Whether the catalogue version was raised; null: there is none. */
  raised: boolean | null;
}

const CASES = ['baseline', 'first sync', 're-sync, not modified', 're-sync, all fetched'] as const;
type Case = (typeof CASES)[number];

async function timed<Result>(work: () => Promise<Result>): Promise<{ ms: number; result: Result }> {
  const started = performance.now();
  const result = await work();
  return { ms: performance.now() - started, result };
}

/** Runs `work` with the service on an empty database that is dropped afterwards. */
async function withApp<Result>(
  kind: Kind,
  environment: Record<string, string>,
  work: (app: App, url: string) => Promise<Result>,
): Promise<Result> {
  const { url, drop } = await kind.create();
  const settings = { ...environment, DATABASE_URL: url, SYNC_CRON: 'off', SYNC_ON_START: 'never' };
  const config = readConfig('production', { command: 'once', environment: settings });
  const app = await createApp(config, pino({ level: 'silent' }));
  try {
    await app.prepare();
    return await work(app, url);
  } finally {
    await app.stop();
    await drop();
  }
}

async function sync({ runner }: App): Promise<FinishedRun> {
  const started = await runner.start('command');
  if ('conflict' in started) throw new Error('another run is under way');
  const run = await started.finished;
  if (run.status !== 'completed') throw new Error(`the sync ended as ${run.status}: ${run.message}`);
  return run;
}

/** What was written since the last call, as the triggers noted it. */
async function takeWrites({ write }: App['database']): Promise<{ rows: number; models: number }> {
  const { rows } = await write.executeQuery<{ name: string }>(
    CompiledQuery.raw('select name from bench_writes'),
  );
  await write.executeQuery(CompiledQuery.raw('delete from bench_writes'));
  return { rows: rows.length, models: rows.filter(({ name }) => name === 'models').length };
}

const countOf = (rows: Rows) => TABLES.reduce((sum, table) => sum + rows[table].length, 0);

interface Round {
  measures: Record<Case, Measure>;
  first: FinishedRun;
}

async function round(kind: Kind, upstream: ChildUpstream): Promise<Round> {
  const { environment, takePaths } = upstream;
  await takePaths();
  const { rows, paths, first, ...measures } = await withApp(kind, environment, async (app) => {
    const { database } = app;
    const { ms, result: run } = await timed(() => sync(app));
    const paths = await takePaths();
    const rows = await readRows(database);
    const first = { ms, rows: countOf(rows), models: rows.models.length, raised: run.catalogVersion === 1 };

    for (const statement of kind.countWrites) await database.write.executeQuery(CompiledQuery.raw(statement));
    const again = async (): Promise<Measure> => {
      const { ms: took, result } = await timed(() => sync(app));
      return { ms: took, ...(await takeWrites(database)), raised: result.catalogVersion !== 1 };
    };
    const unmodified = await again();
    await database.write.updateTable('sources').set({ validators: '{}' }).execute();
    const fetched = await again();
    return {
      rows,
      paths,
      first: run,
      'first sync': first,
      're-sync, not modified': unmodified,
      're-sync, all fetched': fetched,
    };
  });
  const baseline = await withApp(kind, environment, async (_app, url) => {
    const { insert, close } = await kind.openInserter(url);
    const { ms } = await timed(async () => {
      await fetchAll(environment, paths);
      await insert(rows);
    });
    await close();
    return { ms, rows: countOf(rows), models: rows.models.length, raised: null };
  });
  return { first, measures: { baseline, ...measures } };
}

/** Fetches the same bodies at once, and parses them. */
async function fetchAll(environment: Record<string, string>, paths: string[]): Promise<unknown[]> {
  const { origin } = new URL(environment.MODELS_DEV_URL ?? '');
  const headers = { 'user-agent': 'bench', 'x-api-key': environment.ARTIFICIAL_ANALYSIS_API_KEY ?? '' };
  return Promise.all(
    paths.map(async (path) => {
      const response = await fetch(origin + path, { headers });
      if (response.status !== 200) throw new Error(`${path} answered ${response.status}`);
      return JSON.parse(await response.text()) as unknown;
    }),
  );
}

const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

const format = (number: number, digits = 0): string =>
  number.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });

function printRow(cells: string[]): void {
  const widths = [10, 24, 8, 8, 8, 8];
  console.log(
    cells
      .map((cell, at) => (at < 2 ? cell.padEnd(widths[at] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join('  '),
  );
}

/** Prints what the rounds on one database came to; answers with how it stands with the aims. */
function printRounds(kind: Kind, rounds: Round[]): { name: string; ratio: number; isQuiet: boolean } {
  const msOf = (name: Case) => median(rounds.map(({ measures }) => measures[name].ms));
  const measuresOf = (name: Case) => rounds.map(({ measures }) => measures[name]);
  for (const name of CASES) {
    const all = measuresOf(name);
    const raised = all[0]?.raised === null ? '-' : all.some((measure) => measure.raised) ? 'raised' : 'same';
    const rows = format(Math.max(...all.map((measure) => measure.rows)));
    printRow([kind.name, name, format(msOf(name)), format(msOf(name) / msOf('baseline'), 2), rows, raised]);
  }
  const repeated = [...measuresOf('re-sync, not modified'), ...measuresOf('re-sync, all fetched')];
  const isQuiet = repeated.every(({ models, raised }) => models === 0 && raised === false);
  return { name: kind.name, ratio: msOf('first sync') / msOf('baseline'), isQuiet };
}

/** Where the time of a first sync goes: sources are fetched and read at once, the rest comes after the slowest. */
function printPhases(kind: Kind, rounds: Round[]): void {
  const middle = median(rounds.map(({ measures }) => measures['first sync'].ms));
  const own = rounds.find(({ measures }) => measures['first sync'].ms === middle);
  if (own === undefined) return;
  const slowest = Math.max(...own.first.sources.map(({ durationMs }) => durationMs));
  const each = own.first.sources
    .map(({ source, durationMs }) => `${source} ${format(durationMs)}`)
    .join(', ');
  console.log(
    `${kind.name}, first sync: fetch and read ${format(slowest)} ms (${each}), ` +
      `resolve, merge and write ${format(middle - slowest)} ms`,
  );
}

const postgres = await findPostgres();
if (typeof postgres === 'string')
  console.log(`Postgres is left out, since no database can be created: ${postgres}`);
const kinds = typeof postgres === 'string' ? [sqlite] : [sqlite, postgres];
const set = hasPayloads
  ? 'the recorded set'
  : 'a generated set of the same size (the recorded answers are not on this machine)';
console.log(`${ROUNDS} rounds with ${set}, medians\n`);

const upstream = await startChildUpstream();
const results: { kind: Kind; rounds: Round[] }[] = kinds.map((kind) => ({ kind, rounds: [] }));
try {
  for (let number = 0; number < ROUNDS; number++) {
    for (const { kind, rounds } of results) rounds.push(await round(kind, upstream));
  }
} finally {
  await upstream.stop();
}

printRow(['database', 'case', 'ms', 'ratio', 'rows', 'version']);
const verdicts = results.map(({ kind, rounds }) => printRounds(kind, rounds));
console.log();
for (const { kind, rounds } of results) printPhases(kind, rounds);

const isQuiet = verdicts.every((verdict) => verdict.isQuiet);
const speeds = verdicts.map(
  ({ name, ratio }) => `${name} ${ratio <= AIM ? 'yes' : 'NO'} (${format(ratio, 2)})`,
);
console.log(
  `\nFirst sync within ${AIM} times the baseline: ${speeds.join(', ')}. ` +
    `A re-sync writes no model row and keeps the version: ${isQuiet ? 'yes' : 'NO'}.`,
);
if (!isQuiet) process.exitCode = 1;
