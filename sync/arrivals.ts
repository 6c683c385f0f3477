import { hash } from 'node:crypto';
import type { FetchedSource } from './fetch.ts';
import type { SyncPorts } from './ports.ts';
import { agree, jumps, shiftOf } from './price-guard.ts';
import type { SourceRecord } from './record.ts';
import type { RecordCounts, RecordKey, RecordRow } from './rows.ts';

/** A record that came new or changed, and as it is stored. */
export interface Arrival {
  record: SourceRecord;
  /** The item as JSON text, and its hash. */
  raw: string;
  hash: string;
  stored: RecordRow | null;
}

/** What a good fetch of one source comes to, beside what is stored of it. */
export interface Arrivals {
  changed: Arrival[];
  /** Records that were missing too often. */
  removed: RecordKey[];
  counts: RecordCounts;
  /** By how much all prices moved, where that is hard to believe. */
  shift: number | null;
}

/** Reads stored items with the parsers of their sources, and counts those that no longer can be read. */
export function itemReader(ports: SyncPorts) {
  const byId = new Map([...ports.sources, ports.fallback.source].map((source) => [source.id, source]));
  let unreadable = 0;
  return {
    unreadable: () => unreadable,
    read: ({ source, id, raw }: Pick<RecordRow, 'source' | 'id' | 'raw'>): SourceRecord | null => {
      try {
        return byId.get(source)?.parse({ id, value: JSON.parse(raw) as unknown }) ?? null;
      } catch {
        unreadable += 1;
        return null;
      }
    },
  };
}
export type ItemReader = ReturnType<typeof itemReader>;

/**
 * Compares a good fetch with what is stored. A record that it does not have counts as missed, and goes when it was
 * missed by so many in a row (`misses`), unless a part of the list was not to be had; one whose item could not be read stays as it is; an entry whose price jumped waits
 * until the next fetch says the same.
 */
export async function arrivalsOf(
  ports: SyncPorts,
  reader: ItemReader,
  { outcome: { source }, records, unread, keeps, isWhole }: FetchedSource,
  { guarded, misses }: { guarded: boolean; misses: number },
): Promise<Arrivals> {
  const { store } = ports;
  const standings = await store.loadStandings(source);
  const counts: RecordCounts = { missed: [], seen: [], held: [] };
  // What was not modified has every record that it had the last time, and the items that wait as they were.
  const received =
    records ??
    (await waiting(
      ports,
      reader,
      source,
      [...standings].filter(([, { waits }]) => waits).map(([id]) => id),
    ));
  const has = new Set(
    records === null
      ? [...standings].filter(([, { missed }]) => missed === 0).map(([id]) => id)
      : records.map(({ record }) => record.id),
  );
  const unreadable = new Set(unread);
  const isUnread = (id: string) => unreadable.has(id) || unreadable.has(id.slice(0, id.indexOf('/') + 1));

  const differing = received.filter(({ record, hash: now }) => standings.get(record.id)?.hash !== now);
  const rows = await store.loadRecords(
    source,
    differing.map(({ record }) => record.id).filter((id) => standings.has(id)),
  );
  const storedById = new Map(rows.map((row) => [row.id, row]));
  const changed: Arrival[] = [];
  const compared: { before: SourceRecord; now: SourceRecord }[] = [];
  for (const { record, raw, hash: now } of differing) {
    const stored = storedById.get(record.id) ?? null;
    const before = stored === null ? null : reader.read(stored);
    if (before !== null) compared.push({ before, now: record });
    if (guarded && stored !== null && before !== null && jumps(before, record)) {
      const held = stored.held === null ? null : reader.read({ ...stored, raw: stored.held });
      if (held === null || !agree(held, record)) {
        counts.held.push({ source, id: record.id, held: raw });
        if (stored.missed > 0) counts.seen.push({ source, id: record.id });
        continue;
      }
    }
    changed.push({ record, raw, hash: now, stored });
    // Said by themselves: where only figures that move daily differ, the record is not written yet.
    if (stored !== null && stored.missed > 0) counts.seen.push({ source, id: record.id });
    if (stored !== null && stored.held !== null) counts.held.push({ source, id: record.id, held: null });
  }

  const differs = new Set(differing.map(({ record }) => record.id));
  const gone: string[] = [];
  for (const [id, { missed, waits }] of standings) {
    if (differs.has(id)) continue;
    if (has.has(id) || isUnread(id)) {
      if (missed > 0) counts.seen.push({ source, id });
      if (waits && !isUnread(id)) counts.held.push({ source, id, held: null });
    } else if (isWhole && (keeps === null || !id.startsWith(keeps))) {
      if (missed + 1 >= misses) gone.push(id);
      else counts.missed.push({ source, id });
    }
  }
  const unchanged = received.length - differing.length;
  const shift = records === null ? null : shiftOf(compared, unchanged);
  return { changed, removed: await store.loadRecords(source, gone), counts, shift };
}

/** The items of a source that wait, as if they had been fetched. */
async function waiting(ports: SyncPorts, reader: ItemReader, source: string, ids: string[]) {
  const rows = ids.length === 0 ? [] : await ports.store.loadRecords(source, ids);
  return rows.flatMap((row) => {
    const raw = row.held ?? '';
    const record = reader.read({ ...row, raw });
    return record === null ? [] : [{ record, raw, hash: hash('sha1', raw) }];
  });
}
