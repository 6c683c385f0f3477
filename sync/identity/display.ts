import type { Attributes, Note } from './attributes.ts';

/** Words of shown names that ids leave out although they tell models apart; words for a way of serving are not among them. */
const LEFT_OUT = new Set(['vision', 'vl', 'code', 'coder', 'omni', 'audio', 'embedding']);

const isSubset = (part: string[], whole: string[]) => part.every((item) => whole.includes(item));

const isSoft = (word: string) => /^(?:chat|instruct|reasoner|reasoning|thinking)$/.test(word);

/** `52` beside `5.2`: the id has lost its dot. */
function withDots(own: string[], shown: string[]): string[] {
  return own.map(
    (text) => shown.find((other) => other !== text && other.replaceAll('.', '') === text) ?? text,
  );
}

/**
 * What the shown name adds to what the id says: dates, sizes, a version, a stage. Where the two contradict each other the
 * id holds, for it is what a caller gets.
 */
export function combine(id: Attributes, shown: Attributes, notes: Note[]): Attributes {
  const result: Attributes = {
    ...id,
    versions: withDots(id.versions, shown.versions),
    words: withDots(id.words, shown.words),
  };
  for (const size of shown.sizes) {
    const [, whole = '', rest = ''] = /^(\d)\.(\d+[bmt])$/.exec(size) ?? [];
    if (!id.versions.includes(whole) || !id.sizes.includes(rest)) continue;
    result.versions = id.versions.filter((version) => version !== whole);
    result.sizes = id.sizes.map((own) => (own === rest ? size : own));
  }
  const added: string[] = [];
  // DeepSeek Chat, shown as DeepSeek V3: the word was all that there was to tell it by.
  if (id.versions.length === 0 && shown.versions.length > 0 && id.words.every(isSoft))
    result.words = shown.words;
  const add = <Name extends keyof Attributes>(name: Name, value: Attributes[Name], text: string) => {
    result[name] = value;
    added.push(text);
  };
  if (result.versions.join() !== id.versions.join()) added.push('a dot in the number');
  const told = (version: string) => result.words.some((word) => word.endsWith(version));
  if (result.versions.length === 0 && shown.versions.length > 0 && !shown.versions.some(told))
    add('versions', shown.versions, `version ${shown.versions.join(', ')}`);
  if (shown.sizes.length > result.sizes.length && isSubset(result.sizes, shown.sizes))
    add('sizes', shown.sizes, `size ${shown.sizes.join(' ')}`);
  if (id.tuning === null && shown.tuning !== null && result.sizes.length > 0)
    add('tuning', shown.tuning, shown.tuning);
  if (!id.preview && shown.preview) add('preview', true, 'preview');
  if (id.date === null && shown.date !== null) add('date', shown.date, 'a date');
  const words = shown.words.filter((word) => LEFT_OUT.has(word) && !id.words.includes(word));
  if (words.length > 0 && isSubset(id.words, shown.words))
    add('words', [...id.words, ...words].toSorted(), words.join(' '));
  if (added.length > 0)
    notes.push({ rule: 'shown-name', evidence: `the name that is shown adds ${added.join(', ')}` });
  return result;
}

/**
 * What an id and the name shown with it contradict each other in, although they are of one family; null: nothing. Then
 * nobody can tell which of two models is served.
 */
export function contradicted(id: Attributes, shown: Attributes): string | null {
  if (id.words.join() !== shown.words.join()) return null;
  const digits = (versions: string[]) => versions.join('').replaceAll('.', '');
  const [own, other] = [id.versions.join(' '), shown.versions.join(' ')];
  const differ =
    !isSubset(id.versions, shown.versions) &&
    !isSubset(shown.versions, id.versions) &&
    !own.startsWith(other) &&
    digits(id.versions) !== digits(shown.versions);
  if (differ) return `version ${own}, and ${other}`;
  return shown.thinking && !id.thinking && id.mode === null ? 'only one of them says thinking' : null;
}
