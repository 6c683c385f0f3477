import { parseArgs } from 'node:util';
import { UsageError, type OpsCommand } from '../command.ts';
import { addressOf, nameOf } from '../database/address.ts';
import type { Cell, Section } from '../database/health-section.ts';
import { databaseHealth } from '../database/health.ts';
import { table } from '../text.ts';

const options = {
  json: { type: 'boolean', default: false },
  long: { type: 'string', default: '300' },
} as const;

/** `db-health`: how the database stands. */
export const dbHealth: OpsCommand = {
  usage: '[--json] [--long <seconds>]',
  summary: 'Shows sizes, use of indexes, connections, long queries, locks, replicas and slow statements.',
  async run(context, args) {
    const { values } = parseArgs({ args, options });
    const address = addressOf(context);
    if (!/^\d+$/.test(values.long)) throw new UsageError('--long takes a number of seconds.');
    const { sections, attention } = await databaseHealth(address, {
      storageLimitBytes: context.service.storageLimitBytes,
      longSeconds: Number(values.long),
    });
    if (values.json) {
      const byKey = Object.fromEntries(sections.map(({ key, rows }) => [key, rows]));
      context.print(JSON.stringify({ ...byKey, attention }, null, 2));
      return 0;
    }
    context.print(nameOf(address.url));
    for (const section of sections) {
      context.print(`\n${section.title}`);
      for (const line of linesOf(section)) context.print(`  ${line}`);
    }
    context.print(`\n${attention.length === 0 ? 'Nothing needs attention.' : 'Look at:'}`);
    for (const line of attention) context.print(`  ${line}`);
    return 0;
  },
};

/** `maxConnections` as people write it. */
const inWords = (key: string): string => key.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

function linesOf({ rows, none, show = {} }: Section): string[] {
  const [first] = rows;
  if (first === undefined) return [none];
  const columns = Object.keys(first);
  const cell = (column: string, value: Cell): string | number => {
    if (value === null) return '-';
    return typeof value === 'number' && show[column] !== undefined ? show[column](value) : value;
  };
  return table([
    columns.map(inWords),
    ...rows.map((row) => columns.map((column) => cell(column, row[column] ?? null))),
  ]);
}
