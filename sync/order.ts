/** Compares texts by their code units: the same order everywhere, whatever the locale. */
export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Each text once, in order. */
export function unique(values: string[]): string[] {
  return [...new Set(values)].toSorted(byText);
}
