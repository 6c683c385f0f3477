import { parseArgs } from 'node:util';
import { UsageError, type OpsCommand } from '../command.ts';
import { capacityText } from '../reports/capacity-text.ts';
import { capacityReport } from '../reports/capacity.ts';
import { weeklyText } from '../reports/weekly-text.ts';
import { mondayOf, weeklyReport } from '../reports/weekly.ts';
import { withDatabase } from '../with-database.ts';

const WEEK_MS = 7 * 24 * 60 * 60_000;

/** `report weekly`: how a week went, in figures that were measured. */
export const reportWeekly: OpsCommand = {
  usage: '[--week <any day of it>] [--json]',
  summary: 'How a week went, by default the last whole one; what was not measured is unknown',
  async run({ service, ops, print }, args) {
    const { values } = parseArgs({ args, options: { week: { type: 'string' }, json: { type: 'boolean' } } });
    const day = values.week ?? new Date(Date.now() - WEEK_MS).toISOString().slice(0, 10);
    if (!/^\d{4}-\d\d-\d\d$/.test(day) || Number.isNaN(Date.parse(day)))
      throw new UsageError(`--week must be a day such as 2026-11-16, not "${day}"`);
    const report = await withDatabase(service, (database) =>
      weeklyReport(database, { week: mondayOf(day), service, ops }),
    );
    print(values.json ? JSON.stringify(report, null, 2) : weeklyText(report));
    return 0;
  },
};

/** `report capacity`: what there is, how it grows, and where that leads. */
export const reportCapacity: OpsCommand = {
  usage: '[--json]',
  summary: 'Storage, rows, connections and hit rate of three months, and a forecast of three more',
  async run({ service, print }, args) {
    const { values } = parseArgs({ args, options: { json: { type: 'boolean' } } });
    const report = await withDatabase(service, (database) => capacityReport(database, service));
    print(values.json ? JSON.stringify(report, null, 2) : capacityText(report));
    return 0;
  },
};
