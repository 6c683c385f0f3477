import type { Candidate, Hint, Match } from '../contracts/names.ts';
import type { Attributes } from '../sync/identity/attributes.ts';
import { describe, type Description } from '../sync/identity/describe.ts';
import type { Origin, Reading } from '../sync/readings.ts';
import type { ExplainedRecord, ModelStory } from './services/explain.ts';
import { changeInWords } from './services/match-evidence.ts';
import type { Meaning } from './services/resolver.ts';

/** Columns of the labels before what is said. */
const LABEL = 12;

/** Lines that begin with a label; those that follow are set below the first. */
function labelled(indent: number, label: string, lines: string[]): string[] {
  return lines.map((line, index) => {
    const start = index === 0 ? label : '';
    return `${' '.repeat(indent)}${start.padEnd(LABEL)}${line}`;
  });
}

const two = (number: number) => String(number).padStart(2, '0');

/** What a name says, part by part. */
function partsText(attributes: Attributes): string {
  const { words, versions, sizes, tuning, thinking, mode, preview, date } = attributes;
  const dates = (date ?? []).map(
    ({ year, month, day }) => `${year ?? '(year)'}-${two(month)}${day === null ? '' : `-${two(day)}`}`,
  );
  const parts = [
    words.length > 0 ? `words ${words.join(' ')}` : null,
    versions.length > 0 ? `version ${versions.join(', ')}` : null,
    sizes.length > 0 ? `size ${sizes.join(' ')}` : null,
    tuning === null ? null : `tuning ${tuning}`,
    thinking || mode === 'thinking' ? 'thinking' : mode === 'plain' ? 'not thinking' : null,
    preview ? 'preview' : null,
    dates.length > 0 ? `date ${dates.join(' or ')}` : null,
  ].filter((part) => part !== null);
  return parts.length === 0 ? 'no part beside the creator' : parts.join('; ');
}

function descriptionLines(indent: number, { creator, rolling, attributes, name, notes }: Description) {
  const by = creator === null ? 'of an unknown creator' : `of ${creator}`;
  const moves = rolling === null ? '' : '; a name that its owner moves';
  return [
    ...labelled(indent, 'read as', [`${name}, ${by}: ${partsText(attributes)}${moves}`]),
    ...labelled(
      indent,
      'by rule',
      notes.map(({ rule, evidence }) => `${rule}: ${evidence}`),
    ),
  ];
}

function matchLines({ kind, rule, evidence }: Match): string[] {
  return [rule === null ? `${kind}: the names are equal` : `${kind}, ${rule}`, ...evidence];
}

/** How a name that nobody is known to use can be taken. */
export function readingText(readings: Reading[]): string[] {
  const lines = readings.flatMap(({ record, namespace, notes }) => {
    const description = describe(record);
    const at = record.naming.provider ?? namespace;
    const where = at === null ? 'anywhere' : `at ${at}`;
    return [
      `  as ${record.type === 'repository' ? 'a repository' : `an entry ${where}`}`,
      ...descriptionLines(4, { ...description, notes: [...notes, ...description.notes] }),
    ];
  });
  return ['', 'How the rules read it', ...lines];
}

const TAKEN_FOR = {
  id: 'an id of this catalogue',
  'former id': 'a former id of this catalogue',
  name: 'a name that sources or providers use',
  reading: 'a name that nobody is known to use, read by the rules',
};

/** What was asked for, and what it means. */
export function meaningText(name: string, origin: Origin, meaning: Meaning): string[] {
  const from = origin.kind === 'anywhere' ? [] : labelled(2, 'from', [`${origin.kind} ${origin.id}`]);
  const head = [name, '', ...from];
  if (meaning.status === 'ambiguous')
    return [
      ...head,
      ...labelled(2, 'means', ['different models in different places: ask with --source']),
      ...candidateLines(meaning.candidates),
    ];
  if (meaning.status === 'not_found') return [...head, ...hintLines(meaning.hints)];
  const { model, match, takenFor, usages } = meaning;
  const used = usages.flatMap(({ namespace, modelId }) => (modelId === model.id ? [namespace] : []));
  const places = takenFor === 'name' && used.length > 0 ? ` (${used.join(', ')})` : '';
  const pointsTo =
    model.kind === 'rolling' ? `; points to ${model.target ?? 'a release that no source names'}` : '';
  return [
    ...head,
    ...labelled(2, 'taken for', [`${TAKEN_FOR[takenFor]}${places}`]),
    ...labelled(2, 'means', [`${model.id}  ${model.name} (${model.kind}${pointsTo})`]),
    ...labelled(2, 'because', matchLines(match)),
  ];
}

function candidateLines(candidates: Candidate[]): string[] {
  return candidates.flatMap(({ id, name, usages }) => [
    '',
    `${id}  ${name}`,
    ...usages.flatMap(({ namespace, match }) => labelled(2, `${namespace ?? 'by rule'} `, matchLines(match))),
  ]);
}

function hintLines(hints: Hint[]): string[] {
  const means = labelled(2, 'means', ['no model that is known']);
  if (hints.length === 0) return [...means, '', 'No model is near to it.'];
  const near = hints.map(({ id, because }) => `  ${id}  (${because})`);
  return [...means, '', 'Near to it, but no match', ...near];
}

function recordLines({ description, match }: ExplainedRecord): string[] {
  const { record, notes } = description;
  const told = new Set(notes.map(({ evidence }) => evidence));
  const said =
    match === null
      ? ['an earlier version placed it, and did not say how']
      : matchLines({ ...match, evidence: match.evidence.filter((text) => !told.has(text)) });
  return [
    '',
    `  ${record.source}  ${record.id}  (${record.type})`,
    ...descriptionLines(4, description),
    ...labelled(4, 'stands here', said),
  ];
}

/** Why a model is what it is: its records, what was kept apart, and what became of ids. */
export function storyText(id: string, story: ModelStory): string[] {
  const { records, unreadable, keptApart, isFamilyTooLarge, changes } = story;
  const apart = isFamilyTooLarge
    ? ['  the family is too large to be looked through']
    : keptApart.length === 0
      ? ['  no other model is of its family']
      : keptApart.map((other) => `  ${other.id}  (${other.because})`);
  return [
    '',
    `${records.length} records stand behind ${id}`,
    ...records.flatMap(recordLines),
    ...unreadable.map((entry) => `  ${entry}  (can not be read any more)`),
    '',
    `Kept apart from ${id}`,
    ...apart,
    '',
    'What became of ids',
    ...(changes.length === 0 ? ['  nothing yet'] : changes.map((change) => `  ${changeInWords(change)}`)),
  ];
}
