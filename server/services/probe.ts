import { catalogVersion } from '../db/catalog.ts';
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
  /** The published version as last seen; it never goes back. */
  version(): number;
  /** Tells of a version that this process has just published. */
  published(version: number): void;
  /** Looks now. */
  look(): Promise<void>;
  /** Stops looking, and waits until it has. */
  stop(): Promise<void>;
}

const EVERY_MS = 1_000;

/** Starts a probe. Another instance's commit is seen within a second. */
export function startProbe({ database, cacheIsUp }: { database: Database; cacheIsUp: () => boolean }): Probe {
  let state: ProbeState = { database: true, cache: true, syncs: true };
  let version = 0;
  const published = (seen: number) => {
    version = Math.max(version, seen);
  };
  const look = async () => {
    try {
      published((await catalogVersion(database.read)).version);
      const statuses = await lastStatuses(database.read, 2);
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
  return { state: () => state, version: () => version, published, look, stop };
}
