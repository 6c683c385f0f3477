import type { SourceOutcome } from '../contracts/sync.ts';
import type { Breakers } from './breaker.ts';
import type { SourceSettings } from './fetch.ts';
import type { HttpLimits } from './http.ts';
import type { SourceDefinition } from './source.ts';
import type { RunEnd, Stored, SyncStore } from './store.ts';

/** What a sync is made of. Stores, clock and HTTP reach it as arguments. */
export interface SyncPorts {
  sources: SourceDefinition[];
  settings: Record<string, SourceSettings>;
  /**
   * Where no upstream answers in this time and the catalogue is empty, `source` is read instead; null: it never is. It is
   * dropped at the first good fetch of `replaces`, whoever loaded it.
   */
  fallback: { source: SourceDefinition; replaces: string; answerTimeoutMs: number | null };
  /** An archived answer that is read instead of fetching anything; what it says is believed, and vouches for no fetch to come. */
  archive?: SourceDefinition;
  store: SyncStore;
  limits: HttpLimits;
  breakers: Breakers;
  userAgent: string;
  /** A record that so many good fetches of its source in a row did not have is no more. */
  missesUntilDelisted: number;
  /** Longest that a run may take. */
  deadlineMs: number;
  /** How long the lease is held without being renewed. */
  leaseMs: number;
  /** How often the lease is renewed. */
  renewEveryMs: number;
  now: () => Date;
  onProgress: (progress: { source: SourceOutcome } | { note: string } | { error: unknown }) => void;
}

/** How a run ended. */
export type FinishedRun = RunEnd & { [Key in keyof Stored]: Stored[Key] | null };
