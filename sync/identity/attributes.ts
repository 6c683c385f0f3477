import { dateKey, takeDate, type NameDate } from './dates.ts';
import { isAscii, withoutMarks } from './names.ts';

/** What a name says of a model, attribute by attribute. Lists are sorted: the order of words in a name tells nothing. */
export interface Attributes {
  /** Family and variant: `claude`, `sonnet`; without the creator, and without everything below. */
  words: string[];
  /** Version numbers without a zero at the end: `4.5`, `2`. */
  versions: string[];
  /** Parameters: all, active, of an expert, number of experts: `235b`, `a22b`, `8x22b`, `128e`. */
  sizes: string[];
  tuning: 'instruct' | 'base' | null;
  /** Whether the name itself says that it thinks. */
  thinking: boolean;
  /** A mode that is said beside the name, in brackets or after a colon. */
  mode: 'thinking' | 'plain' | null;
  preview: boolean;
  date: NameDate | null;
}

/** Why a record was read as it was: the name of a rule, and what it found. */
export interface Note {
  rule: string;
  evidence: string;
}

/** A name taken apart, and what was set aside on the way as no part of the model's identity. */
export interface ParsedName {
  attributes: Attributes;
  /** The words in their order, without what is set aside: names of weights that differ in it are different. */
  sequence: string;
  /** Words of the name that are no identity: precision, effort, mode, ... */
  setAside: SetAside[];
}

/** Something in a name that is no part of the model's identity, by the name of the rule that says so. */
export interface SetAside {
  rule: 'terms' | 'effort' | 'mode' | 'precision';
  text: string;
}

const PRECISION =
  /^(?:fp4|fp8|fp16|bf16|fp32|nvfp4|mxfp4|int4|int8|w4a16|w8a8|awq|gptq|[2-8]bit|hf|tput|dynamic|dflash)$/;
const THINKING = new Set(['thinking', 'think', 'thinker', 'reasoning', 'reasoner']);
const PLAIN = /\bnon?[- ]?(?:thinking|reasoning|think)\b/g;
const EFFORT = /^(?:none|minimal|low|medium|high|xhigh|max)$/;
const TUNING = new Map<string, 'instruct' | 'base'>([
  ['instruct', 'instruct'],
  ['it', 'instruct'],
  ['chat', 'instruct'],
  ['base', 'base'],
]);

/** `:free`, `:thinking:low`, `:8192`: what providers put behind a model's name to sell it on other terms. */
export const TERMS =
  /(?::(?:free|batch|thinking|reasoning|extended|beta|exacto|nitro|floor|online|web|none|minimal|low|medium|high|xhigh|max|\d{4,5}))+$/;

/** Brackets whose every part tells the effort or mode of a measured run, or a fallback. */
const RUN_PART =
  /^(?:(?:adaptive |extended )?(?:non-?)?(?:reasoning|thinking)(?: mode)?|(?:none|minimal|low|medium|high|xhigh|max)(?: effort)?|.* fallback|no thinking)$/;

interface Draft {
  text: string;
  mode: Attributes['mode'];
  setAside: SetAside[];
}

function takeTerms(draft: Draft): void {
  const terms = TERMS.exec(draft.text)?.[0];
  if (terms === undefined) return;
  draft.text = draft.text.slice(0, -terms.length);
  const thinks = /thinking|reasoning/.test(terms);
  if (thinks) draft.mode = 'thinking';
  draft.setAside.push({ rule: thinks ? 'mode' : 'terms', text: terms });
}

function takeBrackets(draft: Draft): void {
  draft.text = draft.text.replace(/\(([^()]*)\)/g, (whole, inside: string) => {
    const parts = inside.split(/,\s*/).map((part) => part.trim());
    if (!parts.every((part) => RUN_PART.test(part))) return ` ${inside} `;
    const said = parts.find((part) => /reasoning|thinking/.test(part));
    if (said !== undefined) draft.mode = said.startsWith('no') ? 'plain' : 'thinking';
    draft.setAside.push({ rule: said === undefined ? 'effort' : 'mode', text: whole });
    return ' ';
  });
}

/** Spells numbers one way: `k2p6` and `k2-6` are `k2.6`, `3_3` is `3.3`. */
function spellNumbers(text: string): string {
  return text
    .replace(/(\d)_(?=\d)/g, '$1.')
    .replace(/\bv[- ](?=\d)/g, 'v')
    .replace(/(\d)p(\d)(?![a-z0-9])/g, '$1.$2')
    .replace(/(?<![\d.])((?:[a-z]+)?\d{1,2})-(0|[1-9]\d?)(?![\da-z.])/g, '$1.$2')
    .replace(/(?<!\d)\.|\.(?!\d)/g, ' ');
}

/** Parts letters from numbers where they are two words: `qwen3` is, `k2`, `r1` and `4o` are not. */
function tokensOf(text: string): string[] {
  return text
    .split(/[^\p{L}\p{N}.]+/u)
    .flatMap((token) => {
      if (PRECISION.test(token)) return [token];
      const [, word, number] = /^([a-z]{2,})(\d+(?:\.\d+)*)$/.exec(token) ?? [];
      if (word !== undefined && number !== undefined) return [word, number];
      const [, version, v] = /^(\d+(?:\.\d+)?)(v)$/.exec(token) ?? [];
      return version !== undefined && v !== undefined ? [version, v] : [token];
    })
    .filter((token) => token !== '');
}

/** Lower case, one kind of quotation mark and dash, `+` as a word. */
export function plainText(name: string): string {
  const lower = withoutMarks(name).toLowerCase();
  const plain = isAscii(lower)
    ? lower.replaceAll('`', "'")
    : lower.replace(/[‘’`]/g, "'").replace(/[‐-―]/g, '-');
  return plain.replace(/(?<=[a-z0-9])\+/g, ' plus ').trim();
}

/** What a vendor's way of naming means for reading its names. */
export interface Reading {
  /** Words that stand for the creator itself, and so tell nothing. */
  vendorWords: ReadonlySet<string>;
  /** Words that name a product here, though they are a tuning or an effort elsewhere. */
  productWords: ReadonlySet<string>;
  /** Whether a last word such as `high` is a reasoning effort. */
  effortSuffix: boolean;
}

/** Takes a name apart. The same attributes come of every order and spelling of its words. */
export function parseName(name: string, reading: Reading): ParsedName {
  const draft: Draft = { text: plainText(name), mode: null, setAside: [] };
  takeTerms(draft);
  takeBrackets(draft);
  draft.text = draft.text.replace(PLAIN, (found) => {
    draft.mode = 'plain';
    draft.setAside.push({ rule: 'mode', text: found });
    return ' ';
  });
  const { date, rest } = takeDate(draft.text.replace(/:/g, ' '));
  const tokens = tokensOf(spellNumbers(rest));
  const found: Attributes = {
    words: [],
    versions: [],
    sizes: [],
    tuning: null,
    thinking: false,
    mode: draft.mode,
    preview: false,
    date,
  };
  if (reading.effortSuffix && tokens.length > 1 && EFFORT.test(tokens.at(-1) ?? '')) {
    const effort = tokens.at(-1) ?? '';
    if (effort !== 'max') {
      draft.setAside.push({ rule: 'effort', text: effort });
      tokens.pop();
    }
  }
  const vendor: string[] = [];
  const soft: string[] = [];
  for (const token of tokens) {
    const number = /^v?(\d+(?:\.\d+)*)$/.exec(token)?.[1];
    const tuning = TUNING.get(token);
    if (number !== undefined) found.versions.push(number.replace(/(\.0)+$/, ''));
    else if (/^(?:\d+x)?\d+(?:\.\d+)?[bmt]$|^[ae]\d+(?:\.\d+)?b$|^\d+e$/.test(token)) found.sizes.push(token);
    else if (PRECISION.test(token)) draft.setAside.push({ rule: 'precision', text: token });
    else if (token === 'preview') found.preview = true;
    else if (reading.productWords.has(token)) found.words.push(token);
    else if (THINKING.has(token)) {
      found.thinking = true;
      soft.push(token);
    } else if (tuning !== undefined) {
      found.tuning = tuning;
      soft.push(token);
    } else if (reading.vendorWords.has(token)) vendor.push(token);
    else found.words.push(token === 'experimental' ? 'exp' : token);
  }
  // A name made of soft words alone, such as DeepSeek Chat, is named by them.
  if (found.words.length + found.versions.length + found.sizes.length === 0 && date === null) {
    found.words.push(...(soft.length > 0 ? soft : vendor));
    if (soft.length > 0) Object.assign(found, { tuning: null, thinking: false });
  }
  // Beside a size in billions, a number of millions is a window: Qwen2.5 7B 1M.
  const windows = found.sizes.some((size) => /[bt]$/.test(size))
    ? found.sizes.filter((size) => /^\d+m$/.test(size))
    : [];
  found.sizes = found.sizes.filter((size) => !windows.includes(size));
  found.words.push(...windows);
  found.words = [...new Set(found.words)].toSorted();
  found.versions = [...new Set(found.versions)].toSorted();
  found.sizes = [...new Set(found.sizes)].toSorted();
  const sequence = tokens
    .filter((token) => !PRECISION.test(token) && !reading.vendorWords.has(token))
    .join(' ');
  return { attributes: found, sequence, setAside: draft.setAside };
}

/** Attributes as text, equal for equal attributes. */
export function attributesKey(of: Attributes): string {
  const { words, versions, sizes, tuning, thinking, preview, date } = of;
  return JSON.stringify([words, versions, sizes, tuning, thinking, preview, date && dateKey(date)]);
}
