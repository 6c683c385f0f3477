import { readFile } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';

/** SQLSTATE of a server that was given no password that it takes. */
const WRONG_PASSWORD = '28P01';

/** There is no password in the file; to callers it is as if the server had turned them away. */
class NoPassword extends Error {
  override name = 'NoPassword';
  code = WRONG_PASSWORD;
}

/** The password that a file holds, without the line's end. */
export async function readPassword(path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new NoPassword('The file of DATABASE_PASSWORD_FILE can not be read', { cause: error });
  });
  const password = text.replace(/\r?\n$/, '');
  if (password === '') throw new NoPassword('The file of DATABASE_PASSWORD_FILE is empty');
  return password;
}

/** Whether a connection was refused for its password. */
export function isWrongPassword(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === WRONG_PASSWORD;
}

/** A rotation takes milliseconds between the server and the file; a password that is wrong stays wrong. */
const ROTATION_MS = 2_000;
const RETRY_MS = 50;

/** Connects, again for a moment where the password is refused: it may just be rotated, and the file be about to change. */
export function connectThroughRotation<Client>(connect: () => Promise<Client>): () => Promise<Client> {
  return async () => {
    const giveUpAt = performance.now() + ROTATION_MS;
    for (;;) {
      try {
        return await connect();
      } catch (error) {
        if (!isWrongPassword(error) || performance.now() > giveUpAt) throw error;
        await setTimeout(RETRY_MS);
      }
    }
  };
}
