import { catalogVersion, EMPTY_CATALOG, type CatalogVersion } from '../db/catalog.ts';
import type { Database } from '../db/database.ts';
import { lastStatuses } from '../db/runs.ts';
import { sweepDeadRuns } from '../db/run-lease.ts';

/** What was seen last of the things that the service rests on. */
export interface ProbeState {
  database: boolean;
  cache: boolean;
  /** Whether one of the last two syncs completed; true before the second. */
  syncs: boolean;
}

/** What a monitor is told. */
export function healthOf({ database, cache, syncs }: ProbeState): 'ok' | 'degraded' | 'unavailable' {
  if (!database) return 'unavailable';
  return cache && syncs ? 'ok' : 'degraded';
}

/** Looks at database and cache in the background, so that no request has to wait for either. */
export interface Probe {
  state(): ProbeState;
  /** The published catalogue as last seen. */
  catalog(): CatalogVersion;
  /** Tells of a catalogue that this process has just published. */
  published(catalog: CatalogVersion): void;
  /** Calls back whenever another catalogue than before is seen. */
  onCatalog(listener: () => void): void;
  /** Looks now. */
  look(): Promise<void>;
  /** Stops looking, and waits until it has. */
  stop(): Promise<void>;
}

const EVERY_MS = 1_000;

/** Starts a probe. Another instance's commit is seen within a second. */
export function startProbe({ database, cacheIsUp }: { database: Database; cacheIsUp: () => boolean }): Probe {
  let state: ProbeState = { database: false, cache: cacheIsUp(), syncs: true };
  let catalog = EMPTY_CATALOG;
  const listeners: (() => void)[] = [];
  const published = (seen: CatalogVersion) => {
    const before = catalog;
    catalog = seen;
    const isOther = seen.version !== before.version || seen.committedAt !== before.committedAt;
    if (isOther) for (const listener of listeners) listener();
  };
  const onCatalog = (listener: () => void) => void listeners.push(listener);
  const look = async () => {
    try {
      const before = catalog;
      const seen = await catalogVersion(database.probe);
      // What was published while this look was under way is newer than what it saw.
      if (catalog === before) published(seen);
      await sweepDeadRuns(database);
      const statuses = await lastStatuses(database.probe, 2);
      const syncs = statuses.length < 2 || statuses.includes('completed');
      state = { database: true, cache: cacheIsUp(), syncs };
    } catch {
      state = { ...state, database: false, cache: cacheIsUp() };
    }
  };
  let looking: Promise<void> | null = null;
  const timer = setInterval(() => {
    looking ??= look().finally(() => (looking = null));
  }, EVERY_MS);
  timer.unref();
  const stop = async () => {
    clearInterval(timer);
    await looking;
  };
  return { state: () => state, catalog: () => catalog, published, onCatalog, look, stop };
}
