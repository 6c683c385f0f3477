import { randomBytes } from 'node:crypto';
import { whileBusy } from '../../server/db/busy.ts';
import { openDatabase } from '../../server/db/database.ts';
import type { OpsContext } from '../command.ts';
import { interruptible } from '../interrupt.ts';
import { addressOf, requireFile, type Address } from './address.ts';
import { countSteps, type Step, type Steps } from './steps.ts';

/** What the database remembers of: `backup`, `restore`, `drill` and `maintain`. */
export type OperationKind = 'backup' | 'restore' | 'drill' | 'maintain';

/** How an operation ended well. */
export interface Outcome {
  /** In one line, for people. */
  message: string;
  /** Figures of it. */
  details: Record<string, unknown>;
  /** Where it is recorded, if not in the database of the service. */
  recordIn?: Address;
}

/** The same of maintenance, with its report for people. */
export interface Maintenance extends Outcome {
  lines: string[];
}

/** Does an operation, and records how it ended; an interruption lets it clear up. Answers with how long it took, and each step. */
export async function operate<Ended extends Outcome>(
  context: OpsContext,
  kind: OperationKind,
  work: (steps: Steps) => Promise<Ended>,
): Promise<Ended & { ms: number; steps: Step[] }> {
  const startedAt = new Date();
  const startMark = performance.now();
  const record = async (status: string, { message, details, recordIn }: Outcome) => {
    const ms = Math.round(performance.now() - startMark);
    const refusal = await recordOperation(recordIn ?? addressOf(context), {
      id: `op_${startedAt.getTime().toString(36)}${randomBytes(6).toString('hex')}`,
      kind,
      started_at: startedAt.toISOString(),
      completed_at: new Date(startedAt.getTime() + ms).toISOString(),
      status,
      message,
      details: JSON.stringify({ ...details, ms }),
    });
    if (refusal !== null) context.progress(`This ${kind} could not be recorded in the database: ${refusal}`);
  };
  return interruptible(async (signal) => {
    const steps = countSteps(signal, context.progress);
    try {
      const outcome = await work(steps);
      await record('completed', { ...outcome, details: { ...outcome.details, steps: steps.done } });
      return { ...outcome, ms: performance.now() - startMark, steps: steps.done };
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      await record('failed', { message, details: { steps: steps.done } });
      throw error;
    }
  });
}

interface Row {
  id: string;
  kind: string;
  started_at: string;
  completed_at: string;
  status: string;
  message: string;
  details: string;
}

/** Answers with why it could not be recorded; null: it was. */
async function recordOperation({ url, passwordFile }: Address, row: Row): Promise<string | null> {
  try {
    requireFile(url);
    return await insertOperation({ url, passwordFile }, row);
  } catch (error) {
    return error instanceof Error ? error.message || error.name : String(error);
  }
}

async function insertOperation({ url, passwordFile }: Address, row: Row): Promise<null> {
  const database = await openDatabase(url, { passwordFile });
  try {
    await whileBusy(() => database.write.insertInto('operations').values(row).execute());
    return null;
  } finally {
    await database.close();
  }
}
