import type { Kysely } from 'kysely';
import { ApiError } from '../../contracts/errors.ts';
import type { Handlers } from '../../contracts/index.ts';
import type { ModelSort } from '../../contracts/models.ts';
import { knownCreator } from '../../sync/identity.ts';
import { provenanceOf, readStored } from '../../sync/provenance.ts';
import type { SourceDefinition } from '../../sync/source.ts';
import { catalogVersion, listProviders } from '../db/catalog.ts';
import type { Database } from '../db/database.ts';
import { itemsOfModel } from '../db/items.ts';
import { historyOf } from '../db/history.ts';
import { findModelId, isDelisted } from '../db/model-ids.ts';
import { findModel, listModels } from '../db/models.ts';
import { listOffers } from '../db/offers.ts';
import type { Tables } from '../db/orm.ts';
import { pastOf } from './as-of.ts';
import { cursorOf, positionOf } from './changes.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { namesOf } from './names.ts';

const NEWEST_FIRST = '-observedAt';

function unknownModel(creator: string, slug: string): ApiError {
  const name = `${creator}/${slug}`.toLowerCase();
  return new ApiError(
    'NOT_FOUND',
    `No model is known as "${name}": ask GET /v1/resolve?id=... what it may mean, or look for its id with GET /v1/models?search=...`,
  );
}

function presentOnly(): ApiError {
  const message = 'Who said what is known of the present alone: leave out include or asOf.';
  return new ApiError('BAD_REQUEST', message, { extra: { errors: [{ path: 'include', message }] } });
}

/** Answers about models and providers, each from one consistent state of the catalogue. */
export function createCatalogService({
  database: { dialect, snapshot },
  withheld,
  sources,
}: {
  database: Database;
  /** Whether Artificial Analysis values are left out. */
  withheld: boolean;
  /** Every source there may be: what they said is read anew with their own parsers. */
  sources: SourceDefinition[];
}): Pick<Handlers, 'models' | 'providers'> {
  /** Why a model was not found, now or as of a time. */
  const unknownThen = async (
    db: Kysely<Tables>,
    { creator, slug, asOf }: { creator: string; slug: string; asOf?: string | undefined },
  ): Promise<ApiError> => {
    const isKnown = (await findModelId(db, namesOf(creator, slug), { withheld })) !== null;
    if (asOf === undefined || !isKnown) return unknownModel(creator, slug);
    const name = `${creator}/${slug}`.toLowerCase();
    return new ApiError(
      'NOT_FOUND',
      `No model was published as "${name}" as of ${asOf}: GET /v1/models/${name}/history says when it was.`,
    );
  };
  return {
    models: {
      list: ({ limit, offset, cursor, provider, creator, search, lifecycle, asOf, sort }) => {
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
          const { at, told } = await pastOf(db, asOf);
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
              lifecycle: lifecycle ?? null,
              at,
              sort: { field, descending },
            },
            { withheld },
          );
          const nextCursor = next === null ? null : encodeCursor(next, sort);
          return {
            data: models,
            meta: { total, limit, offset, nextCursor, catalogVersion: version, ...told },
            timestamp: committedAt,
          };
        });
      },

      get: ({ creator, slug, include = [], asOf }) =>
        snapshot(async (db) => {
          const { version, committedAt } = await catalogVersion(db);
          const { at, told } = await pastOf(db, asOf);
          if (at !== null && include.length > 0) throw presentOnly();
          const model = await findModel(db, dialect, namesOf(creator, slug), { withheld }, at);
          if (model === null) throw await unknownThen(db, { creator, slug, asOf });
          if (include.includes('provenance')) {
            const items = await itemsOfModel(db, model.id);
            const stored = items.map((item) => readStored(sources, item)).filter((record) => record !== null);
            model.provenance = provenanceOf(model.creator, stored, { withheld });
          }
          return { data: model, meta: { catalogVersion: version, ...told }, timestamp: committedAt };
        }),

      offers: ({ creator, slug, provider, status, lifecycle, asOf, limit, offset }) =>
        snapshot(async (db) => {
          const { version, committedAt } = await catalogVersion(db);
          const { at, told } = await pastOf(db, asOf);
          const modelId = await findModelId(db, namesOf(creator, slug), { withheld }, at);
          if (modelId === null) throw await unknownThen(db, { creator, slug, asOf });
          const { offers, total } = await listOffers(db, dialect, {
            modelId,
            provider: provider?.toLowerCase() ?? null,
            status: status ?? null,
            lifecycle: lifecycle ?? null,
            delisted: await isDelisted(db, modelId, at, { withheld }),
            at,
            limit,
            offset,
          });
          const meta = { total, limit, offset, nextCursor: null, catalogVersion: version, modelId, ...told };
          return { data: offers, meta, timestamp: committedAt };
        }),

      history: ({ creator, slug, limit, cursor, provider, kind }) =>
        snapshot(async (db) => {
          const { version, committedAt } = await catalogVersion(db);
          const modelId = await findModelId(db, namesOf(creator, slug), { withheld });
          if (modelId === null) throw unknownModel(creator, slug);
          const told = await historyOf(db, modelId, {
            limit,
            after: cursor === undefined ? null : positionOf(cursor, NEWEST_FIRST),
            provider: provider?.toLowerCase() ?? null,
            kinds: kind ?? null,
            withheld,
          });
          const nextCursor = told.next === null ? null : cursorOf(told.next, NEWEST_FIRST);
          const meta = { catalogVersion: version, total: told.total, nextCursor };
          return { data: told.history, meta, timestamp: committedAt };
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
