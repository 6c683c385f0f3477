import { describe } from './identity/describe.ts';
import { keysOf } from './identity/keys.ts';
import type { SourceRecord } from './record.ts';
import type { RecordKey, RecordRow } from './rows.ts';
import type { SyncStore } from './store.ts';

/** A record that a run looks at: newly fetched, or one that bears upon those. */
export interface Neighbour {
  record: SourceRecord;
  raw: string;
  hash: string;
  keys: string[];
  /** As it is stored; null: it is new. */
  before: RecordKey | null;
  /** The model that it stood behind when it was last held; null: it never was. */
  formerly: string | null;
  isChanged: boolean;
}

/** Identifies a record. */
export const recordKey = ({ source, id }: { source: string; id: string }): string => `${source}\n${id}`;

/** The records that changed, and all that bear upon where they belong. Nothing else is read. */
export class Neighbourhood {
  readonly members = new Map<string, Neighbour>();
  readonly modelIds = new Set<string>();
  readonly #store: SyncStore;
  readonly #parse: (row: RecordRow) => SourceRecord | null;
  readonly #gone: ReadonlySet<string>;
  readonly #seenKeys = new Set<string>();
  readonly #seenModels = new Set<string>();
  #keys: string[] = [];

  /** `gone` are the keys of records that are no more; `parse` reads a stored item, null where it can not be read. */
  constructor(store: SyncStore, gone: ReadonlySet<string>, parse: (row: RecordRow) => SourceRecord | null) {
    this.#store = store;
    this.#gone = gone;
    this.#parse = parse;
  }

  /** Puts a record in. */
  add(
    record: SourceRecord,
    raw: string,
    hash: string,
    before: RecordKey | null,
    isChanged: boolean,
    formerly: string | null = before?.modelId ?? null,
  ): void {
    const keys = keysOf(describe(record));
    this.members.set(recordKey(record), { record, raw, hash, keys, before, formerly, isChanged });
    this.look({ keys, modelIds: formerly === null ? [] : [formerly] });
  }

  /** Notes where neighbours are to be looked for. */
  look({ keys, modelIds }: { keys: string[]; modelIds: string[] }): void {
    this.#keys.push(...keys);
    for (const id of modelIds) this.modelIds.add(id);
  }

  /** Reads neighbours, and their neighbours, until there are no more. */
  async complete(): Promise<void> {
    for (;;) {
      const keys = [...new Set(this.#keys)].filter((key) => !this.#seenKeys.has(key));
      const modelIds = [...this.modelIds].filter((id) => !this.#seenModels.has(id));
      this.#keys = [];
      if (keys.length + modelIds.length === 0) return;
      for (const key of keys) this.#seenKeys.add(key);
      for (const id of modelIds) this.#seenModels.add(id);
      const rows = [
        ...(await this.#store.loadNeighbours({ keys })),
        ...(await this.#store.loadNeighbours({ modelIds })),
      ];
      for (const row of rows) {
        const key = recordKey(row);
        if (this.members.has(key) || this.#gone.has(key)) continue;
        const record = this.#parse(row);
        if (record !== null) this.add(record, row.raw, row.hash, row, false);
      }
    }
  }
}
