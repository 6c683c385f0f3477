import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Finish } from '../../../support/process.ts';

/** Requests that go on until they are stopped. */
export interface Traffic {
  /** How many were answered so far. */
  answered(): number;
  stop(): Promise<void>;
}

/** Sends requests, so many at a time; `path` makes the path of each from its number. What gets no answer is sent again. */
export function startTraffic(
  url: string,
  path: (number: number) => string,
  { finish, concurrency = 2, pauseMs = 20 }: { finish: Finish; concurrency?: number; pauseMs?: number },
): Traffic {
  let stopped = false;
  let sent = 0;
  let answered = 0;
  const client = async () => {
    while (!stopped) {
      sent += 1;
      const response = await fetch(url + path(sent)).catch(() => null);
      if (response === null) {
        await sleep(100);
        continue;
      }
      await response.arrayBuffer().catch(() => {});
      answered += 1;
      if (pauseMs > 0) await sleep(pauseMs);
    }
  };
  const clients = Promise.all(Array.from({ length: concurrency }, client));
  const stop = async () => {
    stopped = true;
    await clients;
  };
  finish(stop);
  return { answered: () => answered, stop };
}

/** Of the paths of people who ask for much the same. */
export const usual = (number: number): string =>
  ['/v1/models', '/v1/models?limit=100', '/v1/models/openai/gpt-5-mini', '/health'][number % 4] ?? '/';

/** Of the paths of people of whom each asks for something else, which is in no cache. */
export const uncommon = (number: number): string => `/v1/models?search=nothing${number}x${process.pid}`;

/** Keeps a service busy: has its answers compressed, which costs it much and this process little, until the function is called. */
export function keepBusy(url: string, path: string, finish: Finish): () => void {
  const agent = new Agent({ keepAlive: true });
  let stopped = false;
  const ask = () => {
    if (stopped) return;
    const request = get(url + path, { agent, headers: { 'accept-encoding': 'br' } }, (response) => {
      response.resume().on('close', ask);
    });
    request.on('error', () => void setTimeout(ask, 100));
  };
  for (let number = 0; number < 8; number += 1) ask();
  const stop = () => {
    stopped = true;
    agent.destroy();
  };
  finish(stop);
  return stop;
}
