import { ApiError } from '../../contracts/errors.ts';
import type { Handlers } from '../../contracts/index.ts';
import type { ModelSort } from '../../contracts/models.ts';
import { knownCreator } from '../../sync/identity.ts';
import { catalogVersion, listProviders } from '../db/catalog.ts';
import type { Database } from '../db/database.ts';
import { findModel, listModels } from '../db/models.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';

/** Answers about models and providers, each from one consistent state of the catalogue. */
export function createCatalogService({
  database: { dialect, snapshot },
  withheld,
}: {
  database: Database;
  /** Whether Artificial Analysis values are left out. */
  withheld: boolean;
}): Pick<Handlers, 'models' | 'providers'> {
  return {
    models: {
      list: ({ limit, offset, cursor, provider, creator, search, sort }) => {
        if (cursor !== undefined && offset !== 0) {
          throw new ApiError(
            'BAD_REQUEST',
            'A page is found by cursor or by offset, not by both: leave one out.',
          );
        }
        const descending = sort.startsWith('-');
        const field = (descending ? sort.slice(1) : sort) as ModelSort;
        return snapshot(async (db) => {
          const { version, committedAt } = await catalogVersion(db);
          const { models, next, total } = await listModels(
            db,
            dialect,
            {
              limit,
              offset,
              after: cursor === undefined ? null : decodeCursor(cursor, sort),
              provider: provider?.toLowerCase() ?? null,
              creator: creator === undefined ? null : (knownCreator(creator)?.id ?? creator.toLowerCase()),
              words: search?.toLowerCase().split(/\s+/) ?? [],
              sort: { field, descending },
            },
            { withheld },
          );
          const nextCursor = next === null ? null : encodeCursor(next, sort);
          return {
            data: models,
            meta: { total, limit, offset, nextCursor, catalogVersion: version },
            timestamp: committedAt,
          };
        });
      },

      get: ({ creator, slug }) =>
        snapshot(async (db) => {
          const { version, committedAt } = await catalogVersion(db);
          const name = `${creator}/${slug}`.toLowerCase();
          const names = [name, `${knownCreator(creator)?.id ?? creator.toLowerCase()}/${slug.toLowerCase()}`];
          const model = await findModel(db, dialect, [...new Set(names)], { withheld });
          if (model === null) {
            throw new ApiError(
              'NOT_FOUND',
              `No model is known as "${name}": look for its id with GET /v1/models?search=...`,
            );
          }
          return { data: model, meta: { catalogVersion: version }, timestamp: committedAt };
        }),
    },
    providers: {
      list: ({ limit, offset }) =>
        snapshot(async (db) => {
          const { version, committedAt } = await catalogVersion(db);
          const { providers, total } = await listProviders(db, dialect, { limit, offset });
          const meta = { total, limit, offset, nextCursor: null, catalogVersion: version };
          return { data: providers, meta, timestamp: committedAt };
        }),
    },
  };
}
