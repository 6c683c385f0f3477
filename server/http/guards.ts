import { ApiError } from '../../contracts/errors.ts';
import { api, type AppRouter, raw } from '../../contracts/index.ts';
import { type Context, operationsOf } from '../../contracts/operation.ts';
import { callByName } from './routes.ts';

const refusal = new ApiError('UNAUTHORIZED', 'Nobody is an admin here.');

const refuse = () => {
  throw refusal;
};

/** A caller who is no admin. */
const stranger: Context = {
  requestId: 'guards',
  requireAdmin: refuse,
  recordAdminCall: refuse,
  setHeader: () => {},
  toProblem: refuse,
  toApiError: () => refusal,
};

/** No operation has such an input: one without a guard refuses it before its handler is reached. */
const NO_INPUT = { 'no such input': true };

/**
 * Makes sure, before the service listens, that whatever stands under `/v1/admin` or `admin.` asks for a secret, and nothing
 * else stands there. Throws otherwise, naming the operations.
 */
export async function checkGuards(router: AppRouter): Promise<void> {
  const open: string[] = [];
  const named = new Set<string>();
  for (const [name, { path, admin }] of operationsOf(api)) {
    named.add(name);
    const shouldAsk = name.startsWith('admin.');
    const isUnderAdmin = path.startsWith('/v1/admin/');
    if (shouldAsk !== admin || isUnderAdmin !== admin || (admin && !(await asks(router, name))))
      open.push(name);
  }
  for (const [name, { path, admin }] of Object.entries(raw))
    if (admin || path.startsWith('/v1/admin')) open.push(name);
  for (const name of Object.keys(router._def.procedures)) if (!named.has(name)) open.push(name);
  if (open.length > 0)
    throw new Error(
      `Operations whose guard is not where it belongs: ${open.join(', ')}. The service does not start.`,
    );
}

async function asks(router: AppRouter, name: string): Promise<boolean> {
  try {
    await callByName(router, name, stranger, NO_INPUT);
    return false;
  } catch (error) {
    return error === refusal;
  }
}
