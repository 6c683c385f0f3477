import { parseArgs } from 'node:util';
import type { OpsCommand } from '../command.ts';
import { addressOf } from '../database/address.ts';
import { maintainDatabase } from '../database/maintenance.ts';
import { operate } from '../database/operation.ts';
import { span } from '../text.ts';

/** `maintain`: what is to be done to the database once a week. */
export const maintain: OpsCommand = {
  usage: '',
  summary: 'Vacuums and analyzes the database while it is used; reports dead rows, unused indexes and bloat.',
  async run(context, args) {
    parseArgs({ args, options: {} });
    const { ms, message, lines } = await operate(context, 'maintain', (steps) =>
      maintainDatabase(addressOf(context), steps),
    );
    for (const line of lines) context.print(line);
    context.print(`\nMaintained in ${span(ms)}: ${message}`);
    return 0;
  },
};
