import type { Attributes } from './attributes.ts';
import { datePrecision, datesAgree } from './dates.ts';
import type { Description } from './describe.ts';

/** Records that are about one model, and what they say together. */
export interface Cluster {
  creator: string | null;
  attributes: Attributes;
  rolling: string | null;
  members: Description[];
  /** Whether somebody calls it an older snapshot, so that the name without a date means another. */
  superseded: boolean;
  /** Repositories of weights that stand behind it. */
  repositories: Set<string>;
}

const isSubset = (part: string[], whole: string[]) => part.every((item) => whole.includes(item));
const overlap = (a: string[], b: string[]) => isSubset(a, b) || isSubset(b, a);

/** `2` and `2.1` of one date are one release, told more and less exactly. */
function versionsAgree(a: Attributes, b: Attributes): boolean {
  if (overlap(a.versions, b.versions)) return true;
  if (a.date === null || b.date === null) return false;
  const [left, right] = [a.versions[0] ?? '', b.versions[0] ?? ''];
  return left.startsWith(`${right}.`) || right.startsWith(`${left}.`);
}

/** What speaks against two names being of one model; null: nothing. */
export function contradiction(a: Attributes, b: Attributes): string | null {
  if (!versionsAgree(a, b)) return `version ${a.versions.join(' ')} is not ${b.versions.join(' ')}`;
  if (!overlap(a.sizes, b.sizes)) return `size ${a.sizes.join(' ')} is not ${b.sizes.join(' ')}`;
  if (a.tuning !== null && b.tuning !== null && a.tuning !== b.tuning)
    return `${a.tuning} is not ${b.tuning}`;
  if ((a.tuning === 'base') !== (b.tuning === 'base')) return 'base weights are not what is served';
  if (a.thinking !== b.thinking) return 'thinking weights are weights of their own';
  if (a.date !== null && b.date !== null && !datesAgree(a.date, b.date)) return 'the dates differ';
  if (a.preview !== b.preview && !(a.date !== null && b.date !== null)) return 'a preview is not the release';
  return null;
}

/** The fuller of two dates. */
function exacter(a: Attributes['date'], b: Attributes['date']): Attributes['date'] {
  if (a === null || b === null) return a ?? b;
  return datePrecision(b) > datePrecision(a) ? b : a;
}

/** What two names say together. */
export function union(a: Attributes, b: Attributes): Attributes {
  const merge = (left: string[], right: string[]) => [...new Set([...left, ...right])].toSorted();
  const versions = overlap(a.versions, b.versions)
    ? merge(a.versions, b.versions)
    : [a.versions, b.versions].toSorted((left, right) => right.join().length - left.join().length)[0];
  return {
    words: a.words.length >= b.words.length ? a.words : b.words,
    versions: versions ?? [],
    sizes: merge(a.sizes, b.sizes),
    tuning: a.tuning ?? b.tuning,
    thinking: a.thinking,
    mode: a.mode === b.mode ? a.mode : null,
    preview: a.preview && b.preview,
    date: exacter(a.date, b.date),
  };
}

/** The rows of one source that lists no model twice, other than at another effort: its names are all of different models. */
export function distinctRows(a: Cluster, b: Cluster): boolean {
  const measured = (cluster: Cluster) => cluster.members.some(({ record }) => record.type === 'measurement');
  if (measured(a) && measured(b)) return true;
  return (
    a.repositories.size > 0 &&
    b.repositories.size > 0 &&
    ![...a.repositories].some((id) => b.repositories.has(id))
  );
}

/** Whether a name may leave this out and still be of that model. */
function mayOmit(less: Cluster, more: Cluster): boolean {
  const [a, b] = [less.attributes, more.attributes];
  if (a.versions.length < b.versions.length) {
    const dated = a.date !== null && b.date !== null && datesAgree(a.date, b.date);
    const first = b.versions.every((version) => version === '1' || version === '0.1');
    if (!dated && !first) return false;
  }
  return true;
}

/** The first version is mostly not counted. */
const isNotFirst = (version: string) => version !== '1';

/** Whether one name says nothing that the other does not say too. */
export function isContained(less: Cluster, more: Cluster): boolean {
  const [a, b] = [less.attributes, more.attributes];
  if (contradiction(a, b) !== null || distinctRows(less, more)) return false;
  if (a.date === null && more.superseded) return false;
  // Weights that do not say how they are tuned may be the base of those that do.
  if (a.tuning === null && b.tuning !== null && less.repositories.size > 0) return false;
  const dateFits = a.date === null || (b.date !== null && datePrecision(a.date) <= datePrecision(b.date));
  return (
    dateFits &&
    (isSubset(a.versions.filter(isNotFirst), b.versions) || versionsAgree(a, b)) &&
    (a.versions.length <= b.versions.length || !a.versions.some(isNotFirst)) &&
    (isSubset(a.sizes, b.sizes) || b.sizes.length === 0) &&
    (a.tuning === null || a.tuning === b.tuning || (b.tuning === null && more.repositories.size === 0)) &&
    mayOmit(less, more)
  );
}

/** Whether measurements alone stand behind it. */
export const isMeasured = ({ members }: Cluster): boolean =>
  members.every(({ record }) => record.type === 'measurement');
