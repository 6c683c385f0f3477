import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient, ErrorReply } from '@redis/client';
import { vi } from 'vitest';

/** Settings of a server, as in its configuration file. */
export type RedisSettings = Record<string, string>;

/** Sends commands to a Redis one after the other over a connection of their own, and answers with the replies. */
export async function tell(url: string, ...commands: string[][]): Promise<unknown[]> {
  const client = createClient({ url, socket: { reconnectStrategy: false } });
  client.on('error', () => {});
  const replies: unknown[] = [];
  try {
    await client.connect();
    for (const words of commands) replies.push(await client.sendCommand(words));
    return replies;
  } finally {
    if (client.isOpen) client.destroy();
  }
}

/** A Redis server that a test has for itself, and can take away. It keeps nothing on disk unless its settings say so. */
export class OwnRedis {
  readonly port: number;
  /** Where it keeps what it keeps. */
  readonly folder = mkdtempSync(join(tmpdir(), 'effect-models-redis-'));
  readonly #settings: RedisSettings;
  #process: ChildProcess | null = null;

  constructor(port: number, settings: RedisSettings = {}) {
    this.port = port;
    this.#settings = settings;
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  /** Starts it, also again after `kill`, and waits until it answers, be it that it is still loading. */
  async start(): Promise<void> {
    const settings = {
      port: String(this.port),
      bind: '127.0.0.1',
      save: '',
      dir: this.folder,
      ...this.#settings,
    };
    const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]);
    this.#process = spawn('redis-server', args, { stdio: 'ignore' });
    const answers = () =>
      this.command('PING').catch((error: unknown) => {
        if (!(error instanceof ErrorReply)) throw error;
      });
    await vi.waitFor(answers, { timeout: 10_000, interval: 20 });
  }

  /** Sends a command over a connection of its own, and answers with the reply. */
  async command(...words: string[]): Promise<unknown> {
    const [reply] = await this.commands(words);
    return reply;
  }

  /** Sends commands one after the other over a connection of their own. */
  commands(...commands: string[][]): Promise<unknown[]> {
    return tell(this.url, ...commands);
  }

  /** Ends it as a crash would. */
  async kill(): Promise<void> {
    const server = this.#process;
    this.#process = null;
    if (server === null) return;
    const exited = once(server, 'exit');
    server.kill('SIGKILL');
    await exited;
  }

  /** Leaves its connections open and answers nothing. */
  freeze(): void {
    this.#process?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#process?.kill('SIGCONT');
  }

  async remove(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
