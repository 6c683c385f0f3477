import { existsSync, statSync } from 'node:fs';
import { chmod, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { dialectOf } from '../../server/db/orm.ts';
import { OpsError } from '../command.ts';
import { removedAtOnce } from '../interrupt.ts';
import { databaseOf } from './address.ts';
import { manifestPathOf, readManifest, type Backup, type Manifest } from './manifest.ts';

/** Files of backups, half-written ones too: nothing else in the folder is ever touched. */
const OURS = /^effect-models-\d{8}T\d{9}Z\.(db|dump|json)(\.partial(-journal|-wal|-shm)?)?$/;
const PARTIAL = '.partial';
/** Files that SQLite makes beside the one that it writes. */
const BESIDE = ['', '-journal', '-wal', '-shm'];

/** What is left of a process that was killed is removed after a day: no backup takes so long. */
const ABANDONED_MS = 24 * 60 * 60_000;

/** The name of a backup that is made at a time, without its ending. */
export const nameAt = (time: string): string => `effect-models-${time.replaceAll(/[-:.]/g, '')}`;

/** Makes a folder for backups, readable to its owner alone. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw diskError(folder, error);
  }
}

/** Every whole backup of a folder, newest first. What has no readable manifest is none. */
export async function listBackups(folder: string): Promise<Backup[]> {
  if (!existsSync(folder)) return [];
  const names = (await readdir(folder)).filter((name) => OURS.test(name) && name.endsWith('.json'));
  const found = await Promise.allSettled(names.map((name) => readManifest(join(folder, name))));
  return found
    .flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
    .filter(({ path }) => existsSync(path))
    .sort((one, other) => (one.manifest.createdAt < other.manifest.createdAt ? 1 : -1));
}

/** Finds a backup: the path of its file or manifest, its name in the folder, or `latest` for the newest of the database of a URL. */
export async function findBackup(given: string, folder: string, databaseUrl: string): Promise<Backup> {
  const path = [given, join(folder, given)].find((one) => existsSync(one) && statSync(one).isFile());
  if (path !== undefined) return readManifest(manifestPathOf(path));
  const list = '`npm run ops -- backup list` names those there are';
  if (given !== 'latest')
    throw new OpsError(`there is no backup ${given}, neither as a path nor in ${folder}: ${list}`);
  const own: Kind = { dialect: dialectOf(databaseUrl), database: databaseOf(databaseUrl) };
  const latest = (await listBackups(folder)).find(({ manifest }) => isOf(own, manifest));
  if (latest !== undefined) return latest;
  throw new OpsError(
    `there is no backup of ${own.database}, the database of DATABASE_URL, in ${folder}: name the one that you mean; ${list}`,
  );
}

/** What tells the backups of one database from those of another. */
type Kind = Pick<Manifest, 'dialect' | 'database'>;

const isOf = (one: Kind, other: Kind): boolean =>
  one.dialect === other.dialect && one.database === other.database;

/** Writes a file under a temporary name that only becomes its own with `keep`; `discard` removes it. */
export async function writeWhole(
  path: string,
  write: (temporary: string) => Promise<void>,
): Promise<{ temporary: string; keep: () => Promise<void>; discard: () => Promise<void> }> {
  const temporary = path + PARTIAL;
  const kept = BESIDE.map((ending) => removedAtOnce(temporary + ending));
  const settle = () => kept.forEach((keep) => keep());
  const discard = async () => {
    for (const ending of BESIDE) await rm(temporary + ending, { force: true });
    settle();
  };
  try {
    await write(temporary);
    await chmod(temporary, 0o600);
    await flush(temporary);
  } catch (error) {
    await discard();
    throw diskError(path, error);
  }
  const keep = async () => {
    await rename(temporary, path);
    settle();
  };
  return { temporary, keep, discard };
}

/** Makes sure that a file, or the names in a folder, outlive a power failure. */
export async function flush(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Removes all but the newest `keep` backups of the same database, and what killed processes have left. Answers with what went. */
export async function forgetOld(folder: string, newest: Manifest, keep: number): Promise<string[]> {
  const same = (await listBackups(folder)).filter(({ manifest }) => isOf(newest, manifest));
  const old = same.slice(Math.max(keep, 1)).filter(({ manifest }) => manifest.file !== newest.file);
  for (const { path, manifestPath } of old) {
    // Without its manifest it is no backup any more: a crash in between leaves no half one.
    await rm(manifestPath);
    await rm(path);
  }
  await removeAbandoned(folder);
  return old.map(({ manifest }) => manifest.file);
}

async function removeAbandoned(folder: string): Promise<void> {
  const names = new Set(await readdir(folder));
  for (const name of [...names].filter((one) => OURS.test(one))) {
    const isHalf = name.includes(PARTIAL) || !names.has(name.replace(/\.(db|dump)$/, '.json'));
    if (!isHalf) continue;
    const { mtimeMs } = await stat(join(folder, name));
    if (Date.now() - mtimeMs > ABANDONED_MS) await rm(join(folder, name), { force: true });
  }
}

const FULL = /^(ENOSPC|EDQUOT|EFBIG|SQLITE_FULL|SQLITE_IOERR_WRITE)$/;
const CLOSED = /^(EACCES|EPERM|EROFS|ENOTDIR|EEXIST|ENOENT|SQLITE_CANTOPEN\w*|SQLITE_READONLY\w*)$/;

/** An error of writing a file, as an operator understands it; any other as it is. */
export function diskError(path: string, error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (FULL.test(code))
    return new OpsError(
      `${path} could not be written (${code}): the disk is full. What was there before is untouched: make room, or name ` +
        'another folder in BACKUP_DIR',
      { cause: error },
    );
  if (CLOSED.test(code))
    return new OpsError(
      `${path} could not be written (${code}): name a folder in BACKUP_DIR that may be written`,
      {
        cause: error,
      },
    );
  return error;
}
