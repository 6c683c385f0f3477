import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Finish } from './process.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PARTS = ['contracts', 'server', 'sync', 'migrations', 'openapi', 'package.json', 'tsconfig.json'];

/** The version of the next build. */
export const NEXT_VERSION = '99.0.0';

/** A migration as a next release may bring it: it adds, and takes nothing away. */
const MIGRATION = `import { MikroMigration } from './migration.ts';
export class Migration20990101000000 extends MikroMigration {
  override name = 'Migration20990101000000';
  override sqlite = ['create table \`next_things\` (\`id\` text not null primary key);', 'alter table \`models\` add column \`next_field\` text null;'];
  override postgresql = ['create table "next_things" ("id" text not null, primary key ("id"));', 'alter table "models" add column "next_field" text null;'];
}
`;

/**
 * Makes the build that might follow this one: another version, a schema with more in it, and answers with one more field, kept in another
 * form. Answers with the path of its server/main.ts.
 */
export function buildNext(finish: Finish): string {
  const folder = mkdtempSync(join(tmpdir(), 'effect-models-next-'));
  finish(() => rmSync(folder, { recursive: true, force: true }));
  for (const part of PARTS) cpSync(join(ROOT, part), join(folder, part), { recursive: true });
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const change = (file: string, from: RegExp, to: string) => {
    const text = readFileSync(join(folder, file), 'utf8');
    if (!from.test(text)) throw new Error(`${file} has no ${from}: the next build has to follow`);
    writeFileSync(join(folder, file), text.replace(from, to));
  };
  change('package.json', /"version": "[^"]+"/, `"version": "${NEXT_VERSION}"`);
  change('server/cache/answers.ts', /const FORM = \d+;/, 'const FORM = 999;');
  change(
    'server/http/routes.ts',
    /body: JSON\.stringify\(output\) \};/,
    'body: JSON.stringify({ ...(output as object), next: true }) };',
  );
  writeFileSync(join(folder, 'migrations', 'Migration20990101000000.ts'), MIGRATION);
  change(
    'migrations/index.ts',
    /^/,
    "import { Migration20990101000000 } from './Migration20990101000000.ts';\n",
  );
  change('migrations/index.ts', /,?\s*\];\s*$/, ', Migration20990101000000];\n');
  return join(folder, 'server', 'main.ts');
}
