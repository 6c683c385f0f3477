import { setImmediate } from 'node:timers/promises';
import type { Transaction } from 'kysely';
import { ApiError, type Problem } from '../../contracts/errors.ts';
import type { Handlers } from '../../contracts/index.ts';
import { NamedModel, type NameQuery, type Resolution } from '../../contracts/resolve.ts';
import type { Origin } from '../../sync/readings.ts';
import type { SourceDefinition } from '../../sync/source.ts';
import { catalogVersion } from '../db/catalog.ts';
import type { Database } from '../db/database.ts';
import { namespaceIds } from '../db/names.ts';
import type { Tables } from '../db/orm.ts';
import { createResolver, type Meaning } from './resolver.ts';

/** What is said where a name means several models. */
export function ambiguous({ id }: NameQuery, candidates: { id: string }[]): string {
  return (
    `"${id}" means different models in different places: ${candidates.map((one) => one.id).join(', ')}. ` +
    'Say with `source` where the name is from, or ask for one of them by its id.'
  );
}

/** What is said where a name means no model. */
export function notFound({ id, source }: NameQuery, hints: { id: string }[]): string {
  const where = source === null ? '' : ` at ${source}`;
  return hints.length === 0
    ? `No model is known as "${id}"${where}, and none near it: look with GET /v1/models?search=...`
    : `No model is known as "${id}"${where}. Models whose names are near are no match, but may be what is meant: ` +
        `${hints.map((hint) => hint.id).join(', ')}.`;
}

/** Answers which models names mean, each from one consistent state of the catalogue. */
export function createResolveService({
  database: { dialect, snapshot },
  withheld,
  sources,
}: {
  database: Database;
  /** Whether Artificial Analysis values are left out. */
  withheld: boolean;
  /** Every source there may be: what they said is read anew with their own parsers. */
  sources: SourceDefinition[];
}): Pick<Handlers, 'resolve'> {
  const resolver = createResolver({ dialect, sources, view: { withheld } });

  /** Where each name is from. Throws BAD_REQUEST that lists sources and providers where one is not known. */
  const originsOf = async (
    db: Transaction<Tables>,
    names: { source: string | null; path: string }[],
  ): Promise<Origin[]> => {
    const origins: Origin[] = [];
    const unknown: string[] = [];
    for (const { source, path } of names) {
      const origin = await resolver.originOf(db, source);
      if (origin === null) unknown.push(path);
      else origins.push(origin);
    }
    if (unknown.length === 0) return origins;
    const known = (await namespaceIds(db)).join(', ') || 'none yet';
    const message = `There is no such source or provider; there are: ${known}`;
    const errors: Problem['errors'] = unknown.map((path, index) => ({
      path,
      message: index === 0 ? message : 'There is no such source or provider',
    }));
    throw new ApiError('BAD_REQUEST', `${unknown.join(', ')}: ${message}`, { extra: { errors } });
  };

  return {
    resolve: {
      get: ({ id, source = null }) =>
        snapshot(async (db) => {
          const { version, committedAt } = await catalogVersion(db);
          const [origin = { kind: 'anywhere' }] = await originsOf(db, [{ source, path: 'source' }]);
          const meaning = await resolver.resolve(db, id, origin);
          const query = { id, source };
          if (meaning.status === 'ambiguous') {
            const { candidates } = meaning;
            throw new ApiError('CONFLICT', ambiguous(query, candidates), { extra: { candidates } });
          }
          if (meaning.status === 'not_found') {
            const { hints } = meaning;
            throw new ApiError('NOT_FOUND', notFound(query, hints), { extra: { hints } });
          }
          const data = { query, model: NamedModel.parse(meaning.model), match: meaning.match };
          return { data, meta: { catalogVersion: version }, timestamp: committedAt };
        }),

      many: ({ ids }) =>
        snapshot(async (db) => {
          const { version, committedAt } = await catalogVersion(db);
          const queries = ids.map(({ id, source = null }) => ({ id, source }));
          const asked = queries.map(({ source }, index) => ({ source, path: `ids.${index}.source` }));
          const origins = await originsOf(db, asked);
          const data: Resolution[] = [];
          for (const [index, query] of queries.entries()) {
            const origin = origins[index] ?? { kind: 'anywhere' };
            data.push(resolutionOf(query, await resolver.resolve(db, query.id, origin)));
            // Names that nobody uses take some milliseconds each: other requests are answered in between.
            await setImmediate();
          }
          return { data, meta: { catalogVersion: version }, timestamp: committedAt };
        }),
    },
  };
}

function resolutionOf(query: NameQuery, meaning: Meaning): Resolution {
  const { status } = meaning;
  const nothing = { status, query, model: null, match: null, candidates: [], hints: [] };
  if (meaning.status === 'ambiguous') return { ...nothing, candidates: meaning.candidates };
  if (meaning.status === 'not_found') return { ...nothing, hints: meaning.hints };
  return { ...nothing, model: NamedModel.parse(meaning.model), match: meaning.match };
}
