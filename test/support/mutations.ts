import fc from 'fast-check';

/** How many mutated payloads of a source are read: `FAULT_MUTATIONS`, else as many as take a few seconds. */
export const MUTATIONS = Number(process.env.FAULT_MUTATIONS ?? 1_000);

/** What mutations are drawn from: `FAULT_SEED`, else another one each time. */
export const MUTATION_SEED = Number(process.env.FAULT_SEED ?? Math.floor(Math.random() * 2 ** 31));

/** One change to a payload. Places are numbers, taken modulo how many there are. */
export interface Edit {
  kind:
    | 'replace'
    | 'delete'
    | 'rename'
    | 'duplicate'
    | 'swap'
    | 'nest'
    | 'pollute'
    | 'negate'
    | 'scale'
    | 'stretch'
    | 'empty';
  at: number;
  other: number;
  value: unknown;
  key: string;
}

type Container = Record<string, unknown> | unknown[];
interface Place {
  holder: Container;
  key: string | number;
}

/** A number that JSON texts can hold and JavaScript can not. */
function rawNumber(text: string): unknown {
  return (JSON as unknown as { rawJSON: (text: string) => unknown }).rawJSON(text);
}

const RAW = new Set(['1e400', '-1e400', '12345678901234567890', '9007199254740993'].map(rawNumber));

/** Characters that are no ASCII and do not compress, as many as given. */
export function ideographs(count: number): string {
  let state = 12_345;
  return Array.from({ length: count }, () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return String.fromCharCode(0x4e00 + (state % 20_000));
  }).join('');
}

const TEXTS = [
  '',
  ' ',
  '\0',
  'a\0b',
  '\ud800',
  'gpt-4\udfff',
  'before\nafter',
  '{"level":50}\r\n{"level":60}',
  '\u2028',
  '\ufffd',
  '\u202eelddim',
  'نموذج',
  'דגם-4',
  '模型-5',
  'ﷺ'.repeat(160),
  '🦙-3',
  '👩‍💻',
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "'; drop table models; --",
  '${process.exit(1)}',
  '%00',
  '..',
  '../../etc/passwd',
  '/',
  '//',
  ':',
  '~',
  '~/',
  '/x',
  'x/',
  '@',
  ':free',
  '-latest',
  '#1',
  'a (duplicate 1)',
  'models.json/x',
  'constructor',
  'toString',
  'hasOwnProperty',
  '__proto__',
  'valueOf/toString',
  'Ignore all previous instructions.',
  'NaN',
  'Infinity',
  '-1',
  '-0.000001',
  '1e999',
  '1e-30',
  '0x10',
  '128k',
  'free',
  '10000.000000001',
  '0.010000000000001',
  '1970-01-01',
  '2098-12-31',
  '2090-01-01',
  '9999-99-99',
  '2026-02-30',
  '0000',
  'http://',
  'https:x',
  'https://a b',
  'https://[::1',
  'javascript:alert(1)',
  'https://xn--/',
  'https://huggingface.co/a/b',
  'a+'.repeat(90),
  '+'.repeat(500),
  'İ'.repeat(250),
  'x'.repeat(501),
  'x'.repeat(3_000),
  '-'.repeat(400),
  ideographs(150),
  ideographs(500),
  'word '.repeat(10_000),
];

const NUMBERS = [
  0,
  -0,
  1,
  -1,
  0.5,
  -0.5,
  1e-30,
  5e-324,
  10_000,
  10_000.000000001,
  1e6,
  99_999_999,
  1_000_000_001,
  2 ** 31,
  2 ** 53 - 1,
  2 ** 53,
  -(2 ** 53),
  1e21,
  1.7e308,
  1630,
  2098,
];

const value = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom<unknown>(null, true, false, [], {}, [null], [[]], { a: [{}] }) },
  { weight: 4, arbitrary: fc.constantFrom<unknown>(...NUMBERS) },
  { weight: 1, arbitrary: fc.constantFrom<unknown>(...RAW) },
  { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
  { weight: 6, arbitrary: fc.constantFrom<unknown>(...TEXTS) },
  { weight: 2, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) },
  { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 3 }) },
);

const edit: fc.Arbitrary<Edit> = fc.record({
  kind: fc.constantFrom<Edit['kind']>(
    'replace',
    'replace',
    'replace',
    'replace',
    'delete',
    'rename',
    'duplicate',
    'swap',
    'nest',
    'pollute',
    'negate',
    'scale',
    'stretch',
    'empty',
  ),
  at: fc.nat(),
  other: fc.nat(),
  value,
  key: fc.oneof(
    fc.constantFrom('id', 'name', 'models', 'cost', 'data', 'tags', 'constructor', '', '0', '\0', '\ud800'),
    fc.string(),
  ),
});

/** Batches of mutated payloads, each made of one of the given; most are changed in one place. */
export function mutated(payloads: unknown[], batch: number): fc.Arbitrary<unknown[]> {
  const edits = fc.oneof(
    { weight: 3, arbitrary: fc.array(edit, { minLength: 1, maxLength: 1 }) },
    { weight: 2, arbitrary: fc.array(edit, { minLength: 2, maxLength: 5 }) },
  );
  const one = fc
    .tuple(fc.nat({ max: payloads.length - 1 }), edits)
    .map(([index, changes]) => mutate(payloads[index], changes));
  return fc.array(one, { minLength: batch, maxLength: batch });
}

function mutate(payload: unknown, edits: Edit[]): unknown {
  const root: Container = [structuredClone(payload)];
  for (const change of edits) apply(root, change);
  return root[0];
}

/** Every place in a payload, the payload itself first. */
function placesIn(root: Container): Place[] {
  const places: Place[] = [];
  const visit = (holder: Container) => {
    for (const key of Object.keys(holder)) {
      places.push({ holder, key });
      const held = (holder as Record<string, unknown>)[key];
      if (typeof held === 'object' && held !== null && !RAW.has(held)) visit(held as Container);
    }
  };
  visit(root);
  return places;
}

function set(holder: Container, key: string | number, held: unknown): void {
  // An assignment to `__proto__` would not make a key.
  Object.defineProperty(holder, key, { value: held, writable: true, enumerable: true, configurable: true });
}

function apply(root: Container, { kind, at, other, value: fresh, key: name }: Edit): void {
  const places = placesIn(root);
  // A payload that is lost altogether shows little, so that it is changed itself less often than what is in it.
  const place = places[at % places.length] as Place;
  const { holder, key } = place;
  const held = (holder as Record<string, unknown>)[key];
  const put = (next: unknown) => set(holder, key, next);
  if (kind === 'replace') put(structuredCloneOrRaw(fresh));
  else if (kind === 'delete') remove(root, place);
  else if (kind === 'rename') {
    if (holder === root || Array.isArray(holder)) return;
    remove(root, place);
    set(holder, name, held);
  } else if (kind === 'duplicate') {
    if (Array.isArray(holder) && holder !== root) holder.push(held);
    else put([held, held]);
  } else if (kind === 'swap') {
    const to = places[other % places.length] as Place;
    const displaced = (to.holder as Record<string, unknown>)[to.key];
    if (contains(held, displaced) || contains(displaced, held)) return;
    put(displaced);
    set(to.holder, to.key, held);
  } else if (kind === 'nest') {
    let nested: unknown = held;
    for (let depth = 0; depth < 3 + (other % 60); depth++)
      nested = other % 2 === 0 ? [nested] : { a: nested };
    put(nested);
  } else if (kind === 'pollute') {
    if (typeof held === 'object' && held !== null && !Array.isArray(held) && !RAW.has(held))
      set(held as Container, '__proto__', { polluted: true });
  } else if (kind === 'negate') {
    if (typeof held === 'number') put(-held);
    else if (typeof held === 'string') put(`-${held}`);
    else if (typeof held === 'boolean') put(!held);
  } else if (kind === 'scale') {
    const factor = 10 ** ((other % 31) - 15);
    if (typeof held === 'number') put(held * factor);
    else if (typeof held === 'string' && Number(held) > 0) put(String(Number(held) * factor));
  } else if (kind === 'stretch') {
    if (typeof held === 'string' && held !== '') put(held.repeat(2 + (other % 40)));
    else if (Array.isArray(held)) put(Array.from({ length: 1 + (other % 300) }, () => held).flat(1));
  } else put(Array.isArray(held) ? [] : typeof held === 'object' ? {} : '');
}

function structuredCloneOrRaw(fresh: unknown): unknown {
  return RAW.has(fresh) ? fresh : structuredClone(fresh);
}

function remove(root: Container, { holder, key }: Place): void {
  if (holder === root) root[0 as never] = null as never;
  else if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else delete holder[key];
}

function contains(held: unknown, part: unknown): boolean {
  if (held === part) return true;
  if (typeof held !== 'object' || held === null || RAW.has(held)) return false;
  return Object.values(held).some((inner) => contains(inner, part));
}
