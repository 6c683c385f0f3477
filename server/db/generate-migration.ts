import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MigrationGenerator } from '@mikro-orm/migrations';
import { openOrm, type DialectName } from './orm.ts';

const folder = join(dirname(fileURLToPath(import.meta.url)), '../../migrations');
const EMPTY_SNAPSHOT = { namespaces: [], name: '', tables: [], nativeEnums: {} };
const OFFLINE_URL: Record<DialectName, string> = {
  sqlite: 'file::memory:',
  postgresql: 'postgres://localhost/offline',
};

/** Hands the difference back instead of writing a file of its own: one file serves both databases. */
class NoFile extends MigrationGenerator {
  override generate(): Promise<[string, string]> {
    return Promise.resolve(['', '']);
  }
  override generateMigrationFile(): string {
    return '';
  }
}

/** The statements between a dialect's snapshot and the entities. No database is needed. With `store`, renews the snapshot. */
async function difference(dialect: DialectName, { store }: { store: boolean }): Promise<string[]> {
  const snapshotName = `.snapshot-${dialect}`;
  const path = join(folder, `${snapshotName}.json`);
  if (!existsSync(path)) writeFileSync(path, JSON.stringify(EMPTY_SNAPSHOT));
  const migrations = {
    path: folder,
    pathTs: folder,
    snapshot: true,
    snapshotName,
    generator: NoFile,
    disableForeignKeys: false,
  };
  const orm = await openOrm(OFFLINE_URL[dialect], 'write', { migrations });
  try {
    if (!store) return (await orm.migrator.checkSchema()) ? ['changed'] : [];
    const { diff } = await orm.migrator.create();
    return diff.up.filter((statement) => statement !== '');
  } finally {
    await orm.close(true);
  }
}

function migrationSource(name: string, up: Record<DialectName, string[]>): string {
  const statements = (dialect: DialectName) =>
    up[dialect].map((sql) => `    \`${sql.replaceAll('`', '\\`')}\`,`).join('\n');
  return `import { MikroMigration } from './migration.ts';

/** Generated from server/db/entities.ts; not to be edited. */
export class ${name} extends MikroMigration {
  override name = '${name}';
  override sqlite = [
${statements('sqlite')}
  ];
  override postgresql = [
${statements('postgresql')}
  ];
}
`;
}

function writeIndex(): void {
  const names = readdirSync(folder)
    .filter((file) => /^Migration\d+\.ts$/.test(file))
    .map((file) => file.replace('.ts', ''))
    .sort();
  const lines = [
    ...names.map((name) => `import { ${name} } from './${name}.ts';`),
    '',
    '/** Every migration, oldest first. `npm run migration` adds to it. */',
    `export const MIGRATIONS = [${names.join(', ')}];`,
    '',
  ];
  writeFileSync(join(folder, 'index.ts'), lines.join('\n'));
}

const check = process.argv.includes('--check');
const up = {
  sqlite: await difference('sqlite', { store: !check }),
  postgresql: await difference('postgresql', { store: !check }),
};
const changed = up.sqlite.length + up.postgresql.length > 0;
if (check && changed) {
  console.error(
    'The entities have changed since the last migration: run `npm run migration` and commit what it writes.',
  );
  process.exit(1);
}
if (changed) {
  const stamp = new Date().toISOString().replace(/\D/g, '').slice(0, 14);
  const name = `Migration${stamp}`;
  writeFileSync(join(folder, `${name}.ts`), migrationSource(name, up));
  writeIndex();
  console.log(`Wrote migrations/${name}.ts and renewed both snapshots.`);
} else {
  console.log('The migrations are up to date with the entities.');
}
