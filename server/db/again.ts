import { setTimeout as sleep } from 'node:timers/promises';

/** An answer is given up when the database has had so long for all that it takes. */
const ANSWER_MS = 1_800;

/** The database took too long over something as a whole, be it waiting for a connection or one statement after another. */
export class TookTooLong extends Error {
  override name = 'TookTooLong';
  constructor() {
    super(`The database was not done within ${ANSWER_MS} ms`);
  }
}

/** What has been tried so often is given up. */
const TRIES = 3;
const PAUSE_MS = 50;

/** Tries again, at once or nearly so, what failed for a reason that may be gone by then. */
export async function again<Result>(
  work: () => Promise<Result>,
  mayBeGone: (error: unknown) => boolean,
): Promise<Result> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await work();
    } catch (error) {
      if (tried === TRIES || !mayBeGone(error)) throw error;
      await sleep(Math.random() * PAUSE_MS * tried);
    }
  }
}

/** How long there is for an answer. */
export interface AnswerTime {
  isLate(): boolean;
  /** Gives up no more: what is done from now on counts, however long it takes. Throws where that has happened already. */
  keep(): void;
}

/** Does not wait for longer than an answer may take; what is under way then ends by itself, and is not tried again. */
export async function inTime<Result>(work: (time: AnswerTime) => Promise<Result>): Promise<Result> {
  const tooLong = Promise.withResolvers<never>();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    tooLong.reject(new TookTooLong());
  }, ANSWER_MS);
  const keep = () => {
    if (isLate) throw new TookTooLong();
    clearTimeout(timer);
  };
  try {
    return await Promise.race([work({ isLate: () => isLate, keep }), tooLong.promise]);
  } finally {
    clearTimeout(timer);
  }
}
