import { rmSync } from 'node:fs';
import { OpsError } from './command.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** A terminal and npm both pass an interruption on, at once: only what comes later is another one. */
const AGAIN_MS = 1_000;

/** What is removed where a process is ended at once: files and folders that are half done. */
const halfDone = new Set<string>();
/** Why a process is not ended at once; empty: it may be. */
const reasons = new Set<string>();

/** Runs `work` with a signal that is aborted by SIGINT, SIGTERM and SIGHUP, so that it can clear up before the process ends. Another one later ends it at once. */
export async function interruptible<Result>(work: (signal: AbortSignal) => Promise<Result>): Promise<Result> {
  const controller = new AbortController();
  let firstAt: number | null = null;
  const interrupt = (name: string) => {
    if (firstAt === null) {
      firstAt = performance.now();
      controller.abort(new OpsError(`interrupted by ${name}`));
    } else if (performance.now() - firstAt > AGAIN_MS) endAtOnce(name);
  };
  for (const name of SIGNALS) process.on(name, interrupt);
  try {
    return await work(controller.signal);
  } finally {
    for (const name of SIGNALS) process.off(name, interrupt);
  }
}

function endAtOnce(name: string): void {
  const [reason] = reasons;
  if (reason !== undefined) {
    console.error(`Not ended yet: ${reason}`);
    return;
  }
  for (const path of halfDone) rmSync(path, { recursive: true, force: true });
  console.error(`Ended at once by another ${name}: what was half written on this machine is removed.`);
  process.exit(1);
}

/** Has a path removed where the process is ended at once; answers with what takes that back. */
export function removedAtOnce(path: string): () => void {
  halfDone.add(path);
  return () => void halfDone.delete(path);
}

/** Does what must come to its end: meanwhile a second signal is answered with the reason alone. */
export async function notEndedAtOnce<Result>(reason: string, work: () => Promise<Result>): Promise<Result> {
  reasons.add(reason);
  try {
    return await work();
  } finally {
    reasons.delete(reason);
  }
}

const GIVE_UP_MS = 10_000;

/** Waits for what a signal stops, but not for ever: a connection that says nothing any more never lets it end. */
export async function orGivenUp<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
  const { promise: givenUp, reject } = Promise.withResolvers<never>();
  let timer: NodeJS.Timeout | undefined;
  const count = () => (timer = setTimeout(() => reject(signal.reason as Error), GIVE_UP_MS));
  if (signal.aborted) count();
  signal.addEventListener('abort', count, { once: true });
  try {
    return await Promise.race([work, givenUp]);
  } finally {
    signal.removeEventListener('abort', count);
    clearTimeout(timer);
  }
}
