import { expect, test } from 'vitest';
import { api, createRouter, type AppRouter, type Handlers } from '../../contracts/index.ts';
import { createRouterOf, operation, type Operation } from '../../contracts/operation.ts';
import { listProviders } from '../../contracts/providers.ts';
import { checkGuards } from '../../server/http/guards.ts';

/** Handlers of every operation; each fails the test that reaches it. */
const unreachable = new Proxy({}, { get: (_, name) => handlerOf([String(name)]) }) as Handlers;

function handlerOf(path: string[]): unknown {
  const reached = () => Promise.reject(new Error(`${path.join('.')} was reached`));
  return new Proxy(reached, { get: (_, name) => handlerOf([...path, String(name)]) });
}

const routerOf = (tree: object) => createRouterOf(tree as typeof api, unreachable) as AppRouter;
const open = (op: Operation) => operation({ ...op, admin: false });

test('the API that there is has every guard in its place', async () => {
  await expect(checkGuards(createRouter(unreachable))).resolves.toBeUndefined();
});

test('an admin operation without its guard is named, and its handler is not reached', async () => {
  const sync = { ...api.admin.sync, start: open(api.admin.sync.start) };
  const incidents = { ...api.admin.incidents, update: open(api.admin.incidents.update) };
  const router = routerOf({ ...api, admin: { sync, incidents } });
  await expect(checkGuards(router)).rejects.toThrow(
    'Operations whose guard is not where it belongs: admin.sync.start, admin.incidents.update.',
  );
});

test('an operation that the contracts do not know is named', async () => {
  const router = routerOf({ ...api, extra: { list: listProviders } });
  await expect(checkGuards(router)).rejects.toThrow('extra.list');
});
