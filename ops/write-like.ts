import { chmod, chown, rm, stat, writeFile } from 'node:fs/promises';
import { OpsError } from './command.ts';
import { flush } from './database/folder.ts';

/** Writes a file with the owner and the rights of another, and makes sure that it is on disk. */
export async function writeLike(model: string, path: string, text: string): Promise<void> {
  try {
    const { mode, uid, gid } = await stat(model);
    await writeFile(path, text, { mode: 0o600 });
    await chmod(path, mode & 0o777);
    await chown(path, uid, gid);
    await flush(path);
  } catch (error) {
    await rm(path, { force: true });
    throw new OpsError(
      `beside ${model} no file of the same owner can be written (${(error as NodeJS.ErrnoException).code}): nothing was changed. ` +
        'Do it as that owner, in a folder that may be written',
      { cause: error },
    );
  }
}
