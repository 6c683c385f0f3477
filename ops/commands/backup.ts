import { parseArgs } from 'node:util';
import { UsageError, type OpsCommand } from '../command.ts';
import { addressOf, nameOf } from '../database/address.ts';
import { makeBackup } from '../database/backup.ts';
import { findBackup, forgetOld, listBackups } from '../database/folder.ts';
import { verifyFile, type Manifest } from '../database/manifest.ts';
import { operate } from '../database/operation.ts';
import { bytes, minute, span, table } from '../text.ts';

const rowsOf = ({ tables }: Manifest): number =>
  Object.values(tables).reduce((sum, { rows }) => sum + rows, 0);

/** `backup`: writes a backup of the database, and forgets old ones. */
export const backup: OpsCommand = {
  usage: '',
  summary: 'Backs the database up into BACKUP_DIR while it is used, and keeps the last BACKUP_KEEP backups.',
  async run(context, args) {
    parseArgs({ args, options: {} });
    const { backupDir, backupKeep } = context.ops;
    const address = addressOf(context);
    context.progress(`Backing up ${nameOf(address.url)}`);
    const { message, ms } = await operate(context, 'backup', async (steps) => {
      const { path, manifest } = await makeBackup(address, backupDir, steps);
      const forgotten = await forgetOld(backupDir, manifest, backupKeep);
      const { file, sha256, migrations: _, tables: __, format: ___, ...figures } = manifest;
      const rows = rowsOf(manifest);
      return {
        message: `${path}: ${bytes(manifest.bytes)}, ${rows} rows in ${Object.keys(manifest.tables).length} tables, catalogue version ${manifest.catalogVersion}`,
        details: { file, sha256, rows, forgotten, ...figures },
      };
    });
    context.print(`Backed up in ${span(ms)}: ${message}`);
    return 0;
  },
};

/** `backup list`: names the backups there are. */
export const backupList: OpsCommand = {
  usage: '',
  summary: 'Names the backups in BACKUP_DIR, newest first.',
  async run({ ops, print }, args) {
    parseArgs({ args, options: {} });
    const backups = await listBackups(ops.backupDir);
    if (backups.length === 0) {
      print(`There are no backups in ${ops.backupDir}: \`npm run ops -- backup\` makes one.`);
      return 0;
    }
    const lines = backups.map(({ manifest }) => [
      manifest.file,
      minute(manifest.createdAt),
      manifest.database,
      manifest.version,
      manifest.catalogVersion,
      rowsOf(manifest),
      bytes(manifest.bytes),
    ]);
    for (const line of table([
      ['backup', 'made', 'database', 'service', 'catalogue', 'rows', 'size'],
      ...lines,
    ]))
      print(line);
    return 0;
  },
};

/** `backup verify`: compares a backup's file with its manifest. */
export const backupVerify: OpsCommand = {
  usage: '<backup | latest>',
  summary: 'Compares the file of a backup with its manifest, byte for byte.',
  async run({ service, ops, print }, args) {
    const { positionals } = parseArgs({ args, options: {}, allowPositionals: true });
    const [given, ...more] = positionals;
    if (given === undefined || more.length > 0) throw new UsageError('Name one backup, or latest.');
    const found = await findBackup(given, ops.backupDir, service.databaseUrl);
    await verifyFile(found);
    print(`${found.path} is whole: ${bytes(found.manifest.bytes)}, SHA-256 as in its manifest.`);
    return 0;
  },
};
