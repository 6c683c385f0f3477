/** Whether a text is in the letters that nearly all names are written in. */
export function isAscii(text: string): boolean {
  // oxlint-disable-next-line no-control-regex -- the whole of ASCII
  return /^[\x00-\x7f]*$/.test(text);
}

/** Letters apart from their accents, and wide forms as plain ones. */
export function withoutMarks(text: string): string {
  return isAscii(text) ? text : text.normalize('NFKD');
}

/** Folds case and punctuation: `Llama 3.3 70B` and `llama-3.3-70b` are the same name, `gpt-41` and `gpt-4.1` are not. */
export function foldName(name: string): string {
  return withoutMarks(name)
    .toLowerCase()
    .replaceAll('+', '-plus')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
}

/** Spells a name as a slug: lower case, `[a-z0-9._:-]`, beginning with a letter or digit. */
export function slugOf(name: string): string {
  return withoutMarks(name)
    .toLowerCase()
    .replaceAll('+', '-plus')
    .replace(/[^a-z0-9._:-]+/g, '-')
    .replace(/^[^a-z0-9]+|[^a-z0-9]+$/g, '');
}
