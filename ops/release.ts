import { parseArgs } from 'node:util';
import { OpsError, UsageError } from './command.ts';
import { CHECKS, release } from './release/release.ts';

const USAGE = `Usage: npm run release -- <major|minor|patch|x.y.z> [--dry-run] [--check <command>]...
  --dry-run            says what would be done, and does nothing
  --check <command>    is run in place of ${CHECKS.join(', ')}: for rehearsals; may be given again`;

const EXIT_USAGE = 64;

function main(args: string[]): number {
  try {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: { 'dry-run': { type: 'boolean' }, check: { type: 'string', multiple: true } },
    });
    const [wanted, ...more] = positionals;
    if (wanted === undefined || more.length > 0) throw new UsageError('Say which version: one word.');
    release({
      root: process.cwd(),
      wanted,
      checks: values.check ?? CHECKS,
      dryRun: values['dry-run'] ?? false,
      date: new Date().toISOString().slice(0, 10),
      print: (line) => console.log(line),
    });
    return 0;
  } catch (error) {
    if (error instanceof UsageError || (error as { code?: string }).code?.startsWith('ERR_PARSE_ARGS')) {
      console.error(`${(error as Error).message}\n${USAGE}`);
      return EXIT_USAGE;
    }
    console.error(error instanceof OpsError ? `No release: ${error.message}` : error);
    return 1;
  }
}

process.exitCode = main(process.argv.slice(2));
