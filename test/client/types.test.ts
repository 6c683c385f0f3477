import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'effect-models-types-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Type-checks a program in a folder that holds contracts/ and nothing else of ours. Answers with the compiler's complaints. */
function complaintsOf(program: string): string {
  writeFileSync(join(folder, 'consumer.ts'), program);
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const { stdout, stderr } = spawnSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8' });
  return stdout + stderr;
}

cpSync(join(root, 'contracts'), join(folder, 'contracts'), { recursive: true });
cpSync(join(root, 'tsconfig.json'), join(folder, 'base.json'));
symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
writeFileSync(
  join(folder, 'tsconfig.json'),
  JSON.stringify({ extends: './base.json', compilerOptions: { types: [] }, include: ['consumer.ts'] }),
);

const prelude = `
  import { createTRPCClient, httpBatchLink } from '@trpc/client';
  import type { AppRouter } from './contracts/index.ts';
  const client = createTRPCClient<AppRouter>({ links: [httpBatchLink({ url: 'http://127.0.0.1/trpc' })] });
`;

test('contracts/ alone types a client: inputs, outputs, queries and mutations', () => {
  const complaints = complaintsOf(`${prelude}
    const page = await client.models.list.query({ limit: 5, sort: '-releaseDate' });
    const price: number | null | undefined = page.data[0]?.pricing.input;
    const total: number = page.meta.total;
    const { data } = await client.models.get.query({ creator: 'openai', slug: 'gpt-4o' });
    const provider: string | undefined = data.offers[0]?.provider;
    const started = await client.admin.sync.start.mutate({});
    const id: string = started.data.id;
    const health: 'ok' | 'degraded' = (await client.health.get.query()).status;
    export { price, total, provider, id, health };
  `);
  expect(complaints).toBe('');
});

test.each([
  ['an unknown operation', 'await client.models.delete.query({});', /Property 'delete' does not exist/],
  [
    'an input of the wrong type',
    "await client.models.list.query({ limit: '5' });",
    /'string' is not assignable to type 'number'/,
  ],
  ['an unknown input', 'await client.models.list.query({ size: 5 });', /'size' does not exist/],
  ['a missing input', "await client.models.get.query({ creator: 'openai' });", /Property 'slug' is missing/],
  [
    'an output read as something else',
    'const name: number = (await client.models.list.query()).data[0]!.name; export { name };',
    /'string' is not assignable to type 'number'/,
  ],
  [
    'a query called as a mutation',
    'await client.models.list.mutate({});',
    /Property 'mutate' does not exist/,
  ],
])('%s does not compile', (_what, line, complaint) => {
  expect(complaintsOf(`${prelude}\n${line}`)).toMatch(complaint);
});
