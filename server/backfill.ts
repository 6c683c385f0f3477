import { constants, openAsBlob } from 'node:fs';
import { access } from 'node:fs/promises';
import { basename } from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { ArchivedAnswer } from '../sync/archive.ts';
import { readJson } from '../sync/body.ts';
import { UpstreamError } from '../sync/failure.ts';
import { SOURCES } from '../sync/sources/index.ts';
import { syncPorts } from './ports.ts';
import type { Config } from './config.ts';
import { openDatabase } from './db/database.ts';
import { backfill, BackfillRefused, type Archive } from './services/backfill.ts';

const USAGE = [
  'Usage: npm run backfill -- --source <source> --at <day or time> <file> ... [--at <day or time> <file> ...]',
  '',
  'Loads archived answers of one source into the history. Files are JSON, gzipped or not: after each --at those that the',
  'source answered then. A day means its first moment in UTC. They are read in the order of time.',
].join('\n');

/** An archive as the command line names it. */
interface Named {
  at: string;
  files: string[];
}

const Moment = z.union([z.iso.date(), z.iso.datetime()]);

/** Reads the command line. Throws `BackfillRefused` with what is wrong. */
function archivesOf(args: string[]): { source: string; archives: Named[] } {
  const options = { source: { type: 'string' }, at: { type: 'string', multiple: true } } as const;
  const { values, tokens } = parse(() => parseArgs({ args, options, allowPositionals: true, tokens: true }));
  const archives: Named[] = [];
  for (const token of tokens) {
    if (token.kind === 'option' && token.name === 'at') {
      const moment = Moment.safeParse(token.value);
      if (!moment.success)
        throw new BackfillRefused(`--at ${token.value} is neither a day (2026-01-01) nor a time in UTC.`);
      archives.push({ at: new Date(moment.data).toISOString(), files: [] });
    } else if (token.kind === 'positional') {
      const archive = archives.at(-1);
      if (archive === undefined) throw new BackfillRefused(`Say --at before ${token.value}.`);
      archive.files.push(token.value);
    }
  }
  if (values.source === undefined || archives.length === 0) throw new BackfillRefused(USAGE);
  const empty = archives.find(({ files }) => files.length === 0);
  if (empty !== undefined) throw new BackfillRefused(`No file is named after --at ${empty.at}.`);
  return { source: values.source, archives };
}

function parse<Result>(work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    throw new BackfillRefused(`${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
  }
}

/** Opens a file, which is read later. */
async function openArchive(path: string): Promise<{ path: string; file: Blob }> {
  try {
    await access(path, constants.R_OK);
    return { path, file: await openAsBlob(path) };
  } catch (error) {
    throw new BackfillRefused(
      `${path} can not be opened: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

/** Reads a file as its source's answer would be read. Throws `UpstreamError` where it can not be. */
async function readAnswer(
  { path, file }: { path: string; file: Blob },
  maxBytes: number,
): Promise<ArchivedAnswer> {
  const name = basename(path);
  const magic = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  const gzipped = magic[0] === 0x1f && magic[1] === 0x8b;
  const stream = gzipped ? file.stream().pipeThrough(new DecompressionStream('gzip')) : file.stream();
  try {
    return { name, body: await readJson(name, new Response(stream), maxBytes, () => {}) };
  } catch (error) {
    if (error instanceof UpstreamError) throw error;
    throw new BackfillRefused(`${path} is broken: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Loads archives into the history. Answers with the exit code: 0 done, 1 nothing was loaded, 3 a sync is under way. */
export async function backfillCommand(config: Config, args: string[]): Promise<number> {
  const database = await openDatabase(config.databaseUrl, { passwordFile: config.databasePasswordFile });
  try {
    const { source: id, archives } = archivesOf(args);
    const source = SOURCES.find((one) => one.id === id);
    if (source === undefined) {
      const known = SOURCES.map((one) => one.id).join(', ');
      throw new BackfillRefused(`There is no source "${id}"; there are: ${known}.`);
    }
    await database.migrate();
    const ports = syncPorts(config, database);
    const read: Archive[] = [];
    for (const { at, files } of archives) {
      const opened = await Promise.all(files.map(openArchive));
      read.push({
        at,
        answers: () => Promise.all(opened.map((file) => readAnswer(file, ports.limits.maxBytes))),
      });
    }
    return await backfill({
      database,
      ports,
      source,
      archives: read,
      historyDays: config.historyDays,
      tell: (line) => console.log(line),
    });
  } catch (error) {
    if (!(error instanceof BackfillRefused) && !(error instanceof UpstreamError)) throw error;
    console.error(error.message);
    return 1;
  } finally {
    await database.close();
  }
}
