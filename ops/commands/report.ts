import { parseArgs } from 'node:util';
import { UsageError, type OpsCommand, type OpsContext } from '../command.ts';
import { uptimeFromOutside } from '../monitors.ts';
import { capacityText } from '../reports/capacity-text.ts';
import { capacityReport } from '../reports/capacity.ts';
import { weeklyText } from '../reports/weekly-text.ts';
import { mondayOf, spanOf, weeklyReport } from '../reports/weekly.ts';
import { withDatabase } from '../with-database.ts';

const WEEK_MS = 7 * 24 * 60 * 60_000;

/** `report weekly`: how a week went, in figures that were measured. */
export const reportWeekly: OpsCommand = {
  usage: '[--week <any day of it>] [--json]',
  summary: 'How a week went, by default the last whole one; what was not measured is unknown',
  async run(context, args) {
    const { service, ops, print } = context;
    const { values } = parseArgs({ args, options: { week: { type: 'string' }, json: { type: 'boolean' } } });
    const day = values.week ?? new Date(Date.now() - WEEK_MS).toISOString().slice(0, 10);
    if (!/^\d{4}-\d\d-\d\d$/.test(day) || Number.isNaN(Date.parse(day)))
      throw new UsageError(`--week must be a day such as 2026-11-16, not "${day}"`);
    const week = mondayOf(day);
    if (Date.parse(week) > Date.now())
      throw new UsageError(`--week must be a week that has begun, and that of ${day} begins on ${week}`);
    const outside = await askOutside(context, week);
    const report = await withDatabase(service, (database) =>
      weeklyReport(database, { week, outside, service, ops }),
    );
    print(values.json ? JSON.stringify(report, null, 2) : weeklyText(report));
    return 0;
  },
};

/** What Prometheus saw of a week from outside; null, with the reason for people: that is not known. */
async function askOutside({ ops, progress }: OpsContext, week: string): Promise<number | null> {
  const unknown = (why: string): null => {
    progress(`What was seen from outside is unknown: ${why}`);
    return null;
  };
  if (ops.prometheus === null) return unknown('PROMETHEUS_URL is not set');
  try {
    const share = await uptimeFromOutside(ops.prometheus, spanOf(week));
    return share ?? unknown(`${ops.prometheus.url} remembers no checks of that week`);
  } catch (error) {
    return unknown((error as Error).message);
  }
}

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
