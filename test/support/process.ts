import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** What of this process's environment is passed on to another of Node, which keeps what it has compiled for the next. */
export const OF_NODE: Record<string, string> = {
  PATH: process.env.PATH ?? '',
  TZ: 'UTC',
  NODE_COMPILE_CACHE: fileURLToPath(new URL('../../node_modules/.cache/compiled', import.meta.url)),
};

/** Does something when a test has finished; tests that run at once each have their own. */
export type Finish = (work: () => void | Promise<void>) => void;

const MAIN = fileURLToPath(new URL('../../server/main.ts', import.meta.url));

/** A command of server/main.ts, or of another program, running as a process of its own; it is killed at the end of the test at the latest. */
export class Command {
  /** Standard output and error so far, as they came. */
  output = '';
  readonly #child: ChildProcess;
  readonly #exited: Promise<[code: number | null, signal: NodeJS.Signals | null]>;

  constructor(
    command: string,
    environment: Record<string, string>,
    args: string[] = [],
    {
      within = [],
      stdout = 'pipe',
      finish = onTestFinished,
      main = MAIN,
    }: { within?: string[]; stdout?: 'pipe' | number; finish?: Finish; main?: string } = {},
  ) {
    const env = { ...OF_NODE, ...environment };
    const [program = '', ...rest] = [...within, process.execPath, main, command, ...args];
    this.#child = spawn(program, rest, { env, stdio: ['ignore', stdout, 'pipe'] });
    const closed = once(this.#child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
    this.#exited = closed;
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
    }
    finish(async () => {
      this.#child.kill('SIGKILL');
      await closed;
    });
  }

  /** The exit code, or the signal that ended it. */
  async ended(): Promise<number | NodeJS.Signals | null> {
    const [code, signal] = await this.#exited;
    return code ?? signal;
  }

  /** Its process id. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Sends a signal. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Stops reading its standard output: the pipe fills, or with `close` breaks. */
  stopReading({ close }: { close: boolean }): void {
    if (close) this.#child.stdout?.destroy();
    else this.#child.stdout?.pause();
  }

  /** Reads its standard output again. */
  readOn(): void {
    this.#child.stdout?.resume();
  }

  /** Sends a signal, and answers with how the process ended. */
  async end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals | null> {
    this.#child.kill(signal);
    return this.ended();
  }

  /** Waits until the output matches. Rejects where the process ends before. */
  async says(pattern: RegExp): Promise<RegExpExecArray> {
    let ended = false;
    void this.#exited.then(() => (ended = true));
    for (;;) {
      const match = pattern.exec(this.output);
      if (match !== null) return match;
      if (ended) throw new Error(`The process ended without saying ${pattern}:\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** The address at which it listens, once it does and has prepared its database. */
  async url(): Promise<string> {
    const [, address = ''] = await this.says(/is listening at (http:\/\/[\w.:]+)/);
    for (;;) {
      const ready = await fetch(`${address}/health/ready`).catch(() => null);
      if (ready?.status === 200) return address;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
