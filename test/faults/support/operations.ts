import { z } from 'zod';
import { api, raw } from '../../../contracts/index.ts';
import { operationsOf, type Operation } from '../../../contracts/operation.ts';
import type { RawOperation } from '../../../contracts/raw.ts';
import type { TestApp } from '../../support/app.ts';
import { ADMIN } from '../../support/synced.ts';

/** A JSON Schema, as far as tests look into it. */
export type Schema = z.core.JSONSchema.BaseSchema;

/** One operation of the contracts, JSON or not. */
export type AnyOperation = Pick<Operation, 'method' | 'path' | 'query' | 'input' | 'cache'>;

/** Every operation of the contracts by its dotted name. */
export const OPERATIONS: [name: string, op: AnyOperation][] = [
  ...operationsOf(api),
  ...Object.entries<RawOperation>(raw),
];

/** Those that are in tRPC. */
export const PROCEDURES = [...operationsOf(api)];

/** Where an input of an operation is given. */
type Place = 'path' | 'query' | 'body';

/** One input of one operation. */
export interface Parameter {
  operation: string;
  op: AnyOperation;
  name: string;
  place: Place;
  schema: Schema;
}

/** Knows no names of schemas, so that each stands where it is used. */
const NAMELESS = z.registry<z.core.GlobalMeta>();

/** What callers may send to an operation, as JSON Schema. */
export const inputSchema = ({ input }: Pick<Operation, 'input'>): Schema =>
  z.toJSONSchema(input, { io: 'input', metadata: NAMELESS });

function placeOf({ method, path, query }: AnyOperation, name: string): Place {
  if (path.includes(`{${name}}`)) return 'path';
  return method === 'GET' || query.includes(name) ? 'query' : 'body';
}

/** Every input of every operation. */
export const PARAMETERS: Parameter[] = OPERATIONS.flatMap(([operation, op]) =>
  Object.entries(inputSchema(op).properties ?? {}).map(([name, schema]) => ({
    operation,
    op,
    name,
    place: placeOf(op, name),
    schema: schema as Schema,
  })),
);

/** The inputs that come in the query. */
export const IN_QUERY = PARAMETERS.filter(({ place }) => place === 'query');

/** An input of each operation that can not do without; the model is one that every synced service has. */
const NEEDED: [path: RegExp, input: Record<string, unknown>][] = [
  [/\{slug\}/, { creator: 'openai', slug: 'gpt-5-mini' }],
  [/\{id\}$/, { id: 'sync_1' }],
  [/\{id\}\/updates$/, { id: 'inc_1', status: 'identified', message: 'It is known.' }],
  [/admin\/incidents$/, { title: 'Slow', severity: 3, message: 'Lists take longer.' }],
  [/^\/v1\/resolve$/, { id: 'gpt-5-mini' }],
];

/** The least that an operation can be asked with. */
export function leastInput({ path, method }: AnyOperation): Record<string, unknown> {
  const least = NEEDED.find(([pattern]) => pattern.test(path))?.[1] ?? {};
  return path === '/v1/resolve' && method === 'POST' ? { ids: [least] } : least;
}

/** The path of an operation with something in the place of each parameter. */
export function pathOf(op: AnyOperation, given: Record<string, string> = {}): string {
  const least = leastInput(op);
  return op.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => given[name] ?? String(least[name]));
}

/** Those of the inputs that have their place in the query, or in the body. */
function placed(op: AnyOperation, input: Record<string, unknown>, place: Place): [string, unknown][] {
  return Object.entries(input).filter(([name]) => placeOf(op, name) === place);
}

/** Asks an operation, as an admin, with a query as it is, beside those inputs that it can not do without. */
export function ask(
  app: Pick<TestApp, 'url'>,
  op: AnyOperation,
  query: string,
  { path = pathOf(op), body }: { path?: string; body?: unknown } = {},
): Promise<Response> {
  const given = new Set(query.split('&').map((pair) => pair.split('=')[0]));
  const needed = placed(op, leastInput(op), 'query').filter(([name]) => !given.has(name));
  const pairs = [query, ...needed.map(([name, value]) => `${name}=${String(value)}`)];
  const url = `${app.url}${path}?${pairs.filter(Boolean).join('&')}`;
  if (op.method === 'GET') return fetch(url, { headers: ADMIN });
  return postJson(url, JSON.stringify(body ?? Object.fromEntries(placed(op, leastInput(op), 'body'))));
}

/** Posts a JSON text as an admin. */
export function postJson(url: string, body: string | Uint8Array<ArrayBuffer>): Promise<Response> {
  return fetch(url, { method: 'POST', headers: { ...ADMIN, 'content-type': 'application/json' }, body });
}

/** Calls a procedure, as an admin, with an input as it is. */
export function call(app: Pick<TestApp, 'url'>, name: string, input: string): Promise<Response> {
  const op = PROCEDURES.find(([known]) => known === name)?.[1];
  if (op?.method !== 'POST')
    return fetch(`${app.url}/trpc/${name}?input=${encodeURIComponent(input)}`, { headers: ADMIN });
  return postJson(`${app.url}/trpc/${name}`, input);
}
