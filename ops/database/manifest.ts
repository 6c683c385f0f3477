import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { OpsError } from '../command.ts';

const manifestSchema = z.object({
  format: z.literal(1),
  createdAt: z.iso.datetime(),
  /** Version of the service that made it. */
  version: z.string(),
  dialect: z.enum(['sqlite', 'postgresql']),
  /** Which server or library the database was of. */
  server: z.string(),
  /** Name of the database. */
  database: z.string(),
  /** Name of the file beside the manifest. */
  file: z.string().regex(/^[\w.-]+$/),
  bytes: z.int(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  /** The migrations that had run, oldest first. */
  migrations: z.array(z.string()),
  /** Version of the catalogue that was published; 0: there was none. */
  catalogVersion: z.int(),
  tables: z.record(z.string(), z.object({ rows: z.int(), checksum: z.string() })),
});

/** What a backup holds, and how to tell that it is whole. */
export type Manifest = z.output<typeof manifestSchema>;

/** A backup on disk: its file, and what its manifest says. */
export interface Backup {
  /** Path of the file. */
  path: string;
  manifestPath: string;
  manifest: Manifest;
}

/** The ending of a backup's file. */
export const ENDING: Record<Manifest['dialect'], string> = { sqlite: '.db', postgresql: '.dump' };

/** Where the manifest of a backup's file is. */
export const manifestPathOf = (file: string): string => file.replace(/\.(db|dump)$/, '.json');

/** Reads what a manifest says. Throws `OpsError` where it is none. */
export async function readManifest(manifestPath: string): Promise<Backup> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(manifestPath, 'utf8'));
  } catch (error) {
    throw new OpsError(`the manifest ${manifestPath} can not be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
  const { data, error } = manifestSchema.safeParse(json);
  if (error !== undefined) {
    const [issue] = error.issues;
    throw new OpsError(`the manifest ${manifestPath} is broken: ${issue?.path.join('.')}: ${issue?.message}`);
  }
  return { path: join(dirname(manifestPath), data.file), manifestPath, manifest: data };
}

/** SHA-256 and size of a file. */
export async function digestOf(path: string): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  await pipeline(createReadStream(path), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      hash.update(chunk);
      bytes += chunk.length;
    }
  });
  return { sha256: hash.digest('hex'), bytes };
}

/** Compares the file of a backup with its manifest. Throws `OpsError` where a single byte differs. */
export async function verifyFile({ path, manifest }: Backup): Promise<void> {
  if (!existsSync(path)) throw new OpsError(`the file of the backup is missing: ${path}. Use another backup`);
  const { sha256, bytes } = await digestOf(path);
  if (bytes !== manifest.bytes)
    throw new OpsError(
      `the backup ${basename(path)} is broken: it has ${bytes} bytes instead of ${manifest.bytes}. Use another backup`,
    );
  if (sha256 !== manifest.sha256)
    throw new OpsError(
      `the backup ${basename(path)} is broken: its contents are not what its manifest says (SHA-256). Use another backup`,
    );
}
