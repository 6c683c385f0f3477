import type { SourceRecord } from '../record.ts';
import { attributesKey, plainText, type Attributes } from './attributes.ts';
import { dateKey, takeDate } from './dates.ts';
import { contradiction, type Cluster } from './cluster.ts';
import { byRecord, Joiner, type Join } from './joiner.ts';
import { isOfficial, knownCreator } from './creators.ts';
import type { Description } from './describe.ts';
import { familyKey } from './keys.ts';
import { foldName } from './names.ts';
import { joinLinked } from './links.ts';

/** Records of one model. */
export interface Placed {
  creator: string | null;
  /** Of a name that says itself that it moves: the folded name. */
  rolling: string | null;
  /** Whether it is a name that its owner moves between releases. */
  moves: boolean;
  members: Description[];
  /** Why members were joined. */
  joins: ReadonlyMap<Description, Join[]>;
  /** The same for the same members. */
  key: string;
}

/** Decides which descriptions are of one model, family by family. */
export function placeDescriptions(described: Description[]): Placed[] {
  const descriptions = withOwnNames(described.toSorted(byRecord));
  bearOut(descriptions);
  const byFamily = Map.groupBy(descriptions, familyKey);
  for (const members of byFamily.values()) settleModes(members);
  const clusters: Cluster[] = [];
  for (const members of byFamily.values()) clusters.push(...startingClusters(members));
  const joiner = new Joiner(clusters);
  joinLinked(joiner);
  const placed: Placed[] = [];
  const settled = Map.groupBy(joiner.clusters, ({ creator, attributes, rolling, members }) =>
    creator === null || rolling !== null ? members : `${creator}/${attributes.words.join(' ')}`,
  );
  for (const family of settled.values()) {
    const local = new Joiner(family, joiner.joins);
    pinMoving(local);
    if (local.clusters.length > 1) local.joinAll();
    for (const cluster of local.clusters) {
      if (cluster.members.length === 0) continue;
      placed.push({
        creator: cluster.creator,
        rolling: cluster.rolling,
        moves: cluster.rolling === null && local.moves(cluster),
        members: cluster.members,
        joins: local.joins,
        key: cluster.members
          .map(({ record }) => `${record.source}\n${record.id}`)
          .toSorted()
          .join('\n\n'),
      });
    }
  }
  return placed;
}

/** Whether a mode beside the name means other weights: where makers, or the same source, tell them from the instruct ones. */
function settleModes(family: Description[]): void {
  for (const description of family) {
    const { attributes, record } = description;
    if (attributes.mode === 'thinking' && !attributes.thinking) {
      const weights = family.some(({ attributes: other, record: sibling, creator }) => {
        const told =
          (other.thinking && isOfficial(sibling, creator)) ||
          (sibling.type === 'measurement' && record.type === sibling.type && other.tuning === 'instruct');
        return (
          told &&
          contradiction({ ...attributes, thinking: other.thinking }, other) === null &&
          isSameKind(attributes, other)
        );
      });
      description.attributes = { ...attributes, thinking: weights, mode: null };
    } else if (attributes.mode !== null) description.attributes = { ...attributes, mode: null };
  }
}

const isSameKind = (a: Attributes, b: Attributes) =>
  (a.date === null) === (b.date === null) &&
  (a.sizes.length === 0) === (b.sizes.length === 0) &&
  (a.versions.length === 0) === (b.versions.length === 0);

/** Repositories whose names have the same words in another order are of different weights: `en-de` and `de-en`. */
function weightsApart(group: Description[]): Description[][] {
  const isWeights = ({ record }: Description) => record.type === 'repository';
  const bySequence = Map.groupBy(group.filter(isWeights), ({ sequence }) => sequence);
  if (bySequence.size < 2) return [group];
  const others = group.filter((member) => !isWeights(member));
  return [...bySequence.values(), ...(others.length > 0 ? [others] : [])];
}

/** Records with equal names start together; measurements apart, since they are of one checkpoint each. */
function startingClusters(members: Description[]): Cluster[] {
  const groups = Map.groupBy(members, ({ attributes, rolling, record, creator }) =>
    creator === null
      ? ''
      : (rolling ?? `${attributesKey(attributes)}${record.type === 'measurement' ? '!' : ''}`),
  );
  return [...groups.values()].flatMap(weightsApart).map((group) => {
    const first = group[0] as Description;
    return {
      creator: first.creator,
      attributes: first.attributes,
      rolling: first.rolling,
      superseded: group.some(({ record }) => /\bolder\b/i.test(record.facts.name)),
      members: group,
      repositories: new Set(
        group
          .filter(({ record }) => record.type === 'repository')
          .map(({ record }) => record.id.toLowerCase()),
      ),
    };
  });
}

/** Where a provider's own catalogue states an offer, its name holds for all who state it. */
function withOwnNames(descriptions: Description[]): Description[] {
  const own = new Map<string, Description>();
  for (const description of descriptions) {
    const { record } = description;
    if (record.offer !== null && record.source === record.offer.provider)
      own.set(`${record.offer.provider}\n${record.offer.providerModelId}`, description);
  }
  return descriptions.map((description) => {
    const { offer } = description.record;
    const better = offer === null ? undefined : own.get(`${offer.provider}\n${offer.providerModelId}`);
    if (better === undefined || better === description) return description;
    const { creator, suggested, attributes, rolling, links, name, canonical } = better;
    const note = { rule: 'same-offer', evidence: `${better.record.source} states the same offer` };
    return { ...description, creator, suggested, attributes, rolling, links, name, canonical, notes: [note] };
  });
}

/** Confirms creators that family words suggest, and finds those of bare names; what nothing bears out has none. */
function bearOut(descriptions: Description[]): void {
  const attested = new Set(
    descriptions
      .filter(({ creator, suggested }) => creator !== null && !suggested)
      .map(({ creator, attributes }) => `${creator}/${attributes.words.join(' ')}`),
  );
  const named = Map.groupBy(
    descriptions.filter(
      ({ creator, record, suggested }) => creator !== null && !suggested && isWitness(record, creator),
    ),
    ({ name }) => foldName(name),
  );
  for (const description of descriptions) {
    const { attributes, record } = description;
    if (description.suggested && !attested.has(`${description.creator}/${attributes.words.join(' ')}`))
      description.creator = null;
    const isTold = description.notes.some(({ rule }) => rule === 'contradiction');
    if (description.creator !== null || isTold || record.naming.model.includes('/')) continue;
    const witnesses = named.get(foldName(description.name)) ?? [];
    const creators = new Set(witnesses.map(({ creator }) => creator));
    const borneOut = witnesses.some(
      (witness) =>
        (record.naming.family !== null && witness.record.naming.family === record.naming.family) ||
        (record.facts.releaseDate !== null && witness.record.facts.releaseDate === record.facts.releaseDate),
    );
    if (creators.size !== 1 || !borneOut) continue;
    description.creator = witnesses[0]?.creator ?? null;
    description.attributes = witnesses[0]?.attributes ?? attributes;
    description.notes.push({
      rule: 'creator',
      evidence: `${description.creator} alone has a model of this name, of the same family or date`,
    });
  }
}

/** Repositories of uploaders repeat the names of the models that they copy, and measurements are named freely. */
function isWitness(record: SourceRecord, creator: string | null): boolean {
  if (record.type === 'measurement') return false;
  return record.type !== 'repository' || knownCreator(creator ?? '') !== undefined;
}

/** What a catalogue pins a moving name to: its canonical id then carries the date of the release that it serves. */
function pinMoving(joiner: Joiner): void {
  for (const cluster of joiner.clusters.filter((found) => found.rolling === null && joiner.moves(found))) {
    const pinned = Map.groupBy(cluster.members, ({ record, canonical }) => {
      const date = takeDate(plainText(canonical ?? '')).date;
      return record.type === 'measurement' || date === null ? '' : dateKey(date);
    });
    if (pinned.size < 2 && pinned.has('')) continue;
    const parts = [...pinned].map(([key, members]): Cluster => {
      const { date } = takeDate(plainText(members[0]?.canonical ?? ''));
      const repositories = key === '' ? cluster.repositories : new Set<string>();
      return {
        ...cluster,
        members,
        repositories,
        attributes: key === '' ? cluster.attributes : { ...cluster.attributes, date },
      };
    });
    for (const { members, attributes } of parts) {
      if (attributes.date === null) continue;
      for (const { notes, canonical } of members)
        notes.push({ rule: 'canonical-id', evidence: `its canonical id is ${canonical}` });
    }
    joiner.clusters = [...joiner.clusters.filter((other) => other !== cluster), ...parts];
  }
}
