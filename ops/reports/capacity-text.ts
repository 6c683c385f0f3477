import { bytes, known, minute, percent, table, UNKNOWN } from '../text.ts';
import { SCALE_AT, type CapacityReport } from './capacity.ts';

/** The review of capacity as Markdown. */
export function capacityText(report: CapacityReport): string {
  const { limitBytes, connections, growthBytesADay, forecast } = report;
  const share = limitBytes === null ? '' : ` (${percent(report.bytes / limitBytes)})`;
  const now = [
    `Storage: ${bytes(report.bytes)} of ${known(limitBytes, bytes)}${share}`,
    `Connections: ${known(connections, ({ used, max }) => `${used} of ${max}`)}`,
    `Growth: ${known(growthBytesADay, (growth) => `${bytes(growth)} a day`)}`,
    `In 1, 2, 3 months: ${known(forecast, (months) => months.map((month) => bytes(month.bytes)).join(', '))}`,
    `80 % of the storage reached: ${fullOn(report)}`,
  ];
  const weeks = report.weeks.map((week) => [
    week.week,
    known(week.bytes, bytes),
    known(week.connections, String),
    known(week.hitRate, percent),
    known(week.p99Ms, (ms) => `${Math.round(ms)} ms`),
    week.requests,
  ]);
  const heading = ['week of', 'storage', 'connections', 'hit rate', 'p99', 'requests'];
  return [
    '# Effect Models capacity review',
    minute(report.at),
    `## Now\n\n${now.map((line) => `- ${line}`).join('\n')}`,
    `## By week\n\n${report.weeks.length === 0 ? UNKNOWN : block(table([heading, ...weeks]))}`,
    `## Rows\n\n${block(table(report.rows.map(({ table: name, rows }) => [name, rows])))}`,
  ].join('\n\n');
}

function fullOn({ bytes, limitBytes, growthBytesADay, fullOn: day }: CapacityReport): string {
  if (limitBytes !== null && bytes >= SCALE_AT * limitBytes) return 'already';
  return day ?? (limitBytes === null || growthBytesADay === null ? UNKNOWN : 'not within ten years');
}

const block = (lines: string[]): string => lines.map((line) => `    ${line}`).join('\n');
