import { hash } from 'node:crypto';
import { ErrorReply } from '@redis/client';
import type { Answer, AnswerCache, AnswerRequest, CatalogState } from '../http/answer-cache.ts';
import type { TextStore } from './store.ts';

const MINUTE_MS = 60_000;
/** The operators' plan: lists an hour, single items two. */
const TTL_MS = { list: 60 * MINUTE_MS, item: 120 * MINUTE_MS };
/** Lives are shortened by up to a tenth, so that answers made together do not end together. */
const JITTER = 0.1;
/** After a failure the store is left alone for so long. */
const PAUSE_MS = 1_000;

/** Raised whenever the same input is answered in another form, so that releases do not read each other's answers. */
const FORM = 1;

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

const AWAY = Symbol('away');
const REFUSED = Symbol('refused');

/** What was kept; null: nothing. What does not begin as every such answer does is none of ours. */
const ownOf = (kept: unknown, { begins }: AnswerRequest): string | null =>
  typeof kept === 'string' && kept.startsWith(begins) ? kept : null;

/**
 * Keeps finished answers by catalogue version, so that a late writer can never bring an old one back, and a new version
 * needs no deleting. Each key is loaded once at a time. A store that is away is a miss.
 */
export function createAnswerCache(
  store: TextStore,
  {
    catalog,
    now = () => performance.now(),
    isConfirmed = () => true,
    onAnswer = () => {},
    onWriteError = () => {},
  }: {
    catalog: () => CatalogState;
    /** Whether the catalogue is known to be the present one: the database can be asked. */
    isConfirmed?: () => boolean;
    now?: () => number;
    /** Is told of every answer. */
    onAnswer?: (kind: AnswerRequest['kind'], state: Answer['state']) => void;
    /** Is told of every answer that the store did not take. */
    onWriteError?: () => void;
  },
): AnswerCache {
  const loading = new Map<string, Promise<string>>();
  let pausedUntil = 0;
  /** What the store answers; `REFUSED` where it can not, `AWAY` where there is no answer. */
  const ask = async <Result>(work: () => Promise<Result>): Promise<Result | typeof AWAY | typeof REFUSED> => {
    if (now() < pausedUntil) return AWAY;
    try {
      return await work();
    } catch (error) {
      // Redis that refuses a command is there: only one that does not answer is left alone.
      if (error instanceof ErrorReply) return REFUSED;
      pausedUntil = now() + PAUSE_MS;
      return AWAY;
    }
  };
  const load = async (request: AnswerRequest): Promise<string> => {
    const { catalog: madeFrom, body } = await request.load();
    // The catalogue that the answer was made from, which may be newer than the one that was asked for.
    const ttl = TTL_MS[request.kind] * (1 - JITTER * Math.random());
    void ask(() => store.set(keyOf(madeFrom, request), body, Math.round(ttl))).then((kept) => {
      if (kept === AWAY || kept === REFUSED) onWriteError();
    });
    return body;
  };
  return {
    async serve(request): Promise<Answer> {
      const key = keyOf(catalog(), request);
      const kept = await ask(() => store.get(key));
      const own = ownOf(kept, request);
      if (own !== null) {
        const state = isConfirmed() ? 'hit' : 'stale';
        onAnswer(request.kind, state);
        return { body: own, state };
      }
      const state = kept === AWAY ? 'bypass' : 'miss';
      onAnswer(request.kind, state);
      let body = loading.get(key);
      if (body === undefined) {
        body = load(request).finally(() => loading.delete(key));
        loading.set(key, body);
      }
      return { body: await body, state };
    },
  };
}
