import { bytes, known, percent, span, UNKNOWN } from '../text.ts';
import type { WeeklyReport } from './weekly.ts';

const usd = (amount: number): string => `$${amount.toFixed(2)}`;
const ms = (value: number): string => `${Math.round(value)} ms`;

const DONE: Record<string, string> = {
  backup: 'Backups',
  drill: 'Backup restored and verified',
  maintain: 'VACUUM ANALYZE, indexes looked at',
};

/** The weekly report as Markdown, in the order of the operators' plan. */
export function weeklyText(report: WeeklyReport): string {
  const { availability, syncs, database, performance } = report;
  const sections: [string, string[]][] = [
    [
      'Availability',
      [
        `Uptime: ${known(availability.uptime, percent)}`,
        `Checks from outside answered: ${known(availability.outside, percent)}`,
        `Error rate: ${known(availability.errorRate, percent)}`,
        `P99 latency: ${known(availability.p99Ms, ms)}`,
        `Requests: ${known(availability.requests, String)}`,
        `Measured: ${percent(report.measured)} of the week`,
      ],
    ],
    [
      'Data sync',
      [
        `Last 4 syncs: ${lastSyncs(syncs.last)}`,
        `Completed: ${known(syncs.successRate, percent)} of ${syncs.runs}`,
        `Avg sync duration: ${known(syncs.averageMs, span)}`,
        `Models in database: ${known(syncs.models, (count) => count.toLocaleString('en-US'))}`,
      ],
    ],
    [
      'Database',
      [
        `Storage used: ${known(database.bytes, bytes)} / ${known(database.limitBytes, bytes)}`,
        `Connections, most at once: ${known(database.connections, String)} / ${known(database.connectionsMax, String)}`,
        `Backup status: ${backups(database.backups)}`,
      ],
    ],
    [
      'Performance',
      [
        `Cache hit rate: ${known(performance.hitRate, percent)}`,
        `Average query time: ${known(performance.averageQueryMs, (value) => `${value.toFixed(1)} ms`)}`,
        `Slow queries: ${known(performance.slowQueries, String)}`,
        `Cost: ${cost(performance)}`,
      ],
    ],
    [
      'Incidents',
      report.incidents.map(
        ({ severity, count, titles }) =>
          `Severity ${severity}: ${count}${titles.length === 0 ? '' : ` (${titles.join('; ')})`}`,
      ),
    ],
    [
      'Maintenance completed',
      [
        ...report.maintenance.map(
          ({ kind, completed, failed }) =>
            `[${completed > 0 && failed === 0 ? 'x' : ' '}] ${DONE[kind]}: ${completed} completed, ${failed} failed`,
        ),
        '[ ] Reviewed error logs',
        '[ ] Updated dependencies',
      ],
    ],
  ];
  const body = sections.map(
    ([title, lines]) => `## ${title}\n\n${lines.map((line) => `- ${line}`).join('\n')}`,
  );
  return `# Effect Models Weekly Operations Report\n\nWeek of: ${report.week}\n\n${body.join('\n\n')}`;
}

function lastSyncs(last: string[]): string {
  if (last.length === 0) return UNKNOWN;
  return last.every((status) => status === 'completed') ? 'all completed' : last.join(', ');
}

function backups({ completed, failed }: WeeklyReport['database']['backups']): string {
  if (completed + failed === 0) return `${UNKNOWN}: none was recorded`;
  return failed === 0 ? `all ${completed} successful` : `${failed} of ${completed + failed} failed`;
}

function cost({ costUsd, budgetUsd }: WeeklyReport['performance']): string {
  if (costUsd === null) return UNKNOWN;
  if (budgetUsd === null) return `${usd(costUsd)} a month`;
  return `${usd(costUsd)} a month (${costUsd <= budgetUsd ? 'within' : 'OVER'} the budget of ${usd(budgetUsd)})`;
}
