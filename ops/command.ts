import type { Config } from '../server/config.ts';
import type { OpsConfig } from './config.ts';

/** What a command has to work with. */
export interface OpsContext {
  /** The configuration of the service, as its processes read it. */
  service: Config;
  /** What only operators need. */
  ops: OpsConfig;
  /** Prints a line for people on standard output. */
  print: (line: string) => void;
  /** Prints a line about progress on standard error. */
  progress: (line: string) => void;
}

/** One command of `npm run ops`. */
export interface OpsCommand {
  /** What follows its name, e.g. `<backup> --to <database url>`. */
  usage: string;
  /** What it does, in one line. */
  summary: string;
  /** Runs it; answers with the exit code. Throws `UsageError` for arguments that it can not use. */
  run(context: OpsContext, args: string[]): Promise<number>;
}

/** The arguments can not be used; the message says why and what to write instead. */
export class UsageError extends Error {
  override name = 'UsageError';
}

/** It could not be done, for a reason that the operator can do something about; the message says what. */
export class OpsError extends Error {
  override name = 'OpsError';
}
