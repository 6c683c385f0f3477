import { attributesKey, type Attributes } from './attributes.ts';
import { contradiction, distinctRows, isContained, isMeasured, union, type Cluster } from './cluster.ts';
import { isOfficial } from './creators.ts';
import { agreesWithRelease } from './dates.ts';
import type { Description } from './describe.ts';
import { byText } from '../order.ts';

/** Why two clusters were found to be one model. */
export interface Join {
  rule: string;
  evidence: string;
}

function areOne(clusters: Cluster[]): boolean {
  return clusters.every((left, at) =>
    clusters
      .slice(at + 1)
      .every(
        (right) => contradiction(left.attributes, right.attributes) === null && !distinctRows(left, right),
      ),
  );
}

function omitted(less: Attributes, more: Attributes): string | null {
  const parts = [
    less.date === null && more.date !== null ? 'the date' : null,
    less.versions.length < more.versions.length ? 'the version' : null,
    less.sizes.length < more.sizes.length ? 'the size' : null,
    less.tuning === null && more.tuning !== null ? more.tuning : null,
  ].filter((part) => part !== null);
  return parts.length === 0 ? null : parts.join(', ');
}

const releaseDates = ({ members }: Cluster) =>
  members.map(({ record }) => record.facts.releaseDate).filter((date) => date !== null);

/**
 * Whether release dates bear it out that names without a date are of a dated release. A measurement is of one checkpoint,
 * so its date must agree, and a repository has to be dated by somebody; of sellers, who copy dates, one is enough.
 */
function isPossible(clusters: Cluster[]): boolean {
  const dates = clusters.map(({ attributes }) => attributes.date).filter((date) => date !== null);
  const agrees = (released: string) => dates.every((date) => agreesWithRelease(date, released));
  return clusters.every((cluster) => {
    if (dates.length === 0 || cluster.attributes.date !== null) return true;
    const released = releaseDates(cluster);
    const measured = cluster.members.filter(({ record }) => record.type === 'measurement');
    return (
      measured.every(({ record: { facts } }) => facts.releaseDate === null || agrees(facts.releaseDate)) &&
      (released.some(agrees) || (released.length === 0 && cluster.repositories.size === 0))
    );
  });
}

/** Leaves out names without a date whose release dates speak against the dated ones. */
function withoutImpossible(less: Cluster, more: Cluster[]): Cluster[] {
  const dated = more.filter(({ attributes }) => attributes.date !== null);
  const rest = more.filter((part) => dated.includes(part) || isPossible([part, ...dated]));
  return [less, ...rest];
}

/** Joins clusters of one family, and remembers for each record why. */
export class Joiner {
  readonly joins: Map<Description, Join[]>;
  clusters: Cluster[];
  readonly #joined = new Map<Cluster, Cluster>();

  constructor(clusters: Cluster[], joins = new Map<Description, Join[]>()) {
    this.clusters = clusters;
    this.joins = joins;
  }

  /** The cluster that one has become part of. */
  current(cluster: Cluster): Cluster {
    const whole = this.#joined.get(cluster);
    return whole === undefined ? cluster : this.current(whole);
  }

  /** Remembers why a record stands where it does. */
  explain(member: Description, reason: Join): void {
    this.joins.set(member, [...(this.joins.get(member) ?? []), reason]);
  }

  /** Makes one cluster of several. */
  join(several: Cluster[], joinOf: (part: Cluster, whole: Cluster) => Join | null): void {
    const parts = several.toSorted(order);
    const [first, ...rest] = parts;
    if (first === undefined || rest.length === 0) return;
    const whole: Cluster = {
      creator: first.creator,
      rolling: first.rolling,
      attributes: rest.reduce((sum, part) => union(sum, part.attributes), first.attributes),
      superseded: parts.some(({ superseded }) => superseded),
      members: parts.flatMap(({ members }) => members).toSorted(byRecord),
      repositories: new Set(parts.flatMap(({ repositories }) => [...repositories])),
    };
    for (const part of parts) {
      this.#joined.set(part, whole);
      const reason = joinOf(part, whole);
      if (reason === null) continue;
      for (const member of part.members) this.explain(member, reason);
    }
    this.clusters = [...this.clusters.filter((cluster) => !parts.includes(cluster)), whole];
  }

  /** The models that a name can mean, where it leaves something out. */
  #meant(less: Cluster): Cluster[] {
    const more = this.#containing(less);
    const alike = more.filter(
      ({ attributes, repositories }) =>
        (attributes.date === null) === (less.attributes.date === null) && repositories.size > 0,
    );
    if (alike.length > 0) return alike;
    const fixed = isMeasured(less) || less.repositories.size > 0;
    if (!fixed || areOne([less, ...more])) return more;
    // A measurement and a repository are of one release: their dates tell which of several is meant.
    const released = releaseDates(less);
    return more.filter(
      ({ attributes: { date } }) => date !== null && released.some((day) => agreesWithRelease(date, day)),
    );
  }

  /** Whether a name means one model alone. */
  #isClear(cluster: Cluster): boolean {
    return areOne([cluster, ...this.#containing(cluster)]);
  }

  #containing(less: Cluster): Cluster[] {
    return this.clusters.filter(
      (other) => other !== less && other.rolling === null && isContained(less, other),
    );
  }

  /** Dated releases of versions that a name with neither could mean as well. */
  #otherVersions(less: Cluster, more: Cluster[]): Cluster[] {
    const { versions, date } = less.attributes;
    if (versions.length > 0 || date !== null) return [];
    return this.clusters.filter(
      (other) =>
        other !== less &&
        !more.includes(other) &&
        other.attributes.date !== null &&
        isContained(
          { ...less, attributes: { ...less.attributes, versions: other.attributes.versions } },
          other,
        ),
    );
  }

  /** Whether a name without a date stands beside several dated releases, so that its owner moves it. */
  moves(cluster: Cluster): boolean {
    if (cluster.attributes.date !== null || cluster.repositories.size > 0 || isMeasured(cluster))
      return false;
    const named = this.clusters.filter(
      (other) => other.attributes.date !== null && other !== cluster && isContained(cluster, other),
    );
    const dated = [...named, ...this.#otherVersions(cluster, named)];
    return dated.length > 1 && !areOne(dated);
  }

  /** Joins whatever is one model beyond doubt. */
  joinAll(): void {
    this.#joinEqual();
    this.#joinContained();
    this.#joinDroppedPreviews();
    this.#joinContained();
  }

  /** While there is no release, a seller who leaves out the word preview can mean nothing else. */
  #joinDroppedPreviews(): void {
    for (const preview of this.clusters.filter(
      ({ attributes }) => attributes.preview && attributes.date === null,
    )) {
      const plain = { ...preview, attributes: { ...preview.attributes, preview: false } };
      const rest = this.clusters.filter(
        (other) => other !== preview && (isContained(other, plain) || isContained(plain, other)),
      );
      const sold = (cluster: Cluster) =>
        cluster.members.length > 0 &&
        cluster.members.every(
          ({ record, creator }) => record.type === 'offer' && !isOfficial(record, creator),
        );
      if (rest.length === 0 || !rest.every(sold)) continue;
      this.join([preview, ...rest], (part) =>
        part === preview
          ? null
          : {
              rule: 'dropped-preview',
              evidence: 'there is a preview of that name, and no release yet',
            },
      );
    }
  }

  /** Joins equal names, unless they move: a measurement is of what was served when it was made. */
  #joinEqual(): void {
    const groups = Map.groupBy(
      this.clusters,
      ({ attributes, rolling }) => `${rolling}${attributesKey(attributes)}`,
    );
    for (const parts of groups.values()) {
      if (parts.length < 2 || parts.some((part) => this.moves(part))) continue;
      if (!areOne(parts) || !isPossible(parts)) continue;
      this.join(parts, () => null);
    }
  }

  /** Joins names that leave something out with the one model that they can mean; with several they stay apart. */
  #joinContained(): void {
    for (let before = Infinity; this.clusters.length < before;) {
      before = this.clusters.length;
      for (const less of this.clusters.toSorted(order)) {
        const parts = this.current(less) === less ? this.#oneModel(less) : null;
        if (parts === null) continue;
        this.join(parts, (part, whole) => {
          const left = omitted(part.attributes, whole.attributes);
          return left === null
            ? null
            : {
                rule: 'left-out',
                evidence: `the name leaves out ${left}, and one model alone can be meant`,
              };
        });
      }
    }
  }

  /** A name, with all that mean the same model beyond doubt; null: it means none, or several. */
  #oneModel(less: Cluster): Cluster[] | null {
    if (less.rolling !== null) return null;
    const more = this.#meant(less);
    if (more.length === 0 || !areOne([less, ...more, ...this.#otherVersions(less, more)])) return null;
    const clear = more.filter((part) => this.#isClear(part));
    const parts = withoutImpossible(less, clear);
    return parts.length > 1 && isPossible(parts) ? parts : null;
  }
}

/** By source and id. */
export const byRecord = (a: Description, b: Description): number =>
  byText(a.record.source, b.record.source) || byText(a.record.id, b.record.id);

/** From the name that says least to the one that says most; the same whatever order records came in. */
function order(a: Cluster, b: Cluster): number {
  const [left, right] = [attributesKey(a.attributes), attributesKey(b.attributes)];
  const [first, second] = [a.members[0], b.members[0]];
  return (
    left.length - right.length ||
    byText(left, right) ||
    (first === undefined || second === undefined
      ? b.members.length - a.members.length
      : byRecord(first, second))
  );
}
