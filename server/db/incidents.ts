import { randomBytes } from 'node:crypto';
import type { Kysely, Selectable, Transaction } from 'kysely';
import type { Incident } from '../../contracts/incidents.ts';
import type { Tables } from './orm.ts';

/** Which incidents to list; null: any. */
export interface IncidentFilter {
  kind: Incident['kind'] | null;
  /** Whether they are still open. */
  open: boolean | null;
  /** Only what began at this time or later. */
  from: string | null;
}

const OVER: Incident['status'][] = ['resolved', 'completed'];

/** Whether an incident or maintenance is over. */
export const isOver = (status: string): boolean => (OVER as string[]).includes(status);

/** An id for an incident. */
export function newIncidentId(): string {
  return `inc_${Date.now().toString(36)}${randomBytes(6).toString('hex')}`;
}

/** One page of incidents, the latest start first, and how many there are. */
export async function listIncidents(
  db: Kysely<Tables>,
  { kind, open, from }: IncidentFilter,
  { limit, offset }: { limit: number; offset: number },
): Promise<{ incidents: Incident[]; total: number }> {
  let query = db.selectFrom('incidents');
  if (kind !== null) query = query.where('kind', '=', kind);
  if (open !== null) query = query.where('status', open ? 'not in' : 'in', OVER);
  if (from !== null) query = query.where('starts_at', '>=', from);
  const { count } = await query.select((eb) => eb.fn.countAll().as('count')).executeTakeFirstOrThrow();
  const rows = await query
    .selectAll()
    .orderBy('starts_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .offset(offset)
    .execute();
  return { incidents: await withUpdates(db, rows), total: Number(count) };
}

/** One incident; null: there is none of this id. */
export async function findIncident(db: Kysely<Tables>, id: string): Promise<Incident | null> {
  const rows = await db.selectFrom('incidents').selectAll().where('id', '=', id).execute();
  return (await withUpdates(db, rows))[0] ?? null;
}

/** Stores an incident that is new, with the first thing said about it. */
export async function insertIncident(db: Transaction<Tables>, incident: Incident): Promise<void> {
  const { id, kind, title, severity, status, startsAt, endsAt, updatedAt, updates } = incident;
  await db
    .insertInto('incidents')
    .values({
      id,
      kind,
      title,
      severity,
      status,
      starts_at: startsAt,
      ends_at: endsAt,
      updated_at: updatedAt,
    })
    .execute();
  const rows = updates.map((update, index) => ({ ...update, incident_id: id, number: index + 1 }));
  await db.insertInto('incident_updates').values(rows).execute();
}

/** Stores what is said about an incident, and how it stands now. Two that are stored at once both stay. */
export async function insertUpdate(
  db: Transaction<Tables>,
  id: string,
  { at, status, message, endsAt }: { at: string; status: string; message: string; endsAt: string | null },
): Promise<void> {
  // The row is written first, so that of two updates at once the second waits for the first.
  await db
    .updateTable('incidents')
    .set({ status, ends_at: endsAt, updated_at: at })
    .where('id', '=', id)
    .execute();
  const { last } = await db
    .selectFrom('incident_updates')
    .select((eb) => eb.fn.max('number').as('last'))
    .where('incident_id', '=', id)
    .executeTakeFirstOrThrow();
  await db
    .insertInto('incident_updates')
    .values({ incident_id: id, number: (last ?? 0) + 1, at, status, message })
    .execute();
}

async function withUpdates(db: Kysely<Tables>, rows: Selectable<Tables['incidents']>[]): Promise<Incident[]> {
  const ids = rows.map(({ id }) => id);
  const updates =
    ids.length === 0
      ? []
      : await db
          .selectFrom('incident_updates')
          .selectAll()
          .where('incident_id', 'in', ids)
          .orderBy('number', 'desc')
          .execute();
  return rows.map((row): Incident => ({
    id: row.id,
    kind: row.kind as Incident['kind'],
    title: row.title,
    severity: row.severity as Incident['severity'],
    status: row.status as Incident['status'],
    startsAt: row.starts_at,
    endsAt: row.ends_at,
    updatedAt: row.updated_at,
    updates: updates
      .filter(({ incident_id: incidentId }) => incidentId === row.id)
      .map(({ at, status, message }) => ({ at, status: status as Incident['status'], message })),
  }));
}
