import type { z } from 'zod';
import { SOURCES } from '../sync/sources/index.ts';
import { upstreamUrl, variables } from './config-values.ts';

/** The two worlds: `npm run dev` is a laptop, everything else is production. */
export type World = 'dev' | 'production';

/** An admin secret: the variable that it comes from, and its SHA-256 digest. */
export interface AdminSecret {
  name: 'ADMIN_SECRET' | 'ADMIN_SECRET_NEXT';
  hash: Buffer;
}

/** Everything that the environment decides, validated once. */
export interface Config {
  world: World;
  host: string;
  port: number;
  databaseUrl: string;
  /** A file with the password of the database, read for every new connection; null: it is part of the URL. */
  databasePasswordFile: string | null;
  redisUrl: string | null;
  /** Where limits are counted; null: in this process. */
  rateLimitRedisUrl: string | null;
  /** The valid admin secrets; one or two under `npm start`. */
  adminSecrets: AdminSecret[];
  /** SHA-256 digest of the token that opens `/metrics` alone; null: admin secrets do. */
  metricsTokenHash: Buffer | null;
  /** What the process does: answer, sync, or both. */
  role: 'all' | 'serve' | 'worker';
  /** What the database may grow to, in bytes; null: not told. */
  storageLimitBytes: number | null;
  /** Cron expression in UTC; null: no schedule. */
  syncCron: string | null;
  syncOnStart: 'if-stale' | 'always' | 'never';
  /** By source id: where it is, its key, how many items at most (null: all). */
  sources: Record<string, { baseUrl: string; apiKey: string | null; maxItems: number | null }>;
  /** Whether Artificial Analysis values are part of answers. */
  publishArtificialAnalysis: boolean;
  /** Requests a minute an address may make; 0: any number. */
  rateLimitPerMinute: number;
  /** How many days of history are kept; null: all of it. */
  historyDays: number | null;
  /** Addresses whose X-Forwarded-For is believed. */
  trustedProxies: string[];
  logLevel: string;
}

/** The environment is not usable. The message names the variables, one a line, and never their values. */
export class ConfigError extends Error {
  override name = 'ConfigError';
  constructor(problems: string[]) {
    super(`The environment can not be used:\n${problems.map((problem) => `  ${problem}`).join('\n')}`);
  }
}

/** An empty variable counts as unset, as in the shell's `${VAR:-default}`. */
function withoutEmpty(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(environment).filter(([, value]) => value !== undefined && value.trim() !== ''),
  );
}

/** Reads the configuration of a world from an environment. Throws `ConfigError` with every problem at once. */
export function readConfig(
  world: World,
  { command, environment = process.env }: { command: 'serve' | 'once'; environment?: NodeJS.ProcessEnv },
): Config {
  const given = withoutEmpty(environment);
  const problems: string[] = [];
  const parse = <Type extends z.ZodType>(variable: string, schema: Type, value: unknown): z.output<Type> => {
    const result = schema.safeParse(value);
    if (result.success) return result.data;
    problems.push(`${variable} ${result.error.issues.map((issue) => issue.message).join(', ')}`);
    return undefined as z.output<Type>;
  };
  const read = <Name extends keyof typeof variables.shape>(
    name: Name,
  ): z.output<(typeof variables.shape)[Name]> =>
    parse(name, variables.shape[name], given[name]) as z.output<(typeof variables.shape)[Name]>;

  const sources: Config['sources'] = {};
  for (const source of SOURCES) {
    const { baseUrl, apiKey, maxItems } = source;
    if (baseUrl === null) continue;
    sources[source.id] = {
      baseUrl: parse(baseUrl.variable, upstreamUrl, given[baseUrl.variable] ?? baseUrl.default)?.replace(
        /\/+$/,
        '',
      ),
      apiKey: (apiKey && given[apiKey.variable]) ?? null,
      maxItems: maxItems && readMaxItems(given[maxItems.variable], maxItems, problems),
    };
  }
  const names = ['ADMIN_SECRET', 'ADMIN_SECRET_NEXT'] as const;
  const adminSecrets = names.flatMap((name): AdminSecret[] => {
    const hash = read(name);
    return hash === undefined ? [] : [{ name, hash }];
  });
  const metricsTokenHash = read('METRICS_TOKEN') ?? null;
  if (world === 'production' && command === 'serve' && given.ADMIN_SECRET === undefined) {
    problems.push(
      'ADMIN_SECRET is required by `npm start`: make one with `npm run ops -- rotate-secret`, and set it',
    );
  }
  const [first, second] = adminSecrets;
  if (first && second?.hash.equals(first.hash)) {
    problems.push('ADMIN_SECRET_NEXT must differ from ADMIN_SECRET');
  }
  if (metricsTokenHash !== null && adminSecrets.some(({ hash }) => hash.equals(metricsTokenHash))) {
    problems.push('METRICS_TOKEN must differ from the admin secrets: it opens the figures alone');
  }
  const redisUrl = read('REDIS_URL') ?? null;
  const config: Config = {
    world,
    host: read('HOST') ?? (world === 'dev' ? '127.0.0.1' : '0.0.0.0'),
    port: Number(read('PORT')),
    databaseUrl: read('DATABASE_URL'),
    databasePasswordFile: read('DATABASE_PASSWORD_FILE') ?? null,
    redisUrl,
    rateLimitRedisUrl: read('RATE_LIMIT_REDIS_URL') ?? redisUrl,
    adminSecrets,
    metricsTokenHash,
    role: read('ROLE'),
    storageLimitBytes: read('STORAGE_LIMIT_GB') ?? null,
    syncCron: read('SYNC_CRON'),
    syncOnStart: read('SYNC_ON_START'),
    sources,
    publishArtificialAnalysis: read('ARTIFICIAL_ANALYSIS_PUBLISH') === 'on',
    rateLimitPerMinute: Number(read('RATE_LIMIT_PER_MINUTE')),
    historyDays: read('HISTORY_RETENTION_DAYS'),
    trustedProxies: read('TRUSTED_PROXIES'),
    logLevel: read('LOG_LEVEL'),
  };
  if (problems.length > 0) throw new ConfigError(problems);
  return config;
}

function readMaxItems(
  value: string | undefined,
  { variable, default: fallback }: { variable: string; default: number },
  problems: string[],
): number | null {
  if (value === undefined) return fallback;
  if (value === 'all') return null;
  if (/^[1-9]\d*$/.test(value)) return Number(value);
  problems.push(`${variable} must be a whole number above 0, or all`);
  return fallback;
}
