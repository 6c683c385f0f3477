import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Command, OF_NODE } from './process.ts';

/** The program of `npm run ops`. */
export const MAIN = fileURLToPath(new URL('../../ops/main.ts', import.meta.url));

/** How a command ended, and what it printed. */
export interface OpsResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a command of `npm run ops` as a process of its own; nothing of this environment is passed on but what Node needs. */
export function runOps(
  args: string[],
  environment: Record<string, string>,
  { cwd }: { cwd?: string } = {},
): Promise<OpsResult> {
  const env = { ...OF_NODE, ...environment };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [MAIN, ...args],
      { env, ...(cwd === undefined ? {} : { cwd }) },
      (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : -1;
        resolve({ code, stdout, stderr });
      },
    );
  });
}

/** Starts a command of `npm run ops` that a test looks at while it runs, or ends. */
export function startOps(
  [command = '', ...args]: string[],
  environment: Record<string, string>,
  { within = [] }: { within?: string[] } = {},
): Command {
  return new Command(command, environment, args, { main: MAIN, within });
}
