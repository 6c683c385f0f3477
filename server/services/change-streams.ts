import { PassThrough, type Readable, type Writable } from 'node:stream';
import type { Change } from '../../contracts/changes.ts';
import { ApiError } from '../../contracts/errors.ts';
import type { RawHandlers } from '../../contracts/index.ts';
import { historyFrom } from '../db/as-of.ts';
import { changesAfter, firstChangeId, lastChangeId } from '../db/changes.ts';
import type { Database } from '../db/database.ts';
import { changeQuery, type ChangeFilters } from './changes.ts';

/** Times of streams that tests shorten. */
export interface StreamTimes {
  /** A stream with nothing to tell says so this often. */
  heartbeatMs: number;
  /** A reader that does not take what waits for it within this time is let go. */
  stallMs: number;
}

/** The times of the running service. */
export const STREAM_TIMES: StreamTimes = { heartbeatMs: 15_000, stallMs: 30_000 };

/** Streams of changes, and what wakes and ends them. */
export interface ChangeStreams {
  open: RawHandlers<Readable>['changes.stream'];
  /** How many are open. */
  count(): number;
  /** There may be something to tell. */
  wake(): void;
  /** Takes no more streams, says goodbye on those that are open, and waits until they have ended. */
  close(): Promise<void>;
}

/** How many streams an instance holds. */
export const MAX_STREAMS = 100;
/** How many of them one address may have. */
export const MAX_STREAMS_AN_ADDRESS = 10;
const BUSY_SECONDS = 30;
/** When readers connect again after a stream has ended: not all at once. */
const RETRY_MS = { least: 3_000, spread: 3_000 };
const PAGE = 200;
/** How many pages are kept for streams that get to the same place a little later. */
const KEPT_PAGES = 8;
const GOODBYE_MS = 2_000;

/** Events after a place, the place where they end, and whether more are known to follow. */
interface Page {
  events: { id: number; text: string }[];
  end: number;
  more: boolean;
}

const eventOf = (change: Change): string =>
  `id: ${change.id}\nevent: ${change.kind}\ndata: ${JSON.stringify(change)}\n\n`;

/** Tells a reader who comes back late that it has missed changes which are not kept any more. */
const gapOf = (begins: string | null): string =>
  `event: gap\ndata: ${JSON.stringify({ historyFrom: begins })}\n\n`;

/** Makes the streams of changes: each goes through the changes at its own pace, and what several read is loaded once. */
export function createChangeStreams({
  database: { snapshot },
  withheld,
  onError,
  times: { heartbeatMs, stallMs } = STREAM_TIMES,
}: {
  database: Database;
  /** Whether Artificial Analysis values are left out. */
  withheld: boolean;
  /** What could not be loaded is tried again. */
  onError: (error: unknown) => void;
  times?: StreamTimes;
}): ChangeStreams {
  const streams = new Set<{ out: PassThrough; wake: () => void }>();
  const byAddress = new Map<string, number>();
  const pages = new Map<string, Promise<Page | null>>();
  let catalogsSeen = 0;
  let isClosing = false;

  const load = (after: number, filters: ChangeFilters): Promise<Page> =>
    snapshot(async (db) => {
      const last = await lastChangeId(db);
      const query = await changeQuery(db, filters, { withheld });
      const changes = await changesAfter(db, after, query, PAGE, { withheld });
      const more = changes.length === PAGE;
      const end = more ? (changes.at(-1)?.id ?? after) : Math.max(after, last);
      return { events: changes.map((change) => ({ id: change.id, text: eventOf(change) })), end, more };
    });
  /** The page after a place; null: it can not be loaded now. */
  const pageAfter = (after: number, filters: ChangeFilters): Promise<Page | null> => {
    const key = JSON.stringify([after, filters.kind, filters.model, filters.provider]);
    const known = pages.get(key);
    if (known !== undefined) return known;
    const page = load(after, filters).catch((error: unknown) => {
      pages.delete(key);
      onError(error);
      return null;
    });
    pages.set(key, page);
    const [oldest] = pages.keys();
    if (pages.size > KEPT_PAGES && oldest !== undefined) pages.delete(oldest);
    return page;
  };

  /** Takes a place among the streams, and answers with how to give it back. */
  const takePlace = (address: string): (() => void) => {
    const open = byAddress.get(address) ?? 0;
    const headers = { 'Retry-After': String(BUSY_SECONDS) };
    if (isClosing) throw new ApiError('SERVICE_UNAVAILABLE', 'The service is shutting down: connect again.');
    if (open >= MAX_STREAMS_AN_ADDRESS)
      throw new ApiError(
        'TOO_MANY_REQUESTS',
        `This address has ${open} streams open, which is the most: close one, or share one.`,
        { headers },
      );
    if (total() >= MAX_STREAMS)
      throw new ApiError(
        'SERVICE_UNAVAILABLE',
        'All streams are taken: try again, or ask for /v1/changes now and then.',
        { headers },
      );
    byAddress.set(address, open + 1);
    return () => {
      const left = (byAddress.get(address) ?? 1) - 1;
      if (left === 0) byAddress.delete(address);
      else byAddress.set(address, left);
    };
  };
  const total = (): number => [...byAddress.values()].reduce((sum, open) => sum + open, 0);

  const follow = async (
    stream: { out: PassThrough; wake: () => void },
    { from, opening }: { from: number; opening: string },
    filters: ChangeFilters,
  ) => {
    const { out } = stream;
    const isOpen = () => !out.destroyed && !out.writableEnded;
    const say = async (text: string) => {
      if (isOpen() && !out.write(text)) await drained(out, stallMs);
    };
    /** Whether it was woken before it was time for a sign of life. */
    const rest = () =>
      new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(false), heartbeatMs);
        stream.wake = () => {
          clearTimeout(timer);
          resolve(true);
        };
      });

    let place = from;
    const retryMs = RETRY_MS.least + Math.round(Math.random() * RETRY_MS.spread);
    // An id without data is no event, yet a reader that loses the connection before the first event goes on from it.
    await say(`retry: ${retryMs}\nid: ${place}\n\n${opening}`);
    while (isOpen()) {
      const seen = catalogsSeen;
      const page = await pageAfter(place, filters);
      for (const { text } of page?.events ?? []) {
        if (!isOpen()) return;
        await say(text);
      }
      if (page !== null && page.end > (page.events.at(-1)?.id ?? place)) await say(`id: ${page.end}\n\n`);
      place = page?.end ?? place;
      if (page?.more) continue;
      while (isOpen() && seen === catalogsSeen) {
        if (await rest()) continue;
        await say(': nothing new\n\n');
        if (page === null) break;
      }
    }
  };

  return {
    async open({ lastEventId, ...filters }, { address }) {
      const giveBack = takePlace(address);
      try {
        const { from, opening } = await snapshot(async (db) => {
          const last = await lastChangeId(db);
          // Some readers send an empty header when they have seen no event.
          const place = lastEventId ? Math.min(Number(lastEventId), last) : last;
          const isForgotten = place + 1 < ((await firstChangeId(db)) ?? last + 1);
          return { from: place, opening: isForgotten ? gapOf(await historyFrom(db)) : '' };
        });
        const stream = { out: new PassThrough(), wake: () => {} };
        streams.add(stream);
        stream.out.once('close', () => {
          streams.delete(stream);
          giveBack();
          stream.wake();
        });
        if (isClosing) stream.out.end();
        void follow(stream, { from, opening }, filters);
        return stream.out;
      } catch (error) {
        giveBack();
        throw error;
      }
    },
    count: total,
    wake() {
      catalogsSeen += 1;
      pages.clear();
      for (const stream of streams) stream.wake();
    },
    async close() {
      isClosing = true;
      const ended = [...streams].map(({ out }) => new Promise((resolve) => out.once('close', resolve)));
      for (const { out, wake } of streams) {
        if (!out.writableEnded) out.end(': the service is shutting down: connect again\n\n');
        wake();
      }
      const cut = setTimeout(() => {
        for (const { out } of streams) out.destroy();
      }, GOODBYE_MS);
      await Promise.all(ended);
      clearTimeout(cut);
    },
  };
}

/** Resolves once a reader has taken what waits for it, or has gone; one that does neither in time is let go. */
function drained(out: Writable, stallMs: number): Promise<void> {
  return new Promise((resolve) => {
    const stalled = setTimeout(() => out.destroy(), stallMs);
    const done = () => {
      clearTimeout(stalled);
      out.off('drain', done).off('close', done);
      resolve();
    };
    out.on('drain', done).on('close', done);
  });
}
