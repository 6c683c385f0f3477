import { onTestFinished } from 'vitest';
import type { Change } from '../../contracts/changes.ts';
import { startApp, type TestApp } from './app.ts';
import { DATABASES } from './databases.ts';
import type { Finish } from './process.ts';

/** Where changes are streamed. */
export const STREAM = '/v1/changes/stream';

/** One event as a browser would dispatch it. */
export interface StreamEvent {
  id: string;
  event: string;
  data: Change;
}

/** Reads server-sent events as browsers do; closed at the end of the test at the latest. */
export class EventReader {
  readonly response: Response;
  readonly events: StreamEvent[] = [];
  readonly comments: string[] = [];
  retryMs: number | null = null;
  /** What a browser would send as Last-Event-ID when it connects again. */
  lastEventId = '';
  /** How the stream ended: `end` by the server's word, `cut` without one. */
  readonly ended: Promise<'end' | 'cut'>;
  readonly #abort: AbortController;

  private constructor(response: Response, abort: AbortController) {
    this.response = response;
    this.#abort = abort;
    this.ended = this.#read();
  }

  /** Opens a stream; of any other answer, only the response can be used. */
  static async open(
    url: string,
    headers: Record<string, string> = {},
    finish: Finish = onTestFinished,
  ): Promise<EventReader> {
    const abort = new AbortController();
    finish(() => abort.abort());
    return new EventReader(
      await fetch(url, { headers: { connection: 'close', ...headers }, signal: abort.signal }),
      abort,
    );
  }

  /** Closes the connection, as a reader that goes away does. */
  close(): void {
    this.#abort.abort();
  }

  /** The events, once there are so many. */
  async count(atLeast: number): Promise<StreamEvent[]> {
    await until(() => this.events.length >= atLeast);
    return this.events;
  }

  async #read(): Promise<'end' | 'cut'> {
    if (!this.response.headers.get('content-type')?.startsWith('text/event-stream')) return 'end';
    let text = '';
    const decoder = new TextDecoder();
    try {
      for await (const chunk of this.response.body ?? []) {
        text += decoder.decode(chunk as Uint8Array, { stream: true });
        const blocks = text.split('\n\n');
        text = blocks.pop() ?? '';
        for (const block of blocks) this.#take(block.split('\n'));
      }
      return 'end';
    } catch {
      return 'cut';
    }
  }

  #take(lines: string[]): void {
    let [event, data] = ['message', ''];
    for (const line of lines) {
      const [, field = '', value = ''] = /^([^:]*): ?(.*)$/.exec(line) ?? [];
      if (field === '') this.comments.push(value);
      else if (field === 'id') this.lastEventId = value;
      else if (field === 'retry') this.retryMs = Number(value);
      else if (field === 'event') event = value;
      else if (field === 'data') data += value;
      else throw new Error(`There is no field ${field}`);
    }
    if (data !== '') this.events.push({ id: this.lastEventId, event, data: JSON.parse(data) as Change });
  }
}

/** Waits until something holds. Rejects after 20 seconds. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (const giveUpAt = Date.now() + 20_000; !(await holds());) {
    if (Date.now() > giveUpAt) throw new Error(`This never came to hold: ${holds.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A service on a database of its own, without a catalogue; both go with the test. */
export async function startBare(
  options: Parameters<typeof startApp>[1] = {},
  environment: Record<string, string> = {},
  finish: Finish = onTestFinished,
): Promise<TestApp> {
  const database = await DATABASES[0].create();
  const app = await startApp({ DATABASE_URL: database.url, ...environment }, options);
  finish(async () => {
    await app.stop();
    await database.drop();
  });
  return app;
}

/** Opens a stream, and waits until it has said where it stands. */
export async function follow(
  app: TestApp,
  query = '',
  headers: Record<string, string> = {},
  finish: Finish = onTestFinished,
): Promise<EventReader> {
  const reader = await EventReader.open(`${app.url}${STREAM}${query && `?${query}`}`, headers, finish);
  if (reader.response.status === 200) await until(() => reader.retryMs !== null);
  return reader;
}
