import { ApiError } from '../../contracts/errors.ts';
import type { Handlers } from '../../contracts/index.ts';
import { catalogVersion, countModels } from '../db/catalog.ts';
import type { Database } from '../db/database.ts';
import { findRunning, lastFinishedRun } from '../db/runs.ts';
import type { StatusPage } from './status-summary.ts';
import { healthOf, type Probe } from './probe.ts';

/** Answers about the service itself. */
export function createSystemService({
  database: { snapshot },
  probe,
  version,
  withheld,
  nextSyncAt,
  isReady,
  page,
}: {
  database: Database;
  probe: Probe;
  /** Of the service. */
  version: string;
  withheld: boolean;
  nextSyncAt: () => Date | null;
  /** Whether requests should be sent here: migrated, and not shutting down. */
  isReady: () => boolean;
  page: StatusPage;
}): Pick<Handlers, 'health' | 'status'> {
  const health = (status: 'ok' | 'degraded') => ({ status, timestamp: new Date().toISOString(), version });
  const unavailable = (detail: string) => new ApiError('SERVICE_UNAVAILABLE', detail);
  return {
    health: {
      get: async () => {
        const status = healthOf(probe.state());
        if (status === 'unavailable')
          throw unavailable('The database can not be reached: see the log of the service.');
        return health(status);
      },
      live: async () => health('ok'),
      ready: async () => {
        if (!isReady()) throw unavailable('The service is starting or shutting down.');
        if (!probe.state().database)
          throw unavailable('The database can not be reached: see the log of the service.');
        return health('ok');
      },
    },
    status: {
      summary: async () => {
        const data = await page.summary();
        return {
          data,
          meta: { catalogVersion: data.catalogVersion ?? 0 },
          timestamp: new Date().toISOString(),
        };
      },
      get: () =>
        snapshot(async (db) => {
          const catalog = await catalogVersion(db);
          return {
            data: {
              catalogVersion: catalog.version,
              models: await countModels(db, { withheld }),
              lastSync: await lastFinishedRun(db),
              runningSync: await findRunning(db),
              nextSyncAt: nextSyncAt()?.toISOString() ?? null,
            },
            meta: { catalogVersion: catalog.version },
            timestamp: new Date().toISOString(),
          };
        }),
    },
  };
}
