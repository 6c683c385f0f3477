import type { OpsCommand } from '../command.ts';
import { audit } from './audit.ts';
import { backup, backupList, backupVerify } from './backup.ts';
import { cacheClear } from './cache-clear.ts';
import { dbHealth } from './db-health.ts';
import { drill } from './drill.ts';
import { incidentNew } from './incident-new.ts';
import { incidentUpdate } from './incident-update.ts';
import { maintain } from './maintain.ts';
import { reportCapacity, reportWeekly } from './report.ts';
import { restoreCommand } from './restore.ts';
import { rotateDbPassword } from './rotate-db-password.ts';
import { rotateSecret } from './rotate-secret.ts';
import { syncHistory } from './sync-history.ts';
import { sync } from './sync.ts';
import { triage } from './triage.ts';

/** Every command by what is typed after `npm run ops --`. A name may have two words. */
export const COMMANDS: Record<string, OpsCommand> = {
  triage,
  'incident new': incidentNew,
  'incident update': incidentUpdate,
  sync,
  'sync history': syncHistory,
  'cache clear': cacheClear,
  'rotate-secret': rotateSecret,
  audit,
  'report weekly': reportWeekly,
  'report capacity': reportCapacity,
  backup,
  'backup list': backupList,
  'backup verify': backupVerify,
  restore: restoreCommand,
  drill,
  maintain,
  'db-health': dbHealth,
  'rotate-db-password': rotateDbPassword,
};
