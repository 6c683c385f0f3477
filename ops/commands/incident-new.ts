import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Incident } from '../../contracts/incidents.ts';
import { OpsError, UsageError, type OpsCommand } from '../command.ts';
import { incidentReport, timelineOf } from '../reports/incident.ts';
import { ask, dataOf } from '../service.ts';

const UNITS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `incident new`: a report from the template, its timeline filled in. */
export const incidentNew: OpsCommand = {
  usage: '--title <title> --severity 1|2|3 [--since 2h] [--publish <message>]',
  summary: 'Writes an incident report with the timeline filled in; --publish tells the status page too',
  async run(context, args) {
    const { values } = parseArgs({
      args,
      options: {
        title: { type: 'string' },
        severity: { type: 'string' },
        since: { type: 'string', default: '2h' },
        publish: { type: 'string' },
      },
    });
    const { title, severity, publish } = values;
    if (title === undefined || title.trim() === '') throw new UsageError('--title is missing');
    if (severity === undefined || !/^[123]$/.test(severity))
      throw new UsageError('--severity must be 1 (critical), 2 (high) or 3 (medium)');
    const [, number = '', unit = ''] = /^(\d{1,4})([mhd])$/.exec(values.since) ?? [];
    if (unit === '') throw new UsageError('--since must be a time such as 30m, 2h or 1d');
    const to = new Date();
    const from = new Date(to.getTime() - Number(number) * (UNITS[unit] ?? 0));
    const { timeline, notes } = await timelineOf(context, { from: from.toISOString(), to: to.toISOString() });
    for (const note of notes) context.progress(note);
    const text = incidentReport({
      title,
      severity: Number(severity) as 1 | 2 | 3,
      at: to.toISOString(),
      timeline,
    });
    const file = writeReport(context.ops.incidentsDir, nameOf(title, to), text);
    context.print(`Wrote ${file}: ${timeline.length} lines of timeline. Fill in the rest.`);
    if (publish === undefined) return 0;
    const body = { title, severity: Number(severity), message: publish };
    try {
      const answer = await ask(context, '/v1/admin/incidents', { method: 'POST', admin: true, body });
      const { id } = dataOf<Incident>(answer);
      context.print(`The status page shows it as ${id}.`);
    } catch (error) {
      if (!(error instanceof OpsError)) throw error;
      throw new OpsError(
        `the report is written, but the status page does not tell of it: ${error.message}. Then tell it with ` +
          `POST /v1/admin/incidents, or with this command once more, which writes another report beside ${file}`,
        { cause: error },
      );
    }
    return 0;
  },
};

/** The name of a report, without its ending. */
function nameOf(title: string, at: Date): string {
  const words = title
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, 60)
    .replaceAll(/^-|-$/g, '');
  return `${at.toISOString().slice(0, 16).replace(':', '')}-${words || 'incident'}`;
}

/** Writes a report under a name that is free; answers with its path. */
function writeReport(folder: string, name: string, text: string): string {
  for (let number = 1; ; number += 1) {
    const file = join(folder, `${name}${number === 1 ? '' : `-${number}`}.md`);
    try {
      mkdirSync(folder, { recursive: true });
      writeFileSync(file, text, { flag: 'wx' });
      return file;
    } catch (error) {
      const { code, path } = error as NodeJS.ErrnoException;
      if (code === 'EEXIST' && path === file) continue;
      throw new OpsError(
        `${file} could not be written (${code}): name a folder in INCIDENTS_DIR that may be written, and has room`,
        { cause: error },
      );
    }
  }
}
