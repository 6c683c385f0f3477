import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OpsError } from '../command.ts';
import { unreleased, withRelease } from './changelog.ts';
import { openRepository } from './repository.ts';
import { nextVersion, withVersion } from './versions.ts';

/** What has to pass before anything is changed. */
export const CHECKS = ['npm test', 'npm run lint', 'npm run check'];

/** What follows from the version: the document of the API, the package of the client, and the list of all that the service is made of. */
const BUILDS = ['npm run openapi', 'npm run client:pack', 'npm run sbom'];

const BRANCH = 'main';
const MANIFESTS = ['package.json', 'client/package.json', 'package-lock.json'];
const FILES = [...MANIFESTS, 'CHANGELOG.md', 'openapi/openapi.json'];

/** What a release is made of. */
export interface ReleaseOptions {
  /** Folder of the repository. */
  root: string;
  /** `major`, `minor`, `patch`, or a version. */
  wanted: string;
  checks: string[];
  /** Whether to say what would be done, and do nothing. */
  dryRun: boolean;
  /** Today, as in 2026-11-24. */
  date: string;
  print: (line: string) => void;
}

/** Makes a release of the main branch, as a commit on a branch of its own and a tag; or changes nothing and throws `OpsError`. */
export function release({ root, wanted, checks, dryRun, date, print }: ReleaseOptions): void {
  const read = (file: string): string => readFileSync(join(root, file), 'utf8');
  const { version: current } = JSON.parse(read('package.json')) as { version: string };
  const version = nextVersion(current, wanted);
  const names = { branch: `release/v${version}`, tag: `v${version}` };
  const repository = openRepository(root);
  repository.requireReady(BRANCH, names);
  repository.requireClean();
  const changelog = withRelease(read('CHANGELOG.md'), version, date);

  if (dryRun) {
    print(`Would release ${version} after ${current}, on branch ${names.branch}, with tag ${names.tag}.`);
    print(`Would run: ${[...checks, ...BUILDS].join(', ')}`);
    print(`Would change: ${FILES.join(', ')}`);
    print(`CHANGELOG.md, under ${version} - ${date}:\n\n${unreleased(read('CHANGELOG.md'))}`);
    return;
  }
  for (const check of checks) run(check, root, `nothing was changed. Mend what it says, and release again.`);
  repository.requireClean();
  try {
    repository.begin(names.branch);
    for (const file of MANIFESTS) writeFileSync(join(root, file), withVersion(read(file), current, version));
    writeFileSync(join(root, 'CHANGELOG.md'), changelog);
    for (const build of BUILDS) run(build, root, 'everything was put back as it was.');
    repository.commit(FILES, `Release ${names.tag}`, names.tag);
  } catch (error) {
    repository.undo(FILES, BRANCH, names);
    throw error;
  }
  print(
    [
      `Released ${version} on branch ${names.branch}, with tag ${names.tag}; the package of the client and the bill of materials are in dist/.`,
      'Next:',
      `  git push origin ${names.branch} ${names.tag}      deploys to staging`,
      '  open a pull request to main, try staging for an hour or two, and merge it without squashing: deploys to production',
    ].join('\n'),
  );
}

function run(command: string, root: string, otherwise: string): void {
  const { status } = spawnSync(command, { cwd: root, shell: true, stdio: 'inherit' });
  if (status !== 0) throw new OpsError(`\`${command}\` failed; ${otherwise}`);
}
