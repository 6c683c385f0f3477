import type { EndFacts } from './record.ts';

const LINK = String.raw`(?:\[[^\][()]+\]\((?<path>[^\s\][()]+)\)|\([^\][()]+\)\[(?<id>[^\s\][()]+)\])`;

/** How descriptions say that the model is deprecated, in a sentence of its own: `This model is being deprecated.` */
export const DEPRECATION =
  /(?:^|[.!?:]\s+|\n\s*)This model (?:has been|is being|is) deprecated(?: by [\w .&-]{1,40}?)?(?=[.!\n]|\s*$| in favou?r of )/;

/** What replaces it is linked right behind, as `[name](/id)` or, the wrong way round, as `(name)[id]`. */
const REPLACEMENT = new RegExp(
  String.raw`^(?: in favou?r of|[.!]\s+Recommended replacement is) (?:the )?(?:newer )?${LINK}`,
);

const PAGE = /^(?:https:\/\/openrouter\.ai)?\/?(?:models\/)?([\w~.-]+\/[\w.:-]+)$/;

/** Reads from OpenRouter's description of a model that it is deprecated, and in favour of which. Null: it says no such thing. */
export function readDeprecation(description: string | null): EndFacts | null {
  const said = DEPRECATION.exec(description ?? '');
  if (said === null) return null;
  const link = REPLACEMENT.exec(said.input.slice(said.index + said[0].length))?.groups;
  const successor = PAGE.exec(link?.path ?? link?.id ?? '')?.[1] ?? null;
  return { status: 'deprecated', date: null, successor };
}

/** When OpenRouter takes an offer off the market, else that it is deprecated. Null: neither is said. */
export function readEndOfSale(expires: string | null, description: string | null): EndFacts | null {
  const deprecation = readDeprecation(description);
  if (expires === null) return deprecation;
  return { status: 'retiring', date: expires, successor: deprecation?.successor ?? null };
}
