import { execFile, execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { COMMANDS } from '../../ops/commands/index.ts';
import { ADMIN_SECRET } from '../support/app.ts';
import { DATABASES } from '../support/databases.ts';
import { Command, OF_NODE } from '../support/process.ts';
import { blocksOf, ROOT } from '../support/runbook.ts';
import { environmentOn, newestEnded, postSync } from '../support/service.ts';
import { startUpstream, type FakeUpstream } from '../support/upstream.ts';

/** Where the service is in the documents. */
const HOSTS = /http:\/\/127\.0\.0\.1:3000|https:\/\/api\.effectmodels\.com/g;
const METRICS_TOKEN = 'metrics-Token-4Rt8yUi2oPa6sDf0gHj3kLz7xCv1bNm5Q';
/** The logical database of Redis that these tests have for themselves. */
const REDIS_DATABASE = 13;
const TOOLS = ['curl', 'jq', 'redis-cli', 'psql', 'pg_dump', 'promtool'];
const SHOWN = new Set(['json', 'text', 'ts', '']);

const DOCUMENTS = ['README.md', 'OPERATIONS.md'];
const blocks = DOCUMENTS.flatMap(blocksOf);
/** What the documents say beside their blocks. */
const blocksAway = (documents: string[]): string[] =>
  documents.map((document) =>
    readFileSync(join(ROOT, document), 'utf8').replaceAll(/^ *```[\s\S]*?^ *```$/gm, ''),
  );
const toRun = blocks.filter(({ language }) => language === 'bash');

const missing = TOOLS.filter((tool) => {
  try {
    execFileSync('bash', ['-c', `command -v ${tool}`], { stdio: 'ignore' });
    return false;
  } catch {
    return true;
  }
});

test('every block of the documents is run, shown, or says why it is not run', () => {
  const unknown = blocks.filter(({ language, info, ...block }) => {
    if (language === 'sh') return !/^(needs|runs) /.test(info);
    if (language === 'bash' || language === 'sql') return false;
    return !SHOWN.has(language) && block.text !== '';
  });
  expect(unknown).toEqual([]);
  expect(toRun.length).toBeGreaterThan(20);
});

test('what a block says runs it is a test', () => {
  const named = blocks.flatMap(({ info }) => /\btest\/\S+\.test\.ts/.exec(info)?.[0] ?? []);
  expect(named.length).toBeGreaterThan(3);
  expect(named.filter((path) => !existsSync(join(ROOT, path)))).toEqual([]);
});

test('commands within sentences and tables are those that there are', () => {
  const inline = blocksAway(DOCUMENTS).flatMap((text) =>
    [...text.matchAll(/`npm (?:run (?:-s )?([\w:-]+)|start|test)((?: -- )?[^`]*)`/g)].map(
      ([all, script, rest = '']) => ({
        all,
        script,
        words: rest.replace(/^ -- /, '').split(' '),
      }),
    ),
  );
  expect(inline.length).toBeGreaterThan(40);
  const wrong = inline.filter(({ script, words: [first = '', second = ''] }) => {
    if (script === undefined) return false;
    if (script !== 'ops' || first === '' || first.startsWith('<')) return !(script in packageJson.scripts);
    return !(first in COMMANDS) && !(`${first} ${second}` in COMMANDS);
  });
  expect(wrong.map(({ all }) => all)).toEqual([]);
  const others = blocksAway(DOCUMENTS).flatMap(
    (text) => text.match(/`(?:curl|psql|redis-cli|docker|amtool|promtool) [^`]+`/g) ?? [],
  );
  // Of what is typed on one host; ops/DEPLOYMENT.md has it in blocks.
  expect(others.filter((command) => !command.startsWith('`docker '))).toEqual([]);
});

describe.skipIf(missing.length > 0 || inject('redisUrl') === null)(
  `every command of the documents${missing.length > 0 ? ` (needs ${missing.join(', ')})` : ''}`,
  () => {
    const ending: (() => void | Promise<void>)[] = [];
    let upstream: FakeUpstream;
    let folder: string;
    let base: string;
    let environment: Record<string, string>;

    beforeAll(async () => {
      upstream = await startUpstream();
      upstream.content.modelsDevApi = withExample(upstream.content.modelsDevApi);
      const [route] = upstream.content.openrouter;
      upstream.content.openrouter.push({ ...route, id: 'acme/nova', expiration_date: '2020-03-01' });
      const redis = new URL(inject('redisUrl') ?? '');
      redis.pathname = `/${REDIS_DATABASE}`;
      folder = workplace();
      const own = await environmentOn(upstream, DATABASES[1], (work) => void ending.push(work));
      const passwordFile = join(folder, 'database-password');
      own.DATABASE_URL = await asRoleOfItsOwn(
        own.DATABASE_URL ?? '',
        passwordFile,
        (work) => void ending.unshift(work),
      );
      const service = new Command(
        'start',
        {
          ...own,
          ADMIN_SECRET,
          METRICS_TOKEN,
          REDIS_URL: redis.href,
          HOST: '127.0.0.1',
          RATE_LIMIT_PER_MINUTE: '0',
          DATABASE_PASSWORD_FILE: passwordFile,
        },
        [],
        { finish: (work) => void ending.push(work) },
      );
      base = await service.url();
      await postSync(base);
      await newestEnded(base);
      await provoke(base, upstream, { connectionString: own.DATABASE_URL, password: password() });
      await service.says(/slow query of/);
      writeFileSync(join(folder, 'app.log'), service.output);
      environment = {
        ...OF_NODE,
        HOME: folder,
        BASE: base,
        INSTANCE: base,
        SERVICE_URL: base,
        ADMIN_SECRET,
        METRICS_TOKEN,
        DATABASE_URL: own.DATABASE_URL ?? '',
        DATABASE_PASSWORD_FILE: passwordFile,
        REDIS_URL: redis.href,
        BACKUP_DIR: join(folder, 'backups'),
        INCIDENTS_DIR: join(folder, 'incidents'),
      };
      ending.push(async () => {
        const client = createClient({ url: redis.href });
        await client.connect();
        await client.flushDb();
        client.destroy();
      });
    }, 120_000);

    afterAll(async () => {
      for (const work of ending.toReversed()) await work();
      await upstream?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    test.each(toRun.map((block) => [`${block.document}:${block.line}`, block] as const))(
      '%s',
      async (_, block) => {
        const script = block.text.replaceAll(HOSTS, base);
        const { code, stdout, stderr } = await run(script, {
          cwd: folder,
          env: { ...environment, PGPASSWORD: password() },
        });
        expect({ code, stdout, stderr }).toMatchObject({ code: 0 });
        // What prints nothing has not been seen to work, nor has what finds nothing.
        expect(stdout.trim()).not.toBe('');
        expect(stdout.split('\n').filter((line) => line.trim() === 'null')).toEqual([]);
        const expected = blocks[blocks.indexOf(block) + 1];
        if (expected?.language === 'text') expect(stdout.trim()).toBe(expected.text.trim());
      },
      180_000,
    );

    test.each(
      blocks
        .filter(({ language }) => language === 'sql')
        .map((block) => [`${block.document}:${block.line}`, block] as const),
    )('%s', async (_, { text }) => {
      const client = new pg.Client({ connectionString: environment.DATABASE_URL, password: password() });
      await client.connect();
      try {
        const results = await client.query(text);
        const all = [results].flat();
        expect(all.length).toBeGreaterThan(0);
        for (const { command } of all) expect(command).toBe('SELECT');
      } finally {
        await client.end();
      }
    });

    /** The password of the database as it is now. */
    const password = () => readFileSync(join(folder, 'database-password'), 'utf8').trim();

    /** A folder in which the project's files are found, and which may be written to. */
    function workplace(): string {
      const path = mkdtempSync(join(tmpdir(), 'effect-models-runbook-'));
      for (const name of readdirSync(ROOT)) {
        if (['data', '.git'].includes(name)) continue;
        symlinkSync(join(ROOT, name), join(path, name));
      }
      mkdirSync(join(path, 'data'));
      // An answer that is an error fails the command.
      writeFileSync(join(path, '.curlrc'), 'fail-with-body\nmax-time = 10\n');
      return path;
    }
  },
);

/** Hands a database over to a role that it makes, so that no command can change another; answers with its address. */
async function asRoleOfItsOwn(
  databaseUrl: string,
  passwordFile: string,
  finish: (work: () => Promise<void>) => void,
): Promise<string> {
  const role = `effect_models_runbook_${randomBytes(4).toString('hex')}`;
  const password = randomBytes(16).toString('hex');
  const url = new URL(databaseUrl);
  const asOwner = async (...statements: string[]) => {
    const client = new pg.Client({ connectionString: inject('postgresUrl') });
    await client.connect();
    for (const statement of statements) await client.query(statement);
    await client.end();
  };
  const name = url.pathname.slice(1);
  await asOwner(
    `create role ${role} login createdb password '${password}'`,
    `grant pg_monitor to ${role}`,
    `alter database ${name} owner to ${role}`,
  );
  // Databases go before the roles that own them.
  finish(() => asOwner(`drop role ${role}`));
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  url.username = role;
  url.password = '';
  return url.href;
}

/** Has something go wrong of each kind that the documents look for in the log: a failed request, a failed source, a slow query. */
async function provoke(base: string, upstream: FakeUpstream, database: pg.ClientConfig): Promise<void> {
  const client = new pg.Client(database);
  await client.connect();
  try {
    await client.query('alter table providers rename to providers_away');
    expect((await fetch(`${base}/v1/providers`)).status).toBe(500);
    await client.query('alter table providers_away rename to providers');
    await client.query('begin; lock table providers in access exclusive mode');
    const answer = fetch(`${base}/v1/providers`);
    await new Promise((resolve) => setTimeout(resolve, 1_200));
    await client.query('rollback');
    expect((await answer).status).toBe(200);
  } finally {
    await client.end();
  }
  const heal = upstream.script(
    (path) => path.startsWith('/openrouter/'),
    (_req, res) => void res.writeHead(401).end(),
  );
  await postSync(base);
  expect((await newestEnded(base)).status).toBe('partial');
  heal();
  await postSync(base);
  expect((await newestEnded(base)).status).toBe('completed');
}

/** The model that the documents ask for. */
function withExample(api: unknown): object {
  const { openai, ...others } = api as Record<string, { models: Record<string, object> }>;
  const example = {
    id: 'gpt-4o',
    name: 'GPT-4o',
    family: 'gpt',
    attachment: true,
    reasoning: false,
    tool_call: true,
    temperature: true,
    knowledge: '2023-09',
    release_date: '2024-05-13',
    last_updated: '2024-08-06',
    modalities: { input: ['text', 'image'], output: ['text'] },
    open_weights: false,
    cost: { input: 2.5, output: 10, cache_read: 1.25 },
    limit: { context: 128_000, output: 16_384 },
  };
  return { ...others, openai: { ...openai, models: { ...openai?.models, 'gpt-4o': example } } };
}

function run(
  script: string,
  { cwd, env }: { cwd: string; env: Record<string, string> },
): Promise<{ code: number; stdout: string; stderr: string }> {
  // A stream that goes on is cut by curl after a while: that is no fault of the command.
  const whole = `set -euo pipefail\n${script.replaceAll(/^(curl -sN .*\/stream.*)$/gm, '{ $1 || [ $? -eq 28 ]; }; echo')}`;
  return new Promise((resolve) => {
    execFile('bash', ['-c', whole], { cwd, env }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
      resolve({ code, stdout, stderr });
    });
  });
}
