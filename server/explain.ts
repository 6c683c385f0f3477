import { parseArgs } from 'node:util';
import { BUNDLED, SOURCES } from '../sync/sources/index.ts';
import type { Config } from './config.ts';
import { catalogVersion } from './db/catalog.ts';
import { openDatabase, type Database } from './db/database.ts';
import { namespaceIds } from './db/names.ts';
import { meaningText, readingText, storyText } from './explain-text.ts';
import { storyOf } from './services/explain.ts';
import { createResolver } from './services/resolver.ts';

const USAGE = 'Usage: npm run explain -- <id> [--source <source or provider>]';

/** What is to be explained. */
interface Question {
  name: string;
  source: string | null;
}

/** What a command line asks for; null: nothing that can be understood. */
function questionOf(args: string[]): Question | null {
  try {
    const options = { source: { type: 'string' } } as const;
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const name = positionals.join(' ').trim();
    return name === '' ? null : { name, source: values.source ?? null };
  } catch {
    return null;
  }
}

/** Whether anything has been synced into the database. */
async function hasCatalog({ read }: Database): Promise<boolean> {
  const tables = await read.introspection.getTables();
  return tables.some(({ name }) => name === 'identity_changes') && (await catalogVersion(read)).version > 0;
}

/** Prints why a name means what it means. Answers with the exit code: 0 it means one model, 1 it does not, or nothing can be told. */
export async function explain(config: Config, args: string[]): Promise<number> {
  const question = questionOf(args);
  if (question === null) {
    console.error(USAGE);
    return 1;
  }
  const database = await openDatabase(config.databaseUrl, { passwordFile: config.databasePasswordFile });
  try {
    if (!(await hasCatalog(database))) {
      console.error('The database holds no catalogue yet: run `npm run sync` first.');
      return 1;
    }
    return await answer(database, question);
  } finally {
    await database.close();
  }
}

function answer({ dialect, snapshot }: Database, { name, source }: Question): Promise<number> {
  const sources = [...SOURCES, BUNDLED];
  // Whoever runs the service may see all that it holds.
  const resolver = createResolver({ dialect, sources, view: { withheld: false } });
  return snapshot(async (db) => {
    const origin = await resolver.originOf(db, source);
    if (origin === null) {
      const known = (await namespaceIds(db)).join(', ');
      console.error(`There is no source or provider "${source}"; there are: ${known}`);
      return 1;
    }
    const meaning = await resolver.resolve(db, name, origin);
    const lines = meaningText(name, origin, meaning);
    const isRead =
      meaning.status === 'not_found' || (meaning.status === 'resolved' && meaning.takenFor === 'reading');
    if (isRead) lines.push(...readingText(await resolver.readings(db, name, origin)));
    if (meaning.status === 'resolved')
      lines.push(...storyText(meaning.model.id, await storyOf(db, meaning.model.id, sources)));
    console.log(lines.join('\n'));
    return meaning.status === 'resolved' ? 0 : 1;
  });
}
