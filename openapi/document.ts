import { readFileSync } from 'node:fs';
import { generateOpenApiDocument } from 'trpc-to-openapi';
import { z } from 'zod';
import { ERROR_STATUS, ERROR_TITLE, type ErrorCode, Problem } from '../contracts/errors.ts';
import { api, raw } from '../contracts/index.ts';
import {
  createRouterOf,
  errorsOf,
  type HandlersOf,
  isOperation,
  type Operation,
  operation,
  operationsOf,
  type OperationTree,
} from '../contracts/operation.ts';
import type { RawOperation } from '../contracts/raw.ts';
import { DESCRIPTION, TAGS } from './texts.ts';

type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type JsonObject = { [name: string]: Json };

interface GeneratedParameter {
  name: string;
  in?: string;
  schema: JsonObject;
  description?: Json;
  example?: Json;
}

interface GeneratedOperation {
  parameters?: GeneratedParameter[];
  responses: Record<string, JsonObject>;
  requestBody?: { content: { 'application/json': { schema: { properties: Record<string, JsonObject> } } } };
  security?: Json;
}

type GeneratorRouter = Parameters<typeof generateOpenApiDocument>[0];

/** A path that brings the schema of problems into the document, the way answers get there, and is taken out again. */
const PROBLEM_PATH = '/problem';

/** An OpenAPI 3.1 document, as far as this module has to know it. */
export interface OpenApiDocument {
  openapi: string;
  info: JsonObject & { title: string; version: string };
  servers: { url: string }[];
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, GeneratedOperation>>;
  components: { schemas: Record<string, Json>; securitySchemes: Record<string, Json> };
}

/** Makes the published document from the contracts alone: no handler, no server, no database. */
export function createDocument(): OpenApiDocument {
  const { version, license } = JSON.parse(
    readFileSync(new URL('../package.json', import.meta.url), 'utf8'),
  ) as { version: string; license: string };
  // OperationMeta is an interface, and trpc-to-openapi 3.3 asks for an index signature.
  const tree: OperationTree = { ...api, ...texts() };
  const stubs = stubsOf(tree) as HandlersOf<OperationTree>;
  const router = createRouterOf(tree, stubs) as unknown as GeneratorRouter;
  const generated = generateOpenApiDocument(router, {
    title: 'Effect Models',
    description: DESCRIPTION,
    version,
    openApiVersion: '3.1.0',
    baseUrl: '/',
    license: { name: license, identifier: license },
    paths: { [PROBLEM_PATH]: { get: { responses: { 400: problemResponse(Problem) } } } },
    securitySchemes: {
      adminKey: {
        type: 'apiKey',
        in: 'header',
        name: 'x-admin',
        description: 'The admin secret of this installation; `true` on the machine that runs `npm run dev`.',
      },
    },
  });
  const document = JSON.parse(JSON.stringify(generated)) as OpenApiDocument;
  const { openapi, info, servers, paths, components } = document;
  delete paths[PROBLEM_PATH];
  for (const [, op] of operationsOf(tree)) correct(paths[op.path]?.[op.method.toLowerCase()], op);
  for (const op of Object.values(raw)) describeRaw(paths[op.path]?.['get'], op);
  const schemas = Object.entries(components.schemas).filter(([name]) => !name.startsWith('error.'));
  const { securitySchemes } = components;
  return withoutNoise({
    openapi,
    info,
    servers,
    tags: TAGS,
    paths,
    components: { schemas: Object.fromEntries(schemas), securitySchemes },
  });
}

/** What is not JSON, as the generator knows operations: their parameters are documented like all others. */
function texts(): OperationTree {
  const entries = Object.entries<RawOperation>(raw).map(([name, op]) => [
    name,
    operation({ ...op, output: z.string() }),
  ]);
  return Object.fromEntries(entries) as OperationTree;
}

/** Says what the answer is instead of JSON, and which parameters may come in a header. */
function describeRaw(
  generated: GeneratedOperation | undefined,
  { mediaType, example, headers }: RawOperation,
): void {
  const success = generated?.responses['200'];
  if (success === undefined) throw new Error(`${mediaType} was not generated`);
  success['content'] = { [mediaType]: { schema: { type: 'string' }, example } };
  const inHeaders = (generated?.parameters ?? [])
    .filter(({ name }) => headers[name] !== undefined)
    .map((parameter) => ({ ...parameter, in: 'header', name: headers[parameter.name] ?? '' }));
  generated?.parameters?.push(...inHeaders);
}

/** Handlers that are never called, one for every operation. */
function stubsOf(tree: OperationTree): object {
  const stub = () => Promise.reject(new Error('Not implemented'));
  const entries = Object.entries(tree).map(([name, node]) => [
    name,
    isOperation(node) ? stub : stubsOf(node),
  ]);
  return Object.fromEntries(entries) as object;
}

/** What an answer tells of the end of its model. */
const END_HEADERS = {
  Deprecation: header(
    'Since when the model is deprecated, as `@` and Unix seconds (RFC 9745); absent: no date',
    {
      type: 'string',
    },
  ),
  Sunset: header('When the model ends or ended, as an HTTP date (RFC 8594); absent: no date', {
    type: 'string',
  }),
  Link: header('The model that replaces it, with `rel="successor-version"`; absent: not known', {
    type: 'string',
  }),
};

/** trpc-to-openapi 3.3 documents 200 always, errors of its own shape, and a body even where there is no input. */
function correct(generated: GeneratedOperation | undefined, op: Operation): void {
  const success = generated?.responses['200'];
  if (generated === undefined || success === undefined)
    throw new Error(`${op.method} ${op.path} was not generated`);
  success['description'] = op.status === 202 ? 'Accepted: it goes on after this answer' : 'Success';
  if (op.status === 202) {
    success['headers'] = { Location: header('Path that says how it is going', { type: 'string' }) };
  }
  if (op.cache !== null) {
    success['headers'] = {
      ETag: header('Send it back as If-None-Match: 304 while nothing has changed', { type: 'string' }),
      ...(op.tellsEnd ? END_HEADERS : {}),
    };
  }
  generated.responses = {
    [op.status]: success,
    ...(op.cache === null
      ? {}
      : { 304: { description: 'Nothing has changed since the answer with this ETag' } }),
    ...Object.fromEntries(errorsOf(op).map((code) => [ERROR_STATUS[code], errorResponse(code)])),
  };
  if (op.method === 'POST') moveToQuery(generated, op);
  generated.parameters?.forEach((parameter) => describe(parameter, op));
  if (generated.parameters?.length === 0) delete generated.parameters;
  if (op.admin) generated.security = [{ adminKey: [] }];
  else delete generated.security;
}

/** trpc-to-openapi 3.3 puts every input of a POST into its body. */
function moveToQuery(generated: GeneratedOperation, op: Operation): void {
  const body = generated.requestBody?.content['application/json'].schema;
  for (const name of op.query) {
    const schema = body?.properties[name];
    if (schema === undefined) continue;
    generated.parameters = [...(generated.parameters ?? []), { name, in: 'query', schema }];
    delete body?.properties[name];
  }
  if (Object.keys(body?.properties ?? {}).length === 0) delete generated.requestBody;
}

/** trpc-to-openapi 3.3 unwraps optional parameters and loses what was said about them. */
function describe(parameter: GeneratedParameter, op: Operation): void {
  const meta = (op.input.shape[parameter.name] as z.ZodType | undefined)?.meta() ?? {};
  for (const name of ['description', 'example'] as const) {
    delete parameter.schema[name];
    const value = meta[name];
    if (value !== undefined) parameter[name] = value as Json;
  }
}

function problemResponse<Schema>(schema: Schema) {
  return { description: 'A problem', content: { 'application/problem+json': { schema } } };
}

function errorResponse(code: ErrorCode): JsonObject {
  const waits = code === 'TOO_MANY_REQUESTS' || code === 'SERVICE_UNAVAILABLE';
  const retryAfter = header('Seconds to wait before the next try', { type: 'integer', minimum: 1 });
  return {
    ...problemResponse({ $ref: '#/components/schemas/Problem' }),
    description: ERROR_TITLE[code],
    ...(waits ? { headers: { 'Retry-After': retryAfter } } : {}),
  };
}

function header(description: string, schema: JsonObject): JsonObject {
  return { description, schema };
}

/** Zod 4.6 writes a pattern beside `date-time` and `date` that generators choke on, the safe integers as bounds, and closed objects: answers may grow. */
function withoutNoise<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(withoutNoise) as Value;
  if (typeof value !== 'object' || value === null) return value;
  const isDate = 'format' in value && (value.format === 'date-time' || value.format === 'date');
  const kept = Object.entries(value).filter(
    ([name, inner]) =>
      !(isDate && name === 'pattern') &&
      name !== 'additionalProperties' &&
      !(['minimum', 'maximum'].includes(name) && Math.abs(Number(inner)) === Number.MAX_SAFE_INTEGER),
  );
  return Object.fromEntries(kept.map(([name, inner]) => [name, withoutNoise(inner)])) as Value;
}
