import fc from 'fast-check';
import { resolved, type Parameter, type Schema } from './document.ts';

/** What there is to ask for: ids and words of the catalogue under test, by the name of the parameter that takes them, or by the path that does. */
export type Known = Record<string, string[]>;

/** Texts that programs stumble over; as they stand in a URL, so that some can not be decoded. */
export const HOSTILE = [
  '',
  '%',
  '%zz',
  '%00',
  '%0d%0aX-Injected:%20yes',
  '%ED%A0%80',
  '%C0%AF',
  '%E2%80%AE',
  '%F0%9F%92%A9',
  "'%20or%201=1--",
  '%22%3E%3Cscript%3Ealert(1)%3C/script%3E',
  '..%2f..%2fetc%2fpasswd',
  '$%7B7*7%7D',
  '__proto__',
  'constructor',
  'toString',
  'null',
  'undefined',
  'NaN',
  'true',
  '[]',
  '%7B%7D',
  '-1',
  '1e9',
  '0x10',
  '%205',
  '9'.repeat(40),
  '0.1e-7',
  'a'.repeat(300),
  'a,'.repeat(200),
  '*',
  '(a%2B)%2B$',
];

const text = ({ minLength = 0, maxLength = 40 }: Schema): fc.Arbitrary<string> =>
  fc.string({ minLength, maxLength: Math.min(maxLength, 40), unit: 'grapheme' });

const days = fc
  .date({ min: new Date('2020-01-01'), max: new Date('2030-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString());

/** Values that a schema takes; of texts with a pattern, only examples are known. */
export function valueOf(schema: Schema): fc.Arbitrary<unknown> {
  const plain = resolved(schema);
  const options = plain.anyOf ?? plain.oneOf;
  if (options !== undefined) return fc.oneof(...options.map(valueOf));
  if (plain.const !== undefined) return fc.constant(plain.const);
  if (plain.enum !== undefined) return fc.constantFrom(...plain.enum);
  const [type = 'string'] = [plain.type ?? 'string'].flat();
  switch (type) {
    case 'integer':
      return fc.integer({ min: plain.minimum ?? 0, max: plain.maximum ?? 10_000 });
    case 'number':
      return fc.integer({ min: plain.minimum ?? 0, max: plain.maximum ?? 1_000 });
    case 'boolean':
      return fc.boolean();
    case 'null':
      return fc.constant(null);
    case 'array':
      return fc.array(valueOf(plain.items ?? {}), {
        minLength: plain.minItems ?? 0,
        maxLength: Math.min(plain.maxItems ?? 4, 4),
      });
    case 'object': {
      const entries = Object.entries(plain.properties ?? {}).map(([name, value]) => [name, valueOf(value)]);
      const properties = Object.fromEntries(entries) as Record<string, fc.Arbitrary<unknown>>;
      return fc.record(properties, {
        requiredKeys: (plain.required ?? []).filter((name) => name in properties),
      });
    }
    default:
      if (plain.format === 'date-time') return days;
      if (plain.pattern !== undefined) return fc.constant(plain.example ?? 'x');
      return text(plain);
  }
}

const encoded = (value: unknown): string =>
  encodeURIComponent(typeof value === 'string' ? value.toWellFormed() : JSON.stringify(value));

/** Values of a parameter as they stand in a URL: what there is, and what its schema takes. */
export function parameterOf({ name, schema }: Parameter, known: Known): fc.Arbitrary<string> {
  const real = known[name] ?? [];
  const made = valueOf(schema).map((value) =>
    Array.isArray(value) ? value.map(encoded).join(',') : encoded(value),
  );
  if (real.length === 0) return made;
  return fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...real.map(encoded)) },
    { weight: 1, arbitrary: made },
  );
}
