import type { RunStatus, SourceOutcome, SyncRun } from '../contracts/sync.ts';
import type { NanoPrices, ProviderFacts } from './record.ts';
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
  validators: Validators;
  providers: ProviderFacts[];
}

/** A stored record without its contents. */
export interface RecordKey {
  source: string;
  id: string;
  hash: string;
  modelId: string;
  /** How it was placed, as JSON text; null: not said. */
  match: string | null;
  firstSeenAt: string;
  updatedAt: string;
}

/** A record as it is stored: `raw` is the item as the source gave it, as JSON text. It is read anew with the source's parser. */
export interface RecordRow extends RecordKey {
  raw: string;
}

/** A published model without its contents. */
export interface ModelKey {
  id: string;
  hash: string;
  steadyHash: string;
  delisted: number;
  target: string | null;
  targetSince: string | null;
  firstSeenAt: string;
  refreshedAt: string;
}

/** A model as it is stored; documents are JSON text, prices nano-dollars, flags 0 or 1. */
export interface ModelRow extends ModelKey {
  creator: string;
  nameKey: string;
  searchText: string;
  releaseDate: string | null;
  openReleaseDate: string | null;
  context: number | null;
  inputPrice: number | null;
  outputPrice: number | null;
  downloads: number | null;
  restricted: number;
  document: string;
  openDocument: string | null;
  updatedAt: string;
}

/** A published offer without its contents. */
export interface OfferKey {
  provider: string;
  providerModelId: string;
  hash: string;
}

/** An offer as it is stored; `document` is JSON text, prices nano-dollars. */
export type OfferRow = OfferKey & { modelId: string; priceStatus: string; document: string } & {
  [Name in keyof NanoPrices as `${Name}Price`]: number | null;
};

/** A name of a model in one namespace, in lower case: once there it stays, even when its record is gone. */
export interface AliasRow {
  alias: string;
  /** Where the name is used: a source, or a provider for its own ids. */
  namespace: string;
  modelId: string;
  /** The record that has the name. */
  source: string;
  recordId: string;
}

/** What became of a published id: its model was merged into another, split, or renamed. */
export interface IdentityChangeRow {
  at: string;
  kind: 'merged' | 'renamed' | 'split';
  fromId: string;
  toId: string;
  reason: string;
}

/** A provider as it is stored; `document` is JSON text. */
export interface ProviderRow {
  id: string;
  hash: string;
  document: string;
}

/** A stored disagreement without its contents; `provider` and `providerModelId` are empty where it is about no offer. */
export interface ConflictKey {
  modelId: string;
  field: string;
  provider: string;
  providerModelId: string;
  /** Who may see it: everyone (`both`), or who sees all that Artificial Analysis said (`full`), or none of it (`open`). */
  view: string;
  hash: string;
}

/** A disagreement between sources as it is stored; `document` is JSON text, `sources` their ids, each with commas around it. */
export interface ConflictRow extends ConflictKey {
  size: number | null;
  sources: string;
  document: string;
}

/** What is remembered of the catalogue as a whole. */
export interface CatalogState {
  version: number;
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
  sources: SourceState[];
  records: {
    upsert: RecordRow[];
    /** Of those, how many were not held before. */
    added: number;
    remove: Pick<RecordKey, 'source' | 'id'>[];
    /** Unchanged records that now stand behind another model, or do so for another reason. */
    moved: Pick<RecordKey, 'source' | 'id' | 'modelId' | 'match'>[];
  };
  /** The keys of records under which neighbours are found; those of a record are replaced whole. */
  keys: { source: string; recordId: string; keys: string[] }[];
  models: { upsert: ModelRow[]; remove: string[] };
  offers: { upsert: OfferRow[]; remove: Pick<OfferKey, 'provider' | 'providerModelId'>[] };
  conflicts: { upsert: ConflictRow[]; remove: ConflictKey[] };
  aliases: { upsert: AliasRow[]; remove: Pick<AliasRow, 'alias' | 'namespace'>[] };
  /** What became of ids: the former ones of models that were renamed or merged keep resolving. */
  identity: IdentityChangeRow[];
  /** Providers whose offers or facts changed, by id; they are counted anew. */
  providers: string[];
  /** Models whose documents stay but that no source lists any more. */
  delist: { ids: string[]; date: string };
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

/** Where a sync keeps its runs and the catalogue. One process after another holds the lease. */
export interface SyncStore {
  /** Begins a run by taking the lease; where another run holds it, answers with that run's id. Runs that died are marked interrupted. */
  beginRun(run: {
    id: string;
    trigger: Trigger;
    startedAt: string;
  }): Promise<{ begun: true } | { begun: false; runId: string }>;
  /** Prolongs the lease. False: it was lost. */
  renewLease(runId: string): Promise<boolean>;
  /** Reads what is remembered of the catalogue as a whole. */
  loadState(): Promise<CatalogState>;
  /** How many records of a source are held, but for those whose ids begin so. */
  countRecords(source: string, except: string | null): Promise<number>;
  /** The hashes of a source's records, by id. */
  loadHashes(source: string): Promise<Map<string, string>>;
  /** Reads records of a source by id; null: all of them. */
  loadRecords(source: string, ids: string[] | null): Promise<RecordRow[]>;
  /** Reads the keys that records are stored under. */
  loadKeys(records: { source: string; id: string }[]): Promise<string[]>;
  /** Reads the records that have one of these keys, or stand behind one of these models. */
  loadNeighbours(of: { keys: string[] } | { modelIds: string[] }): Promise<RecordRow[]>;
  /** Reads which model records that are not held any more stood behind, by their ids. */
  loadFormerModels(source: string, ids: string[]): Promise<Map<string, string>>;
  /** Reads what is published under these ids. */
  loadPublished(modelIds: string[]): Promise<Published>;
  /**
   * Writes the changes and ends the run, in one transaction; raises the catalogue version if anything published differs.
   * Throws `LeaseLost`.
   */
  commit(changes: CatalogChanges, end: RunEnd): Promise<Stored>;
  /** Ends a run that changes nothing published, and gives the lease back. Answers with what is published. */
  endRun(end: RunEnd, sources: SourceState[]): Promise<Stored>;
}
