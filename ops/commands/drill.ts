import { parseArgs } from 'node:util';
import { join } from 'node:path';
import { dialectOf } from '../../server/db/orm.ts';
import { UsageError, type OpsCommand, type OpsContext } from '../command.ts';
import { addressOf, type Address } from '../database/address.ts';
import { makeBackup } from '../database/backup.ts';
import { findBackup } from '../database/folder.ts';
import type { Backup } from '../database/manifest.ts';
import { operate } from '../database/operation.ts';
import { restore } from '../database/restore.ts';
import { scratchDatabase, scratchFile, scratchFolder, type Scratch } from '../database/scratch.ts';
import type { Steps } from '../database/steps.ts';
import { span, table } from '../text.ts';

const options = { backup: { type: 'string' }, server: { type: 'string' } } as const;

/** `drill`: shows that a backup can be restored. */
export const drill: OpsCommand = {
  usage: '[--backup <backup | latest>] [--server <url of another Postgres>]',
  summary: 'Backs up, restores elsewhere, compares every table, removes it again; exits 1 where that fails.',
  async run(context, args) {
    const { values } = parseArgs({ args, options });
    const server = values.server === undefined ? null : addressOf(context, values.server);
    if (server !== null && dialectOf(server.url) === 'sqlite')
      throw new UsageError(
        '--server names a Postgres; backups of SQLite are restored into a temporary file.',
      );
    const passed = await operate(context, 'drill', (steps) =>
      withScratch(steps, scratchFolder(context.ops.backupDir), (folder) =>
        practise(context, { given: values.backup, server, folder }, steps),
      ),
    );
    for (const line of table(passed.steps.map((step) => [step.name, span(step.ms)])))
      context.print(`  ${line}`);
    context.print(`The drill passed in ${span(passed.ms)}: ${passed.message}`);
    return 0;
  },
};

/** Backs up where no backup is given, and restores it into a scratch database. */
async function practise(
  context: OpsContext,
  { given, server, folder }: { given: string | undefined; server: Address | null; folder: string },
  steps: Steps,
) {
  const backup =
    given === undefined
      ? await makeBackup(addressOf(context), folder, steps)
      : await findBackup(given, context.ops.backupDir, context.service.databaseUrl);
  const { file, createdAt, catalogVersion, dialect, tables } = backup.manifest;
  await withScratch(steps, scratchFor(backup, server ?? addressOf(context), folder, steps), (target) =>
    restore({ backup, target, replace: false, steps }),
  );
  const rows = Object.values(tables).reduce((sum, contents) => sum + contents.rows, 0);
  return {
    message: `${file} of ${createdAt} was restored with ${rows} rows in ${Object.keys(tables).length} tables, each as it was`,
    details: { file, createdAt, catalogVersion, dialect, rows },
  };
}

async function scratchFor(
  { manifest }: Backup,
  server: Address,
  folder: string,
  steps: Steps,
): Promise<Scratch<Address>> {
  const make = () => {
    if (manifest.dialect === 'sqlite') return scratchFile(join(folder, 'restored.db'));
    if (dialectOf(server.url) === 'postgresql') return scratchDatabase(server);
    throw new UsageError('The backup is of Postgres: name a server to restore it on with --server.');
  };
  const { place, remove } = await steps.finish('scratch database', async () => make());
  return { place, remove: () => steps.finish('removal of the scratch database', remove) };
}

/** Works in a scratch place, which is removed also when the work fails or is interrupted. */
async function withScratch<Place, Result>(
  steps: Steps,
  made: Promise<Scratch<Place>>,
  work: (place: Place) => Promise<Result>,
): Promise<Result> {
  const { place, remove } = await made;
  try {
    steps.signal.throwIfAborted();
    return await work(place);
  } finally {
    await remove();
  }
}
