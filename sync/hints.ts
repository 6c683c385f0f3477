import type { Hint } from '../contracts/names.ts';
import { contradiction } from './identity/cluster.ts';
import { describe, type Description } from './identity/describe.ts';
import { namedRecord } from './identity/keys.ts';
import { byText } from './order.ts';

/** A model that may be near to a name. */
export interface Kin {
  id: string;
  name: string;
  releaseDate: string | null;
}

/** The most hints that an answer has. */
export const MAX_HINTS = 5;

/** What a name says, part by part. */
function partsOf({ creator, attributes: { words, versions, sizes, tuning } }: Description): string[] {
  const parts = [...words, ...versions, ...sizes, ...(tuning === null ? [] : [tuning])];
  return creator === null ? parts : [creator, ...parts];
}

interface Nearness {
  kin: Kin;
  isFamily: boolean;
  shared: string[];
  /** Parts of the model's name that the other does not have. */
  surplus: number;
  against: string | null;
}

function nearness(name: Description, kin: Kin): Nearness {
  const other = describe(namedRecord(kin.id));
  const [own, theirs] = [partsOf(name), partsOf(other)];
  const shared = own.filter((part) => theirs.includes(part));
  return {
    kin,
    isFamily:
      name.creator !== null &&
      name.creator === other.creator &&
      name.attributes.words.join(' ') === other.attributes.words.join(' '),
    shared,
    surplus: theirs.length - shared.length,
    against: contradiction(name.attributes, other.attributes),
  };
}

/** Of the same family, or with most of what the name says: half of it is enough where that is several parts. */
const isNear =
  (name: Description) =>
  ({ isFamily, shared }: Nearness): boolean =>
    isFamily || shared.length * 2 > partsOf(name).length - (shared.length > 1 ? 1 : 0);

/** The same family first, then who shares most parts, then who has fewest others, then the newest, then by id. */
function byNearness(a: Nearness, b: Nearness): number {
  return (
    Number(b.isFamily) - Number(a.isFamily) ||
    b.shared.length - a.shared.length ||
    a.surplus - b.surplus ||
    byText(b.kin.releaseDate ?? '', a.kin.releaseDate ?? '') ||
    byText(a.kin.id, b.kin.id)
  );
}

/** The models that are nearest to a name in any of its readings, as hints: nearest first, five at most. */
export function hintsOf(readings: Description[], kin: Kin[]): Hint[] {
  const best = new Map<string, Nearness>();
  for (const name of readings) {
    for (const near of kin.map((one) => nearness(name, one)).filter(isNear(name))) {
      const known = best.get(near.kin.id);
      if (known === undefined || byNearness(near, known) < 0) best.set(near.kin.id, near);
    }
  }
  return [...best.values()]
    .toSorted(byNearness)
    .slice(0, MAX_HINTS)
    .map(({ kin: { id, name }, isFamily, shared, against }) => {
      const common = isFamily ? 'the same family' : `both say ${shared.join(', ')}`;
      return {
        id,
        name,
        isGuess: true,
        because: against === null ? common : `${common}; ${against}`,
      };
    });
}

/** What models near to a name have in their own names, for looking them up. */
export function lookupOf(readings: Description[]): { creators: string[]; words: string[] } {
  const creators = new Set(readings.map(({ creator }) => creator).filter((id) => id !== null));
  const words = readings
    .flatMap(({ attributes: { words: found } }) => found)
    .filter((word) => word.length > 1);
  return { creators: [...creators].slice(0, 3), words: [...new Set(words)].slice(0, 6) };
}
