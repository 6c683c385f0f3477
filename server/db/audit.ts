import { sql, type Kysely, type QueryExecutorProvider, type Selectable } from 'kysely';
import type { Tables } from './orm.ts';

const TABLE = 'admin_audit';

/** A call that only admins may make, or an attempt at one. */
export type AuditRow = Selectable<Tables['admin_audit']>;

/** Adds a call. */
export async function insertAdminCall(db: Kysely<Tables>, row: AuditRow): Promise<void> {
  await db.insertInto(TABLE).values(row).execute();
}

/** The newest calls, newest first. */
export function newestAdminCalls(db: Kysely<Tables>, limit: number): Promise<AuditRow[]> {
  return db.selectFrom(TABLE).selectAll().orderBy('at', 'desc').orderBy('id').limit(limit).execute();
}

/** When secrets were first seen, by the SHA-256 of their digests. */
export async function firstSeen(
  db: Kysely<Tables>,
  fingerprints: string[],
): Promise<{ fingerprint: string; at: string }[]> {
  if (fingerprints.length === 0) return [];
  const rows = await db
    .selectFrom(TABLE)
    .select(({ fn }) => ['input_hash as fingerprint', fn.min('at').as('at')])
    .where('result', '=', 'configured')
    .where('input_hash', 'in', fingerprints)
    .groupBy('input_hash')
    .execute();
  return rows.map(({ fingerprint, at }) => ({ fingerprint: fingerprint ?? '', at }));
}

/**
 * Takes from every role of Postgres but the owner what they could change the record of admin calls with. Roles are granted
 * that for new tables, before anybody knows what they are.
 */
export async function protectAudit(db: QueryExecutorProvider): Promise<void> {
  const { rows } = await sql<{ grantee: string }>`
    select distinct grantee from information_schema.role_table_grants
    where table_schema = current_schema() and table_name = ${TABLE}
      and privilege_type in ('UPDATE', 'DELETE', 'TRUNCATE') and grantee <> current_user`.execute(db);
  for (const { grantee } of rows)
    await sql`revoke update, delete, truncate on ${sql.table(TABLE)} from ${sql.id(grantee)}`.execute(db);
}
