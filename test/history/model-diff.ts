/** Which model each entry of a month belongs to, by `provider/modelKey`. */
export type ModelsByEntry = ReadonlyMap<string, string>;

/** What became of model ids from one month to the next; every list is in the order of ids. */
export interface ModelMonthDiff {
  month: string;
  models: number;
  /** Ids that no earlier month had and none of whose entries any earlier month had. */
  added: string[];
  /** Ids of the month before all of whose entries of that month are gone. */
  delisted: string[];
  /** Ids that an earlier month had, the month before not, whatever entries they are back with. */
  relisted: string[];
  /** Ids that no earlier month had, with an entry that was there under another id: known entries were named otherwise. */
  regroupedIn: string[];
  /** Ids of the month before that this one lacks although an entry of theirs stayed, under another id. */
  regroupedOut: string[];
}

/** Counts models by the entries that they stand on; months are compared in the order of their names (`YYYY-MM-DD`). */
export function modelDiff(months: ReadonlyMap<string, ModelsByEntry>): ModelMonthDiff[] {
  const earlierEntries = new Set<string>();
  const earlierIds = new Set<string>();
  let before = new Map<string, string[]>();
  return [...months.keys()].sort().map((month) => {
    const mapping: ModelsByEntry = months.get(month) ?? new Map();
    const now = entriesByModel(mapping);
    const appeared = [...now].filter(([id]) => !before.has(id));
    const fresh = appeared.filter(([id]) => !earlierIds.has(id));
    const vanished = [...before].filter(([id]) => !now.has(id));
    const diff: ModelMonthDiff = {
      month,
      models: now.size,
      added: ids(fresh.filter(([, entries]) => !entries.some((key) => earlierEntries.has(key)))),
      delisted: ids(vanished.filter(([, entries]) => !entries.some((key) => mapping.has(key)))),
      relisted: ids(appeared.filter(([id]) => earlierIds.has(id))),
      regroupedIn: ids(fresh.filter(([, entries]) => entries.some((key) => earlierEntries.has(key)))),
      regroupedOut: ids(vanished.filter(([, entries]) => entries.some((key) => mapping.has(key)))),
    };
    for (const [key, id] of mapping) {
      earlierEntries.add(key);
      earlierIds.add(id);
    }
    before = now;
    return diff;
  });
}

function entriesByModel(mapping: ModelsByEntry): Map<string, string[]> {
  const models = new Map<string, string[]>();
  for (const [key, id] of mapping) models.set(id, [...(models.get(id) ?? []), key]);
  return models;
}

function ids(models: [string, string[]][]): string[] {
  return models.map(([id]) => id).sort();
}
