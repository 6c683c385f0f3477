import { parseArgs } from 'node:util';
import { newestAdminCalls } from '../../server/db/audit.ts';
import { UsageError, type OpsCommand } from '../command.ts';
import { table } from '../text.ts';
import { withDatabase } from '../with-database.ts';

const options = {
  json: { type: 'boolean', default: false },
  limit: { type: 'string', default: '50' },
} as const;

/** `audit`: who called what only admins may, and who tried to. */
export const audit: OpsCommand = {
  usage: '[--json] [--limit <calls>]',
  summary:
    'Shows the newest admin calls: when, what, by which secret, from where; and attempts with a wrong one.',
  async run({ service, print }, args) {
    const { values } = parseArgs({ args, options });
    if (!/^[1-9]\d{0,5}$/.test(values.limit))
      throw new UsageError('--limit takes a number of calls above 0.');
    const rows = await withDatabase(service, ({ read }) => newestAdminCalls(read, Number(values.limit)));
    if (values.json) {
      const calls = rows.map(
        ({ user_agent: userAgent, request_id: requestId, input_hash: inputHash, ...row }) => ({
          ...row,
          userAgent,
          requestId,
          inputHash,
        }),
      );
      print(JSON.stringify(calls, null, 2));
      return 0;
    }
    if (rows.length === 0) print('No admin call has been made yet.');
    const lines = rows.map((row) => [
      row.at,
      row.operation,
      row.result,
      row.key ?? 'wrong secret',
      row.address,
      row.request_id === '' ? '' : `request ${row.request_id}`,
    ]);
    for (const line of table(lines)) print(line);
    return 0;
  },
};
