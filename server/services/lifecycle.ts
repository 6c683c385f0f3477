import type { Handlers } from '../../contracts/index.ts';
import { knownCreator } from '../../sync/identity.ts';
import { catalogVersion } from '../db/catalog.ts';
import type { Database } from '../db/database.ts';
import { listEndings } from '../db/lifecycle.ts';
import { findModelId } from '../db/model-ids.ts';
import { namesOfId } from './names.ts';

/** Answers about what ends, from one consistent state of the catalogue. */
export function createLifecycleService({
  database: { dialect, snapshot },
  withheld,
}: {
  database: Database;
  /** Whether Artificial Analysis values are left out. */
  withheld: boolean;
}): Pick<Handlers, 'lifecycle'> {
  return {
    lifecycle: {
      list: ({ limit, offset, before, after, status, creator, provider, model }) =>
        snapshot(async (db) => {
          const { version, committedAt } = await catalogVersion(db);
          const modelId = model === undefined ? null : await findModelId(db, namesOfId(model), { withheld });
          const query = {
            before: before ?? null,
            after: after ?? null,
            statuses: status,
            creator: creator === undefined ? null : (knownCreator(creator)?.id ?? creator.toLowerCase()),
            provider: provider?.toLowerCase() ?? null,
            // An empty id is that of no model.
            modelId: model === undefined ? null : (modelId ?? ''),
            limit,
            offset,
          };
          const { endings, total } = await listEndings(db, dialect, query, { withheld });
          const meta = { total, limit, offset, nextCursor: null, catalogVersion: version };
          return { data: endings, meta, timestamp: committedAt };
        }),
    },
  };
}
