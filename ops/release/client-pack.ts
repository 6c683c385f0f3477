import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/*
 * Packs the client into dist/ as a package that any project can install: JavaScript of client/, and of the contracts their
 * types alone. What does not pass the type check is not packed.
 */

const BUILD = 'dist/client';

interface Manifest {
  version: string;
  dependencies: Record<string, string>;
}

const readManifest = (path: string): Manifest & Record<string, unknown> =>
  JSON.parse(readFileSync(path, 'utf8')) as Manifest & Record<string, unknown>;

function compile(): void {
  const typescript = createRequire(import.meta.url).resolve('typescript/package.json');
  const options = [
    ['--ignoreConfig', '--rootDir', '.', '--outDir', BUILD, '--types', ''],
    [
      '--target',
      'es2024',
      '--lib',
      'es2024,dom',
      '--module',
      'nodenext',
      '--strict',
      '--exactOptionalPropertyTypes',
    ],
    ['--declaration', '--rewriteRelativeImportExtensions', '--verbatimModuleSyntax', '--skipLibCheck'],
  ].flat();
  execFileSync(process.execPath, [join(dirname(typescript), 'bin/tsc'), 'client/index.ts', ...options], {
    stdio: 'inherit',
  });
  for (const file of globSync(`${BUILD}/contracts/**/*.js`)) rmSync(file);
  // tsc 7.0 leaves the names of sources in declarations.
  for (const file of globSync(`${BUILD}/**/*.d.ts`))
    writeFileSync(file, readFileSync(file, 'utf8').replace(/(['"]\.{1,2}\/[^'"]+)\.ts(['"])/g, '$1.js$2'));
}

function writeManifest(): void {
  const { version, dependencies: shared } = readManifest('package.json');
  const { private: _, dependencies, ...manifest } = readManifest('client/package.json');
  const typesOf = ['@trpc/server', 'zod'].map((name) => [name, shared[name]]);
  const packed = {
    ...manifest,
    version,
    exports: { types: './client/index.d.ts', default: './client/index.js' },
    files: ['client', 'contracts'],
    dependencies: { ...dependencies, ...Object.fromEntries(typesOf) },
  };
  writeFileSync(join(BUILD, 'package.json'), `${JSON.stringify(packed, null, 2)}\n`);
  writeFileSync(join(BUILD, 'LICENSE'), readFileSync('LICENSE'));
}

rmSync(BUILD, { recursive: true, force: true });
mkdirSync(BUILD, { recursive: true });
compile();
writeManifest();
const packed = execFileSync('npm', ['pack', `./${BUILD}`, '--pack-destination', 'dist', '--silent'], {
  encoding: 'utf8',
});
console.log(`Wrote dist/${packed.trim()}`);
