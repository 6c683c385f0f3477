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
