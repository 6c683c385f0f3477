import { parseArgs } from 'node:util';
import { listRuns } from '../../server/db/runs.ts';
import { UsageError, type OpsCommand } from '../command.ts';
import { minute, span, table } from '../text.ts';
import { withDatabase } from '../with-database.ts';
import { outcomeLines } from './sync.ts';

/** `sync history`: the last syncs, from the database. */
export const syncHistory: OpsCommand = {
  usage: '[--limit <number>] [--json]',
  summary: 'Lists the last syncs, newest first, from the database: it works while the service is down',
  async run({ service, print }, args) {
    const { values } = parseArgs({
      args,
      options: { limit: { type: 'string', default: '10' }, json: { type: 'boolean' } },
    });
    if (!/^[1-9]\d{0,2}$/.test(values.limit))
      throw new UsageError('--limit must be a whole number from 1 to 999');
    const { runs, total } = await withDatabase(service, ({ read }) =>
      listRuns(read, { limit: Number(values.limit), offset: 0 }),
    );
    if (values.json) {
      print(JSON.stringify(runs, null, 2));
      return 0;
    }
    const rows = runs.map(({ id, status, trigger, startedAt, durationMs, totalFetched, totalStored }) => [
      id,
      status,
      trigger,
      minute(startedAt),
      durationMs === null ? '' : span(durationMs),
      totalFetched,
      totalStored,
    ]);
    if (rows.length === 0) print('There has been no sync yet: npm run ops -- sync');
    else {
      const lines = table([['run', 'status', 'trigger', 'started', 'took', 'items', 'models'], ...rows]);
      for (const [index, line] of lines.entries()) {
        print(line);
        const run = runs[index - 1];
        if (run !== undefined && run.status !== 'completed')
          for (const outcome of outcomeLines(run))
            if (!/: (ok|not_modified),/.test(outcome)) print(`    ${outcome.trim()}`);
      }
      if (total > runs.length) print(`… and ${total - runs.length} more: --limit`);
    }
    return 0;
  },
};
