import { execFileSync, spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { unreleased, withRelease } from '../../ops/release/changelog.ts';
import { CHECKS } from '../../ops/release/release.ts';
import { nextVersion, withVersion } from '../../ops/release/versions.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const current = packageJson.version;
const [major = 0, minor = 0] = current.split('.').map(Number);
const next = `${major}.${minor + 1}.0`;

const CHANGELOG = `# Changelog

## Unreleased

### Added

- A thing that is new.

## ${current} - 2026-01-01

- The beginning.
`;

/** A repository of its own with what a release touches, everything committed on main. */
class Clone {
  readonly root: string;

  constructor(changelog = CHANGELOG) {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'effect-models-release-')));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    this.root = join(folder, 'effect-models');
    mkdirSync(this.root);
    // Above the repository, where Node and npm look too, and git does not.
    symlinkSync(join(project, 'node_modules'), join(folder, 'node_modules'));
    for (const path of [
      'package.json',
      'package-lock.json',
      'LICENSE',
      'tsconfig.json',
      '.gitignore',
      '.npmrc',
      'client',
      'contracts',
      'openapi',
      'ops/release.ts',
      'ops/release',
      'ops/command.ts',
    ])
      cpSync(join(project, path), join(this.root, path), { recursive: true });
    this.write('CHANGELOG.md', changelog);
    this.git('init', '--quiet', '--initial-branch', 'main');
    this.git('config', 'user.name', 'A Releaser');
    this.git('config', 'user.email', 'releaser@example.com');
    this.git('add', '--all');
    this.git('commit', '--quiet', '--message', 'Begin');
  }

  git = (...args: string[]): string => execFileSync('git', args, { cwd: this.root, encoding: 'utf8' }).trim();
  read = (file: string): string => readFileSync(join(this.root, file), 'utf8');
  write = (file: string, text: string): void => writeFileSync(join(this.root, file), text);

  /** Runs the script as operators do, with checks that take no time. */
  release(...args: string[]): { status: number | null; output: string } {
    const { status, stdout, stderr } = spawnSync('npm', ['run', '--silent', 'release', '--', ...args], {
      cwd: this.root,
      encoding: 'utf8',
    });
    return { status, output: stdout + stderr };
  }

  /** What a failed release must not change. */
  state = (): string[] => [
    this.git('status', '--porcelain'),
    this.git('branch', '--all'),
    this.git('tag'),
    this.git('rev-parse', 'HEAD'),
    this.git('branch', '--show-current'),
  ];
}

const PASSES = ['--check', 'true'];

describe('a release', () => {
  test('bumps versions, moves the changelog, renews the document, packs the client, commits and tags', () => {
    const clone = new Clone();
    const { status, output } = clone.release('minor', ...PASSES);
    expect([status, output]).toEqual([
      0,
      expect.stringContaining(`Released ${next} on branch release/v${next}`),
    ]);
    expect(output).toContain(`git push origin release/v${next} v${next}`);

    expect(clone.git('status', '--porcelain')).toBe('');
    expect(clone.git('branch', '--show-current')).toBe(`release/v${next}`);
    expect(clone.git('log', '-1', '--format=%s%n%D')).toMatch(
      new RegExp(`^Release v${next}\\n.*tag: v${next}`),
    );
    expect(clone.git('cat-file', '-t', `v${next}`)).toBe('tag');
    expect(clone.git('diff', '--name-only', 'main').split('\n')).toEqual([
      'CHANGELOG.md',
      'client/package.json',
      'openapi/openapi.json',
      'package-lock.json',
      'package.json',
    ]);
    for (const file of ['package.json', 'client/package.json', 'package-lock.json'])
      expect(JSON.parse(clone.read(file))).toMatchObject({ version: next });
    const lock = JSON.parse(clone.read('package-lock.json')) as { packages: Record<string, object> };
    expect(lock.packages['']).toMatchObject({ version: next });
    expect(clone.git('diff', '--shortstat', 'main', '--', 'package-lock.json')).toContain(
      '2 insertions(+), 2 deletions(-)',
    );
    expect(JSON.parse(clone.read('openapi/openapi.json'))).toMatchObject({ info: { version: next } });
    const today = new Date().toISOString().slice(0, 10);
    expect(clone.read('CHANGELOG.md')).toBe(
      CHANGELOG.replace('## Unreleased\n', `## Unreleased\n\n## ${next} - ${today}\n`),
    );
    expect(existsSync(join(clone.root, `dist/effect-models-client-${next}.tgz`))).toBe(true);
  });

  test('packs a client that another project can install, type-check and load', () => {
    const clone = new Clone();
    execFileSync('npm', ['run', '--silent', 'client:pack'], { cwd: clone.root });
    const consumer = join(clone.root, '..', 'consumer');
    const installed = join(consumer, 'node_modules/@effect-models/client');
    mkdirSync(installed, { recursive: true });
    const tarball = join(clone.root, `dist/effect-models-client-${current}.tgz`);
    execFileSync('tar', ['--extract', '--gzip', '--strip-components=1', '--file', tarball], {
      cwd: installed,
    });
    writeFileSync(join(consumer, 'package.json'), '{ "type": "module" }');
    const program = (field: string) => `import { createClient, type Model } from '@effect-models/client';
const client = createClient({ baseUrl: 'http://127.0.0.1:1' });
const list = async (): Promise<Model[]> => (await client.models.list.query({ limit: 3 })).data;
export const names = async (): Promise<string[]> => (await list()).map(({ ${field} }) => ${field});
console.log(typeof client.models.list.query);
`;
    const check = (field: string) => {
      writeFileSync(join(consumer, 'main.ts'), program(field));
      const tsc = join(project, 'node_modules/typescript/bin/tsc');
      const options = [
        '--ignoreConfig',
        '--noEmit',
        '--strict',
        '--module',
        'nodenext',
        '--lib',
        'esnext,dom',
      ];
      return spawnSync(process.execPath, [tsc, ...options, '--types', '', 'main.ts'], {
        cwd: consumer,
        encoding: 'utf8',
      });
    };
    expect(check('nickname').stdout).toContain("Property 'nickname' does not exist");
    expect(check('name')).toMatchObject({ status: 0, stdout: '' });
    expect(execFileSync(process.execPath, ['main.ts'], { cwd: consumer, encoding: 'utf8' })).toBe(
      'function\n',
    );
  });

  test('runs the checks of the plan before it changes anything', () => {
    expect(CHECKS).toEqual(['npm test', 'npm run lint', 'npm run check']);
    const clone = new Clone();
    const before = clone.state();
    const { status, output } = clone.release('patch', '--check', 'true', '--check', 'exit 3');
    expect([status, clone.state()]).toEqual([1, before]);
    expect(output).toContain('No release: `exit 3` failed; nothing was changed.');
  });

  test('puts everything back where the client does not pass its types', () => {
    const clone = new Clone();
    clone.write('client/index.ts', 'export const broken: string = 1;\n');
    clone.git('commit', '--quiet', '--all', '--message', 'Break the client');
    const before = clone.state();
    const { status, output } = clone.release('1.0.0', ...PASSES);
    expect([status, clone.state()]).toEqual([1, before]);
    expect(output).toContain('No release: `npm run client:pack` failed; everything was put back as it was.');
    expect(clone.read('CHANGELOG.md')).toBe(CHANGELOG);
  });

  test('`--dry-run` says what it would do, and does nothing', () => {
    const clone = new Clone();
    const before = clone.state();
    const { status, output } = clone.release('major', '--dry-run');
    expect([status, clone.state()]).toEqual([0, before]);
    expect(output).toContain(
      `Would release ${major + 1}.0.0 after ${current}, on branch release/v${major + 1}.0.0`,
    );
    expect(output).toContain(
      'Would run: npm test, npm run lint, npm run check, npm run openapi, npm run client:pack, npm run sbom',
    );
    expect(output).toContain('- A thing that is new.');
  });

  const refusals: [why: string, spoil: (clone: Clone) => void, says: string][] = [
    [
      'the work tree is not clean',
      (clone) => clone.write('contracts/common.ts', ''),
      'The work tree is not clean',
    ],
    ['there is a new file', (clone) => clone.write('notes.txt', ''), 'notes.txt'],
    [
      'it is another branch',
      (clone) => clone.git('switch', '--quiet', '--create', 'other'),
      'this is other: git switch main',
    ],
    ['there is the tag', (clone) => clone.git('tag', `v${next}`), `There is a tag v${next} already`],
    [
      'there is the branch',
      (clone) => clone.git('branch', `release/v${next}`),
      `There is a branch release/v${next}`,
    ],
  ];
  test.each(refusals)('is refused where %s', (_, spoil, says) => {
    const clone = new Clone();
    spoil(clone);
    const before = clone.state();
    const { status, output } = clone.release('minor', ...PASSES);
    expect([status, clone.state()]).toEqual([1, before]);
    expect(output).toContain(says);
  });

  test('is refused with a line on how it is meant', () => {
    const clone = new Clone();
    for (const args of [[], ['minor', 'major'], ['next'], ['0.0.1'], ['--force', 'minor']]) {
      const { status, output } = clone.release(...args);
      expect([args, status]).toEqual([args, 64]);
      expect(output).toContain('Usage: npm run release -- <major|minor|patch|x.y.z>');
    }
  });
});

test.each([
  ['1.2.3', 'major', '2.0.0'],
  ['1.2.3', 'minor', '1.3.0'],
  ['1.2.3', 'patch', '1.2.4'],
  ['1.2.3', '1.2.10', '1.2.10'],
  ['1.9.0', '1.10.0', '1.10.0'],
])('after %s, %s is %s', (from, wanted, version) => {
  expect(nextVersion(from, wanted)).toBe(version);
});

test.each(['1.2.3', '1.2.2', '0.9.9', '1.2', '1.2.3-rc.1', '01.3.0', 'latest'])(
  'nothing after 1.2.3 is %s',
  (wanted) => {
    expect(() => nextVersion('1.2.3', wanted)).toThrow(/1\.2\.3/);
  },
);

test('a dependency of the same version keeps it', () => {
  const lock = '"version": "1.0.0" { "": { "version": "1.0.0" }, "node_modules/x": { "version": "1.0.0" } }';
  expect(withVersion(lock, '1.0.0', '1.1.0')).toBe(
    '"version": "1.1.0" { "": { "version": "1.1.0" }, "node_modules/x": { "version": "1.0.0" } }',
  );
});

describe('the changelog', () => {
  test('of this project has a place for what is unreleased', () => {
    const text = readFileSync(join(project, 'CHANGELOG.md'), 'utf8');
    expect(text).toMatch(/^## Unreleased$/m);
  });

  test('keeps everything but the place of what is unreleased, also as its last section', () => {
    expect(withRelease('# C\n\n## Unreleased\n\n- $1 & $& stay\n', '1.0.0', '2026-11-24')).toBe(
      '# C\n\n## Unreleased\n\n## 1.0.0 - 2026-11-24\n\n- $1 & $& stay\n',
    );
  });

  test.each([
    ['# C\n\n- a\n', /has no section "## Unreleased"/],
    ['# C\n\n## Unreleased\n\n## 0.1.0\n\n- a\n', /says nothing under/],
    ['# C\n\n## Unreleased\n\n### Added\n', /says nothing under/],
  ])('that says nothing can not be released: %j', (text, why) => {
    expect(() => unreleased(text)).toThrow(why);
  });

  test('has a version once', () => {
    expect(() => withRelease(CHANGELOG, current, '2026-11-24')).toThrow(/has a section of .* already/);
  });
});
