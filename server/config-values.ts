import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP, isIPv4 } from 'node:net';
import { z } from 'zod';
import { isCronExpression } from './scheduler.ts';

const digits = z.string().regex(/^\d+$/, 'must be a whole number');

/** Whether a URL can be read: parts that are percent-encoded too, and a port that is one. */
function isReadable(url: string): boolean {
  try {
    const { username, password, pathname } = new URL(url);
    [username, password, pathname].forEach((part) => decodeURIComponent(part));
    return true;
  } catch {
    return false;
  }
}

const databaseUrl = z
  .string()
  .regex(/^(file:.+|postgres(ql)?:\/\/.+)$/, { error: 'must start with file: or postgres://', abort: true })
  .refine((url) => url.startsWith('file:') || isReadable(url), 'is not a URL that can be read');

/** A file with a secret in one line. */
const secretFile = z.string().refine((path) => {
  try {
    return /^.+(\r?\n)?$/.test(readFileSync(path, 'utf8'));
  } catch {
    return false;
  }
}, 'must name a file that can be read, with the password and nothing else');

const redisUrl = z
  .string()
  .regex(/^rediss?:\/\/.+$/, { error: 'must start with redis:// or rediss://', abort: true })
  .refine(
    (url) => isReadable(url) && /^\/?\d*$/.test(new URL(url).pathname),
    'is not a URL that can be read: redis://[:password@]host[:port][/database number]',
  );

/** Names and addresses of this machine alone: `127.example.org` is not one. */
function isLoopback(hostname: string): boolean {
  return (
    hostname === 'localhost' || hostname === '[::1]' || (isIPv4(hostname) && hostname.startsWith('127.'))
  );
}

/** Base URL of an upstream. */
export const upstreamUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL', abort: true })
  .superRefine((url, check) => {
    const { protocol, hostname } = new URL(url);
    if (protocol === 'http:' && !isLoopback(hostname)) check.addIssue('must be https, except on loopback');
  });

const MIN_SECRET_LENGTH = 43;

/** What people write where a secret belongs, and what examples show. */
const KNOWN_WORDS =
  /change-?_?me|password|passwort|example|placeholder|your[-_ ]|insert|default|123456789|qwerty/i;

/** Whether a text can not be random: too few different characters, one text again and again, or words that everybody knows. */
function isGuessable(text: string): boolean {
  // Hexadecimal digits say less each, so that there have to be more of them.
  const needed = /^[0-9a-f]{64,}$/i.test(text) ? 10 : 20;
  return new Set(text).size < needed || /^(.+)\1+$/.test(text) || KNOWN_WORDS.test(text);
}

const secret = z
  .string()
  .superRefine((value, check) => {
    if (value.startsWith('sha256:')) {
      if (!/^sha256:[0-9a-f]{64}$/i.test(value)) check.addIssue('must be sha256: and 64 hexadecimal digits');
      return;
    }
    if (value.length < MIN_SECRET_LENGTH)
      check.addIssue(`must have at least ${MIN_SECRET_LENGTH} characters`);
    else if (value.includes(',')) check.addIssue('must not contain a comma');
    else if (isGuessable(value))
      check.addIssue('can be guessed: make a random one with `npm run ops -- rotate-secret`');
  })
  .transform((value) =>
    value.startsWith('sha256:')
      ? Buffer.from(value.slice(7), 'hex')
      : createHash('sha256').update(value).digest(),
  );

const cronExpression = z
  .string()
  .refine(
    (value) => value === 'off' || isCronExpression(value),
    'must be a cron expression of five or six fields, or off',
  )
  .transform((value) => (value === 'off' ? null : value));

/** Addresses or networks (`10.0.0.0/8`), parted by commas. */
const addresses = z
  .string()
  .transform((value) =>
    value
      .split(',')
      .map((part) => part.trim())
      .filter((part) => part !== ''),
  )
  .refine(
    (parts) => parts.every(isAddress),
    'must be addresses or networks such as 10.0.0.0/8, parted by commas',
  );

function isAddress(text: string): boolean {
  const [address = '', bits, ...rest] = text.split('/');
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  return (
    rest.length === 0 && most > 0 && (bits === undefined || (/^\d+$/.test(bits) && Number(bits) <= most))
  );
}

const retentionDays = z
  .string()
  .regex(/^(all|[1-9]\d{0,4})$/, 'must be a number of days above 0, or all')
  .transform((value) => (value === 'all' ? null : Number(value)));

const gigabytes = z
  .string()
  .regex(/^\d+(\.\d+)?$/, 'must be a number of gigabytes')
  .transform((value) => Number(value) * 1e9);

/** Every variable that is not a source's own, and its default. */
export const variables = z.object({
  PORT: digits.refine((value) => Number(value) <= 65_535, 'must be a port number').default('3000'),
  HOST: z.string().min(1).optional(),
  DATABASE_URL: databaseUrl.default('file:./data/effect-models.db'),
  DATABASE_PASSWORD_FILE: secretFile.optional(),
  REDIS_URL: redisUrl.optional(),
  RATE_LIMIT_REDIS_URL: redisUrl.optional(),
  ADMIN_SECRET: secret.optional(),
  ADMIN_SECRET_NEXT: secret.optional(),
  METRICS_TOKEN: secret.optional(),
  ROLE: z.enum(['all', 'serve', 'worker']).default('all'),
  STORAGE_LIMIT_GB: gigabytes.optional(),
  SYNC_CRON: cronExpression.prefault('0 */2 * * *'),
  SYNC_ON_START: z.enum(['if-stale', 'always', 'never']).default('if-stale'),
  ARTIFICIAL_ANALYSIS_PUBLISH: z.enum(['on', 'off']).default('on'),
  RATE_LIMIT_PER_MINUTE: digits.default('600'),
  HISTORY_RETENTION_DAYS: retentionDays.prefault('all'),
  TRUSTED_PROXIES: addresses.prefault(''),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});
