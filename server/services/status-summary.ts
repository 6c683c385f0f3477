import type { StatusSummary } from '../../contracts/status-summary.ts';
import type { SourceDefinition } from '../../sync/source.ts';
import { catalogVersion, countModels } from '../db/catalog.ts';
import type { Database } from '../db/database.ts';
import { isOver, listIncidents } from '../db/incidents.ts';
import { findRunning, lastFinishedRun, listRuns, storedSources } from '../db/runs.ts';
import { SAMPLE_MS, samplesBetween, upShare, uptimeByDay, type Sample, type Uptime } from '../db/samples.ts';
import { addCounts, quantileMs } from '../metrics/quantile.ts';
import { healthOf, type Probe } from './probe.ts';

const HOUR_MS = 60 * 60_000;
const DAY_MS = 24 * HOUR_MS;
const DAYS = 90;
const SHOWN_RUNS = 24;
const SHOWN_INCIDENTS = 100;
/** What was read is shown for so long, however many ask. */
const FRESH_MS = 5_000;

type Stored = Omit<StatusSummary, 'state' | 'message' | 'version' | 'nextSyncAt' | 'asOf'>;

/** The status page's content: always there, made of what was known last while the database is away. */
export interface StatusPage {
  summary(): Promise<StatusSummary>;
  /** Has everything read anew for the next who asks. */
  renew(): void;
}

/** What the status page is made of. */
export interface StatusPageOptions {
  database: Database;
  probe: Probe;
  version: string;
  withheld: boolean;
  sources: SourceDefinition[];
  nextSyncAt: () => Date | null;
}

/** Makes the content of the status page. */
export function createStatusPage(options: StatusPageOptions): StatusPage {
  const { probe, version, nextSyncAt } = options;
  let known: { stored: Stored; at: number } | null = null;
  let isFresh = false;
  let reading: Promise<void> | null = null;
  const read = async (): Promise<void> => {
    const at = Date.now();
    isFresh = true;
    try {
      known = { stored: await readStored(options), at };
    } catch {
      isFresh = false;
    }
  };
  return {
    renew: () => (isFresh = false),
    async summary() {
      const health = healthOf(probe.state());
      const isOld = known === null || !isFresh || Date.now() - known.at >= FRESH_MS;
      if (isOld && health !== 'unavailable') await (reading ??= read().finally(() => (reading = null)));
      const stored = known?.stored ?? NOTHING;
      return {
        ...stateOf(health, stored),
        version,
        asOf: known === null ? null : new Date(known.at).toISOString(),
        nextSyncAt: nextSyncAt()?.toISOString() ?? null,
        ...stored,
      };
    },
  };
}

const NOTHING: Stored = {
  catalogVersion: null,
  models: null,
  lastSync: null,
  runningSync: null,
  syncs: [],
  sources: [],
  uptime: { day: null, week: null, quarter: null, days: [] },
  latency: [],
  incidents: [],
  maintenance: [],
  history: [],
};

/** The state in one word and in one sentence. */
function stateOf(
  health: ReturnType<typeof healthOf>,
  { incidents, maintenance }: Pick<Stored, 'incidents' | 'maintenance'>,
): Pick<StatusSummary, 'state' | 'message'> {
  const now = new Date().toISOString();
  const [incident] = incidents;
  const work = maintenance.find(
    ({ status, startsAt, endsAt }) => status === 'in_progress' || (startsAt <= now && now < (endsAt ?? now)),
  );
  if (health === 'unavailable')
    return {
      state: 'unavailable',
      message: 'The database can not be reached. Only answers that are kept are given.',
    };
  if (incident !== undefined) return { state: 'degraded', message: `Incident under way: ${incident.title}` };
  if (work !== undefined) return { state: 'maintenance', message: `Maintenance under way: ${work.title}` };
  if (health === 'degraded')
    return {
      state: 'degraded',
      message: 'Answers are given, but more slowly or from older data than usual.',
    };
  return { state: 'ok', message: 'Everything works.' };
}

function readStored({ database, withheld, sources }: StatusPageOptions): Promise<Stored> {
  const now = Date.now();
  const time = (ms: number) => new Date(ms).toISOString();
  const firstDay = time(now - (DAYS - 1) * DAY_MS).slice(0, 10);
  return database.snapshot(async (db) => {
    const { version } = await catalogVersion(db);
    const { runs } = await listRuns(db, { limit: SHOWN_RUNS, offset: 0 });
    const states = await storedSources(db);
    const open = { kind: null, open: true, from: null };
    const over = { kind: null, open: false, from: firstDay };
    const page = { limit: SHOWN_INCIDENTS, offset: 0 };
    const current = (await listIncidents(db, open, page)).incidents;
    const recent = await samplesBetween(db, { from: time(now - DAY_MS), to: time(now + SAMPLE_MS) });
    return {
      catalogVersion: version,
      models: await countModels(db, { withheld }),
      lastSync: await lastFinishedRun(db),
      runningSync: await findRunning(db),
      syncs: runs.filter(({ status, trigger }) => status !== 'running' && trigger !== 'backfill'),
      sources: sources.flatMap(({ id, name }) => {
        const state = states.get(id);
        if (state === undefined) return [];
        const { status, records, lastGoodAt, error } = state;
        return [
          {
            id,
            name,
            status: status as Stored['sources'][number]['status'],
            records,
            lastGoodAt,
            error: error ? (JSON.parse(error) as Stored['sources'][number]['error']) : null,
          },
        ];
      }),
      uptime: uptimeOf(await uptimeByDay(db, firstDay), upShare(recent), now),
      latency: latencyOf(recent, now),
      incidents: current.filter(({ kind }) => kind === 'incident'),
      maintenance: current.filter(({ kind }) => kind === 'maintenance').toReversed(),
      history: (await listIncidents(db, over, page)).incidents.filter(({ status }) => isOver(status)),
    };
  });
}

function uptimeOf(measured: Uptime[], day: number | null, now: number): Stored['uptime'] {
  const byDate = new Map(measured.map((uptime) => [uptime.date, uptime]));
  const days = Array.from({ length: DAYS }, (_, index) => {
    const date = new Date(now - (DAYS - 1 - index) * DAY_MS).toISOString().slice(0, 10);
    const found = byDate.get(date);
    return {
      date,
      up: found?.up ?? null,
      degraded: found?.degraded ?? null,
      measured: Math.min(1, ((found?.samples ?? 0) * SAMPLE_MS) / DAY_MS),
    };
  });
  const share = (last: number): number | null => {
    const counted = days.slice(-last).filter(({ up }) => up !== null);
    const weight = counted.reduce((sum, { measured: weightOfDay }) => sum + weightOfDay, 0);
    if (weight === 0) return null;
    return Math.min(1, counted.reduce((sum, { up, measured: part }) => sum + (up ?? 0) * part, 0) / weight);
  };
  return { day, week: share(7), quarter: share(DAYS), days };
}

function latencyOf(samples: Sample[], now: number): Stored['latency'] {
  const first = Math.floor(now / HOUR_MS) * HOUR_MS - 23 * HOUR_MS;
  return Array.from({ length: 24 }, (_, index) => {
    const at = new Date(first + index * HOUR_MS).toISOString();
    const inHour = samples.filter((sample) => sample.at.slice(0, 13) === at.slice(0, 13));
    const counts = addCounts(inHour.map(({ durations }) => JSON.parse(durations) as number[]));
    const sum = (name: 'requests' | 'errors') => inHour.reduce((total, sample) => total + sample[name], 0);
    return {
      at,
      requests: sum('requests'),
      errors: sum('errors'),
      p50Ms: quantileMs(counts, 0.5),
      p99Ms: quantileMs(counts, 0.99),
    };
  });
}
