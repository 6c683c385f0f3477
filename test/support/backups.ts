import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { inject, onTestFinished } from 'vitest';
import type { Manifest } from '../../ops/database/manifest.ts';
import { openDatabase, type Database } from '../../server/db/database.ts';
import { DATABASES, type TestDatabase } from './databases.ts';
import { has } from './tools.ts';

/** What keeps Postgres from being backed up on this machine, as the name of a skipped test says it; empty: nothing. */
async function missingPrograms(): Promise<string> {
  if (!has('pg_dump') || !has('pg_restore')) return ' (needs pg_dump and pg_restore)';
  const said = execFileSync('pg_dump', ['--version'], { encoding: 'utf8' });
  const client = new pg.Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  const { rows } = await client.query<{ version: string }>(
    `select current_setting('server_version') as version`,
  );
  await client.end();
  const [own = 0, servers = 0] = [said.split(' ').at(2), rows[0]?.version].map((text) =>
    parseInt(text ?? '', 10),
  );
  return own < servers ? ` (needs pg_dump ${servers})` : '';
}

const missing = await missingPrograms();

/** Both databases, and whether they can be backed up here. */
export const BACKED_UP = DATABASES.map((kind) => {
  const lacks = kind.name === 'Postgres' ? missing : '';
  return { ...kind, name: kind.name + lacks, isPostgres: kind.name === 'Postgres', skipped: lacks !== '' };
});

/** One of them. */
export type BackedUp = (typeof BACKED_UP)[number];

/** A folder that is gone after the test. */
export function ownFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'effect-models-backups-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** An empty database that is gone after the test. */
export async function ownDatabase({ create }: BackedUp): Promise<string> {
  const { url, drop }: TestDatabase = await create();
  onTestFinished(drop);
  return url;
}

/** What is in a folder, hidden files too. */
export const filesIn = (folder: string): string[] => readdirSync(folder).sort();

/** The manifests of a folder, oldest first. */
export function manifestsIn(folder: string): Manifest[] {
  const names = filesIn(folder).filter((name) => name.endsWith('.json'));
  return names.map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Manifest);
}

/** Writes a manifest anew, with something else in it. */
export function editManifest(folder: string, edit: (manifest: Manifest) => void): void {
  const name = filesIn(folder).find((one) => one.endsWith('.json')) ?? '';
  const manifest = JSON.parse(readFileSync(join(folder, name), 'utf8')) as Manifest;
  edit(manifest);
  writeFileSync(join(folder, name), JSON.stringify(manifest));
}

/** Opens a database for as long as `work` takes. */
export async function within<Result>(
  url: string,
  work: (database: Database) => Promise<Result>,
): Promise<Result> {
  const database = await openDatabase(url);
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}

/** A PATH on which a program is another: a shell script that may go on with `exec "$REAL" "$@"`. */
export function pathWith(program: string, script: string): string {
  const folder = join(ownFolder(), 'bin');
  mkdirSync(folder);
  const real = execFileSync('sh', ['-c', `command -v ${program}`], { encoding: 'utf8' }).trim();
  const path = join(folder, program);
  writeFileSync(path, `#!/bin/sh\nREAL=${real}\n${script}\n`);
  chmodSync(path, 0o755);
  return `${folder}:${process.env.PATH}`;
}
