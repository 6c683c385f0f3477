import type { Attributes } from './attributes.ts';
import type { Note } from './describe.ts';
import { DECORATIONS, type Decoration } from './decorations.ts';
import { foldName } from './names.ts';
import { ALIASES, type Alias } from './known-names.ts';
import {
  BASIS_TOLD,
  NO_CREATOR,
  ROLLING_NAMES,
  SWITCHABLE,
  SYNONYMS,
  UNMARKED_BASE,
  type Switchable,
  type UnmarkedBase,
} from './rules.ts';

/** The reviewed rows, ready to be applied. */
export interface Rulebook {
  /** By folded name. */
  aliases: ReadonlyMap<string, Alias[]>;
  decorations: Decoration[];
  noCreator: ReadonlySet<string>;
  /** Words that name a product at one creator, though they are a tuning elsewhere. */
  productWords: Record<string, string[]>;
  /** Family words that tell nothing, for their creator has no other family. */
  familyOnly: Record<string, string[]>;
  /** Creators whose names may end in a reasoning effort. */
  effortSuffix: ReadonlySet<string>;
  /** Takes out the model that another was made from, where it tells nothing. */
  withoutBasis(text: string): string;
  /** Applies what is known of a creator's models: switches for thinking, unmarked base weights, lost dots. */
  settle(creator: string | null, attributes: Attributes, isRepository: boolean, notes: Note[]): void;
  isRollingName(creator: string | null, name: string): boolean;
}

/** The rows that a rulebook is made of. */
export interface Rows {
  aliases: Alias[];
  decorations: Decoration[];
  switchable: Switchable[];
  unmarkedBase: UnmarkedBase[];
}

const ROWS: Rows = {
  aliases: ALIASES,
  decorations: DECORATIONS,
  switchable: SWITCHABLE,
  unmarkedBase: UNMARKED_BASE,
};

/** Creators that never had a version 10 or later: two digits there have lost their dot. */
const BELOW_TEN = new Set(['alibaba', 'anthropic', 'mistral', 'openai']);

const newest = ({ versions }: Attributes) => Math.max(0, ...versions.map(Number).filter(Number.isFinite));

function matches(
  row: { creator: string; words: RegExp | null },
  creator: string | null,
  { words }: Attributes,
): boolean {
  return row.creator === creator && (row.words === null || words.some((word) => row.words?.test(word)));
}

/** Makes a rulebook of rows; tests leave rows out. */
export function createRulebook(rows: Rows = ROWS): Rulebook {
  return {
    aliases: Map.groupBy(rows.aliases, ({ name }) => foldName(name)),
    decorations: rows.decorations,
    noCreator: NO_CREATOR,
    productWords: { openai: ['chat', 'instruct'] },
    familyOnly: { anthropic: ['claude'], bytedance: ['doubao'], stepfun: ['step'] },
    effortSuffix: new Set(['anthropic', 'google', 'openai', 'xai']),
    withoutBasis: (text) => {
      const told = BASIS_TOLD.find(({ word }) => text.split(/[^a-z0-9]+/).some((token) => word.test(token)));
      return told === undefined
        ? text
        : text.replace(
            new RegExp(`(?:meta[- ])?${told.basis}(?:[- ]?\\d(?:[._-]\\d+(?![\\db]))?)?(?=[-_ ]|$)[-_ ]?`),
            '',
          );
    },
    settle: (creator, attributes, isRepository, notes) => {
      if (BELOW_TEN.has(creator ?? '')) {
        attributes.versions = attributes.versions.map((version) =>
          /^[1-9]\d$/.test(version) ? `${version[0]}.${version[1]}` : version,
        );
      }
      for (const { creator: of, word, means, reason } of SYNONYMS) {
        if (of !== creator || !attributes.words.includes(word)) continue;
        attributes.words = attributes.words.map((own) => (own === word ? means : own)).toSorted();
        notes.push({ rule: 'synonym', evidence: reason });
      }
      const hybrid = rows.switchable.find(
        (row) => matches(row, creator, attributes) && (row.since === null || newest(attributes) >= row.since),
      );
      if (hybrid !== undefined && (attributes.thinking || attributes.mode !== null)) {
        attributes.thinking = false;
        attributes.mode = null;
        notes.push({ rule: 'mode', evidence: hybrid.reason });
      }
      const base = rows.unmarkedBase.find(
        (row) =>
          isRepository &&
          matches(row, creator, attributes) &&
          (row.until === null || (attributes.versions.length > 0 && newest(attributes) < row.until)),
      );
      if (base !== undefined && attributes.tuning === null && !attributes.thinking) {
        attributes.tuning = 'base';
        notes.push({ rule: 'base', evidence: base.reason });
      }
    },
    isRollingName: (creator, name) =>
      ROLLING_NAMES.some((row) => row.creator === creator && row.name.test(name)),
  };
}

/** All reviewed rows. */
export const RULES = createRulebook();
