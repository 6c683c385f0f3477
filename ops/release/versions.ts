import { UsageError } from '../command.ts';

const PARTS = ['major', 'minor', 'patch'] as const;

const numbersOf = (version: string): number[] => version.split('.').map(Number);

const isNewer = (version: string, than: string): boolean => {
  const [left, right] = [numbersOf(version), numbersOf(than)];
  const first = left.findIndex((part, index) => part !== right[index]);
  return first !== -1 && (left[first] ?? 0) > (right[first] ?? 0);
};

/** The version that `major`, `minor`, `patch` or a version itself means after `current`. Throws `UsageError` where it is none that could follow. */
export function nextVersion(current: string, wanted: string): string {
  const part = PARTS.findIndex((name) => name === wanted);
  if (part !== -1)
    return numbersOf(current)
      .map((number, index) => (index < part ? number : index === part ? number + 1 : 0))
      .join('.');
  if (!/^(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}$/.test(wanted))
    throw new UsageError(`"${wanted}" is no version: write major, minor, patch, or a version such as 1.2.3.`);
  if (!isNewer(wanted, current))
    throw new UsageError(`${wanted} does not come after ${current}: write a later version.`);
  return wanted;
}

/** The text of a package.json or package-lock.json, with the package's own version replaced: it stands before all others, in the latter twice. */
export function withVersion(text: string, from: string, to: string): string {
  let seen = 0;
  return text.replaceAll(`"version": "${from}"`, (own) => (++seen <= 2 ? `"version": "${to}"` : own));
}
