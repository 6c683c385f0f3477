import { OpsError } from '../command.ts';

const UNRELEASED = /^## Unreleased\n([\s\S]*?)(?=^## |$(?![\s\S]))/m;

/** What the changelog says that has not been released yet. Throws `OpsError` where that is nothing. */
export function unreleased(changelog: string): string {
  const body = UNRELEASED.exec(changelog)?.[1]?.trim();
  if (body === undefined)
    throw new OpsError('CHANGELOG.md has no section "## Unreleased": add it, with what has changed.');
  if (!/^- /m.test(body))
    throw new OpsError('CHANGELOG.md says nothing under "## Unreleased": write down what has changed.');
  return body;
}

/** The changelog with what is unreleased moved under a version and its date. */
export function withRelease(changelog: string, version: string, date: string): string {
  const body = unreleased(changelog);
  if (new RegExp(`^## \\[?${version.replaceAll('.', '\\.')}\\b`, 'm').test(changelog))
    throw new OpsError(`CHANGELOG.md has a section of ${version} already: release another version.`);
  return `${changelog.replace(UNRELEASED, () => `## Unreleased\n\n## ${version} - ${date}\n\n${body}\n\n`).trimEnd()}\n`;
}
