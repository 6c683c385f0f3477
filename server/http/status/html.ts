/** Text that is safe as the content of an element or of an attribute in quotes. */
export function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** A time for people and for programs, in UTC. */
export function time(at: string): string {
  return `<time datetime="${escape(at)}">${escape(at.slice(0, 16).replace('T', ' '))} UTC</time>`;
}

/** A share as per cent, rounded down, so that 100 % means all of it. */
export function percent(share: number | null): string {
  return share === null ? 'not measured' : `${(Math.floor(share * 10_000) / 100).toFixed(2)} %`;
}

/** A duration in the unit that suits it. */
export function duration(ms: number | null): string {
  if (ms === null) return '–';
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  return `${minutes} min ${Math.round((ms % 60_000) / 1_000)} s`;
}

/** A whole number with separators, or a dash. */
export function count(number: number | null): string {
  return number === null ? '–' : number.toLocaleString('en-US');
}
