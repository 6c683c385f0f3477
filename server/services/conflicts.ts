import type { Conflict } from '../../contracts/conflicts.ts';
import type { Handlers } from '../../contracts/index.ts';
import type { BareConflict } from '../../sync/conflicts.ts';
import { knownCreator } from '../../sync/identity.ts';
import { inFull, readStored } from '../../sync/provenance.ts';
import type { SourceDefinition } from '../../sync/source.ts';
import { catalogVersion } from '../db/catalog.ts';
import { listConflicts } from '../db/conflicts.ts';
import type { Database } from '../db/database.ts';
import { itemsById, type StoredItem } from '../db/items.ts';
import { findModelId } from '../db/model-ids.ts';
import { namesOfId } from './names.ts';

/** Answers about where sources disagree, from one consistent state of the catalogue. */
export function createConflictService({
  database: { dialect, snapshot },
  withheld,
  sources,
}: {
  database: Database;
  /** Whether Artificial Analysis values are left out. */
  withheld: boolean;
  /** Every source there may be: what they said is read anew with their own parsers. */
  sources: SourceDefinition[];
}): Pick<Handlers, 'conflicts'> {
  /** Disagreements with what the sources say in their own form. */
  const spelledOut = (conflicts: BareConflict[], items: StoredItem[]): Conflict[] => {
    const stored = new Map(
      items.flatMap((item) => {
        const record = readStored(sources, item);
        return record === null ? [] : [[keyOf(item), record] as const];
      }),
    );
    return conflicts.map(({ statements, ...conflict }) => ({
      ...conflict,
      statements: statements.flatMap((statement) => {
        const record = stored.get(keyOf(statement));
        return record === undefined ? [] : [inFull(statement, record, conflict.field, { withheld })];
      }),
    }));
  };
  return {
    conflicts: {
      list: ({ limit, offset, field, source, model, creator, minSize }) =>
        snapshot(async (db) => {
          const { version, committedAt } = await catalogVersion(db);
          const modelId = model === undefined ? null : await findModelId(db, namesOfId(model), { withheld });
          const query = {
            // An empty id is that of no model.
            modelId: model === undefined ? null : (modelId ?? ''),
            creator: creator === undefined ? null : (knownCreator(creator)?.id ?? creator.toLowerCase()),
            field: field ?? null,
            source: source ?? null,
            minSize: minSize ?? null,
            limit,
            offset,
          };
          const { conflicts, total } = await listConflicts(db, dialect, query, { withheld });
          const items = await itemsById(
            db,
            conflicts.flatMap(({ statements }) => statements),
          );
          const meta = { total, limit, offset, nextCursor: null, catalogVersion: version };
          return { data: spelledOut(conflicts, items), meta, timestamp: committedAt };
        }),
    },
  };
}

const keyOf = ({ source, id }: { source: string; id: string }) => `${source}\n${id}`;
