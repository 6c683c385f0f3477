import { CREATORS, type Creator } from '../aliases.ts';
import { plainText, type Reading } from './attributes.ts';
import { BRANDS, VARIANT_WORDS } from './brands.ts';
import type { SourceRecord } from '../record.ts';
import { foldName } from './names.ts';
import type { Rulebook } from './rulebook.ts';

const tokensOf = (text: string) =>
  plainText(text)
    .split(/[^a-z0-9.]+/)
    .flatMap((token) => /^([a-z]{2,})(\d.*)$/.exec(token)?.slice(1) ?? [token])
    .filter((token) => token !== '');

const CREATOR_OF = new Map<string, Creator>(
  CREATORS.flatMap((creator) => [creator.id, ...creator.spellings].map((name) => [name, creator] as const)),
);

/** The creator that a spelling names, if the table knows it. */
export function knownCreator(spelling: string): Creator | undefined {
  return CREATOR_OF.get(foldName(spelling));
}

const SPELLINGS = new Map(CREATORS.map(({ id, spellings }) => [id, [id, ...spellings]] as const));

const VENDOR_FORMS = new Map(
  CREATORS.map(({ id, spellings }) => {
    const brands = BRANDS.filter(({ creator }) => creator === id).map(({ word }) => word);
    const forms = [id, ...spellings].map(
      (spelling) =>
        new RegExp(`^${spelling.replaceAll('-', '[-. ]')}[-. :/]+(?=(?:${brands.join('|') || '[a-z]'}))`),
    );
    return [id, forms] as const;
  }),
);

/** `z-ai-glm-5`, `openai-gpt-5`, `Meta-Llama-3`: the creator before its own family word. */
export function stripVendor(text: string, creator: string | null): string {
  const form = VENDOR_FORMS.get(creator ?? '')?.find((found) => found.test(text));
  return form === undefined ? text : text.replace(form, '');
}

/** The creator that stands at the beginning of a name, before its family word. */
function vendorOf(tokens: string[]): { creator: string; certain: boolean; word: string } | null {
  for (const length of [2, 1]) {
    const spelled = tokens.slice(0, length).join('-');
    const creator = knownCreator(spelled);
    const next = tokens[length];
    if (creator !== undefined && BRANDS.some(({ word, creator: id }) => id === creator.id && word === next))
      return { creator: creator.id, certain: true, word: spelled };
  }
  return null;
}

/**
 * Whose a bare name is, by its family word. Certain: nobody else can have released it, or it says so itself. Otherwise
 * some other record has to bear it out, unless makers use every word of it for their own variants.
 */
export function creatorOfName(
  name: string,
  rules: Rulebook,
): { creator: string; certain: boolean; word: string } | null {
  const tokens = tokensOf(rules.withoutBasis(plainText(name)));
  const vendor = vendorOf(tokens);
  if (vendor !== null) return vendor;
  const rest = tokens.filter((token) => !/^\d|^v\d/.test(token));
  const start = rest[0] ?? '';
  const opening = BRANDS.find(
    ({ word, closed }) => closed && (word === start || start.startsWith(`${word}-`)),
  );
  if (opening !== undefined) return { creator: opening.creator, certain: true, word: opening.word };
  const brand = BRANDS.find(({ word, closed }) => !closed && tokens.includes(word));
  if (brand === undefined) {
    const before = knownCreator(tokens[0] ?? '');
    return before === undefined || tokens.length < 2
      ? null
      : { creator: before.id, certain: true, word: tokens[0] ?? '' };
  }
  const certain = rest.every((token) => token === brand.word || isOrdinary(token));
  return { creator: brand.creator, certain, word: brand.word };
}

const ORDINARY =
  /^(?:instruct|it|base|latest|preview|thinking|think|reasoning|exp|beta|non|fp8|bf16|awq|fp4|nvfp4|hf|a\d+(?:\.\d+)?b|e\d+b|[krmvztx]\d+(?:\.\d+)*|k\d+p\d+)$/;

function isOrdinary(token: string): boolean {
  return VARIANT_WORDS.has(token) || ORDINARY.test(token);
}

/** Whether the maker, or a catalogue of models, names it so; hosts name modes as if they were models. */
export function isOfficial({ type, source, naming }: SourceRecord, creator: string | null): boolean {
  if (type !== 'offer') return type !== 'measurement';
  const own = knownCreator(creator ?? '')?.providers ?? [];
  return source === naming.provider || own.includes(naming.provider ?? '');
}

const readings = new WeakMap<Rulebook, Map<string, Reading>>();

/** How names of a creator are to be read. */
export function readingOf(creator: string | null, rules: Rulebook): Reading {
  const known = readings.get(rules) ?? new Map<string, Reading>();
  readings.set(rules, known);
  const key = creator ?? '';
  const found = known.get(key);
  if (found !== undefined) return found;
  const single = (SPELLINGS.get(key) ?? [key]).filter((spelling) => !spelling.includes('-'));
  const reading: Reading = {
    vendorWords: new Set([...single, ...(rules.habit(creator, 'family-words') ?? [])]),
    productWords: new Set(rules.habit(creator, 'product-words')),
    effortSuffix: rules.habit(creator, 'effort-suffix') !== null,
  };
  known.set(key, reading);
  return reading;
}
