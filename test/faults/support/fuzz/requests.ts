import fc from 'fast-check';
import { api } from '../../../../contracts/index.ts';
import { operationsOf } from '../../../../contracts/operation.ts';
import type { Asked } from '../../../support/crowd.ts';
import { OPERATIONS, type DocumentedOperation } from './document.ts';
import { HOSTILE, parameterOf, valueOf, type Known } from './values.ts';

/** A request, and what it is about. */
export interface FuzzRequest extends Asked {
  /** The operation that it goes to; null: none of the document. */
  operation: DocumentedOperation | null;
  kind: 'rest' | 'trpc';
}

/** Secrets that a request may carry, and where it then comes from: wrong ones have their addresses blocked. */
export interface Doors {
  secret: string;
}

const hostile = fc.constantFrom(...HOSTILE);
const printable = fc.string({
  maxLength: 60,
  unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
});

/** Only what may stand in a request line goes out: Node refuses to send the rest. */
const line = (target: string): string =>
  target.replaceAll(/[^\x21-\x7e]/g, (other) => encodeURIComponent(other.toWellFormed()));

const credentials = ({ secret }: Doors): fc.Arbitrary<Record<string, string>> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.constant({ 'x-admin': secret, 'x-forwarded-for': '198.51.100.1' }) },
    { weight: 1, arbitrary: fc.constant<Record<string, string>>({}) },
    {
      weight: 1,
      arbitrary: fc.record({
        'x-admin': printable,
        'x-forwarded-for': fc.ipV4().map((ip) => ip.replace(/^\d+/, '10')),
      }),
    },
  );

const oddHeaders: fc.Arbitrary<Record<string, string>> = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Record<string, string>>({}) },
  {
    weight: 3,
    arbitrary: fc
      .record({
        name: fc.constantFrom(
          'accept',
          'accept-encoding',
          'accept-language',
          'if-none-match',
          'if-modified-since',
          'range',
          'origin',
          'cookie',
          'x-request-id',
          'x-http-method-override',
          'x-original-url',
          'content-encoding',
          'last-event-id',
          'sec-fetch-site',
          'trpc-accept',
        ),
        value: fc.oneof(
          printable,
          fc.constantFrom('*', 'gzip', 'br;q=1.0, *;q=0', 'application/xml', 'bytes=0-1', 'null'),
        ),
      })
      .map(({ name, value }) => ({ [name]: value.trim() || '*' })),
  },
);

/** Names and values beside one another, right ones and others. */
function queryOf(operation: DocumentedOperation, known: Known, isGood: boolean): fc.Arbitrary<string> {
  const parameters = operation.parameters.filter((parameter) => parameter.in === 'query');
  const pairs = parameters.map((parameter) => {
    const good = parameterOf(parameter, known).map((value) => `${parameter.name}=${value}`);
    const bad = fc.oneof(
      hostile.map((value) => `${parameter.name}=${value}`),
      hostile.map((value) => `${parameter.name}=${value}&${parameter.name}=1`),
      fc.constantFrom(`${parameter.name}[]=1`, `${parameter.name.toUpperCase()}=1`, parameter.name),
    );
    const chosen = isGood ? good : fc.oneof(good, bad);
    return parameter.required === true && isGood ? chosen : fc.option(chosen, { freq: 2, nil: null });
  });
  const unknown = isGood
    ? fc.constant(null)
    : fc.option(
        fc.tuple(hostile, hostile).map((pair) => pair.join('=')),
        { freq: 3, nil: null },
      );
  return fc.tuple(fc.tuple(...pairs), unknown).map(([given, other]) => {
    const all = [...given, other].filter((pair) => pair !== null);
    return all.length === 0 ? '' : `?${all.join('&')}`;
  });
}

function pathOf(operation: DocumentedOperation, known: Known, isGood: boolean): fc.Arbitrary<string> {
  const names = [...operation.path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name);
  // Both parts of an id come from one model, so that it is found.
  const model = fc.constantFrom(...(known.model ?? ['a/b'])).map((id) => id.split('/'));
  const other = (name: string) => {
    const parameter = operation.parameters.find((each) => each.name === name);
    if (parameter === undefined) return hostile;
    return parameterOf(parameter, { ...known, [name]: known[operation.path] ?? known[name] ?? [] });
  };
  return fc
    .tuple(
      model,
      fc.tuple(...names.map((name) => (isGood ? other(name) : fc.oneof(other(name), hostile)))),
      fc.boolean(),
    )
    .map(([id, values, found]) =>
      names.reduce((path, name, index) => {
        const part = name === 'creator' ? id[0] : id[1];
        const isOfModel = (name === 'creator' || name === 'slug') && (found || isGood);
        return path.replace(`{${name}}`, isOfModel ? encodeURIComponent(part ?? '') : (values[index] ?? ''));
      }, operation.path),
    );
}

function bodyOf(
  { body }: DocumentedOperation,
  isGood: boolean,
): fc.Arbitrary<{ body?: string; type?: string }> {
  const json = 'application/json';
  const good =
    body === null
      ? fc.constant<{ body?: string; type?: string }>({})
      : valueOf(body).map((value) => ({ body: JSON.stringify(value), type: json }));
  if (isGood) return good;
  const odd = fc.oneof(
    fc.json().map((text) => ({ body: text, type: json })),
    good.map((made) => ({ body: (made.body ?? '{}').slice(0, -1), type: json })),
    fc.constantFrom(
      { body: '{"__proto__":{"a":1}}', type: json },
      { body: '[', type: json },
      { body: '"x"', type: json },
      { body: 'x'.repeat(20_000), type: json },
      { body: '['.repeat(8_000), type: json },
      { body: 'a=b', type: 'application/x-www-form-urlencoded' },
      { body: '{}', type: 'text/plain' },
      { body: '{}', type: 'application/json; charset=latin1' },
      { body: '\u0000', type: json },
    ),
  );
  return fc.oneof(good, odd);
}

function requestTo(
  operation: DocumentedOperation,
  known: Known,
  doors: Doors,
  isGood: boolean,
): fc.Arbitrary<FuzzRequest> {
  const methods = isGood
    ? [operation.method]
    : [
        operation.method,
        operation.method,
        operation.method,
        'HEAD',
        'PUT',
        'DELETE',
        'PATCH',
        'OPTIONS',
        'POST',
        'GET',
      ];
  return fc
    .record({
      path: pathOf(operation, known, isGood),
      query: queryOf(operation, known, isGood),
      method: fc.constantFrom(...methods),
      body:
        operation.method === 'POST'
          ? bodyOf(operation, isGood)
          : fc.constant<{ body?: string; type?: string }>({}),
      credentials: operation.isAdmin ? credentials(doors) : fc.constant<Record<string, string>>({}),
      odd: isGood ? fc.constant<Record<string, string>>({}) : oddHeaders,
    })
    .map(({ path, query, method, body, credentials: secret, odd }): FuzzRequest => {
      const isOwn = method === operation.method || (method === 'HEAD' && operation.method === 'GET');
      return {
        kind: 'rest',
        operation: isOwn ? operation : null,
        method,
        path: line(path + query),
        headers: { ...odd, ...secret, ...(body.type === undefined ? {} : { 'content-type': body.type }) },
        live: operation.isLive,
        ...(body.body === undefined || method === 'GET' || method === 'HEAD' ? {} : { body: body.body }),
      };
    });
}

const PROCEDURES = [...operationsOf(api)];

/** Calls of the same operations as procedures, alone and in batches. */
function trpcCall({ secret }: Doors): fc.Arbitrary<FuzzRequest> {
  const call = fc.constantFrom(...PROCEDURES);
  return fc
    .record({
      calls: fc.array(call, { minLength: 1, maxLength: 3 }),
      input: fc.oneof(
        fc.json(),
        fc.constantFrom('', '{', '{"0":{}}', '{"0":{"limit":1}}', '{"limit":5}', '{"json":1}'),
      ),
      isAdmin: fc.boolean(),
      odd: oddHeaders,
      suffix: fc.oneof({ weight: 8, arbitrary: fc.constant('') }, { weight: 1, arbitrary: hostile }),
    })
    .map(({ calls, input, isAdmin, odd, suffix }): FuzzRequest => {
      const isPost = calls[0]?.[1].method === 'POST';
      const names = calls.map(([name]) => name).join(',');
      const query = [
        ...(calls.length > 1 ? ['batch=1'] : []),
        ...(isPost ? [] : [`input=${encodeURIComponent(input)}`]),
      ];
      return {
        kind: 'trpc',
        operation: null,
        method: isPost ? 'POST' : 'GET',
        path: line(`/trpc/${names}${suffix}?${query.join('&')}`),
        headers: {
          ...odd,
          ...(isAdmin ? { 'x-admin': secret, 'x-forwarded-for': '198.51.100.1' } : {}),
          ...(isPost ? { 'content-type': 'application/json' } : {}),
        },
        ...(isPost ? { body: input } : {}),
      };
    });
}

/** What goes to no operation. */
const elsewhere: fc.Arbitrary<FuzzRequest> = fc
  .record({
    path: fc.oneof(
      fc.webPath(),
      hostile.map((text) => `/${text}`),
      fc.constantFrom('/', '/docs', '/metrics', '/status', '/v1', '/V1/models', '//', '/openapi.json'),
    ),
    method: fc.constantFrom('GET', 'POST', 'HEAD', 'OPTIONS', 'DELETE'),
    odd: oddHeaders,
  })
  .map(({ path, method, odd }): FuzzRequest => ({
    kind: 'rest',
    operation: null,
    method,
    path: line(path === '' ? '/' : path),
    headers: odd,
  }));

/** Requests of every kind: to every operation of the document, right and wrong ones, procedures, and elsewhere. */
export function fuzzRequests(known: Known, doors: Doors): fc.Arbitrary<FuzzRequest> {
  const of = (isGood: boolean) =>
    fc.oneof(...OPERATIONS.map((operation) => requestTo(operation, known, doors, isGood)));
  return fc.oneof(
    { weight: 5, arbitrary: of(true) },
    { weight: 5, arbitrary: of(false) },
    { weight: 2, arbitrary: trpcCall(doors) },
    { weight: 1, arbitrary: elsewhere },
  );
}
