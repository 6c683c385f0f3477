import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { inputSchema, OPERATIONS, type Schema } from './support/operations.ts';

/** Every place of a schema that takes more than it says. */
function* boundless(schema: Schema, path: string): Generator<string> {
  const options = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (options !== undefined) {
    for (const option of options) yield* boundless(option, path);
  } else if (schema.enum !== undefined || schema.const !== undefined) {
    // As long as it is.
  } else if (schema.type === 'string') {
    // A day has one length; a time may have any number of digits after its seconds.
    if (schema.maxLength === undefined && schema.format !== 'date') yield `${path}: a text of any length`;
  } else if (schema.type === 'number' || schema.type === 'integer') {
    const { minimum = -Infinity, maximum = Infinity } = schema;
    const isAny = (limit: number) => Math.abs(limit) >= Number.MAX_SAFE_INTEGER;
    if (isAny(minimum) || isAny(maximum)) yield `${path}: a number of any size`;
  } else if (schema.type === 'array') {
    if (schema.maxItems === undefined) yield `${path}: a list of any length`;
    yield* boundless(schema.items as Schema, `${path}[]`);
  } else if (schema.type === 'object') {
    if (schema.additionalProperties !== false) yield `${path}: names that it does not know`;
    for (const [name, value] of Object.entries(schema.properties ?? {}))
      yield* boundless(value as Schema, `${path}.${name}`);
  } else if (schema.type !== 'boolean' && schema.type !== 'null') {
    yield `${path}: anything`;
  }
}

describe('C6a everything that can be sent has a bound', () => {
  test.each(OPERATIONS)('C6a %s', (_, op) => {
    expect([...boundless(inputSchema(op), 'input')]).toEqual([]);
  });

  test('C6a-seen what has none is seen, however it is wrapped', () => {
    const input = z.object({
      text: z.string().min(1).optional(),
      time: z.iso.datetime().nullable(),
      number: z.number().int().min(0).default(0),
      list: z.array(z.strictObject({ word: z.string().prefault('x').pipe(z.any()) })).readonly(),
      other: z.unknown(),
      fine: z.strictObject({ kind: z.enum(['a']), day: z.iso.date(), size: z.number().min(0).max(9) }),
    });
    expect([...boundless(inputSchema({ input }), 'input')]).toEqual([
      'input: names that it does not know',
      'input.text: a text of any length',
      'input.time: a text of any length',
      'input.number: a number of any size',
      'input.list: a list of any length',
      'input.list[].word: a text of any length',
      'input.other: anything',
    ]);
  });
});
