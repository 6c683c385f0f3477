import { AsyncLocalStorage } from 'node:async_hooks';

const scope = new AsyncLocalStorage<string>();

/** Does `work` as part of an operation: what it asks of the database is told under that name. */
export function within<Result>(operation: string, work: () => Result): Result {
  return scope.run(operation, work);
}

/** The operation that the calling code is part of; `background` where it is part of none. */
export function currentOperation(): string {
  return scope.getStore() ?? 'background';
}
