import { plainText, TERMS } from './identity/attributes.ts';
import { knownCreator, stripVendor } from './identity/creators.ts';
import { describe, type Description } from './identity/describe.ts';
import { foldName, slugOf } from './identity/names.ts';
import { placeDescriptions, type Placed } from './identity/place.ts';
import { RULES, type Rulebook } from './identity/rulebook.ts';
import { byText } from './order.ts';
import type { SourceRecord } from './record.ts';

export { foldName, slugOf } from './identity/names.ts';
export { knownCreator } from './identity/creators.ts';

/** The creator of models that no source and no rule attributes. */
export const UNKNOWN_CREATOR = 'unknown';

/** How a record came to stand behind its model. */
export interface Match {
  kind: 'exact' | 'link' | 'rule' | 'alias';
  /** Name of the deciding rule; null: the names are equal. */
  rule: string | null;
  /** What was found, one sentence each. */
  evidence: string[];
}

/** All records of one model, and the id under which it is published. */
export interface Group {
  id: string;
  creator: string;
  /** Whether it is a name that its owner moves between releases. */
  rolling: boolean;
  records: SourceRecord[];
  /** How each record was placed, in the order of the records. */
  matches: Match[];
}

/** What tells offers apart: two records with the same key state the same offer, whatever they call the model. */
export function offerKey({ offer }: SourceRecord): string | null {
  return offer === null ? null : JSON.stringify([offer.provider, offer.providerModelId]);
}

/** How well a record's spelling of a name suits as a model's id: the more official the better. */
function spellingRank({ record, notes }: Description, creator: string): number {
  const own = (knownCreator(creator)?.providers ?? []).includes(record.naming.provider ?? '');
  const { type, source } = record;
  const official =
    type === 'metadata'
      ? 0
      : own
        ? 1
        : source === 'openrouter'
          ? 2
          : type === 'repository'
            ? 3
            : type === 'offer'
              ? 4
              : 5;
  return official * 2 + (notes.length === 0 ? 0 : 1);
}

/** The name of a model whose creator is unknown: who serves it, or who lists it, and the id there. */
function unknownName(record: SourceRecord): string {
  return `${record.naming.provider ?? record.source}-${record.naming.model}`;
}

/** Ids that a model could be published under, the best first. */
function idsFor({ creator, rolling, members }: Placed): string[] {
  if (creator === null)
    return members.map(({ record }) => `${UNKNOWN_CREATOR}/${slugOf(unknownName(record))}`);
  // OpenRouter's own moving names stand beside those of makers, and may point elsewhere.
  if (rolling?.startsWith('~')) return [`${creator}/${rolling.slice(1)}:openrouter`];
  const slugs = members
    .map((member) => ({
      rank: spellingRank(member, creator),
      slug: shortened(slugOf(spellingOf(member))) || shortened(slugOf(member.name)),
    }))
    .toSorted((a, b) => a.rank - b.rank || a.slug.length - b.slug.length || byText(a.slug, b.slug));
  return [...new Set(slugs.map(({ slug }) => `${creator}/${slug}`))];
}

/** The name that a record gives its model; where it is pinned to a release, the one that tells which. */
function spellingOf({ record, creator, name, canonical, notes }: Description): string {
  const pinned = notes.some(({ rule }) => rule === 'canonical-id');
  if (pinned) return canonical?.split('/').at(-1) ?? name;
  // Measurements carry their effort in the name.
  const spelled = plainText(record.type === 'measurement' ? record.facts.name : name);
  return stripVendor(spelled.replace(TERMS, ''), creator);
}

/**
 * Decides which records are about the same model, different when in doubt. The result does not depend on the order of the
 * records.
 *
 * `published` tells the id under which a record's model was published before: it is kept, however names move. `reserved`
 * are ids of others, which only their own records may have.
 */
export function groupRecords(
  records: SourceRecord[],
  published: (record: SourceRecord) => string | null = () => null,
  reserved: ReadonlySet<string> = new Set(),
  rules: Rulebook = RULES,
): Group[] {
  const placed = placeDescriptions(records.map((record) => describe(record, rules)));
  return nameAll(placed, published, reserved);
}

/** Gives every group an id of its own: the one it had, else the best that is free. */
function nameAll(
  placed: Placed[],
  published: (record: SourceRecord) => string | null,
  reserved: ReadonlySet<string>,
): Group[] {
  const wanted = placed.map((place) => ({ place, ids: idsFor(place) })).toSorted(inTurn);
  const taken = new Map<string, Placed>();
  const claims = wanted.flatMap(({ place, ids }) =>
    [...formerIds(place, published)].map(([id, count]) => ({ place, id, count, isBest: id === ids[0] })),
  );
  // Where a model fell apart, its id stays with the part that it names best, else with the largest.
  claims.sort((a, b) => Number(b.isBest) - Number(a.isBest) || b.count - a.count || byText(a.id, b.id));
  const named = new Map<Placed, string>();
  const claim = (place: Placed, id: string) => {
    if (named.has(place) || taken.has(id)) return;
    named.set(place, id);
    taken.set(id, place);
  };
  for (const { place, id } of claims) claim(place, id);
  for (const { place, ids } of wanted) {
    for (const id of ids) if (!reserved.has(id)) claim(place, id);
    if (named.has(place)) continue;
    for (const id of otherIds(place, ids[0] ?? '')) {
      if (!reserved.has(id)) claim(place, id);
      if (named.has(place)) break;
    }
  }
  return [...named].map(([place, id]) => groupOf(place, id)).toSorted((a, b) => byText(a.id, b.id));
}

/** Names that move come first, for they are nothing else. */
function inTurn(a: { place: Placed; ids: string[] }, b: { place: Placed; ids: string[] }): number {
  const moves = ({ place }: typeof a) => Number(place.moves || place.rolling !== null);
  return moves(b) - moves(a) || byText(a.ids[0] ?? '', b.ids[0] ?? '') || byText(a.place.key, b.place.key);
}

/** Ids for a model whose names are all taken: by what it is, by who has it, and at last by a number. */
function* otherIds({ members }: Placed, id: string): Generator<string> {
  if (members.some(({ attributes }) => attributes.tuning === 'base')) yield `${id}-base`;
  for (const { record } of members) {
    const where = shortened(slugOf(record.naming.provider ?? record.source), MAX_SUFFIX);
    if (where !== '') yield `${id}:${where}`;
  }
  for (let number = 2; ; number++) yield `${id}-${number}`;
}

/** The ids under which a model's records were published before, and how many of them. */
function formerIds(
  { members }: Placed,
  published: (record: SourceRecord) => string | null,
): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { record } of members) {
    const id = published(record);
    if (id !== null) counts.set(id, (counts.get(id) ?? 0) + 1);
  }
  return counts;
}

function groupOf(place: Placed, id: string): Group {
  const members = place.members.toSorted(
    (a, b) => byText(a.record.source, b.record.source) || byText(a.record.id, b.record.id),
  );
  return {
    id,
    creator: place.creator ?? UNKNOWN_CREATOR,
    rolling: place.moves || place.rolling !== null,
    records: members.map(({ record }) => record),
    matches: members.map((member) => matchOf(member, place, id)),
  };
}

/** The strongest evidence by which a record was placed. */
function matchOf(member: Description, place: Placed, id: string): Match {
  const joins = place.joins.get(member) ?? [];
  const evidence = [...member.notes, ...joins].map((note) => note.evidence);
  const alias = member.notes.find(({ rule }) => rule === 'alias');
  if (alias !== undefined) return { kind: 'alias', rule: 'alias', evidence };
  const named = foldName(member.name) === foldName(id.slice(id.indexOf('/') + 1));
  if (member.notes.length === 0 && (named || place.creator === null || place.rolling !== null))
    return { kind: 'exact', rule: null, evidence };
  const link = [...member.notes, ...joins].find(({ rule }) => LINKS.has(rule));
  if (link !== undefined) return { kind: 'link', rule: link.rule, evidence };
  const rule = [...joins, ...member.notes][0];
  if (rule !== undefined) return { kind: 'rule', rule: rule.rule, evidence };
  return {
    kind: 'rule',
    rule: 'spelling',
    evidence: [`${member.name} has the same words in another order or spelling`],
  };
}

const LINKS = new Set(['weights-link', 'same-offer', 'canonical-id']);

/** The API takes 300, of which these leave some for what tells equal names apart. */
const MAX_SLUG = 180;
const MAX_SUFFIX = 100;
/** The longest creator that the API takes. */
const MAX_CREATOR = 100;

function shortened(slug: string, most: number = MAX_SLUG): string {
  return slug.slice(0, most).replace(/[^a-z0-9]+$/, '');
}

/** Why a record can not be given an id; null: it can. */
export function unnameable(record: SourceRecord): string | null {
  const { name, creator } = describe(record);
  if (creator !== null && creator.length > MAX_CREATOR) return 'the name of the creator is too long';
  if (foldName(name) === '' || slugOf(name) === '') return 'the name holds no letter or digit';
  return slugOf(unknownName(record)).length > MAX_SLUG ? 'the name is too long' : null;
}
