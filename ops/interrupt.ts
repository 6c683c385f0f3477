import { OpsError } from './command.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Runs `work` with a signal that is aborted by SIGINT, SIGTERM and SIGHUP, so that it can clear up before the process ends. */
export async function interruptible<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const controller = new AbortController();
  // A terminal and npm both pass an interruption on: what is cleared up goes on at the second.
  const interrupt = (name: string) => controller.abort(new OpsError(`interrupted by ${name}`));
  for (const name of SIGNALS) process.on(name, interrupt);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of SIGNALS) process.off(name, interrupt);
  }
}
