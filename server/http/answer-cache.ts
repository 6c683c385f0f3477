/** Which catalogue an answer was made from. The time tells apart catalogues that have counted to the same version. */
export interface CatalogState {
  version: number;
  committedAt: string;
}

/** A cacheable answer that was asked for: which operation, its parsed input, and how to make it. */
export interface AnswerRequest {
  /** Dotted name of the operation. */
  operation: string;
  /** How long it may be kept. */
  kind: 'list' | 'item';
  /** The input after the contract parsed it: equal inputs are equal questions. */
  input: unknown;
  /** Makes the answer. Rejects when there is none; a rejection must not be kept. */
  load: () => Promise<{ catalog: CatalogState; body: string }>;
}

/** A finished text, and where it came from. */
export interface Answer {
  body: string;
  /**
   * hit: kept before. stale: kept before, and the database, which is away, may have something newer. miss: made for this
   * request or one at the same time. bypass: made, since the store is away.
   */
  state: 'hit' | 'stale' | 'miss' | 'bypass';
}

/** Keeps the finished bytes of answers; it may only help, never fail a request. */
export interface AnswerCache {
  serve(request: AnswerRequest): Promise<Answer>;
}
