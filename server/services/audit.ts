import { hash, randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { ApiError } from '../../contracts/errors.ts';
import type { AdminCall } from '../../contracts/operation.ts';
import type { AdminSecret } from '../config.ts';
import { firstSeen, insertAdminCall, type AuditRow } from '../db/audit.ts';
import type { Database } from '../db/database.ts';

/** Who calls, as far as can be told. */
export interface Caller {
  address: string;
  userAgent: string | null;
  requestId: string;
}

/** Keeps the record of admin calls. */
export interface Audit {
  /** Writes an admitted call down. Rejects with SERVICE_UNAVAILABLE where it can not, and the call changes something. */
  admitted(caller: Caller, key: string, call: AdminCall): Promise<void>;
  /** Writes down which secrets are valid, where they were not seen before. */
  configured(secrets: AdminSecret[]): Promise<void>;
  /** Writes an attempt with a wrong secret down, in the background. */
  refused(caller: Caller, operation: string): void;
}

/** Whoever guesses may not fill the database: of more in a minute, the log and the metrics tell. */
const MAX_REFUSED_PER_MINUTE = 100;
const MAX_USER_AGENT = 200;

/** What tells secrets apart without telling them. */
export const fingerprintOf = ({ hash: digest }: AdminSecret): string => hash('sha256', digest);

/** Makes the record. Every call is in the log too. */
export function createAudit({ database, logger }: { database: Database; logger: Logger }): Audit {
  let minute = 0;
  let refusedInMinute = 0;
  const write = async (
    { address, userAgent, requestId }: Caller,
    what: Pick<AuditRow, 'operation' | 'result' | 'key' | 'input_hash'>,
  ) => {
    const row: AuditRow = {
      id: randomUUID(),
      at: new Date().toISOString(),
      address,
      user_agent: userAgent?.slice(0, MAX_USER_AGENT) ?? null,
      request_id: requestId,
      ...what,
    };
    if (row.result === 'configured')
      logger.info({ key: row.key }, `${row.key} is valid here for the first time`);
    else
      logger.info(
        { operation: row.operation, key: row.key, address, requestId },
        `admin call ${row.operation} ${row.result}`,
      );
    await database.edit((db) => insertAdminCall(db, row));
  };
  const lost = (error: unknown) =>
    logger.error({ err: error }, 'An admin call could not be written down in the database: the log has it');

  return {
    async admitted(caller, key, { operation, changes, input }) {
      const inputHash = hash('sha256', textOf(input));
      const written = write(caller, { operation, result: 'admitted', key, input_hash: inputHash });
      // What only reads has to work most of all while the database takes nothing.
      if (!changes) return void written.catch(lost);
      await written.catch((error: unknown) => {
        lost(error);
        throw new ApiError(
          'SERVICE_UNAVAILABLE',
          'The call could not be written down, so it was not carried out: the database takes nothing right now. Try again in a few seconds.',
          { cause: error },
        );
      });
    },
    async configured(secrets) {
      try {
        const known = new Set(
          (await firstSeen(database.read, secrets.map(fingerprintOf))).map(({ fingerprint }) => fingerprint),
        );
        for (const secret of secrets.filter((each) => !known.has(fingerprintOf(each)))) {
          const nobody = { address: '', userAgent: null, requestId: '' };
          const what = { operation: 'secret', result: 'configured', key: secret.name };
          await write(nobody, { ...what, input_hash: fingerprintOf(secret) });
        }
      } catch (error) {
        lost(error);
      }
    },
    refused(caller, operation) {
      const now = Math.floor(Date.now() / 60_000);
      if (now !== minute) [minute, refusedInMinute] = [now, 0];
      refusedInMinute += 1;
      if (refusedInMinute > MAX_REFUSED_PER_MINUTE) return;
      void write(caller, { operation, result: 'refused', key: null, input_hash: null }).catch(lost);
    },
  };
}

/** An input as JSON; one that is nested deeper than can be written fits no operation, and is refused as soon as it is read. */
function textOf(input: unknown): string {
  try {
    return JSON.stringify(input ?? {});
  } catch {
    return 'nested too deep';
  }
}
