import { ApiError } from '../../contracts/errors.ts';
import type { Handlers } from '../../contracts/index.ts';
import type { Source } from '../../contracts/sync.ts';
import type { SourceDefinition } from '../../sync/source.ts';
import { catalogVersion, type CatalogVersion } from '../db/catalog.ts';
import type { Database } from '../db/database.ts';
import { findRun, listRuns, storedSources } from '../db/runs.ts';
import type { SyncRunner } from './sync-runner.ts';

/** Answers about sources and runs, and starts runs. */
export function createSyncService({
  database: { snapshot },
  catalog,
  runner,
  sources,
  settings,
}: {
  database: Database;
  /** The published catalogue as last seen. */
  catalog: () => CatalogVersion;
  runner: SyncRunner;
  /** Every source there may be, the fallback included: it is listed only while records of it are held. */
  sources: { definition: SourceDefinition; isFallback: boolean }[];
  settings: Record<string, { baseUrl: string }>;
}): { sources: Handlers['sources']; admin: Handlers['admin']['sync'] } {
  return {
    sources: {
      list: ({ limit, offset }) =>
        snapshot(async (db) => {
          const { version } = await catalogVersion(db);
          const stored = await storedSources(db);
          const all = sources
            .map(({ definition, isFallback }): Source | null => {
              const { id, name, attribution, apiKey } = definition;
              const state = stored.get(id);
              if (isFallback && (state?.records ?? 0) === 0) return null;
              return {
                id,
                name,
                url: settings[id]?.baseUrl ?? null,
                status: (state?.status ?? null) as Source['status'],
                records: state?.records ?? 0,
                lastGoodAt: state?.lastGoodAt ?? null,
                asOf: state?.asOf ?? null,
                attribution,
                apiKeyVariable: apiKey?.variable ?? null,
                error: state?.error ? (JSON.parse(state.error) as Source['error']) : null,
              };
            })
            .filter((source) => source !== null);
          const meta = { total: all.length, limit, offset, nextCursor: null, catalogVersion: version };
          return { data: all.slice(offset, offset + limit), meta, timestamp: new Date().toISOString() };
        }),
    },
    admin: {
      start: async ({ force }, context) => {
        const started = await runner.start('api', { force });
        if ('conflict' in started) {
          throw new ApiError(
            'CONFLICT',
            `Run ${started.conflict} is under way: follow it, or try again when it has ended.`,
            {
              headers: { location: `/v1/admin/sync/${started.conflict}` },
              extra: { runId: started.conflict },
            },
          );
        }
        context.setHeader('location', `/v1/admin/sync/${started.id}`);
        return {
          data: { id: started.id, status: 'running', startedAt: started.startedAt },
          // Once a run has been started nothing more may fail.
          meta: { catalogVersion: catalog().version },
          timestamp: new Date().toISOString(),
        };
      },
      history: ({ limit, offset }) =>
        snapshot(async (db) => {
          const { version } = await catalogVersion(db);
          const { runs, total } = await listRuns(db, { limit, offset });
          const meta = { total, limit, offset, nextCursor: null, catalogVersion: version };
          return { data: runs, meta, timestamp: new Date().toISOString() };
        }),
      get: ({ id }) =>
        snapshot(async (db) => {
          const { version } = await catalogVersion(db);
          const run = await findRun(db, id);
          if (run === null) {
            throw new ApiError(
              'NOT_FOUND',
              `There is no run "${id}": GET /v1/admin/sync/history lists them.`,
            );
          }
          return { data: run, meta: { catalogVersion: version }, timestamp: new Date().toISOString() };
        }),
    },
  };
}
