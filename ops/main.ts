import { ConfigError, readConfig } from '../server/config.ts';
import { OpsError, UsageError, type OpsCommand } from './command.ts';
import { COMMANDS } from './commands/index.ts';
import { readOpsConfig } from './config.ts';

const EXIT_USAGE = 64;
const LINGER_MS = 1_000;
/** sysexits.h: the configuration can not be used. */
const EXIT_CONFIG = 78;

function help(): string {
  const lines = Object.entries(COMMANDS).map(
    ([name, { usage, summary }]) => `  ${`${name} ${usage}`.trim()}\n      ${summary}`,
  );
  return `npm run ops -- <command>\n\n${lines.join('\n')}`;
}

/** The command that the words name, and the arguments after it; the longer name goes first. */
function find(words: string[]): { name: string; command: OpsCommand; args: string[] } | null {
  for (const length of [2, 1]) {
    const name = words.slice(0, length).join(' ');
    const command = COMMANDS[name];
    if (command !== undefined) return { name, command, args: words.slice(length) };
  }
  return null;
}

async function main(words: string[]): Promise<number> {
  if (words.length === 0 || ['help', '--help', '-h'].includes(words[0] ?? '')) {
    console.log(help());
    return 0;
  }
  const found = find(words);
  if (found === null) {
    console.error(`There is no command "${words.slice(0, 2).join(' ')}".\n\n${help()}`);
    return EXIT_USAGE;
  }
  const { name, command, args } = found;
  try {
    return await command.run(
      {
        service: readConfig('production', { command: 'once' }),
        ops: readOpsConfig(),
        print: (line) => console.log(line),
        progress: (line) => console.error(line),
      },
      args,
    );
  } catch (error) {
    if (error instanceof ConfigError) {
      console.error(error.message);
      return EXIT_CONFIG;
    }
    if (error instanceof UsageError || isParseArgsError(error)) {
      console.error(
        `${(error as Error).message}\nUsage: npm run ops -- ${`${name} ${command.usage}`.trim()}`,
      );
      return EXIT_USAGE;
    }
    console.error(error instanceof OpsError ? `${name} failed: ${error.message}` : error);
    return 1;
  }
}

/** Whether `parseArgs` of node:util refused the arguments. */
function isParseArgsError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
}

// A reader that has left, such as head, must not end what is half done.
for (const output of [process.stdout, process.stderr]) output.on('error', () => {});
process.exitCode = await main(process.argv.slice(2));
// A connection that says nothing any more must not hold the process back.
setTimeout(() => process.exit(), LINGER_MS).unref();
