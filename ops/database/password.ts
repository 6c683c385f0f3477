import { createHash, createHmac, pbkdf2Sync, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { sql } from 'kysely';
import { isWrongPassword } from '../../server/db/password-file.ts';
import { isUnavailable } from '../../server/db/unavailable.ts';
import { OpsError } from '../command.ts';
import { writeLike } from '../write-like.ts';
import { withOperator, type Address } from './address.ts';
import { flush } from './folder.ts';

const ITERATIONS = 4096;

/** What Postgres stores of a password: with it in place of the password itself, no log of the server ever holds that. */
export function scramVerifier(password: string, salt: Buffer = randomBytes(16)): string {
  const salted = pbkdf2Sync(password, salt, ITERATIONS, 32, 'sha256');
  const keyed = (key: string) => createHmac('sha256', salted).update(key).digest();
  const stored = createHash('sha256').update(keyed('Client Key')).digest('base64');
  const server = keyed('Server Key').toString('base64');
  return `SCRAM-SHA-256$${ITERATIONS}:${salt.toString('base64')}$${stored}:${server}`;
}

/** Gives the role of a URL a new password, and writes it into the file that is read for every connection. Answers with the role. */
export async function rotatePassword(url: string, file: string): Promise<string> {
  const nextFile = `${file}.next`;
  const isValid = (passwordFile: string) => accepts({ url, passwordFile });
  const putInPlace = async () => {
    await rename(nextFile, file);
    await flush(dirname(file));
  };
  // Whatever ends a rotation in the middle, one of the two files has the password that is valid.
  if (existsSync(nextFile)) await ((await isValid(nextFile)) ? putInPlace() : rm(nextFile));

  const before = await readFile(file, 'utf8');
  const password = randomBytes(32).toString('base64url');
  return withOperator({ url, passwordFile: file }, async (db) => {
    const { rows } = await sql<{ role: string }>`select current_user as role`.execute(db);
    const set = async (text: string) => {
      const verifier = scramVerifier(text.replace(/\r?\n$/, ''));
      await sql`alter role current_user password ${sql.lit(verifier)}`.execute(db);
    };
    await writeLike(file, nextFile, `${password}\n`);
    try {
      await set(password);
    } catch (error) {
      // A lost connection leaves open whether it was done.
      if (!isUnavailable(error) || !(await isValid(nextFile))) {
        await rm(nextFile);
        throw error;
      }
    }
    await putInPlace();
    if (await isValid(file)) return String(rows[0]?.role);
    await writeLike(file, nextFile, before);
    await set(before);
    await putInPlace();
    throw new OpsError('the server does not take the new password, so the old one is valid again');
  });
}

/** Whether a server takes a password. */
async function accepts(address: Address): Promise<boolean> {
  try {
    await withOperator(address, (db) => sql`select 1`.execute(db));
    return true;
  } catch (error) {
    if (error instanceof OpsError && isWrongPassword(error.cause)) return false;
    throw error;
  }
}
