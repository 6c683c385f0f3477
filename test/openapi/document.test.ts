import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { ERROR_STATUS } from '../../contracts/errors.ts';
import { api, raw } from '../../contracts/index.ts';
import { errorsOf, operationsOf } from '../../contracts/operation.ts';
import type { RawOperation } from '../../contracts/raw.ts';
import { createDocument } from '../../openapi/document.ts';

const text = readFileSync(new URL('../../openapi/openapi.json', import.meta.url), 'utf8');

interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema: Record<string, unknown>;
}
interface Response {
  description: string;
  headers?: Record<string, unknown>;
  content: Record<string, { schema: { $ref: string } }>;
}
interface Documented {
  operationId: string;
  summary: string;
  description: string;
  tags: string[];
  parameters?: Parameter[];
  requestBody?: unknown;
  security?: unknown;
  responses: Record<string, Response>;
}
const document = JSON.parse(text) as {
  openapi: string;
  info: { title: string; version: string; description: string };
  servers: unknown;
  security?: unknown;
  tags: { name: string; description: string }[];
  paths: Record<string, Record<string, Documented>>;
  components: { schemas: Record<string, object>; securitySchemes: unknown };
};
const rawOperations = Object.entries<RawOperation>(raw);
const operations = [
  ...operationsOf(api),
  ...rawOperations.map(([name, op]) => [name, { ...op, status: 200 }] as const),
];
const documented = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, op]) => ({ path, method: method.toUpperCase(), op })),
);

/** Every object inside a value, the value included. */
function* objectsIn(value: unknown): Generator<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) yield value as Record<string, unknown>;
  for (const inner of Object.values(value)) yield* objectsIn(inner);
}

describe('the document', () => {
  test('is fresh: run `npm run openapi` when it is not', () => {
    expect(text === `${JSON.stringify(createDocument(), null, 2)}\n`).toBe(true);
    expect(JSON.stringify(createDocument())).toBe(JSON.stringify(createDocument()));
  });

  test('introduces itself', () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(document.openapi).toBe('3.1.0');
    expect(document.info).toMatchObject({ title: 'Effect Models', version });
    expect(document.info.description.length).toBeGreaterThan(500);
    expect(document.servers).toEqual([{ url: '/' }]);
    const used = new Set(documented.flatMap(({ op }) => op.tags));
    expect(new Set(document.tags.map(({ name }) => name))).toEqual(used);
    expect(document.tags.every(({ description }) => description.length > 10)).toBe(true);
  });

  test('has every operation, and no other', () => {
    const key = (path: string, method: string) => `${method} ${path}`;
    const expected = operations.map(([, op]) => key(op.path, op.method));
    expect(documented.map(({ path, method }) => key(path, method)).sort()).toEqual(expected.sort());
    const ids = documented.map(({ op }) => op.operationId);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids.every((id) => /^[a-zA-Z][a-zA-Z0-9_]*$/.test(id))).toBe(true);
  });

  test('refers to nothing that is missing, and holds nothing that is not referred to', () => {
    const refs = [...objectsIn(document)].flatMap(({ $ref }) => (typeof $ref === 'string' ? [$ref] : []));
    const named = Object.keys(document.components.schemas).map((name) => `#/components/schemas/${name}`);
    expect([...new Set(refs)].sort()).toEqual(named.sort());
  });

  test('is free of what generators choke on', () => {
    expect(/9007199254740991|"nullable"|error\.[A-Z_]+|schemas\/\w+Output"/.exec(text)?.[0]).toBeUndefined();
    for (const schema of objectsIn(document))
      if (schema['format'] === 'date-time') expect(schema).not.toHaveProperty('pattern');
  });

  test('keeps the key of admins to their operations', () => {
    expect(document.security).toBeUndefined();
    expect(document.components.securitySchemes).toMatchObject({
      adminKey: { type: 'apiKey', in: 'header', name: 'x-admin' },
    });
    const guarded = documented.filter(({ op }) => op.security !== undefined).map(({ path }) => path);
    expect(guarded.length).toBeGreaterThan(0);
    expect(guarded).toEqual(
      documented.map(({ path }) => path).filter((path) => path.startsWith('/v1/admin/')),
    );
  });
});

describe.each(operations)('%s', (name, op) => {
  const found = document.paths[op.path]?.[op.method.toLowerCase()] as Documented;

  test('is described as its contract says', () => {
    expect(found).toMatchObject({ summary: op.summary, description: op.description, tags: op.tags });
    expect(found.operationId).toBe(name.replaceAll('.', '_'));
    expect(found.security).toEqual(op.admin ? [{ adminKey: [] }] : undefined);
  });

  test('documents every parameter', () => {
    const parameters = found.parameters ?? [];
    const inPath = [...op.path.matchAll(/\{(\w+)\}/g)].map(([, parameter]) => parameter);
    const expected = op.method === 'GET' ? Object.keys(op.input.shape) : [...inPath, ...op.query];
    const inHeader = parameters.filter((parameter) => parameter.in === 'header');
    const elsewhere = parameters.filter((parameter) => parameter.in !== 'header');
    expect(elsewhere.map(({ name }) => name).toSorted()).toEqual(expected.toSorted());
    expect(inHeader.map(({ name }) => name)).toEqual('headers' in op ? Object.values(op.headers) : []);
    for (const parameter of inHeader) expect(parameter.schema).toHaveProperty('type');
    for (const parameter of elsewhere) {
      expect(parameter.in).toBe(inPath.includes(parameter.name) ? 'path' : 'query');
      expect(parameter.required ?? false).toBe(!op.input.shape[parameter.name]?.safeParse(undefined).success);
      expect(parameter.description).toBeTruthy();
      expect(parameter.schema).toHaveProperty('type');
    }
    if (Object.keys(op.input.shape).length === 0) expect(found.requestBody).toBeUndefined();
  });

  test('documents its success and exactly its errors', () => {
    const errors = errorsOf(op).map((code) => ERROR_STATUS[code]);
    const unchanged = op.cache === null ? [] : [304];
    expect(Object.keys(found.responses).map(Number)).toEqual([op.status, ...unchanged, ...errors]);
    const success = found.responses[op.status];
    if ('mediaType' in op) {
      expect(success?.content).toEqual({
        [op.mediaType]: { schema: { type: 'string' }, example: op.example },
      });
    } else {
      expect(success?.content['application/json']?.schema.$ref).toMatch(/^#\/components\/schemas\/\w+$/);
    }
    expect(success?.headers !== undefined && 'ETag' in success.headers).toBe(op.cache !== null);
    expect(success?.headers !== undefined && 'Location' in success.headers).toBe(op.status === 202);
    for (const status of errors) {
      const { content, description, headers = {} } = found.responses[status] as Response;
      expect(description).toBeTruthy();
      expect(content).toEqual({
        'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } },
      });
      expect('Retry-After' in headers).toBe(status === 429 || status === 503);
    }
  });
});
