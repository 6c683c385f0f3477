import { hash } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { ErrorReply } from '@redis/client';
import type { Answer, AnswerCache, AnswerRequest, CatalogState } from '../http/answer-cache.ts';
import type { TextStore } from './store.ts';

const MINUTE_MS = 60_000;
/** The operators' plan: lists an hour, single items two. */
const TTL_MS = { list: 60 * MINUTE_MS, item: 120 * MINUTE_MS };
/** Words to search for are made up without end, and seldom asked for again: they do not take the place of what is. */
const SEARCH_TTL_MS = MINUTE_MS;
/** Lives are shortened by up to a tenth, so that answers made together do not end together. */
const JITTER = 0.1;

/** Raised whenever the same input is answered in another form, so that releases do not read each other's answers. */
const FORM = 2;

function keyOf({ version, committedAt }: CatalogState, { operation, input }: AnswerRequest): string {
  return `v${version}:${Date.parse(committedAt)}:f${FORM}:${operation}:${hash('sha256', canonical(input), 'base64url')}`;
}

/** JSON with sorted keys: the same input is the same text. */
function canonical(input: unknown): string {
  return JSON.stringify(input, (_key, value: unknown) =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : value,
  );
}

/** How long an answer is kept at most. */
const ttlOf = ({ kind, input }: AnswerRequest): number =>
  (input as { search?: string } | undefined)?.search === undefined ? TTL_MS[kind] : SEARCH_TTL_MS;

type Loaded = Awaited<ReturnType<AnswerRequest['load']>>;

const AWAY = Symbol('away');

const SUM_LENGTH = 8;

/** A sum over key and body: half an answer, or that to another question, has another. */
const sumOf = (key: string, body: string): string =>
  crc32(body, crc32(key)).toString(16).padStart(SUM_LENGTH, '0');

/** What is kept of an answer. */
const sealed = (key: string, body: string): string => sumOf(key, body) + body;

/** The answer that was kept; null: nothing, or nothing of ours. */
function unsealed(key: string, kept: unknown): string | null {
  if (typeof kept !== 'string') return null;
  const body = kept.slice(SUM_LENGTH);
  return kept.slice(0, SUM_LENGTH) === sumOf(key, body) ? body : null;
}

/**
 * Keeps finished answers by catalogue version, so that a late writer can never bring an old one back, and a new version
 * needs no deleting. Each key is loaded once at a time. A store that is away, or refuses, is passed by.
 */
export function createAnswerCache(
  store: TextStore,
  {
    catalog,
    isConfirmed = () => true,
    onNewer = () => {},
    onAnswer = () => {},
    onWriteError = () => {},
  }: {
    catalog: () => CatalogState;
    /** Whether the catalogue is known to be the present one: the database can be asked. */
    isConfirmed?: () => boolean;
    /** Is told of a catalogue that an answer was made from and that `catalog` does not know yet: what is older is history. */
    onNewer?: (catalog: CatalogState) => void;
    /** Is told of every answer. */
    onAnswer?: (kind: AnswerRequest['kind'], state: Answer['state']) => void;
    /** Is told of every answer that the store did not take. */
    onWriteError?: () => void;
  },
): AnswerCache {
  const loading = new Map<string, Promise<string>>();
  const read = (key: string) =>
    store.get(key).catch((error: unknown) => {
      // What is not even a text is none of ours, and will be replaced.
      return error instanceof ErrorReply && error.message.startsWith('WRONGTYPE') ? null : AWAY;
    });
  const keep = async ({ catalog: madeFrom, body }: Loaded, request: AnswerRequest) => {
    // The catalogue that the answer was made from, which may be newer than the one that was asked for.
    const key = keyOf(madeFrom, request);
    const ttl = ttlOf(request) * (1 - JITTER * Math.random());
    await store.set(key, sealed(key, body), Math.round(ttl)).catch(onWriteError);
  };
  const load = (key: string, request: AnswerRequest): Promise<string> => {
    const made = request.load();
    // Who asked the store before the answer was kept is told nothing of it, but finds it here.
    made
      .then((loaded) => {
        if (loaded.catalog.version > catalog().version) onNewer(loaded.catalog);
        return keep(loaded, request);
      })
      .finally(() => loading.delete(key))
      .catch(() => {});
    return made.then(({ body }) => body);
  };
  return {
    async serve(request): Promise<Answer> {
      const key = keyOf(catalog(), request);
      const kept = await read(key);
      const own = unsealed(key, kept);
      if (own !== null) {
        const state = isConfirmed() ? 'hit' : 'stale';
        onAnswer(request.kind, state);
        return { body: own, state };
      }
      const state = kept === AWAY ? 'bypass' : 'miss';
      onAnswer(request.kind, state);
      let body = loading.get(key);
      if (body === undefined) {
        body = load(key, request);
        loading.set(key, body);
      }
      return { body: await body, state };
    },
  };
}
