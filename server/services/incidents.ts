import type { Transaction } from 'kysely';
import { ApiError } from '../../contracts/errors.ts';
import type { Handlers } from '../../contracts/index.ts';
import { INCIDENT_STATUSES, MAINTENANCE_STATUSES, type Incident } from '../../contracts/incidents.ts';
import { catalogVersion } from '../db/catalog.ts';
import type { Database } from '../db/database.ts';
import {
  findIncident,
  insertIncident,
  insertUpdate,
  isOver,
  listIncidents,
  newIncidentId,
} from '../db/incidents.ts';
import type { Tables } from '../db/orm.ts';

const STATUSES: Record<Incident['kind'], readonly Incident['status'][]> = {
  incident: INCIDENT_STATUSES,
  maintenance: MAINTENANCE_STATUSES,
};

/** Answers about incidents and maintenance, and takes down what admins say of them. `onChange` is called after each. */
export function createIncidentService({
  database: { snapshot, edit },
  onChange,
}: {
  database: Database;
  onChange: () => void;
}): { list: Handlers['incidents']['list']; admin: Handlers['admin']['incidents'] } {
  /** Stores something, and answers with the incident as it is then. */
  const store = async (id: string, write: (db: Transaction<Tables>) => Promise<void>) => {
    const answer = await edit(async (db) => {
      await write(db);
      const { version } = await catalogVersion(db);
      const timestamp = new Date().toISOString();
      return { data: await found(db, id), meta: { catalogVersion: version }, timestamp };
    });
    onChange();
    return answer;
  };
  const found = async (db: Transaction<Tables>, id: string): Promise<Incident> => {
    const incident = await findIncident(db, id);
    if (incident === null)
      throw new ApiError('NOT_FOUND', `There is no incident "${id}": GET /v1/incidents lists them.`);
    return incident;
  };
  return {
    list: ({ limit, offset, kind = null, open = null }) =>
      snapshot(async (db) => {
        const { version } = await catalogVersion(db);
        const { incidents, total } = await listIncidents(db, { kind, open, from: null }, { limit, offset });
        const meta = { total, limit, offset, nextCursor: null, catalogVersion: version };
        return { data: incidents, meta, timestamp: new Date().toISOString() };
      }),
    admin: {
      async open({ kind, title, severity = null, message, startsAt, endsAt = null }) {
        const now = new Date().toISOString();
        if (kind === 'incident') requireIncident({ severity, endsAt });
        else requireMaintenance({ severity, startsAt, endsAt });
        const status = STATUSES[kind][0] as Incident['status'];
        const incident: Incident = {
          id: newIncidentId(),
          kind,
          title,
          severity,
          status,
          startsAt: startsAt === undefined ? now : exact(startsAt),
          endsAt: endsAt && exact(endsAt),
          updatedAt: now,
          updates: [{ at: now, status, message }],
        };
        return store(incident.id, (db) => insertIncident(db, incident));
      },
      async update({ id, status, message, endsAt }) {
        const { kind, endsAt: before, startsAt } = await edit((db) => found(db, id));
        if (!STATUSES[kind].includes(status))
          throw invalid(
            'status',
            `Of ${kind === 'incident' ? 'an incident' : kind}, use ${STATUSES[kind].join(', ')}`,
          );
        if (kind === 'incident' && endsAt !== undefined)
          throw invalid('endsAt', 'An incident ends when an update says that it is resolved');
        if (endsAt !== undefined && exact(endsAt) <= startsAt)
          throw invalid('endsAt', 'Must be after startsAt');
        const at = new Date().toISOString();
        const planned = kind === 'maintenance' ? before : null;
        const said = {
          at,
          status,
          message,
          endsAt: isOver(status) ? at : endsAt === undefined ? planned : exact(endsAt),
        };
        return store(id, (db) => insertUpdate(db, id, said));
      },
    },
  };
}

/** A time as it is stored: to the millisecond. */
const exact = (time: string): string => new Date(time).toISOString();

function requireIncident({ severity, endsAt }: Pick<Incident, 'severity' | 'endsAt'>): void {
  if (severity === null) throw invalid('severity', 'An incident has one: 1 critical, 2 high, 3 medium');
  if (endsAt !== null) throw invalid('endsAt', 'An incident ends when an update says that it is resolved');
}

function requireMaintenance({
  severity,
  startsAt,
  endsAt,
}: Pick<Incident, 'severity' | 'endsAt'> & { startsAt: string | undefined }): void {
  if (severity !== null) throw invalid('severity', 'Maintenance has none');
  if (startsAt === undefined) throw invalid('startsAt', 'Say when the maintenance begins');
  if (endsAt === null) throw invalid('endsAt', 'Say when the maintenance is planned to be over');
  if (exact(endsAt) <= exact(startsAt)) throw invalid('endsAt', 'Must be after startsAt');
}

function invalid(path: string, message: string): ApiError {
  return new ApiError('BAD_REQUEST', `${path}: ${message}`, { extra: { errors: [{ path, message }] } });
}
