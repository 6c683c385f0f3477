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

/** The path of an operation with an example in the place of each parameter, or what is given instead. */
export function pathOf({ path, input }: AnyOperation, given: Record<string, string> = {}): string {
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
    const example = z.globalRegistry.get(input.shape[name] as z.ZodType)?.example;
    return given[name] ?? encodeURIComponent(String(example));
  });
}

/** Asks an operation, as an admin, with a query as it is, beside those inputs that it can not do without. */
export function ask(
  app: Pick<TestApp, 'url'>,
  op: AnyOperation,
  query: string,
  { path = pathOf(op), body }: { path?: string; body?: unknown } = {},
): Promise<Response> {
  const given = new Set(query.split('&').map((pair) => pair.split('=')[0]));
  const required = (inputSchema(op).required ?? [])
    .filter((name) => placeOf(op, name) === 'query' && !given.has(name))
    .map((name) => {
      const example = z.globalRegistry.get(op.input.shape[name] as z.ZodType)?.example;
      return `${name}=${encodeURIComponent(String(example))}`;
    });
  const url = `${app.url}${path}?${[query, ...required].filter(Boolean).join('&')}`;
  if (op.method === 'GET') return fetch(url, { headers: ADMIN });
  const json = { ...ADMIN, 'content-type': 'application/json' };
  return fetch(url, { method: 'POST', headers: json, body: JSON.stringify(body ?? {}) });
}

/** Calls a procedure, as an admin, with an input as it is. */
export function call(app: Pick<TestApp, 'url'>, name: string, input: string): Promise<Response> {
  const op = PROCEDURES.find(([known]) => known === name)?.[1];
  if (op?.method !== 'POST')
    return fetch(`${app.url}/trpc/${name}?input=${encodeURIComponent(input)}`, { headers: ADMIN });
  const json = { ...ADMIN, 'content-type': 'application/json' };
  return fetch(`${app.url}/trpc/${name}`, { method: 'POST', headers: json, body: input });
}
