import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const rooms = ['contracts', 'server', 'sync', 'client', 'openapi', 'migrations', 'ops'];

interface Source {
  /** Path from the project's root. */
  path: string;
  text: string;
  /** What it imports: paths from the project's root, or names of packages. */
  imports: string[];
}

function sourcesOf(room: string): Source[] {
  return readdirSync(join(root, room), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
    .map((name) => {
      const path = join(room, name);
      const text = readFileSync(join(root, path), 'utf8');
      const specifiers = [
        ...text.matchAll(/(?:from\s+|import\()'([^']+)'/g),
        ...text.matchAll(/^import\s+'([^']+)'/gm),
      ];
      const imports = specifiers.map(([, specifier = '']) =>
        specifier.startsWith('.') ? relative(root, resolve(root, dirname(path), specifier)) : specifier,
      );
      return { path, text, imports };
    });
}

const sources = rooms.flatMap(sourcesOf);
const isOurs = (imported: string) =>
  [...rooms, 'test'].some((room) => imported.startsWith(`${room}/`)) || imported === 'package.json';

describe('arrows between the rooms', () => {
  const allowed: Record<string, RegExp> = {
    contracts: /^contracts\//,
    sync: /^(sync|contracts)\//,
    openapi: /^(openapi|contracts)\/|^package\.json$/,
    client: /^(client|contracts)\//,
    migrations: /^migrations\//,
    ops: /^(ops|server|sync|contracts|migrations)\/|^package\.json$/,
    server: /^(server|sync|contracts|migrations)\/|^openapi\/openapi\.json$|^package\.json$/,
  };

  test.each(rooms)('%s imports only what it may', (room) => {
    const wrong = sources
      .filter(({ path }) => path.startsWith(`${room}/`))
      .flatMap(({ path, imports }) =>
        imports
          .filter((imported) => isOurs(imported) && !allowed[room]?.test(imported))
          .map((to) => `${path} -> ${to}`),
      );
    expect(wrong).toEqual([]);
  });

  test('contracts import zod and @trpc/server alone', () => {
    const packages = sources
      .filter(({ path }) => path.startsWith('contracts/'))
      .flatMap(({ imports }) => imports);
    expect([...new Set(packages.filter((name) => !isOurs(name)))].toSorted()).toEqual([
      '@trpc/server',
      'zod',
    ]);
  });

  test('a source imports no other source', () => {
    const wrong = sources
      .filter(({ path }) => path.startsWith('sync/sources/') && path !== 'sync/sources/index.ts')
      .flatMap(({ path, imports }) =>
        imports.filter((to) => to.startsWith('sync/sources/')).map((to) => `${path} -> ${to}`),
      );
    expect(wrong).toEqual([]);
  });

  test('the client takes types alone from the contracts', () => {
    const values = sources
      .filter(({ path }) => path.startsWith('client/'))
      .flatMap(({ text }) => [
        ...text.matchAll(/^(?:import|export) (?!type)[^;]*from '\.\.\/contracts[^']*'/gm),
      ]);
    expect(values).toEqual([]);
  });
});

describe('words with one home', () => {
  const homes: [word: RegExp, home: RegExp][] = [
    [/process\.env/, /^(server|ops)\/config\.ts$/],
    [/'@mikro-orm\/(postgresql|sqlite)'|'pg'|'better-sqlite3'/, /^server\/db\/orm\.ts$/],
    [/from '(@keyv\/redis|keyv|lru-cache)'/, /^server\/cache\//],
    [/from 'prom-client'/, /^server\/metrics\//],
    [/from 'croner'/, /^server\/scheduler\.ts$/],
    [/from 'trpc-to-openapi'/, /^openapi\/document\.ts$/],
    [/(?:await|return|=>|=)\s+fetch\(/, /^(sync\/http\.ts|client\/|ops\/)/],
    [/from 'cockatiel'/, /^sync\//],
  ];

  test.each(homes)('%s stands nowhere but in %s', (word, home) => {
    const code = (text: string) => text.replace(/\/\*\*?[\s\S]*?\*\/|\/\/.*$/gm, '');
    expect(
      sources.filter(({ path, text }) => word.test(code(text)) && !home.test(path)).map(({ path }) => path),
    ).toEqual([]);
  });
});

test('no file has grown past what one file should say', () => {
  const long = sources
    .filter(({ path }) => !path.startsWith('migrations/'))
    .filter(({ text }) => text.split('\n').length > 300)
    .map(({ path }) => path);
  expect(long).toEqual([]);
});
