import { CREATORS, SOLE_BRAND, SOLE_CREATOR, TERMS_SUFFIX, type Creator } from './aliases.ts';
import { byText } from './order.ts';
import type { SourceRecord } from './record.ts';

/** The creator of models that no source and no rule attributes. */
export const UNKNOWN_CREATOR = 'unknown';

/** All records of one model, and the id under which it is published. */
export interface Group {
  id: string;
  creator: string;
  /** What records have in common: the creator and the name with case and punctuation folded. */
  key: string;
  records: SourceRecord[];
}

/** Folds case and punctuation: `Llama 3.3 70B` and `llama-3.3-70b` are the same name, `gpt-41` and `gpt-4.1` are not. */
export function foldName(name: string): string {
  return name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll('+', '-plus')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}

/** Spells a name as a slug: lower case, `[a-z0-9._:-]`, beginning with a letter or digit. */
export function slugOf(name: string): string {
  return name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll('+', '-plus')
    .replace(/[^a-z0-9._:-]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
}

const CREATOR_OF = new Map<string, Creator>(
  CREATORS.flatMap((creator) => [creator.id, ...creator.spellings].map((name) => [name, creator] as const)),
);

/** The creator that a spelling names, if the table knows it. */
export function knownCreator(spelling: string): Creator | undefined {
  return CREATOR_OF.get(foldName(spelling));
}

/** What tells offers apart: two records with the same key state the same offer, whatever they call the model. */
export function offerKey({ offer }: SourceRecord): string | null {
  return offer === null ? null : JSON.stringify([offer.provider, offer.providerModelId]);
}

interface Naming {
  /** Null: the record does not say, and no rule does. */
  creator: string | null;
  name: string;
}

/** Bedrock ids: an optional region, the creator, then the name, all parted by dots; `:0` counts revisions of the API. */
const DOTTED = /^(?:(?:us|us-gov|eu|apac|ap|au|ca|jp|global)\.)?([a-z0-9-]+)\.(.+?)(?::\d+)?$/;

/** What a record says outright about creator and name, and what the reviewed tables add. */
function namingOf(record: SourceRecord): Naming {
  const { creator, provider } = record.naming;
  const model = record.naming.model.replace(TERMS_SUFFIX, '');
  if (creator !== null)
    return {
      creator: knownCreator(creator)?.id ?? (slugOf(creator.replaceAll(':', ' ')) || null),
      name: model,
    };

  const segments = model.split('/');
  const name = segments.at(-1) ?? model;
  const prefix = segments.at(-2)?.replace(/^hf:/, '');
  if (prefix !== undefined) return { creator: knownCreator(prefix)?.id ?? null, name };
  if (record.type === 'repository') return { creator: null, name };

  const dotted = provider === 'amazon-bedrock' ? DOTTED.exec(name) : null;
  const vendor = dotted?.[1] === undefined ? undefined : knownCreator(dotted[1]);
  if (vendor !== undefined && dotted?.[2] !== undefined) return { creator: vendor.id, name: dotted[2] };

  const sole = provider === null ? undefined : SOLE_CREATOR[provider];
  if (sole !== undefined) return { creator: sole, name };
  const brand = SOLE_BRAND.find(({ pattern }) => pattern.test(name.toLowerCase()));
  return { creator: brand?.creator ?? null, name };
}

/** The naming of every record; where a provider's own catalogue states an offer, that naming holds for all who state it. */
function namingsOf(records: SourceRecord[]): Naming[] {
  const namings = records.map(namingOf);
  const own = new Map<string, Naming>();
  records.forEach((record, index) => {
    const key = offerKey(record);
    const naming = namings[index];
    if (key !== null && naming !== undefined && record.source === record.offer?.provider)
      own.set(key, naming);
  });
  return records.map((record, index) => own.get(offerKey(record) ?? '') ?? (namings[index] as Naming));
}

/** What is known of a name before bare names are looked at. */
interface Known {
  creator: string;
  families: Set<string>;
  releaseDates: Set<string>;
}

/** The creator of a bare name: the only one that has a model of that very name, where family or release date bear it out. */
function creatorOfBareName(record: SourceRecord, known: Known[] | undefined): string | null {
  const only = known?.length === 1 ? known[0] : undefined;
  if (only === undefined) return null;
  const { family } = record.naming;
  const { releaseDate } = record.facts;
  const sameFamily = family !== null && only.families.has(family);
  const sameDate = releaseDate !== null && only.releaseDates.has(releaseDate);
  return sameFamily || sameDate ? only.creator : null;
}

/** Which record gives a model its spelling: the more official the source, the sooner. */
const SPELLING_ORDER: SourceRecord['type'][] = ['metadata', 'offer', 'repository', 'measurement'];

function spellingRank(record: SourceRecord, creator: string): number {
  const own =
    record.naming.provider !== null &&
    (knownCreator(creator)?.providers ?? []).includes(record.naming.provider);
  return SPELLING_ORDER.indexOf(record.type) * 2 + (own ? 0 : 1);
}

/**
 * Decides which records are about the same model: the same creator and the same name after case and punctuation, different
 * when in doubt. The result does not depend on the order of the records.
 *
 * `published` maps keys to ids that were published before: they are kept, however the spelling of the sources moves.
 */
export function groupRecords(
  records: SourceRecord[],
  published: ReadonlyMap<string, string> = new Map(),
): Group[] {
  const namings = namingsOf(records);
  const knownByName = new Map<string, Known[]>();
  records.forEach((record, index) => {
    const naming = namings[index];
    if (naming === undefined || naming.creator === null || record.type === 'measurement') return;
    // Repositories of uploaders repeat the names of the models that they copy.
    if (record.type === 'repository' && knownCreator(naming.creator) === undefined) return;
    const name = foldName(naming.name);
    const list = knownByName.get(name) ?? [];
    if (list.length === 0) knownByName.set(name, list);
    let known = list.find(({ creator }) => creator === naming.creator);
    if (known === undefined) {
      known = { creator: naming.creator, families: new Set(), releaseDates: new Set() };
      list.push(known);
    }
    if (record.naming.family !== null) known.families.add(record.naming.family);
    if (record.facts.releaseDate !== null) known.releaseDates.add(record.facts.releaseDate);
  });

  const groups = new Map<string, { creator: string; members: { record: SourceRecord; slug: string }[] }>();
  records.forEach((record, index) => {
    const naming = namings[index];
    if (naming === undefined) return;
    const attributed = naming.creator ?? creatorOfBareName(record, knownByName.get(foldName(naming.name)));
    const creator = attributed ?? UNKNOWN_CREATOR;
    const name = attributed === null ? unknownName(record) : naming.name;
    const key = `${creator}/${foldName(name)}`;
    const group = groups.get(key) ?? { creator, members: [] };
    if (group.members.length === 0) groups.set(key, group);
    group.members.push({ record, slug: slugOf(name) });
  });

  return [...groups].map(([key, { creator, members }]) => {
    members.sort(
      (a, b) =>
        spellingRank(a.record, creator) - spellingRank(b.record, creator) ||
        a.slug.length - b.slug.length ||
        byText(a.slug, b.slug) ||
        byText(a.record.source, b.record.source) ||
        byText(a.record.id, b.record.id),
    );
    const id = published.get(key) ?? `${creator}/${members[0]?.slug}`;
    return { id, creator, key, records: members.map(({ record }) => record) };
  });
}

/** The key under which a published id is found again. */
export function keyOfId(id: string): string {
  const slash = id.indexOf('/');
  return `${id.slice(0, slash)}/${foldName(id.slice(slash + 1))}`;
}

/** The name of a model whose creator is unknown: who serves it, or who lists it, and the id there. */
function unknownName(record: SourceRecord): string {
  return `${record.naming.provider ?? record.source}-${record.naming.model}`;
}

/** The longest slug that the API takes. */
const MAX_SLUG = 300;

/** Why a record can not be given an id; null: it can. */
export function unnameable(record: SourceRecord): string | null {
  const { name } = namingOf(record);
  if (foldName(name) === '' || slugOf(name) === '') return 'the name holds no letter or digit';
  return slugOf(unknownName(record)).length > MAX_SLUG ? 'the name is too long' : null;
}
