import { readConfig } from '../../server/config.ts';
import { backfillCommand } from '../../server/backfill.ts';

/** What `npm run backfill` comes to: its exit code, and what it printed. */
export interface Backfilled {
  code: number;
  output: string;
}

/** Runs `npm run backfill` with these arguments on a database, in this process. */
export async function runBackfill(
  databaseUrl: string,
  args: string[],
  environment: Record<string, string> = {},
): Promise<Backfilled> {
  const config = readConfig('dev', {
    command: 'once',
    environment: { DATABASE_URL: databaseUrl, ...environment },
  });
  const lines: string[] = [];
  const { log, error } = console;
  console.log = console.error = (line: unknown) => void lines.push(String(line));
  try {
    return { code: await backfillCommand(config, args), output: lines.join('\n') };
  } finally {
    console.log = log;
    console.error = error;
  }
}
