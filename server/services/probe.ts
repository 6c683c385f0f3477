import { catalogVersion, EMPTY_CATALOG, type CatalogVersion } from '../db/catalog.ts';
import type { Database } from '../db/database.ts';
import { lastStatuses } from '../db/runs.ts';

/** What was seen last of the things that the service rests on. */
export interface ProbeState {
  database: boolean;
  cache: boolean;
  /** Whether one of the last two syncs completed; true before the second. */
  syncs: boolean;
}

/** Looks at database and cache in the background, so that no request has to wait for either. */
export interface Probe {
  state(): ProbeState;
  /** The published version as last seen. */
  version(): CatalogVersion;
  /** Looks now. */
  look(): Promise<void>;
  stop(): void;
}

const EVERY_MS = 1_000;

/** Starts a probe. Another instance's commit is seen within a second. */
export function startProbe({ database, cacheIsUp }: { database: Database; cacheIsUp: () => boolean }): Probe {
  let state: ProbeState = { database: true, cache: true, syncs: true };
  let version = EMPTY_CATALOG;
  const look = async () => {
    try {
      const seen = await catalogVersion(database.read);
      if (seen.version >= version.version) version = seen;
      const statuses = await lastStatuses(database.read, 2);
      const syncs = statuses.length < 2 || statuses.includes('completed');
      state = { database: true, cache: cacheIsUp(), syncs };
    } catch {
      state = { ...state, database: false, cache: cacheIsUp() };
    }
  };
  let looking = false;
  const timer = setInterval(() => {
    if (looking) return;
    looking = true;
    void look().finally(() => (looking = false));
  }, EVERY_MS);
  timer.unref();
  return { state: () => state, version: () => version, look, stop: () => clearInterval(timer) };
}
