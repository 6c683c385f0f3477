import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Image } from './image.ts';

/** A process started as an image says, as another user than root where that is possible. */
export class Container {
  /** What it has written to standard output and error. */
  output = '';
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown[]>;

  constructor(image: Image, environment: Record<string, string>, [program = '', ...args] = image.command) {
    const isRoot = process.getuid?.() === 0;
    this.#child = spawn(program === 'node' ? join(image.root, 'usr/local/bin/node') : program, args, {
      cwd: image.workdir,
      // Nothing of this process's environment is passed on.
      env: { PATH: join(image.root, 'usr/local/bin'), ...image.environment, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(isRoot ? { uid: image.uid, gid: image.uid } : {}),
    });
    this.#closed = once(this.#child, 'close');
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text));
  }

  /** Sends a signal. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** The exit code, or the signal that ended it. */
  async ended(): Promise<unknown> {
    const [code, signal] = await this.#closed;
    return code ?? signal;
  }

  /** Waits until `address` answers with 200. Rejects where the process ends before. */
  async answers(address: string): Promise<void> {
    let ended = false;
    void this.#closed.then(() => (ended = true));
    for (;;) {
      if ((await fetch(address).catch(() => null))?.status === 200) return;
      if (ended) throw new Error(`It ended without answering:\n${this.output}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
