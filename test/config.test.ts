import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ConfigError, readConfig, type Config, type World } from '../server/config.ts';

const SECRET = 'Vq3mT8xZ1nLp6RwKd0YhJ5sGb9CfUe2AoXi7NtMv4Ry';
const OTHER_SECRET = 'b4Jz9QeW2uHk7PaLs5DxTn0VyCg8RfMi3OoBw6Xq1Zt';

const digestOf = (secret: string) => createHash('sha256').update(secret).digest();

type Environment = Record<string, string>;
type Settings = { world?: World; command?: 'serve' | 'once' };

function read(environment: Environment, { world = 'dev', command = 'serve' }: Settings = {}): Config {
  return readConfig(world, { command, environment });
}

/** The message of the ConfigError that reading ends with. */
function problemsOf(environment: Environment, settings: Settings = {}): string {
  try {
    read(environment, settings);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as ConfigError).message;
  }
  throw new Error('the environment was accepted');
}

/** The one problem there is, without the heading. */
function problemOf(environment: Environment, settings: Settings = {}): string {
  const [heading, problem = '', ...more] = problemsOf(environment, settings).split('\n');
  expect([heading, more]).toEqual(['The environment can not be used:', []]);
  return problem.trim();
}

const DEFAULTS: Config = {
  world: 'dev',
  host: '127.0.0.1',
  port: 3000,
  databaseUrl: 'file:./data/effect-models.db',
  databasePasswordFile: null,
  redisUrl: null,
  rateLimitRedisUrl: null,
  adminSecrets: [],
  metricsTokenHash: null,
  role: 'all',
  storageLimitBytes: null,
  syncCron: '0 */2 * * *',
  syncOnStart: 'if-stale',
  sources: {
    'models.dev': { baseUrl: 'https://models.dev', apiKey: null, maxItems: null },
    openrouter: { baseUrl: 'https://openrouter.ai/api/v1', apiKey: null, maxItems: null },
    huggingface: { baseUrl: 'https://huggingface.co', apiKey: null, maxItems: 1000 },
    artificialanalysis: { baseUrl: 'https://artificialanalysis.ai/api/v2', apiKey: null, maxItems: null },
  },
  publishArtificialAnalysis: true,
  rateLimitPerMinute: 600,
  trustedProxies: [],
  historyDays: null,
  logLevel: 'info',
};

/** The defaults with other settings of one source. */
function withSource(id: string, settings: Partial<Config['sources'][string]>): Partial<Config> {
  const source = DEFAULTS.sources[id] as Config['sources'][string];
  return { sources: { ...DEFAULTS.sources, [id]: { ...source, ...settings } } };
}

describe('the defaults', () => {
  test('of the local world', () => {
    expect(read({})).toEqual(DEFAULTS);
  });

  test('of production', () => {
    expect(read({ ADMIN_SECRET: SECRET }, { world: 'production' })).toEqual({
      ...DEFAULTS,
      world: 'production',
      host: '0.0.0.0',
      adminSecrets: [{ name: 'ADMIN_SECRET', hash: digestOf(SECRET) }],
    });
  });

  test('are the process environment where none is given', () => {
    const before = process.env.RATE_LIMIT_PER_MINUTE;
    process.env.RATE_LIMIT_PER_MINUTE = '4321';
    try {
      expect(readConfig('dev', { command: 'once' }).rateLimitPerMinute).toBe(4321);
    } finally {
      if (before === undefined) delete process.env.RATE_LIMIT_PER_MINUTE;
      else process.env.RATE_LIMIT_PER_MINUTE = before;
    }
  });
});

describe('DATABASE_PASSWORD_FILE', () => {
  const folder = mkdtempSync(join(tmpdir(), 'effect-models-'));
  const file = join(folder, 'password');
  afterAll(() => rmSync(folder, { recursive: true }));

  test('names a file that holds a password', () => {
    writeFileSync(file, 'pass word\n');
    expect(read({ DATABASE_PASSWORD_FILE: file }).databasePasswordFile).toBe(file);
  });

  test.each(['', '\n', 'two\nlines\n'])('is refused where the file holds %j', (text) => {
    writeFileSync(file, text);
    expect(problemOf({ DATABASE_PASSWORD_FILE: file })).toBe(
      'DATABASE_PASSWORD_FILE must name a file that can be read, with the password and nothing else',
    );
  });

  test('is refused where there is no such file', () => {
    expect(problemOf({ DATABASE_PASSWORD_FILE: join(folder, 'none') })).toMatch(/must name a file/);
  });
});

describe('every variable changes what it names and nothing else', () => {
  test.each<[variable: string, value: string, changed: Partial<Config>]>([
    ['PORT', '8080', { port: 8080 }],
    ['PORT', '0', { port: 0 }],
    ['PORT', '65535', { port: 65_535 }],
    ['HOST', '0.0.0.0', { host: '0.0.0.0' }],
    ['HOST', '::1', { host: '::1' }],
    ['DATABASE_URL', 'file:/var/lib/em/catalog.db', { databaseUrl: 'file:/var/lib/em/catalog.db' }],
    ['DATABASE_URL', 'postgres://em@db.internal/em', { databaseUrl: 'postgres://em@db.internal/em' }],
    ['DATABASE_URL', 'postgresql://em@db.internal/em', { databaseUrl: 'postgresql://em@db.internal/em' }],
    [
      'REDIS_URL',
      'redis://127.0.0.1:6379/2',
      { redisUrl: 'redis://127.0.0.1:6379/2', rateLimitRedisUrl: 'redis://127.0.0.1:6379/2' },
    ],
    ['RATE_LIMIT_REDIS_URL', 'redis://127.0.0.1:6379/1', { rateLimitRedisUrl: 'redis://127.0.0.1:6379/1' }],
    [
      'REDIS_URL',
      'rediss://cache.internal',
      { redisUrl: 'rediss://cache.internal', rateLimitRedisUrl: 'rediss://cache.internal' },
    ],
    ['ADMIN_SECRET', SECRET, { adminSecrets: [{ name: 'ADMIN_SECRET', hash: digestOf(SECRET) }] }],
    ['ADMIN_SECRET_NEXT', SECRET, { adminSecrets: [{ name: 'ADMIN_SECRET_NEXT', hash: digestOf(SECRET) }] }],
    ['SYNC_CRON', '*/15 * * * *', { syncCron: '*/15 * * * *' }],
    ['SYNC_CRON', 'off', { syncCron: null }],
    ['SYNC_ON_START', 'always', { syncOnStart: 'always' }],
    ['SYNC_ON_START', 'never', { syncOnStart: 'never' }],
    [
      'MODELS_DEV_URL',
      'https://mirror.test/md',
      withSource('models.dev', { baseUrl: 'https://mirror.test/md' }),
    ],
    [
      'OPENROUTER_URL',
      'https://mirror.test/or/',
      withSource('openrouter', { baseUrl: 'https://mirror.test/or' }),
    ],
    [
      'HUGGINGFACE_URL',
      'https://mirror.test//',
      withSource('huggingface', { baseUrl: 'https://mirror.test' }),
    ],
    [
      'ARTIFICIAL_ANALYSIS_URL',
      'https://mirror.test/aa',
      withSource('artificialanalysis', { baseUrl: 'https://mirror.test/aa' }),
    ],
    ['OPENROUTER_API_KEY', 'sk-or-1', withSource('openrouter', { apiKey: 'sk-or-1' })],
    ['HF_TOKEN', 'hf_1', withSource('huggingface', { apiKey: 'hf_1' })],
    ['ARTIFICIAL_ANALYSIS_API_KEY', 'aa-1', withSource('artificialanalysis', { apiKey: 'aa-1' })],
    ['HUGGINGFACE_MAX_MODELS', '25', withSource('huggingface', { maxItems: 25 })],
    ['HUGGINGFACE_MAX_MODELS', 'all', withSource('huggingface', { maxItems: null })],
    ['ARTIFICIAL_ANALYSIS_PUBLISH', 'off', { publishArtificialAnalysis: false }],
    ['RATE_LIMIT_PER_MINUTE', '0', { rateLimitPerMinute: 0 }],
    ['RATE_LIMIT_PER_MINUTE', '120', { rateLimitPerMinute: 120 }],
    ['HISTORY_RETENTION_DAYS', '365', { historyDays: 365 }],
    ['HISTORY_RETENTION_DAYS', 'all', { historyDays: null }],
    ['TRUSTED_PROXIES', '10.0.0.1', { trustedProxies: ['10.0.0.1'] }],
    ['TRUSTED_PROXIES', ' 10.0.0.0/8, ::1 ,', { trustedProxies: ['10.0.0.0/8', '::1'] }],
    ['LOG_LEVEL', 'debug', { logLevel: 'debug' }],
  ])('%s=%s', (variable, value, changed) => {
    expect(read({ [variable]: value })).toEqual({ ...DEFAULTS, ...changed });
    expect(changed).not.toEqual({});
  });

  test('an empty one is an unset one', () => {
    const variables = [
      'PORT',
      'HOST',
      'DATABASE_URL',
      'REDIS_URL',
      'ADMIN_SECRET',
      'SYNC_CRON',
      'SYNC_ON_START',
    ];
    variables.push('MODELS_DEV_URL', 'HF_TOKEN', 'HUGGINGFACE_MAX_MODELS', 'TRUSTED_PROXIES', 'LOG_LEVEL');
    for (const variable of variables) {
      for (const value of ['', ' \t']) expect(read({ [variable]: value }), variable).toEqual(DEFAULTS);
    }
  });
});

describe('a value that can not be used is refused by the name of its variable', () => {
  test.each<[variable: string, value: string, problem: string]>([
    ['PORT', 'eighty', 'must be a whole number'],
    ['PORT', '70000', 'must be a port number'],
    ['PORT', '-1', 'must be a whole number'],
    ['PORT', '80.5', 'must be a whole number'],
    ['DATABASE_URL', 'mysql://root:hunter2@db/em', 'must start with file: or postgres://'],
    ['DATABASE_URL', 'data/em.db', 'must start with file: or postgres://'],
    ['REDIS_URL', 'http://:hunter2@cache:6379', 'must start with redis:// or rediss://'],
    ['SYNC_ON_START', 'sometimes', 'if-stale'],
    ['MODELS_DEV_URL', 'ftp://mirror.test', 'must be an http or https URL'],
    ['MODELS_DEV_URL', 'mirror.test/path', 'must be an http or https URL'],
    ['HUGGINGFACE_MAX_MODELS', '00', 'must be a whole number above 0, or all'],
    ['HUGGINGFACE_MAX_MODELS', '1e3', 'must be a whole number above 0, or all'],
    ['ARTIFICIAL_ANALYSIS_PUBLISH', 'perhaps', 'on'],
    ['RATE_LIMIT_PER_MINUTE', '-5', 'must be a whole number'],
    ['HISTORY_RETENTION_DAYS', '00', 'must be a number of days above 0, or all'],
    ['LOG_LEVEL', 'shouting', 'info'],
  ])('%s=%s', (variable, value, problem) => {
    const said = problemOf({ [variable]: value });
    expect(said.startsWith(`${variable} `)).toBe(true);
    expect(said).toContain(problem);
    expect(said.slice(variable.length)).not.toContain(value);
  });

  test.each<[variable: string, value: string]>([
    ['DATABASE_URL', 'postgres://em:hunter2@db:notaport/em'],
    ['DATABASE_URL', 'postgres://em:hunter2%zz@db/em'],
    ['REDIS_URL', 'redis://:hunter2@cache:notaport'],
    ['REDIS_URL', 'redis://:hunter2@cache/notanumber'],
    ['TRUSTED_PROXIES', 'banana'],
  ])('%s=%s, which the library behind it would choke on', (variable, value) => {
    const said = problemOf({ [variable]: value });
    expect(said.startsWith(`${variable} `)).toBe(true);
    expect(said).not.toContain('hunter2');
    expect(said).not.toContain(value);
  });

  test('all at once, in one message that holds none of the values', () => {
    const environment = {
      PORT: 'eighty',
      DATABASE_URL: 'mysql://root:hunter2@db/em',
      REDIS_URL: 'cache.internal',
      ADMIN_SECRET: 'short-and-secret',
      ADMIN_SECRET_NEXT: 'sha256:not-a-digest',
      SYNC_ON_START: 'sometimes',
      OPENROUTER_URL: 'http://mirror.test',
      HUGGINGFACE_MAX_MODELS: 'many',
      RATE_LIMIT_PER_MINUTE: 'lots',
      LOG_LEVEL: 'shouting',
    };
    const message = problemsOf(environment, { world: 'production' });
    const named = message
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(' ')[0]);
    expect(named.toSorted()).toEqual(Object.keys(environment).toSorted());
    for (const value of Object.values(environment)) expect(message).not.toContain(value);
  });
});

describe('an admin secret', () => {
  test.each<[what: string, value: string, problem: string]>([
    ['true', 'true', 'must have at least 43 characters'],
    ['a password', 'correct-horse-battery-staple', 'must have at least 43 characters'],
    ['one character too short', SECRET.slice(1), 'must have at least 43 characters'],
    ['one character repeated', 'x'.repeat(64), 'can be guessed'],
    ['nineteen characters in turn', 'abcdefghijklmnopqrs'.repeat(4), 'can be guessed'],
    ['a text of many characters, twice', SECRET.slice(0, 24).repeat(2), 'can be guessed'],
    ['few hexadecimal digits', '0123456789abcdef'.repeat(3), 'can be guessed'],
    ['hexadecimal digits that repeat', '0123456789abcdef'.repeat(4), 'can be guessed'],
    ['what examples show', `changeme-${SECRET}`, 'can be guessed'],
    ['a word that everybody knows', `${SECRET}-Password`, 'can be guessed'],
    ['with a comma', `${SECRET},${OTHER_SECRET}`, 'must not contain a comma'],
    ['a digest that is none', 'sha256:bad', 'must be sha256: and 64 hexadecimal digits'],
    ['a digest with a digit too few', `sha256:${'0123456789abcdef'.repeat(4).slice(1)}`, 'must be sha256:'],
  ])('is refused where it is weak: %s', (_what, value, problem) => {
    for (const variable of ['ADMIN_SECRET', 'ADMIN_SECRET_NEXT']) {
      for (const world of ['dev', 'production'] as const) {
        const settings: Settings = { world, command: variable === 'ADMIN_SECRET' ? 'serve' : 'once' };
        const said = problemOf({ [variable]: value }, settings);
        expect(said.startsWith(`${variable} ${problem}`)).toBe(true);
        expect(said.replace('sha256:', '').slice(variable.length)).not.toContain(
          value.replace('sha256:', ''),
        );
      }
    }
  });

  test('may be given as its digest', () => {
    const hex = digestOf(SECRET).toString('hex');
    for (const value of [`sha256:${hex}`, `sha256:${hex.toUpperCase()}`]) {
      const [secret] = read({ ADMIN_SECRET: value }).adminSecrets;
      expect(secret?.hash).toEqual(digestOf(SECRET));
    }
  });

  test('is valid beside the next one', () => {
    const { adminSecrets } = read({ ADMIN_SECRET: SECRET, ADMIN_SECRET_NEXT: OTHER_SECRET });
    expect(adminSecrets).toEqual([
      { name: 'ADMIN_SECRET', hash: digestOf(SECRET) },
      { name: 'ADMIN_SECRET_NEXT', hash: digestOf(OTHER_SECRET) },
    ]);
  });

  test.each([
    ['openssl rand -hex 32', () => randomBytes(32).toString('hex')],
    ['openssl rand -base64 32', () => randomBytes(32).toString('base64')],
    ['rotate-secret', () => randomBytes(32).toString('base64url')],
  ])('is taken as random programs make it: %s', (_, make) => {
    for (let times = 0; times < 2_000; times += 1) expect(read({ ADMIN_SECRET: make() })).toBeDefined();
  });

  test('is not what opens the metrics', () => {
    expect(problemOf({ ADMIN_SECRET: SECRET, METRICS_TOKEN: SECRET })).toMatch(
      /^METRICS_TOKEN must differ from the admin secrets/,
    );
  });

  test('is not its own successor', () => {
    const next = `sha256:${digestOf(SECRET).toString('hex')}`;
    expect(problemOf({ ADMIN_SECRET: SECRET, ADMIN_SECRET_NEXT: next })).toBe(
      'ADMIN_SECRET_NEXT must differ from ADMIN_SECRET',
    );
  });

  test('is required to serve in production, and only there', () => {
    const settings: Settings = { world: 'production', command: 'serve' };
    for (const environment of [
      {},
      { ADMIN_SECRET: '' },
      { ADMIN_SECRET: ' ' },
      { ADMIN_SECRET_NEXT: SECRET },
    ]) {
      expect(problemOf(environment, settings)).toMatch(/^ADMIN_SECRET is required by `npm start`/);
    }
    expect(read({}, { world: 'production', command: 'once' }).adminSecrets).toEqual([]);
    expect(read({}, { world: 'dev', command: 'serve' }).adminSecrets).toEqual([]);
  });

  test('is not part of the message about another variable', () => {
    const message = problemsOf({ ADMIN_SECRET: SECRET, HF_TOKEN: 'hf_1234567', RATE_LIMIT_PER_MINUTE: 'no' });
    expect(message).toBe('The environment can not be used:\n  RATE_LIMIT_PER_MINUTE must be a whole number');
  });
});

describe('an upstream over http', () => {
  const variables = ['MODELS_DEV_URL', 'OPENROUTER_URL', 'HUGGINGFACE_URL', 'ARTIFICIAL_ANALYSIS_URL'];

  test.each(['http://localhost:8080', 'http://127.0.0.1', 'http://127.8.9.10:99/x', 'http://[::1]:8080/y'])(
    'is taken on loopback: %s',
    (url) => {
      const { sources } = read(Object.fromEntries(variables.map((variable) => [variable, url])));
      expect(Object.values(sources).map(({ baseUrl }) => baseUrl)).toEqual(variables.map(() => url));
    },
  );

  test.each([
    'http://mirror.test',
    'http://10.0.0.1',
    'http://localhost.mirror.test',
    'http://127.mirror.test',
    'http://[::2]',
    'http://user:127.0.0.1@mirror.test',
  ])('is refused elsewhere: %s', (url) => {
    const message = problemsOf(Object.fromEntries(variables.map((variable) => [variable, url])));
    const problems = variables.map((variable) => `  ${variable} must be https, except on loopback`);
    expect(message).toBe(['The environment can not be used:', ...problems].join('\n'));
  });
});
