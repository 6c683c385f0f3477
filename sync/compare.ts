import type { ConflictField } from '../contracts/conflicts.ts';
import { PRICE_FIELDS, type Trust } from '../contracts/provenance.ts';
import { foldName } from './identity.ts';

/** How the values that two sources give one field are compared; both are in the same unit. */
export interface Comparison {
  /** How far apart two values are; 0: they say the same. Null: they differ, by nothing that can be measured. */
  distance: (a: unknown, b: unknown) => number | null;
  unit: 'ratio' | 'days' | null;
  /** Classes whose statements are about something else. */
  except?: readonly Trust[];
}

/** Numbers: how much smaller the smaller one is. */
const NUMBER: Comparison = {
  distance: (a, b) => {
    const [low, high] = [Math.min(Number(a), Number(b)), Math.max(Number(a), Number(b))];
    return low === high ? 0 : (high - low) / high;
  },
  unit: 'ratio',
};

/** Catalogues round to a millionth of a dollar. */
const ROUNDING = 1e-6;

/** Prices of one offer in USD: as numbers, but for rounding. */
export const PRICE: Comparison = {
  ...NUMBER,
  distance: (a, b) => (Math.abs(Number(a) - Number(b)) < ROUNDING ? 0 : NUMBER.distance(a, b)),
};

const DAY_MS = 24 * 60 * 60 * 1000;

/** Dates: days between, to the precision of the less precise one. */
const DATE: Comparison = {
  distance: (a, b) => {
    const [one, other] = [String(a), String(b)];
    const precision = Math.min(one.length, other.length);
    const [from, to] = [one, other].map((date) => Date.parse(date.slice(0, precision)));
    return Math.abs(Number(to) - Number(from)) / DAY_MS;
  },
  unit: 'days',
};

const sameOrNot = (read: (value: unknown) => string): Comparison => ({
  distance: (a, b) => (read(a) === read(b) ? 0 : null),
  unit: null,
});

const FLAG = sameOrNot(String);
/** Texts, but for case and punctuation. */
const TEXT = sameOrNot((value) => foldName(String(value)));
const SET = sameOrNot((value) => [...new Set((value as string[]).map(plainWord))].toSorted().join());

/** OpenRouter calls documents `file` where models.dev calls them `pdf`. */
function plainWord(word: string): string {
  return word === 'file' ? 'pdf' : word.toLowerCase();
}

/** A repository is tagged with one task, whatever else the model can do. */
const MODALITIES: Comparison = { ...SET, except: ['repository'] };

/** `other` is a tag of repositories for any licence that has none. */
const LICENSE: Comparison = {
  ...TEXT,
  distance: (a, b) => (a === 'other' || b === 'other' ? 0 : TEXT.distance(a, b)),
};

/** How each field is compared. What is not here is worded freely, put together, or known to one source. */
export const COMPARISONS: Record<Exclude<ConflictField, (typeof PRICE_FIELDS)[number]>, Comparison> = {
  'modalities.input': MODALITIES,
  'modalities.output': MODALITIES,
  'capabilities.attachments': FLAG,
  'capabilities.interleaved_reasoning': FLAG,
  'capabilities.reasoning': FLAG,
  'capabilities.structured_outputs': FLAG,
  'capabilities.tools': FLAG,
  'reasoning.mandatory': FLAG,
  'reasoning.efforts': SET,
  'reasoning.enabledByDefault': FLAG,
  'reasoning.defaultEffort': TEXT,
  'limits.context': NUMBER,
  'limits.input': NUMBER,
  'limits.output': NUMBER,
  openWeights: FLAG,
  license: LICENSE,
  releaseDate: DATE,
  knowledgeCutoff: DATE,
};

/** How far apart the values that disagree most are; 0: none disagree. */
export function farthest(values: unknown[], { distance }: Comparison): number | null {
  let most: number | null = 0;
  for (const [index, value] of values.entries()) {
    for (const other of values.slice(index + 1)) {
      const apart = distance(value, other);
      if (apart === null) most = most === 0 ? null : most;
      else if (apart > (most ?? 0)) most = apart;
    }
  }
  return most;
}
