import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import type { Kysely } from 'kysely';
import { variables } from '../../server/config-values.ts';
import { closeWithin } from '../../server/db/database.ts';
import { dialectOf, kyselyOf, openOrm, sqlitePath, type Tables } from '../../server/db/orm.ts';
import { isDamaged, isUnavailable } from '../../server/db/unavailable.ts';
import { readPassword } from '../../server/db/password-file.ts';
import { OpsError, UsageError, type OpsContext } from '../command.ts';

/** Where a database is, and the file with its password; null: it is in the URL, or in PGPASSWORD. */
export interface Address {
  url: string;
  passwordFile: string | null;
}

const userOf = (url: string): string => new URL(url).username;

/** The database of the service, or the one that a URL names. A URL without a password takes that of the same user. */
export function addressOf({ service }: Pick<OpsContext, 'service'>, given?: string): Address {
  const own: Address = { url: service.databaseUrl, passwordFile: service.databasePasswordFile };
  if (given === undefined) return own;
  const { data: url, error } = variables.shape.DATABASE_URL.safeParse(given);
  if (error !== undefined) throw new UsageError(`The database URL ${error.issues[0]?.message}.`);
  const isOwnUser =
    dialectOf(url) === 'postgresql' &&
    dialectOf(own.url) === 'postgresql' &&
    new URL(url).password === '' &&
    userOf(url) === userOf(own.url);
  return { url, passwordFile: isOwnUser ? own.passwordFile : null };
}

/** The same server, and another database on it. */
export function onServerOf({ url, passwordFile }: Address, database: string): Address {
  const other = new URL(url);
  other.pathname = `/${database}`;
  return { url: other.href, passwordFile };
}

/** A database as messages name it: never with its password. */
export function nameOf(url: string): string {
  if (dialectOf(url) === 'sqlite') return sqlitePath(url);
  const { host, pathname } = new URL(url);
  return `${host}${decodeURIComponent(pathname)}`;
}

/** The database that a URL names, as manifests of backups call it. */
export function databaseOf(url: string): string {
  if (dialectOf(url) === 'sqlite') return basename(sqlitePath(url));
  return decodeURIComponent(new URL(url).pathname.slice(1)) || userOf(url);
}

/** What programs of PostgreSQL are given: a URL without the password, and the password for PGPASSWORD. */
export async function libpqOf({ url, passwordFile }: Address): Promise<{ url: string; password: string }> {
  const bare = new URL(url);
  const password =
    passwordFile === null ? decodeURIComponent(bare.password) : await readPassword(passwordFile);
  bare.password = '';
  // Other parameters are the driver's own, and libpq refuses what it does not know.
  const tls = new URLSearchParams(
    [...bare.searchParams].filter(([name]) => /^ssl(mode|rootcert|cert|key)$/.test(name)),
  );
  if (tls.get('sslmode') === 'no-verify') {
    tls.set('sslmode', 'require');
    // With it, libpq would verify all the same.
    tls.delete('sslrootcert');
  }
  bare.search = tls.toString();
  return { url: bare.href, password };
}

const CLOSE_MS = 5_000;

/** Opens a database for as long as `work` takes, with the patience that operators' commands need. */
export async function withOperator<Result>(
  { url, passwordFile }: Address,
  work: (db: Kysely<Tables>) => Promise<Result>,
): Promise<Result> {
  requireFile(url);
  const orm = await openOrm(url, 'operate', { passwordFile });
  try {
    return await work(kyselyOf(orm));
  } catch (error) {
    throw asOpsError(url, error);
  } finally {
    await closeWithin(CLOSE_MS, [orm]);
  }
}

/** Throws `OpsError` where an SQLite file is not there: opening it would make it. */
export function requireFile(url: string): void {
  if (dialectOf(url) === 'postgresql' || existsSync(sqlitePath(url))) return;
  throw new OpsError(
    `there is no database at ${sqlitePath(url)}: check DATABASE_URL, or make one with \`npm run migrate\``,
  );
}

/** SQLSTATE of a role that lacks a privilege. */
const NOT_ALLOWED = '42501';

/** An error of a database that can not be reached, or does not allow it, as an operator understands it; any other as it is. */
function asOpsError(url: string, error: unknown): unknown {
  const { message, code } = error as Error & { code?: string };
  if (code === NOT_ALLOWED)
    return new OpsError(`${message}: use the role that owns the schema (em_migrate) in DATABASE_URL`, {
      cause: error,
    });
  if (error instanceof OpsError || !isUnavailable(error)) return error;
  const why = [message, code].filter(Boolean).join(', ');
  if (isDamaged(error))
    return new OpsError(
      `the database ${nameOf(url)} is damaged (${why}): restore the newest backup (\`npm run ops -- restore\`)`,
      { cause: error },
    );
  return new OpsError(
    `the database ${nameOf(url)} can not be used (${why}): check that it runs, the address and the password`,
    { cause: error },
  );
}
