import type { RawHandlers } from '../../contracts/index.ts';
import { catalogVersion, type CatalogVersion } from '../db/catalog.ts';
import { listChanges } from '../db/changes.ts';
import type { Database } from '../db/database.ts';
import { atomOf } from './atom.ts';
import { changeQuery } from './changes.ts';

/** A feed as text, and the catalogue that it was made from. */
interface Feed {
  catalog: CatalogVersion;
  body: string;
}

/** Answers with the newest changes as an Atom feed. */
export function createChangeFeed({
  database: { snapshot },
  withheld,
}: {
  database: Database;
  /** Whether Artificial Analysis values are left out. */
  withheld: boolean;
}): RawHandlers<Feed>['changes.atom'] {
  return ({ limit, ...filters }) =>
    snapshot(async (db) => {
      const catalog = await catalogVersion(db);
      const query = await changeQuery(db, filters, { withheld });
      const { changes } = await listChanges(
        db,
        query,
        { after: null, descending: true, limit },
        { withheld },
      );
      return { catalog, body: atomOf(changes, { filters, limit, updated: catalog.committedAt }) };
    });
}
