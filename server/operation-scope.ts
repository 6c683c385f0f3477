import { AsyncLocalStorage } from 'node:async_hooks';

/** What code is part of. */
export interface Scope {
  /** Dotted name of the operation; `background` where it is part of none. */
  operation: string;
  /** The request that it is for; undefined: for none. */
  requestId?: string;
}

const BACKGROUND: Scope = { operation: 'background' };

const scope = new AsyncLocalStorage<Scope>();

/** Does `work` as part of an operation: slow queries and unexpected errors of it are told under its name. */
export function within<Result>(part: Scope, work: () => Result): Result {
  return scope.run(part, work);
}

/** What the calling code is part of. */
export function currentScope(): Scope {
  return scope.getStore() ?? BACKGROUND;
}
