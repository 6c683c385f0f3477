import { get } from 'node:http';
import { expect } from 'vitest';
import { expectResolved } from './support/alerts/expected.ts';
import { ask } from '../support/postgres.ts';
import { daysAgo } from './support/alerts/past.ts';
import { scenario } from './support/alerts/scenario.ts';
import { startStack } from './support/alerts/stack.ts';

scenario('A13', async (expects) => {
  const { monitors, environment, ops } = await startStack({ isCaredFor: false });
  await expects(monitors, 'BackupNeverMade', 'DrillNeverDone', 'MaintenanceNeverDone');

  // A backup can not be written where there is a file in the way.
  await ops(['backup'], { BACKUP_DIR: `${process.execPath}/backups` }, 1);
  await expects(monitors, 'DatabaseOperationFailed');

  // Days pass: what was done was done on another day, by the clock of the commands.
  await ops(['backup'], daysAgo(2));
  await ops(['drill'], daysAgo(40));
  await ops(['maintain'], daysAgo(9));
  // The database's own clock tells when a catalogue is committed: it can not be set, so the row is made older.
  await ask(
    environment.DATABASE_URL ?? '',
    `update catalog set committed_at = '${new Date(Date.now() - 25 * 3_600_000).toISOString()}'`,
  );
  // So does the record of admin calls, by the clock of the service.
  const months = new Date(Date.now() - 91 * 86_400_000).toISOString();
  await ask(
    environment.DATABASE_URL ?? '',
    `update admin_audit set at = '${months}' where result = 'configured'`,
  );
  await expects(
    monitors,
    'BackupOverdue',
    'DrillOverdue',
    'MaintenanceOverdue',
    'AdminSecretOld',
    'CatalogStale',
  );

  for (const kind of ['backup', 'drill', 'maintain']) await ops([kind]);
  await expectResolved(monitors, [
    'BackupNeverMade',
    'BackupOverdue',
    'DatabaseOperationFailed',
    'DrillOverdue',
    'MaintenanceOverdue',
  ]);
  return monitors;
});

/** Tries an admin secret from another address of loopback: attempts of one address are no longer looked at after five. */
function guess(url: string, number: number): Promise<number> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const headers = { 'x-admin': `guess-${number}` };
    const request = get(
      { hostname, port, path: '/v1/admin/sync/history', headers, localAddress: '127.0.0.2' },
      (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      },
    );
    request.on('error', reject);
  });
}

scenario('A15', async (expects) => {
  const { monitors, service } = await startStack();
  for (let number = 0; number < 60; number += 1) {
    expect([401, 429]).toContain(await guess(service.url, number));
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  await expects(monitors, 'AdminSecretGuessed');
  await expectResolved(monitors, ['AdminSecretGuessed']);
  return monitors;
});
