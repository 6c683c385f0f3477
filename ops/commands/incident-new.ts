import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Incident } from '../../contracts/incidents.ts';
import { UsageError, type OpsCommand } from '../command.ts';
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
    mkdirSync(context.ops.incidentsDir, { recursive: true });
    const name = title
      .toLowerCase()
      .replaceAll(/[^a-z0-9]+/g, '-')
      .replaceAll(/^-|-$/g, '')
      .slice(0, 60);
    const file = join(
      context.ops.incidentsDir,
      `${to.toISOString().slice(0, 16).replace(':', '')}-${name}.md`,
    );
    writeFileSync(file, text, { flag: 'wx' });
    context.print(`Wrote ${file}: ${timeline.length} lines of timeline. Fill in the rest.`);
    if (publish === undefined) return 0;
    const body = { title, severity: Number(severity), message: publish };
    const answer = await ask(context, '/v1/admin/incidents', { method: 'POST', admin: true, body });
    const { id } = dataOf<Incident>(answer);
    context.print(`The status page shows it as ${id}.`);
    return 0;
  },
};
