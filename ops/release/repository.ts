import { execFileSync } from 'node:child_process';
import { OpsError } from '../command.ts';

/** The git repository that a release is made of. */
export interface Repository {
  /** Throws `OpsError` unless everything is committed. */
  requireClean(): void;
  /** Throws `OpsError` unless `branch` is checked out, and there is neither the tag nor the branch of the release. */
  requireReady(branch: string, release: { branch: string; tag: string }): void;
  /** Makes a branch and checks it out. */
  begin(branch: string): void;
  /** Commits files, and tags the commit. */
  commit(files: string[], message: string, tag: string): void;
  /** Puts files, branch and tag back to what they were. */
  undo(files: string[], from: string, release: { branch: string; tag: string }): void;
}

/** Opens the repository in a folder. */
export function openRepository(root: string): Repository {
  const git = (...args: string[]): string =>
    execFileSync('git', args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }).trim();
  const isThere = (ref: string): boolean => git('for-each-ref', ref) !== '';
  return {
    requireClean() {
      const changed = git('status', '--porcelain');
      if (changed !== '')
        throw new OpsError(
          `The work tree is not clean: commit or put away what git status names.\n${changed}`,
        );
    },
    requireReady(branch, release) {
      const present = git('branch', '--show-current');
      if (present !== branch)
        throw new OpsError(
          `Releases are made of ${branch}, and this is ${present || 'no branch'}: git switch ${branch}`,
        );
      if (isThere(`refs/tags/${release.tag}`))
        throw new OpsError(`There is a tag ${release.tag} already: release another version.`);
      if (isThere(`refs/heads/${release.branch}`))
        throw new OpsError(
          `There is a branch ${release.branch} already: delete it, or release another version.`,
        );
    },
    begin(branch) {
      git('switch', '--create', branch);
    },
    commit(files, message, tag) {
      git('add', '--', ...files);
      git('commit', '--message', message);
      git('tag', '--annotate', tag, '--message', message);
    },
    undo(files, from, { branch, tag }) {
      if (isThere(`refs/tags/${tag}`)) git('tag', '--delete', tag);
      if (git('branch', '--show-current') === branch) {
        git('restore', '--source', from, '--staged', '--worktree', '--', ...files);
        git('switch', from);
      }
      if (isThere(`refs/heads/${branch}`)) git('branch', '--delete', '--force', branch);
    },
  };
}
