import { parseArgs } from 'node:util';
import { dialectOf } from '../../server/db/orm.ts';
import { OpsError, type OpsCommand } from '../command.ts';
import { rotatePassword } from '../database/password.ts';

/** `rotate-db-password`: gives the role of the service another password, while it runs. */
export const rotateDbPassword: OpsCommand = {
  usage: '',
  summary:
    'Gives the role of DATABASE_URL a new password, in DATABASE_PASSWORD_FILE; no request fails meanwhile.',
  async run({ service: { databaseUrl, databasePasswordFile }, print }, args) {
    parseArgs({ args, options: {} });
    if (dialectOf(databaseUrl) === 'sqlite')
      throw new OpsError('DATABASE_URL is an SQLite file: it has no password');
    if (databasePasswordFile === null)
      throw new OpsError(
        'the password is part of DATABASE_URL, which is read at start alone: move it into a file, name that in ' +
          'DATABASE_PASSWORD_FILE, restart the instances once, then try again',
      );
    const role = await rotatePassword(databaseUrl, databasePasswordFile);
    print(
      `Role ${role} has a new password, and ${databasePasswordFile} holds it. New connections use it already.`,
    );
    return 0;
  },
};
