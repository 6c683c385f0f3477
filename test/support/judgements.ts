import { readFileSync } from 'node:fs';
import { artificialAnalysis } from '../../sync/sources/artificial-analysis.ts';
import { huggingFace } from '../../sync/sources/huggingface.ts';
import { modelsDev } from '../../sync/sources/models-dev.ts';
import { openRouter } from '../../sync/sources/openrouter.ts';
import { takeCatalogApart } from '../../sync/models-dev-entry.ts';
import type { SourceRecord } from '../../sync/record.ts';
import type { SourceDefinition } from '../../sync/source.ts';
import { readPayload, recordedContent } from './payloads.ts';

/** What was judged of entries, each written as `source id`. */
export interface Judgements {
  name: string;
  /** Entries of one model each. */
  groups: { label: string; members: string[] }[];
  /** Two entries that are not of one model. */
  negatives: [a: string, b: string][];
  /** Two entries of which nobody can tell: a matcher should leave them apart. */
  open: [a: string, b: string][];
}

interface GoldEntry {
  source: string;
  id: string;
}

interface GoldFile {
  groups: { label: string; members: GoldEntry[] }[];
  hard_negatives: { a: GoldEntry; b: GoldEntry }[];
  open_cases: { a: GoldEntry; b: GoldEntry }[];
}

interface JudgedFile {
  groups: { label: string; heldOut: boolean; members: string[] }[];
  negatives: { heldOut: boolean; a: string; b: string }[];
  open: { heldOut: boolean; a: string; b: string }[];
}

const spelled = ({ source, id }: GoldEntry) => `${source} ${id}`;

/** Every set of judgements: the recorded gold file, and our own, those held out apart. */
export function allJudgements(): Judgements[] {
  const gold = readPayload('gold-identity.json') as GoldFile;
  const own = JSON.parse(
    readFileSync(new URL('../identity/judged.json', import.meta.url), 'utf8'),
  ) as JudgedFile;
  const ownSet = (name: string, heldOut: boolean): Judgements => ({
    name,
    groups: own.groups.filter((group) => group.heldOut === heldOut),
    negatives: own.negatives.filter((pair) => pair.heldOut === heldOut).map(({ a, b }) => [a, b]),
    open: own.open.filter((pair) => pair.heldOut === heldOut).map(({ a, b }) => [a, b]),
  });
  return [
    {
      name: 'gold',
      groups: gold.groups.map(({ label, members }) => ({ label, members: members.map(spelled) })),
      negatives: gold.hard_negatives.map(({ a, b }) => [spelled(a), spelled(b)]),
      open: gold.open_cases.map(({ a, b }) => [spelled(a), spelled(b)]),
    },
    ownSet('own', false),
    ownSet('own, held out', true),
  ];
}

const SOURCES: Record<string, string> = { modelsdev: 'models.dev' };

/** An entry as the judgements write it. */
export function entryOf({ source, id, naming, type }: SourceRecord): string {
  const written = Object.entries(SOURCES).find(([, ours]) => ours === source)?.[0] ?? source;
  const spelledId = type === 'measurement' ? (naming.canonical ?? id) : id;
  return `${written} ${source === 'huggingface' ? spelledId.toLowerCase() : spelledId}`;
}

/** An entry of a judgement, spelled as `entryOf` does. */
export function judged(entry: string): string {
  return entry.startsWith('huggingface ') ? entry.toLowerCase() : entry;
}

/** The records of everything that the services held on the recorded day. */
export function recordedRecords(): SourceRecord[] {
  const content = recordedContent();
  const retired = content.artificialAnalysisRetired as { data: { id: string }[] };
  const read = (source: SourceDefinition, id: string, value: unknown) => source.parse({ id, value });
  return [
    ...takeCatalogApart(content.modelsDevApi as Record<string, unknown>).entries.map(({ id, value }) =>
      read(modelsDev, id, value),
    ),
    ...Object.entries(content.modelsDevModels ?? {}).map(([id, value]) =>
      read(modelsDev, `models.json/${id}`, value),
    ),
    ...(content.openrouter as { id: string }[]).map((value) => read(openRouter, value.id, value)),
    ...(content.huggingface as { id: string }[]).map((value) => read(huggingFace, value.id, value)),
    ...retired.data.map((row) => read(artificialAnalysis, row.id, { row, indexVersion: '4', retired: true })),
  ];
}

/** How a matcher fares by judgements. */
export interface Score {
  pairs: number;
  found: number;
  negatives: number;
  merged: number;
  open: number;
  openMerged: number;
  /** Labels of groups that were not found whole, pairs that were merged, and entries that are not in the data. */
  misses: string[];
}

/** Compares where a matcher puts entries with what was judged. */
export function score(judgements: Judgements, placeOf: (entry: string) => string | undefined): Score {
  const place = (entry: string) => placeOf(judged(entry));
  const together = ([a, b]: [string, string]) => place(a) !== undefined && place(a) === place(b);
  const result: Score = {
    pairs: 0,
    found: 0,
    negatives: judgements.negatives.length,
    merged: 0,
    open: judgements.open.length,
    openMerged: 0,
    misses: [],
  };
  for (const { label, members } of judgements.groups) {
    const pairs = members.flatMap((a, at) => members.slice(at + 1).map((b): [string, string] => [a, b]));
    const found = pairs.filter(together).length;
    result.pairs += pairs.length;
    result.found += found;
    if (found < pairs.length) result.misses.push(label);
  }
  for (const pair of judgements.negatives) {
    if (!together(pair)) continue;
    result.merged += 1;
    result.misses.push(`${pair.join(' is not ')}, but was merged`);
  }
  result.openMerged = judgements.open.filter(together).length;
  return result;
}
