import { parseArgs } from 'node:util';
import { INCIDENT_STATUSES, MAINTENANCE_STATUSES, type Incident } from '../../contracts/incidents.ts';
import { OpsError, UsageError, type OpsCommand, type OpsContext } from '../command.ts';
import { ask, dataOf } from '../service.ts';

/** `incident update`: tells the status page how an incident or maintenance stands. */
export const incidentUpdate: OpsCommand = {
  usage: '[<id>] --status <status> --message <message>',
  summary: `Tells the status page how an incident (${INCIDENT_STATUSES.join(', ')}) or maintenance (${MAINTENANCE_STATUSES.join(', ')}) stands`,
  async run(context, args) {
    const { values, positionals } = parseArgs({
      args,
      options: { status: { type: 'string' }, message: { type: 'string' } },
      allowPositionals: true,
    });
    const { status, message } = values;
    if (positionals.length > 1) throw new UsageError('Name one incident.');
    if (status === undefined || message === undefined)
      throw new UsageError('--status and --message are needed.');
    const id = positionals[0] ?? (await onlyOpen(context));
    const answer = await ask(context, `/v1/admin/incidents/${encodeURIComponent(id)}/updates`, {
      method: 'POST',
      admin: true,
      body: { status, message },
    });
    const { title } = dataOf<Incident>(answer);
    context.print(`The status page says of ${id} (${title}): ${status}.`);
    return 0;
  },
};

/** The incident that is under way; throws `OpsError` where it is none, or several. */
async function onlyOpen(context: OpsContext): Promise<string> {
  const open = dataOf<Incident[]>(await ask(context, '/v1/incidents?open=true&kind=incident'));
  const [incident] = open;
  if (incident === undefined) throw new OpsError('no incident is under way: name one by its id');
  if (open.length === 1) return incident.id;
  const names = open.map(({ id, title }) => `${id} (${title})`);
  throw new OpsError(`several incidents are under way: name one of ${names.join(', ')}`);
}
