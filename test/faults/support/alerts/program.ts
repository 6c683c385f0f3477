import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Finish } from '../../../support/process.ts';

/** A program that a test started; it is killed when the test is over at the latest. */
export interface Program {
  pid: number;
  signal(signal: NodeJS.Signals): void;
  /** Kills it. */
  kill(): Promise<void>;
}

/** Starts a program. */
export function startProgram(
  name: string,
  args: string[],
  {
    finish,
    env = {},
    ...options
  }: { finish: Finish; env?: Record<string, string>; cwd?: string; uid?: number; gid?: number },
): Program {
  const child = spawn(name, args, {
    stdio: 'ignore',
    env: { PATH: process.env.PATH, TZ: 'UTC', ...env },
    ...options,
  });
  const closed = once(child, 'close').catch(() => {});
  const kill = async () => {
    child.kill('SIGKILL');
    await closed;
  };
  finish(kill);
  return { pid: child.pid ?? 0, signal: (signal) => void child.kill(signal), kill };
}

/** Waits until an address answers with 200. */
export async function answers(address: string): Promise<void> {
  while ((await fetch(address).catch(() => null))?.status !== 200)
    await new Promise((resolve) => setTimeout(resolve, 50));
}
