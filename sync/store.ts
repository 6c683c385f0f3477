import type { RunStatus, SourceOutcome, SyncRun } from '../contracts/sync.ts';
import type { ProviderFacts } from './record.ts';
import type {
  RecordKey,
  RecordRow,
  RecordStanding,
  RecordCounts,
  ModelKey,
  ModelRow,
  OfferKey,
  OfferRow,
  AliasRow,
  IdentityChangeRow,
  ChangeRow,
  Contents,
  ConflictKey,
  ConflictRow,
} from './rows.ts';
import type { Validators } from './http.ts';

/** What started a run. */
export type Trigger = SyncRun['trigger'];

/** What is remembered of a source between runs. */
export interface SourceState {
  id: string;
  status: SourceOutcome['status'] | null;
  error: SourceOutcome['error'];
  lastGoodAt: string | null;
  asOf: string | null;
  /** Items of its last good fetch. */
  fetched: number;
  /** When it was last fetched without validators. */
  wholeAt: string | null;
  validators: Validators;
  providers: ProviderFacts[];
}

/** What is remembered of the catalogue as a whole. */
export interface CatalogState {
  version: number;
  /** When that version was committed; null: there is none. */
  committedAt: string | null;
  /** Format of what is stored. */
  format: number;
  isEmpty: boolean;
  sources: Map<string, SourceState>;
}

/** What is published under some ids, without contents: enough to tell what differs. */
export interface Published {
  models: ModelKey[];
  offers: (OfferKey & { modelId: string })[];
  conflicts: ConflictKey[];
  aliases: AliasRow[];
}

/** What a run writes: only rows that differ. */
export interface CatalogChanges {
  format: number;
  /** When it is published: later than any version before. */
  at: string;
  sources: SourceState[];
  records: {
    upsert: RecordRow[];
    /** Of those, how many were not held before. */
    added: number;
    remove: Pick<RecordKey, 'source' | 'id'>[];
    /** Unchanged records that now stand behind another model, or do so for another reason. */
    moved: Pick<RecordKey, 'source' | 'id' | 'modelId' | 'match'>[];
    counts: RecordCounts;
  };
  /** The keys of records under which neighbours are found; those of a record are replaced whole. */
  keys: { source: string; recordId: string; keys: string[] }[];
  models: { upsert: ModelRow[]; remove: string[] };
  offers: {
    upsert: OfferRow[];
    /** Those that no source lists any more. */
    delist: Pick<OfferKey, 'provider' | 'providerModelId'>[];
    /** Those of sources that are dropped. */
    remove: Pick<OfferKey, 'provider' | 'providerModelId'>[];
  };
  conflicts: { upsert: ConflictRow[]; remove: ConflictKey[] };
  aliases: { upsert: AliasRow[]; remove: Pick<AliasRow, 'alias' | 'namespace'>[] };
  /** What became of ids: the former ones of models that were renamed or merged keep resolving. */
  identity: IdentityChangeRow[];
  /** Providers whose offers or facts changed, by id; they are counted anew. */
  providers: string[];
  /** Models whose documents stay but that no source lists any more. */
  delist: string[];
  /** What is told of it, and which models and offers are put away as they were published until now. */
  history: {
    changes: ChangeRow[];
    models: string[];
    offers: Pick<OfferKey, 'provider' | 'providerModelId'>[];
  };
}

/** How a run ends. */
export interface RunEnd {
  id: string;
  status: RunStatus;
  message: string;
  totalFetched: number;
  sources: SourceOutcome[];
}

/** What is published when a run has ended. */
export interface Stored {
  catalogVersion: number;
  /** When that version was committed. */
  committedAt: string;
  models: number;
}

/** The lease was lost: another run has taken over, and nothing of this one may be written. */
export class LeaseLost extends Error {
  override name = 'LeaseLost';
  constructor() {
    super('The sync lease was lost to another run; nothing of this run was written.');
  }
}

/** Where a sync keeps its runs and the catalogue, by its own clock. One process after another holds the lease. */
export interface SyncStore {
  /** Begins a run by taking the lease; where another run holds it, answers with that run's id. Runs that died are marked interrupted. */
  beginRun(run: {
    id: string;
    trigger: Trigger;
    forced: boolean;
    /** The run that was seen to be completed last; where another has been since, this one does not begin. */
    after?: string | null;
  }): Promise<{ begun: true; startedAt: string } | { begun: false; runId: string }>;
  /** Prolongs the lease. False: it was lost. */
  renewLease(runId: string): Promise<boolean>;
  /** Notes what became of sources so far, for whoever looks while the run is under way or after its process has died. */
  noteOutcomes(runId: string, outcomes: SourceOutcome[]): Promise<void>;
  /** Reads what is remembered of the catalogue as a whole. */
  loadState(): Promise<CatalogState>;
  /** How many records the last good fetch of a source had, but for those whose ids begin so. */
  countRecords(source: string, except: string | null): Promise<number>;
  /** How the records of a source stand, by id. */
  loadStandings(source: string): Promise<Map<string, RecordStanding>>;
  /** Reads records of a source by id; null: all of them. */
  loadRecords(source: string, ids: string[] | null): Promise<RecordRow[]>;
  /** Reads the keys that records are stored under. */
  loadKeys(records: { source: string; id: string }[]): Promise<string[]>;
  /** Reads the records that have one of these keys, or stand behind one of these models. */
  loadNeighbours(of: { keys: string[] } | { modelIds: string[] }): Promise<RecordRow[]>;
  /** Reads which model records that are not held any more stood behind, by their ids. */
  loadFormerModels(source: string, ids: string[]): Promise<Map<string, string>>;
  /** Reads the ids of models whose announced end, or that of an offer of theirs, has come by this day. */
  loadDue(today: string): Promise<string[]>;
  /** Reads what is published under these ids. */
  loadPublished(modelIds: string[]): Promise<Published>;
  /** Reads what is published of some models and offers, with contents. */
  loadContents(of: {
    models: string[];
    offers: Pick<OfferKey, 'provider' | 'providerModelId'>[];
  }): Promise<Contents>;
  /**
   * Writes the changes and ends the run, in one transaction; raises the catalogue version if anything published differs.
   * Throws `LeaseLost`.
   */
  commit(changes: CatalogChanges, end: RunEnd): Promise<Stored>;
  /**
   * Ends a run that changes nothing published, and gives the lease back. Answers with what is published. Throws `LeaseLost`
   * where it has sources to remember.
   */
  endRun(end: RunEnd, sources: SourceState[]): Promise<Stored>;
}
