import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import document from '../../../../openapi/openapi.json' with { type: 'json' };

/** A schema as it stands in the document. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  minItems?: number;
  maxItems?: number;
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  format?: string;
  example?: unknown;
}

/** A parameter of an operation. */
export interface Parameter {
  in: 'query' | 'path' | 'header';
  name: string;
  required?: boolean;
  schema: Schema;
}

/** An operation as the document publishes it. */
export interface DocumentedOperation {
  path: string;
  method: string;
  parameters: Parameter[];
  /** Schema of its JSON body; null: it has none. */
  body: Schema | null;
  isAdmin: boolean;
  /** Whether its answer is a stream that does not end. */
  isLive: boolean;
  /** Content type and its schema by status. */
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}

interface Entry {
  parameters?: Parameter[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: DocumentedOperation['responses'];
  security?: unknown[];
}

/** Every operation of the document: a new one is fuzzed without another line. */
export const OPERATIONS: DocumentedOperation[] = Object.entries(
  document.paths as unknown as Record<string, Record<string, Entry>>,
).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, entry]) => ({
    path,
    method: method.toUpperCase(),
    parameters: entry.parameters ?? [],
    body: entry.requestBody?.content['application/json']?.schema ?? null,
    isAdmin: (entry.security ?? []).length > 0,
    isLive: 'text/event-stream' in (entry.responses['200']?.content ?? {}),
    responses: entry.responses,
  })),
);

/** A schema without the references in its first layer. */
export function resolved(schema: Schema): Schema {
  if (schema.$ref === undefined) return schema;
  const parts = schema.$ref.replace('#/', '').split('/');
  let node: unknown = document;
  for (const part of parts) node = (node as Record<string, unknown>)[part];
  return resolved(node as Schema);
}

const ajv = new Ajv2020({ strict: false, validateSchema: false, allErrors: false });
formats.default(ajv);
ajv.addSchema({ $id: 'openapi', ...document });

const pointer = (parts: string[]) =>
  parts.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');

const validators = new Map<string, ValidateFunction>();
function validatorOf(ref: string): ValidateFunction {
  const known = validators.get(ref);
  if (known !== undefined) return known;
  const made = ajv.compile({ $ref: `openapi#/${ref}` });
  validators.set(ref, made);
  return made;
}

/** What is wrong with a JSON body beside what the document says of this answer; null: nothing. */
export function breaks(
  { path, method }: Pick<DocumentedOperation, 'path' | 'method'>,
  status: number,
  type: string,
  body: unknown,
): string | null {
  const parts = ['paths', path, method.toLowerCase(), 'responses', String(status), 'content', type, 'schema'];
  return faultOf(validatorOf(pointer(parts)), body);
}

/** What is wrong with a problem; null: nothing. */
export const breaksProblem = (body: unknown): string | null =>
  faultOf(validatorOf(pointer(['components', 'schemas', 'Problem'])), body);

function faultOf(validate: ValidateFunction, body: unknown): string | null {
  return validate(body) ? null : ajv.errorsText(validate.errors);
}
