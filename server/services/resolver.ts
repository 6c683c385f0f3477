import type { Transaction } from 'kysely';
import type { Candidate, Hint, Match } from '../../contracts/names.ts';
import type { Model } from '../../contracts/models.ts';
import { knownCreator } from '../../sync/identity.ts';
import { describe } from '../../sync/identity/describe.ts';
import { keysOf } from '../../sync/identity/keys.ts';
import { hintsOf, lookupOf } from '../../sync/hints.ts';
import { readingsOf, type Origin, type Reading } from '../../sync/readings.ts';
import { placeAmong } from '../../sync/resolve.ts';
import type { SourceDefinition } from '../../sync/source.ts';
import type { View } from '../db/view.ts';
import { formerlyCalled, hasNames, isProvider, meaningsOf, modelsById } from '../db/names.ts';
import { kinOf, neighboursOf } from '../db/neighbours.ts';
import type { DialectName, Tables } from '../db/orm.ts';
import { createRecordReader } from './record-reader.ts';
import { formerMatch, withoutHiddenNames } from './match-evidence.ts';

/** What a name was taken for: an id of this catalogue, present or former, a name that somebody uses, or one that the rules read. */
export type TakenFor = 'id' | 'former id' | 'name' | 'reading';

/** What a name means. */
export type Meaning =
  | { status: 'resolved'; model: Model; match: Match; takenFor: TakenFor; usages: Usage[] }
  | { status: 'ambiguous'; candidates: Candidate[] }
  | { status: 'not_found'; hints: Hint[] };

/** Finds out what names mean, in one consistent state of the catalogue. */
export interface Resolver {
  /** Where names of this source or provider are from; null: there is no such source or provider. */
  originOf(db: Transaction<Tables>, source: string | null): Promise<Origin | null>;
  resolve(db: Transaction<Tables>, name: string, origin: Origin): Promise<Meaning>;
  /** The ways to take a name that nobody is known to use. */
  readings(db: Transaction<Tables>, name: string, origin: Origin): Promise<Reading[]>;
}

/** A model that a name means somewhere; the namespace is null where nobody is known to use the name. */
export interface Usage {
  namespace: string | null;
  modelId: string;
  match: Match;
}

const EXACT: Match = { kind: 'exact', rule: null, evidence: [] };
const REMEMBERED = (namespace: string): Match => ({
  kind: 'alias',
  rule: 'known-name',
  evidence: [`${namespace} has called it so; the entry is gone`],
});

/** The strongest reason first. */
const STRENGTH: Match['kind'][] = ['exact', 'link', 'alias', 'rule'];

/** A name as it was given, and with its creator spelled our way. */
function spellingsOf(name: string): string[] {
  const slash = name.indexOf('/');
  const creator = slash > 0 && !name.startsWith('~') ? knownCreator(name.slice(0, slash))?.id : undefined;
  return creator === undefined ? [name] : [...new Set([name, `${creator}${name.slice(slash)}`])];
}

/** Makes a resolver. Names are told by ids, stored names and the rules of identity, in this order. */
export function createResolver({
  dialect,
  sources,
  view,
}: {
  dialect: DialectName;
  sources: SourceDefinition[];
  view: View;
}): Resolver {
  const readRecords = createRecordReader(sources);
  const sourceIds = sources.map(({ id }) => id);

  const readings: Resolver['readings'] = async (db, name, origin) => {
    const slash = name.indexOf('/');
    const before = slash > 0 ? name.slice(0, slash).toLowerCase() : '';
    return readingsOf(name, origin, before !== '' && (await isProvider(db, before)) ? before : null);
  };

  /** What the rules make of a name: every model that it falls to in some reading. */
  const read = async (db: Transaction<Tables>, taken: Reading[]): Promise<Usage[]> => {
    const keys = taken.flatMap(({ record }) => keysOf(describe(record)));
    const neighbours = await neighboursOf(db, [...new Set(keys)], view);
    const known = neighbours === null ? [] : await readRecords(db, neighbours);
    return taken.flatMap((reading) => {
      const { modelIds, match } = placeAmong(reading, known);
      return modelIds.map((modelId) => ({ namespace: reading.namespace, modelId, match }));
    });
  };

  /** The answer where a name is used for these models. */
  const told = async (
    db: Transaction<Tables>,
    usages: Usage[],
    takenFor: TakenFor,
  ): Promise<Meaning | null> => {
    const models = await modelsById(db, [...new Set(usages.map(({ modelId }) => modelId))], view);
    const shown = view.withheld ? await withoutHiddenNames(db, sources, usages) : usages;
    const byModel = Map.groupBy(
      shown.filter(({ modelId }) => models.has(modelId)),
      ({ modelId }) => modelId,
    );
    const [first] = byModel;
    if (first === undefined) return null;
    const strongest = (list: Usage[]) =>
      list.toSorted((a, b) => STRENGTH.indexOf(a.match.kind) - STRENGTH.indexOf(b.match.kind))[0] as Usage;
    if (byModel.size === 1)
      return {
        status: 'resolved',
        model: models.get(first[0]) as Model,
        match: strongest(first[1]).match,
        takenFor,
        usages: first[1],
      };
    const candidates = [...byModel].map(([id, list]) => ({
      id,
      name: (models.get(id) as Model).name,
      usages: list.map(({ namespace, match }) => ({ namespace, match })),
    }));
    return { status: 'ambiguous', candidates: candidates.toSorted((a, b) => (a.id < b.id ? -1 : 1)) };
  };
  const own = async (
    db: Transaction<Tables>,
    id: string,
    match: Match,
    usages: Usage[],
    takenFor: TakenFor = 'id',
  ): Promise<Meaning | null> => {
    const models = await modelsById(db, [id], view);
    const model = models.get(id);
    if (model === undefined) return null;
    const others = [...Map.groupBy(usages, ({ modelId }) => modelId)].filter(([other]) => other !== id);
    const elsewhere = others.map(
      ([other, list]) =>
        `at ${list.map(({ namespace }) => namespace).join(', ')} it means ${other}: ask with source=${list[0]?.namespace} for that`,
    );
    return {
      status: 'resolved',
      model,
      match: { ...match, evidence: [...match.evidence, ...elsewhere] },
      takenFor,
      usages,
    };
  };

  const former = async (db: Transaction<Tables>, name: string, isOwn: boolean): Promise<Meaning | null> => {
    const row = await formerlyCalled(db, name);
    if (row === null || (row.source === 'former') !== isOwn) return null;
    return own(db, row.modelId, await formerMatch(db, name, row, view), [], isOwn ? 'former id' : 'name');
  };

  /** What an id of this catalogue means: by its present ids and its former ones. */
  const byId = async (db: Transaction<Tables>, name: string, match: Match, usages: Usage[]) =>
    (await own(db, name, match, usages)) ?? (await former(db, name, true));

  const usagesOf = async (db: Transaction<Tables>, name: string, origin: Origin): Promise<Usage[]> => {
    const namespace = origin.kind === 'anywhere' ? null : origin.id;
    const found = await meaningsOf(db, name, { namespace, sources: sourceIds }, view);
    return found.map((usage) => ({ ...usage, match: usage.match ?? REMEMBERED(usage.namespace) }));
  };

  const anywhere = async (db: Transaction<Tables>, name: string): Promise<Meaning | null> => {
    const [given = '', respelled] = spellingsOf(name.toLowerCase());
    const usages = await usagesOf(db, name, { kind: 'anywhere' });
    const exact = await byId(db, given, EXACT, usages);
    if (exact !== null) return exact;
    const spelled = respelled === undefined ? null : await spelledOurWay(db, given, respelled, usages);
    return (
      spelled ??
      (await told(db, usages, 'name')) ??
      (respelled === undefined
        ? null
        : await told(db, await usagesOf(db, respelled, { kind: 'anywhere' }), 'name')) ??
      (await former(db, given, false)) ??
      (respelled === undefined ? null : await former(db, respelled, false))
    );
  };

  /** The id with the creator spelled our way, unless all who use the spelling mean one other model by it. */
  const spelledOurWay = async (
    db: Transaction<Tables>,
    given: string,
    respelled: string,
    usages: Usage[],
  ): Promise<Meaning | null> => {
    const meant = new Set(usages.map(({ modelId }) => modelId));
    if (meant.size === 1 && !meant.has(respelled)) return null;
    const creator = (id: string) => id.slice(0, id.indexOf('/'));
    const evidence = [`${creator(given)} is a spelling of ${creator(respelled)}`];
    return byId(db, respelled, { ...EXACT, evidence }, usages);
  };

  const hints = async (db: Transaction<Tables>, taken: Reading[]): Promise<Hint[]> => {
    const described = taken.map(({ record }) => describe(record));
    const ids = await kinOf(db, dialect, lookupOf(described), view);
    return hintsOf(described, [...(await modelsById(db, ids, view)).values()]);
  };

  return {
    async originOf(db, source) {
      if (source === null) return { kind: 'anywhere' };
      const id = source.toLowerCase();
      const definition = sources.find((one) => one.id === id);
      if (definition === undefined)
        return (await isProvider(db, id)) || (await hasNames(db, id)) ? { kind: 'provider', id } : null;
      const [type = 'offer'] = Object.keys(definition.raw) as (keyof typeof definition.raw)[];
      return { kind: 'source', id, type, prefixed: !(await isProvider(db, id)) };
    },
    readings,
    async resolve(db, name, origin) {
      const known =
        origin.kind === 'anywhere'
          ? await anywhere(db, name)
          : await told(db, await usagesOf(db, name, origin), 'name');
      if (known !== null) return known;
      const taken = await readings(db, name, origin);
      return (
        (await told(db, await read(db, taken), 'reading')) ?? {
          status: 'not_found',
          hints: await hints(db, taken),
        }
      );
    },
  };
}
