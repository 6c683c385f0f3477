import { parseArgs } from 'node:util';
import type { SyncRun } from '../../contracts/sync.ts';
import type { Problem } from '../../contracts/errors.ts';
import { OpsError, type OpsCommand } from '../command.ts';
import { ask, dataOf, NotNow, until } from '../service.ts';
import { span } from '../text.ts';

const EXIT: Partial<Record<SyncRun['status'], number>> = { completed: 0, partial: 2 };
const EXIT_UNDER_WAY = 3;

/** `sync`: has the running service sync now, and waits for the end. */
export const sync: OpsCommand = {
  usage: '[--force] [--no-wait]',
  summary: 'Has the running service sync now; 0 completed, 2 partial, 1 failed, 3 one is under way',
  async run(context, args) {
    const { values } = parseArgs({
      args,
      options: { force: { type: 'boolean' }, 'no-wait': { type: 'boolean' } },
    });
    const query = values.force ? '?force=true' : '';
    const answer = await ask(context, `/v1/admin/sync${query}`, { method: 'POST', admin: true });
    if (answer.status === 409) {
      const { runId } = JSON.parse(answer.text) as Problem & { runId: string };
      context.print(`Run ${runId} is under way: npm run ops -- sync history`);
      return EXIT_UNDER_WAY;
    }
    const { id } = dataOf<{ id: string }>(answer);
    context.print(`Sync ${id} started.`);
    if (values['no-wait']) return 0;
    const run = await until(async () => {
      const now = dataOf<SyncRun>(await ask(context, `/v1/admin/sync/${id}`, { admin: true }));
      return now.status === 'running' ? null : now;
    }).catch((error: unknown) => {
      if (!(error instanceof NotNow)) throw error;
      throw new OpsError(
        `how sync ${id} goes on could not be seen for a minute: ${error.message}. It may have ended well: npm run ops -- sync history`,
      );
    });
    for (const line of outcomeLines(run)) context.print(line);
    context.print(`Sync ${id} ${run.status} after ${span(run.durationMs ?? 0)}: ${run.message}`);
    if (run.status === 'aborted') throw new OpsError('the service was shut down meanwhile: try again');
    return EXIT[run.status] ?? 1;
  },
};

/** How each source of a run fared, a line each. */
export function outcomeLines({ sources }: SyncRun): string[] {
  return sources.map(({ source, status, fetched, durationMs, error, httpStatus }) => {
    const why =
      error === null
        ? ''
        : ` (${error.class}${httpStatus === null ? '' : `, last status ${httpStatus}`}): ${error.message}`;
    return `  ${source}: ${status}, ${fetched} items in ${span(durationMs)}${why}`;
  });
}
