import type { Attributes, Note } from './attributes.ts';
import { DECORATIONS, type Decoration } from './decorations.ts';
import { HABITS, NO_CREATOR, type Habit } from './habits.ts';
import { foldName } from './names.ts';
import { ALIASES, type Alias } from './known-names.ts';
import { BASIS_TOLD, ROLLING_NAMES, SWITCHABLE, SYNONYMS, UNMARKED_BASE } from './rules.ts';

/** The reviewed rows, ready to be applied. */
export interface Rulebook {
  /** By folded name. */
  aliases: ReadonlyMap<string, Alias[]>;
  decorations: Decoration[];
  noCreator: ReadonlySet<string>;
  /** The words of a creator's habit; null: it has not that habit. */
  habit(creator: string | null, habit: Habit['habit']): string[] | null;
  /** Takes out the model that another was made from, where it tells nothing. */
  withoutBasis(text: string): string;
  /** Applies what is known of a creator's models: switches for thinking, unmarked base weights, lost dots. */
  settle(creator: string | null, attributes: Attributes, isRepository: boolean, notes: Note[]): void;
  isRollingName(creator: string | null, name: string): boolean;
}

/** The rows that a rulebook is made of. */
export const ROWS = {
  aliases: ALIASES,
  basisTold: BASIS_TOLD,
  decorations: DECORATIONS,
  habits: HABITS,
  noCreator: NO_CREATOR,
  rollingNames: ROLLING_NAMES,
  switchable: SWITCHABLE,
  synonyms: SYNONYMS,
  unmarkedBase: UNMARKED_BASE,
};

const newest = ({ versions }: Attributes) => Math.max(0, ...versions.map(Number).filter(Number.isFinite));

function matches(
  row: { creator: string; words: RegExp | null },
  creator: string | null,
  { words }: Attributes,
): boolean {
  return row.creator === creator && (row.words === null || words.some((word) => row.words?.test(word)));
}

/** Makes a rulebook of rows; tests leave rows out. */
export function createRulebook(rows: typeof ROWS = ROWS): Rulebook {
  const habitOf = (creator: string | null, habit: Habit['habit']) =>
    rows.habits.find((row) => row.creator === creator && row.habit === habit)?.words ?? null;
  return {
    aliases: Map.groupBy(rows.aliases, ({ name }) => foldName(name)),
    decorations: rows.decorations,
    noCreator: new Set(rows.noCreator.map(({ prefix }) => prefix)),
    habit: habitOf,
    withoutBasis: (text) => {
      const told = rows.basisTold.find(({ word }) =>
        text.split(/[^a-z0-9]+/).some((token) => word.test(token)),
      );
      return told === undefined
        ? text
        : text.replace(
            new RegExp(`(?:meta[- ])?${told.basis}(?:[- ]?\\d(?:[._-]\\d+(?![\\db]))?)?(?=[-_ ]|$)[-_ ]?`),
            '',
          );
    },
    settle: (creator, attributes, isRepository, notes) => {
      if (habitOf(creator, 'below-ten') !== null) {
        attributes.versions = attributes.versions.map((version) =>
          /^[1-9]\d$/.test(version) ? `${version[0]}.${version[1]}` : version,
        );
      }
      for (const { creator: of, word, means, reason } of rows.synonyms) {
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
      rows.rollingNames.some((row) => row.creator === creator && row.name.test(name)),
  };
}

/** All reviewed rows. */
export const RULES = createRulebook();
