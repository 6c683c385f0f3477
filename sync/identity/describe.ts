import { SOLE_CREATOR } from '../aliases.ts';
import type { SourceRecord } from '../record.ts';
import { parseName, plainText, TERMS, type Attributes, type Note } from './attributes.ts';
import { creatorOfName, isOfficial, knownCreator, readingOf, stripVendor } from './creators.ts';
import { combine, contradicted } from './display.ts';
import { foldName, slugOf } from './names.ts';
import { RULES, type Rulebook } from './rulebook.ts';

/** What one record says of the identity of its model. It depends on the record and the rules alone. */
export interface Description {
  record: SourceRecord;
  /** Null: nothing says. */
  creator: string | null;
  /** Whether the creator is only what the family word suggests, and some other record must bear it out. */
  suggested: boolean;
  attributes: Attributes;
  /** The words of the name in their order. */
  sequence: string;
  /** Of a name that moves: the folded name, which alone identifies it. */
  rolling: string | null;
  /** Repositories of weights that it links to, in lower case. */
  links: string[];
  /** The name as the source spells it, without what is no part of it. */
  name: string;
  /** Another id that a catalogue gives it; of some it tells which release a moving name serves. */
  canonical: string | null;
  notes: Note[];
}

/** A name on its way from an id to attributes. */
interface Naming {
  creator: string | null;
  name: string;
  /** Whether an unknown uploader stands before the name, so that family words prove nothing. */
  uploaded: boolean;
  notes: Note[];
}

/** Bedrock ids: an optional region, the creator, then the name, all parted by dots. */
const DOTTED = /^(?:(?:us|us-gov|eu|apac|ap|au|ca|jp|global)\.)?([a-z0-9-]+)\.(?=[a-z])(.+)$/;

/** Who serves, routes or uploads comes off; who made it is told apart from the name. */
function takeApart(record: SourceRecord, id: string, rules: Rulebook): Naming {
  const notes: Note[] = [];
  const { provider } = record.naming;
  const segments = id.replace(/^hf:/i, '').split('/');
  let name = segments.pop() ?? id;
  const prefixes = segments.filter((segment) => !rules.noCreator.has(segment.toLowerCase()));
  if (prefixes.length < segments.length)
    notes.push({ rule: 'host-prefix', evidence: `${id}: no creator before the name` });
  const known = prefixes.map((segment) => knownCreator(segment)?.id).filter((found) => found !== undefined);
  let creator = known.at(-1) ?? null;
  const uploaded = creator === null && prefixes.length === 1 && /^[\w.-]+$/.test(prefixes[0] ?? '');

  const dotted = prefixes.length === 0 ? DOTTED.exec(name.toLowerCase()) : null;
  const vendor = dotted?.[1] === undefined ? undefined : knownCreator(dotted[1]);
  if (vendor !== undefined && dotted?.[2] !== undefined) {
    const region = name.slice(0, name.length - dotted[2].length);
    notes.push({ rule: 'region-prefix', evidence: `${region} before ${dotted[2]}` });
    name = name.slice(region.length);
    creator = vendor.id;
  }
  const terms = TERMS.exec(name)?.[0] ?? '';
  name = name.slice(0, name.length - terms.length);
  let plain = plainText(name);
  for (const { name: rule, providers, form, reason } of rules.decorations) {
    if (providers !== null && !providers.includes(provider ?? '')) continue;
    const bare = plain.replace(form, '');
    if (bare === plain || bare === '') continue;
    notes.push({ rule, evidence: `${plain} is ${bare}: ${reason}` });
    plain = bare;
    name = bare;
  }
  return { creator, name: name + terms, uploaded, notes };
}

function aliasOf(record: SourceRecord, creator: string | null, rules: Rulebook) {
  const { model, provider } = record.naming;
  const named = [model.split('/').at(-1) ?? model, record.facts.name].map(
    (name) => `${creator ?? ''}/${name}`,
  );
  return [model, ...named]
    .flatMap((name) => rules.aliases.get(foldName(name)) ?? [])
    .find((alias) => alias.provider === null || alias.provider === provider);
}

/** Takes a naming's model and creator; `model` may be an id with prefixes, or a name as it is shown. */
function namingOf(record: SourceRecord, rules: Rulebook): Naming & { aliased: boolean } {
  const stated = record.naming.creator;
  const said =
    stated === null ? null : (knownCreator(stated)?.id ?? (slugOf(stated.replaceAll(':', ' ')) || null));
  const naming = takeApart(record, record.naming.model, rules);
  const creator = said ?? naming.creator;
  const alias = aliasOf(record, creator ?? creatorOfName(naming.name, rules)?.creator ?? null, rules);
  if (alias === undefined) return { ...naming, creator, aliased: false };
  const slash = alias.means.indexOf('/');
  return {
    creator: alias.means.slice(0, slash),
    name: alias.means.slice(slash + 1),
    uploaded: false,
    notes: [{ rule: 'alias', evidence: `${record.naming.model} is ${alias.means}: ${alias.reason}` }],
    aliased: true,
  };
}

const REPOSITORY = /^https:\/\/huggingface\.co\/([\w.-]+\/[\w.-]+)\/?$/;

/** The repositories of weights that a record names as its own; several are copies in other precisions. */
function linksOf(record: SourceRecord): string[] {
  return record.facts.links
    .filter(({ type }) => type === 'weights')
    .map(({ url }) => REPOSITORY.exec(url)?.[1]?.toLowerCase())
    .filter((id) => id !== undefined);
}

/** The name that a record shows beside its id; null where it only repeats the id, or has no other name. */
function shownName({ type, naming, facts }: SourceRecord): string | null {
  if (type !== 'offer' && type !== 'metadata') return null;
  const repeated = [naming.model, naming.model.split('/').at(-1) ?? ''].map(foldName);
  return repeated.includes(foldName(facts.name)) ? null : facts.name;
}

const read = new WeakMap<SourceRecord, Description>();

/** Reads what a record says of the identity of its model. */
export function describe(record: SourceRecord, rules: Rulebook = RULES): Description {
  if (rules !== RULES) return readAnew(record, rules);
  const known = read.get(record) ?? readAnew(record, rules);
  read.set(record, known);
  return { ...known, notes: [...known.notes] };
}

function readAnew(record: SourceRecord, rules: Rulebook): Description {
  const naming = namingOf(record, rules);
  const { notes, aliased } = naming;
  const shown = shownName(record);
  let { creator } = naming;
  let suggested = false;
  if (creator === null && !naming.uploaded) {
    const sole = SOLE_CREATOR.get(record.naming.provider ?? '');
    const branded =
      creatorOfName(naming.name, rules) ?? (shown === null ? null : creatorOfName(shown, rules));
    creator = sole ?? branded?.creator ?? null;
    suggested = sole === undefined && branded?.certain === false;
    if (creator !== null)
      notes.push({
        rule: 'creator',
        evidence:
          sole === undefined
            ? `${branded?.word} is of ${creator}`
            : `${record.naming.provider} serves its own models alone`,
      });
  }
  const reading = readingOf(creator, rules);
  const clean = (text: string) => stripVendor(rules.withoutBasis(plainText(text)), creator);
  const parsed = parseName(clean(naming.name), reading);
  for (const { rule, text } of parsed.setAside)
    notes.push({ rule, evidence: `${text.trim()} is no part of the name` });
  const display = shown === null || aliased ? null : parseName(clean(shown), reading).attributes;
  const attributes = display === null ? parsed.attributes : combine(parsed.attributes, display, notes);
  rules.settle(creator, attributes, record.type === 'repository', notes);
  if (display !== null && !isOfficial(record, creator)) {
    rules.settle(creator, display, false, []);
    const against = contradicted(attributes, display);
    if (against !== null) {
      notes.push({
        rule: 'contradiction',
        evidence: `the id and the name that is shown disagree: ${against}`,
      });
      creator = null;
    }
  }
  const name = foldName(naming.name);
  const moves =
    record.kind === 'rolling' && !notes.some(({ rule }) => rule === 'versioned-chat-latest')
      ? true
      : attributes.versions.length === 0 && attributes.date === null && rules.isRollingName(creator, name);
  return {
    record,
    creator,
    suggested,
    attributes,
    sequence: parsed.sequence,
    rolling:
      moves || record.kind === 'router'
        ? `${/(^|\/)~/.test(record.naming.model) || record.id.startsWith('~') ? '~' : ''}${name}`
        : null,
    links: linksOf(record),
    name: naming.name,
    canonical: record.naming.canonical,
    notes,
  };
}
