import { parseArgs } from 'node:util';
import { dialectOf } from '../../server/db/orm.ts';
import { UsageError, type OpsCommand } from '../command.ts';
import { addressOf, nameOf } from '../database/address.ts';
import { findBackup } from '../database/folder.ts';
import { operate } from '../database/operation.ts';
import { restore } from '../database/restore.ts';
import { span } from '../text.ts';

const options = { to: { type: 'string' }, replace: { type: 'boolean', default: false } } as const;

/** `restore`: puts what a backup holds into a database. */
export const restoreCommand: OpsCommand = {
  usage: '<backup | latest> --to <database url> [--replace]',
  summary:
    'Restores a backup into an empty database, compares every table, and brings the schema up to date.',
  async run(context, args) {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const [given, ...more] = positionals;
    if (given === undefined || more.length > 0) throw new UsageError('Name one backup, or latest.');
    if (values.to === undefined) throw new UsageError('Name the database to restore into with --to.');
    const target = addressOf(context, values.to);
    const { message, ms } = await operate(context, 'restore', async (steps) => {
      const backup = await findBackup(given, context.ops.backupDir, context.service.databaseUrl);
      const { file, database, createdAt, version, catalogVersion } = backup.manifest;
      context.progress(`Restoring ${file}, a backup of ${database}, into ${nameOf(target.url)}`);
      await restore({ backup, target, replace: values.replace, steps });
      return {
        message: `${file}, a backup of ${database} of ${createdAt}, is in ${nameOf(target.url)}: catalogue version ${catalogVersion}`,
        details: { file, database, createdAt, version, catalogVersion },
        recordIn: target,
      };
    });
    context.print(`Restored in ${span(ms)}: ${message}, every table as it was backed up`);
    if (dialectOf(target.url) === 'postgresql')
      context.print(
        `No role but the one that restored has rights on the tables: where there are others (em_app, em_readonly), run ops/sql/roles.sql on ${nameOf(target.url)} before the service uses it`,
      );
    return 0;
  },
};
