import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Problem } from '../../contracts/errors.ts';
import type { Operation } from '../../contracts/operation.ts';
import { notFound, pathOf } from './paths.ts';
import { invalidInput, issuesOf } from './problem.ts';

type Kind = 'integer' | 'number' | 'boolean' | 'text';
interface Field {
  kind: Kind;
  many: boolean;
}
type Values = Record<string, unknown>;
type Issues = Problem['errors'];

/** What the reader has to know of an operation. */
type InputOf = Pick<Operation, 'method' | 'path' | 'query' | 'input'>;

/** Reads the input of one operation from requests. */
export interface InputReader {
  /** The input in the contract's types, not yet held to its rules. Throws `ApiError`. */
  read(request: FastifyRequest): Values;
  /** The same, parsed by the contract. Throws `ApiError`. */
  parse(values: Values): unknown;
}

/** Makes the reader of an operation: GET reads path and query, POST reads path, JSON body, and in the query what the contract says. */
export function createInputReader(op: InputOf): InputReader {
  const fields = new Map(Object.entries(op.input.shape).map(([name, schema]) => [name, fieldOf(schema)]));
  const segments = op.path.split('/');
  const inPath = new Set(segments.filter((part) => part.startsWith('{')).map((part) => part.slice(1, -1)));
  const isInQuery = (name: string) => (op.method === 'GET' ? !inPath.has(name) : op.query.includes(name));
  const inQuery = new Map([...fields].filter(([name]) => isInQuery(name)));

  return {
    read(request) {
      const values: Values = {};
      const issues: Issues = [];
      readPath(segments, pathOf(request), values, issues);
      readQuery(inQuery, request.raw.url ?? '', values, issues);
      if (op.method === 'POST')
        readBody(new Set([...inPath, ...inQuery.keys()]), request.body, values, issues);
      if (issues.length > 0) throw invalidInput([...issues, ...otherIssues(op, values, issues)]);
      return values;
    },
    parse(values) {
      const result = op.input.safeParse(values);
      if (!result.success) throw invalidInput(issuesOf(result.error));
      return result.data;
    },
  };
}

/** What the contract has to say beside faults that were found already, so that all are named at once. */
function otherIssues(op: InputOf, values: Values, found: Issues): Issues {
  const named = new Set(found.map(({ path }) => path));
  const result = op.input.safeParse(values);
  return result.success
    ? []
    : issuesOf(result.error).filter(({ path }) => !named.has(path.split('.')[0] ?? ''));
}

function readPath(pattern: string[], path: string, values: Values, issues: Issues): void {
  const parts = path.split('/');
  for (const [index, segment] of pattern.entries()) {
    if (!segment.startsWith('{')) continue;
    const name = segment.slice(1, -1);
    const value = decode(parts[index] ?? '');
    if (value === null)
      issues.push({ path: name, message: 'Must be valid percent-encoded text without NUL' });
    else if (value === '.' || value === '..') throw notFound();
    else values[name] = value;
  }
}

/** The texts that a query gives for each name; null: what can not be decoded. */
export function queryOf(url: string): Map<string, (string | null)[]> {
  const given = new Map<string, (string | null)[]>();
  const start = url.indexOf('?');
  const pairs = start === -1 ? [] : url.slice(start + 1).split('&');
  for (const pair of pairs) {
    if (pair === '') continue;
    const [name = '', ...rest] = pair.replaceAll('+', ' ').split('=');
    const key = decode(name) ?? name;
    const text = decode(rest.join('='));
    const before = given.get(key);
    if (before === undefined) given.set(key, [text]);
    else before.push(text);
  }
  return given;
}

function readQuery(fields: Map<string, Field>, url: string, values: Values, issues: Issues): void {
  for (const [name, texts] of queryOf(url)) {
    const field = fields.get(name);
    if (field === undefined) {
      const known = fields.size === 0 ? 'none' : [...fields.keys()].join(', ');
      issues.push({ path: name, message: `There is no such parameter; there are: ${known}` });
    } else if (texts.includes(null)) {
      issues.push({ path: name, message: 'Must be valid percent-encoded text without NUL' });
    } else if (!field.many && texts.length > 1) {
      issues.push({ path: name, message: 'Must be given once' });
    } else {
      readField(name, field, texts as string[], values, issues);
    }
  }
}

function readField(name: string, field: Field, texts: string[], values: Values, issues: Issues): void {
  const parts = field.many ? texts.flatMap((text) => text.split(',')) : texts;
  const read = parts.map((text) => SPELLING[field.kind].read(text));
  if (read.includes(null)) issues.push({ path: name, message: SPELLING[field.kind].message });
  else values[name] = field.many ? read : read[0];
}

const numeric = (pattern: RegExp) => (text: string) => (pattern.test(text) ? Number(text) : null);

/** How values are spelled in a query. Number('0x10'), Number('1e1') and Number(' 5') are numbers too: hence patterns. */
const SPELLING: Record<Kind, { read: (text: string) => unknown; message: string }> = {
  integer: { read: numeric(/^[0-9]{1,15}$/), message: 'Must be a whole number in digits, 15 at most' },
  number: { read: numeric(/^[0-9]{1,9}(\.[0-9]{1,9})?$/), message: 'Must be a number in digits, like 2.5' },
  boolean: {
    read: (text) => (text === 'true' ? true : text === 'false' ? false : null),
    message: 'Must be true or false',
  },
  text: { read: (text) => text, message: '' },
};

function readBody(elsewhere: Set<string>, body: unknown, values: Values, issues: Issues): void {
  if (body === undefined) return;
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    issues.push({ path: '', message: 'The body must be a JSON object' });
    return;
  }
  for (const [name, value] of Object.entries(body)) {
    if (elsewhere.has(name)) issues.push({ path: name, message: 'Belongs into the path or the query' });
    else values[name] = value;
  }
}

/** Decodes percent-encoding once. Null: not valid, not ASCII before decoding, or NUL in it. */
function decode(text: string): string | null {
  if (/[^\x20-\x7e]/.test(text)) return null;
  try {
    const decoded = decodeURIComponent(text);
    return decoded.includes('\0') ? null : decoded;
  } catch {
    return null;
  }
}

function fieldOf(schema: z.core.$ZodType): Field {
  if (
    schema instanceof z.ZodOptional ||
    schema instanceof z.ZodDefault ||
    schema instanceof z.ZodPrefault ||
    schema instanceof z.ZodNullable
  ) {
    return fieldOf(schema.unwrap());
  }
  if (schema instanceof z.ZodPipe) return fieldOf(schema.in);
  if (schema instanceof z.ZodArray) return { ...fieldOf(schema.element), many: true };
  if (schema instanceof z.ZodNumber) return { kind: schema.isInt ? 'integer' : 'number', many: false };
  return { kind: schema instanceof z.ZodBoolean ? 'boolean' : 'text', many: false };
}
