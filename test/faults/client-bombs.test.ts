import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createContext, Script } from 'node:vm';
import fc from 'fast-check';
import { parseAst } from 'vite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DATABASES } from '../support/databases.ts';
import { startSynced, type Served } from '../support/synced.ts';
import { postJson } from './support/operations.ts';

const SECOND_MS = 1_000;
/** The longest text that reaches any of them: a body has 16 KiB. */
const LONGEST = 16_384;
/** The longest name of a model that is read. */
const MAX_NAME = 500;

interface Pattern {
  file: string;
  source: string;
  flags: string;
}

/** Every regular expression that is written in a file. */
function patternsIn(file: string): Pattern[] {
  const found: Pattern[] = [];
  const visit = (node: unknown) => {
    if (typeof node !== 'object' || node === null) return;
    const { regex } = node as { regex?: { pattern: string; flags: string } };
    if (regex !== undefined) found.push({ file, source: regex.pattern, flags: regex.flags });
    else for (const child of Object.values(node)) visit(child);
  };
  visit(parseAst(readFileSync(file, 'utf8'), { lang: 'ts' }, file));
  return found;
}

const FOLDERS = ['contracts', 'server/http', 'server/services', 'server/cache', 'sync/identity'];
const PATTERNS = FOLDERS.flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => patternsIn(join(folder, name))),
);

/** Runs an expression on a text, and throws where that takes a second. */
function tryOn({ source, flags }: Pattern, text: string): void {
  const context = createContext({ text });
  const all = flags.includes('g') ? flags : `${flags}g`;
  const code = `text.replace(new RegExp(${JSON.stringify(source)}, ${JSON.stringify(all)}), '')`;
  new Script(code).runInContext(context, { timeout: SECOND_MS });
}

/** Texts that nearly match an expression: pieces of what it looks for, over and over, with an end that it does not take. */
function nearlyMatching({ source }: Pattern): fc.Arbitrary<string> {
  const words = source.split(/\\?[\\^$()[\]{}|?*+]+/).filter(Boolean);
  const letters = Array.from(`${words.join('')}a1 -_./:,@%"\t\n\\`);
  const text = fc.string({ unit: fc.constantFrom(...letters), minLength: 1, maxLength: 6 });
  const piece = words.length === 0 ? text : fc.oneof(text, fc.constantFrom(...words));
  return fc.tuple(piece, piece, fc.constantFrom('', '!', '\0', '\n', 'é', ' ')).map(([start, pump, end]) => {
    const times = Math.ceil(LONGEST / pump.length);
    return (start + pump.repeat(times)).slice(0, LONGEST - 1) + end;
  });
}

test('C36-all there are expressions to try', () => expect(PATTERNS.length).toBeGreaterThan(40));

test.each(PATTERNS)('C36 /$source/$flags in $file comes to an end', (pattern) => {
  const longest = pattern.file.startsWith('sync/') ? MAX_NAME : LONGEST;
  const texts = nearlyMatching(pattern).map((text) => text.slice(-longest));
  fc.assert(
    fc.property(texts, (text) => tryOn(pattern, text)),
    { numRuns: 40 },
  );
});

test('C36-seen an expression that goes off is seen', () => {
  const bomb = { file: '', source: '^(a+)+$', flags: '' };
  expect(() => tryOn(bomb, `${'a'.repeat(40)}!`)).toThrow(/timed out/);
  const seen = fc.check(
    fc.property(nearlyMatching(bomb), (text) => tryOn(bomb, text)),
    { numRuns: 40, endOnFailure: true },
  );
  expect(seen.failed).toBe(true);
});

describe.each(DATABASES)('C36 what is heavy on $name', ({ create }) => {
  let served: Served;
  beforeAll(async () => {
    served = await startSynced(create);
  });
  afterAll(async () => {
    expect(served.app.log.filter(({ level }) => Number(level) >= 60)).toEqual([]);
    await served.close();
  });

  /** How long something takes, during which the service has to go on telling that it is there. */
  async function timed(work: () => Promise<void>): Promise<number> {
    const from = performance.now();
    let isDone = false;
    const done = work().finally(() => (isDone = true));
    while (!isDone) {
      const asked = performance.now();
      expect((await served.app.get('/health/live')).status).toBe(200);
      expect(performance.now() - asked).toBeLessThan(SECOND_MS);
      await sleep(10);
    }
    await done;
    return performance.now() - from;
  }

  const word = fc.constantFrom(
    ...'claude gpt llama us. eu. anthropic. openai/ @ : - -- . / v 3.5 4 :0 -v1 latest preview 20250929 2025-09-29 instruct 7b 70B fp8 GGUF models.json/ ( ) [ ] % é 🦙 _'.split(
      ' ',
    ),
    ' ',
  );
  const name = fc
    .array(word, { minLength: 1, maxLength: 4 })
    .map((words) => words.join(''))
    .chain((pump) => fc.tuple(fc.constant(pump.repeat(Math.ceil(MAX_NAME / pump.length))), word))
    .map(([long, end]) => (long.slice(0, MAX_NAME - end.length) + end).trim())
    .filter((text) => text !== '' && text.isWellFormed());

  test('C36a no name takes long to resolve', async () => {
    const names = fc.sample(name, { numRuns: 60, seed: 36 });
    for (const id of names) {
      const took = await timed(async () => {
        const answer = await served.app.get(`/v1/resolve?id=${encodeURIComponent(id)}`);
        expect([200, 404, 409]).toContain(answer.status);
        await answer.body?.cancel();
      });
      expect(took, id).toBeLessThan(SECOND_MS);
    }
  });

  test('C36b a hundred of them, as many as one request may hold, hold nobody up', async () => {
    const ids = fc
      .sample(name, { numRuns: 100, seed: 37 })
      .map((id) => ({ id: Array.from(id).slice(0, 60).join('') }));
    const took = await timed(async () => {
      const answer = await postJson(`${served.app.url}/v1/resolve`, JSON.stringify({ ids }));
      expect([answer.status, ((await answer.json()) as { data: unknown[] }).data.length]).toEqual([200, 100]);
    });
    expect(took).toBeLessThan(2 * SECOND_MS);
  });

  const key = (index: number, step: number) => `"${index * step + 7}":0`;
  const floods: [name: string, keys: string[]][] = [
    ['numbers', Array.from({ length: 4_000 }, (_, index) => key(index, 1))],
    ['numbers that share their low bits', Array.from({ length: 4_000 }, (_, index) => key(index, 2 ** 24))],
    ['numbers beyond 32 bits', Array.from({ length: 4_000 }, (_, index) => key(index, 2 ** 32))],
    ['one name', Array<string>(4_000).fill('"ids":0')],
    ['words', Array.from({ length: 4_000 }, (_, index) => `"${index.toString(36)}":0`)],
    ['empty names', Array<string>(4_000).fill('"":0')],
    ['one inherited name', Array<string>(4_000).fill('"toString":0')],
  ];
  test.each(floods)('C36c a body full of %s is refused', async (_, keys) => {
    let body = '{';
    for (const one of keys)
      if (body.length + one.length < LONGEST - 2) body += `${body === '{' ? '' : ','}${one}`;
    body += '}';
    const paths = ['/v1/resolve', '/trpc/resolve.many', '/v1/admin/incidents', '/trpc/admin.sync.start'];
    const took = await timed(async () => {
      const all = Array.from({ length: 5 }, () => paths).flat();
      const answers = await Promise.all(all.map((path) => postJson(served.app.url + path, body)));
      expect(answers.map(({ status }) => status)).toEqual(all.map(() => 400));
      const sizes = await Promise.all(answers.map(async (answer) => (await answer.text()).length));
      for (const size of sizes) expect(size).toBeLessThan(LONGEST);
    });
    expect(took).toBeLessThan(2 * SECOND_MS);
  });
});
