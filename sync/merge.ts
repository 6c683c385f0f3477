import type { Benchmark, Model, ModelDetail } from '../contracts/models.ts';
import type { Limits } from '../contracts/offers.ts';
import { ARTIFICIAL_ANALYSIS, isArtificialAnalysis } from './attribution.ts';
import { knownCreator, UNKNOWN_CREATOR, type Group } from './identity.ts';
import { mergeOffers, publishedPricing, referenceOffer, sourceRefs, type PricedOffer } from './offers.ts';
import { byText, unique } from './order.ts';
import { unknownPricing } from './prices.ts';
import { CAPABILITIES, type ModelFacts, type NanoPricing, type SourceRecord } from './record.ts';

/** A model as it is published, but for the times that storage knows. */
export type MergedModel = Omit<Model, 'firstSeenAt' | 'updatedAt' | 'since'>;

/** A merged model with its offers and the columns that lists sort by. */
export interface Merged {
  model: MergedModel;
  offers: PricedOffer[];
  /** Prices of the reference offer, in nano-dollars; null: no offer. */
  reference: NanoPricing | null;
}

/** How far a record is trusted: each field names the classes it is taken from, the first that knows it winning. */
type Trust = 'metadata' | 'own' | 'openrouter' | 'host' | 'measurement' | 'repository';

const GENERAL: Trust[] = ['metadata', 'own', 'openrouter', 'host', 'repository', 'measurement'];

/** Fields with an order of their own, and why. All others follow GENERAL: curated metadata, the maker, the sellers, the weights, and last who measured it. */
const ORDER: Partial<Record<keyof ModelFacts, Trust[]>> = {
  // Hosts copy release dates by hand; OpenRouter states listing dates only; repositories say when they were created.
  releaseDate: ['metadata', 'own', 'measurement', 'host'],
  // A host that serves open weights often does not mark them as open; the repository is the fact itself.
  openWeights: ['metadata', 'repository', 'own', 'host'],
  lastUpdated: ['metadata', 'own', 'host', 'repository'],
  // One seller's end of sale is not the model's.
  lifecycle: ['metadata', 'own'],
};

function trustOf(record: SourceRecord, ownProviders: string[]): Trust {
  if (record.type !== 'offer') return record.type;
  if (record.naming.provider !== null && ownProviders.includes(record.naming.provider)) return 'own';
  return record.source === 'openrouter' ? 'openrouter' : 'host';
}

/** Picks values field by field, and remembers which were taken from Artificial Analysis. */
class Picker {
  readonly credited: string[] = [];
  readonly #byTrust: Map<Trust, SourceRecord[]>;

  constructor(byTrust: Map<Trust, SourceRecord[]>) {
    this.#byTrust = byTrust;
  }

  /** The value of the most trusted class that has one; within a class the most frequent, then the first in order. */
  pick<Value>(
    field: string,
    order: Trust[],
    read: (facts: ModelFacts) => Value | null | undefined,
  ): Value | null {
    for (const trust of order) {
      const records = this.#byTrust.get(trust);
      if (records === undefined) continue;
      const counts = new Map<string, { value: Value; count: number }>();
      for (const record of records) {
        const value = read(record.facts);
        if (value === null || value === undefined) continue;
        const key =
          records.length === 1 ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);
        const seen = counts.get(key);
        if (seen === undefined) counts.set(key, { value, count: 1 });
        else seen.count += 1;
      }
      let best: { value: Value; count: number } | undefined;
      for (const candidate of counts.values()) {
        if (best === undefined || candidate.count > best.count) best = candidate;
      }
      if (best === undefined) continue;
      if (trust === 'measurement') this.credited.push(field);
      return best.value;
    }
    return null;
  }

  /** A plain field of the facts, in its order of trust. */
  field<Name extends keyof ModelFacts>(name: Name): NonNullable<ModelFacts[Name]> | null {
    return this.pick(name, ORDER[name] ?? GENERAL, (facts) => facts[name]) as NonNullable<
      ModelFacts[Name]
    > | null;
  }
}

function mergeBenchmarks(records: SourceRecord[]): Benchmark[] {
  const rows = new Map(
    records.flatMap(({ facts }) => facts.benchmarks).map((row) => [JSON.stringify(row), row]),
  );
  return [...rows.values()].toSorted((a, b) => {
    const keys = (row: Benchmark) => [
      row.source,
      row.name,
      row.variant ?? '',
      row.effort ?? '',
      row.date ?? '',
    ];
    const [left, right] = [keys(a), keys(b)];
    const at = left.findIndex((part, index) => part !== right[index]);
    return at === -1 ? a.value - b.value : byText(left[at] ?? '', right[at] ?? '');
  });
}

/** A seller's lower limit on input or output is its own, not the model's. */
const OFFICIAL: Trust[] = ['metadata', 'own', 'openrouter'];

/** Limits of one record, whole; what it leaves open is filled in from official ones that state the same context. */
function mergeLimits(picker: Picker): Limits {
  const stated = picker.pick('limits', GENERAL, ({ limits }) => (limits.context === null ? null : limits));
  const fill = (name: 'input' | 'output') =>
    stated?.[name] ??
    picker.pick('limits', OFFICIAL, ({ limits }) => {
      const fits =
        stated === null ||
        (limits.context === stated.context && (limits[name] ?? 0) <= (stated.context ?? 0));
      return fits ? limits[name] : null;
    });
  return { context: stated?.context ?? null, input: fill('input'), output: fill('output') };
}

function kindOf(records: SourceRecord[]): Model['kind'] {
  const kinds = new Set(records.map(({ kind }) => kind));
  return kinds.has('router') ? 'router' : kinds.has('rolling') ? 'rolling' : 'model';
}

/** Merges the records of one model. `resolve` finds the id of a model by another source's id, for the targets of rolling names. */
export function mergeGroup(
  group: Group,
  context: { asOf: ReadonlyMap<string, string | null>; resolve: (sourceId: string) => string | null },
): Merged {
  const creator = knownCreator(group.creator);
  const ownProviders = creator?.providers ?? [];
  const records = group.records.toSorted((a, b) => byText(a.source, b.source) || byText(a.id, b.id));
  const byTrust = Map.groupBy(records, (record) => trustOf(record, ownProviders));
  const picker = new Picker(byTrust);

  const offers = mergeOffers(records, context.asOf);
  const reference = referenceOffer(offers, ownProviders);
  const kind = kindOf(records);
  const target =
    kind === 'rolling' ? (records.find((record) => record.target !== null)?.target ?? null) : null;
  const benchmarks = mergeBenchmarks(records);
  const { status, ...pricing } = reference?.offer.pricing ?? publishedPricing(unknownPricing());
  const links = new Map(records.flatMap(({ facts }) => facts.links).map((link) => [link.url, link]));

  const model: MergedModel = {
    id: group.id,
    kind,
    target: target === null ? null : context.resolve(target),
    name: picker.field('name') ?? group.id,
    creator: group.creator,
    creatorName: creator?.name ?? (group.creator === UNKNOWN_CREATOR ? null : picker.field('creatorName')),
    family: picker.field('family'),
    description: picker.field('description'),
    modalities: {
      input: picker.field('inputModalities') ?? [],
      output: picker.field('outputModalities') ?? [],
    },
    capabilities: CAPABILITIES.filter(
      (name) => picker.pick('capabilities', GENERAL, (facts) => facts.capabilities[name]) === true,
    ),
    parameters: unique(records.flatMap(({ facts }) => facts.parameters)),
    reasoning: picker.field('reasoning'),
    limits: mergeLimits(picker),
    pricing: { status, provider: reference?.offer.provider ?? null, ...pricing },
    openWeights: picker.field('openWeights'),
    parameterCount: picker.field('parameterCount'),
    tokenizer: picker.field('tokenizer'),
    task: picker.field('task'),
    baseModels: unique(records.flatMap(({ facts }) => facts.baseModels)),
    languages: unique(records.flatMap(({ facts }) => facts.languages)),
    library: picker.field('library'),
    gated: picker.field('gated'),
    license: picker.field('license'),
    links: [...links.values()].toSorted((a, b) => byText(a.url, b.url)),
    releaseDate: picker.field('releaseDate'),
    lastUpdated: picker.field('lastUpdated'),
    knowledgeCutoff: picker.field('knowledgeCutoff'),
    lifecycle: picker.field('lifecycle') ?? { status: 'active', date: null, successor: null },
    popularity: picker.field('popularity') ?? { downloads: null, downloadsAllTime: null, likes: null },
    benchmarks,
    attributions: [],
    providers: unique(offers.map(({ offer }) => offer.provider)),
    sources: sourceRefs(unique(records.map(({ source }) => source)), context.asOf),
  };
  const credited = unique([
    ...picker.credited,
    ...(benchmarks.some(isArtificialAnalysis) ? ['benchmarks'] : []),
  ]);
  if (credited.length > 0) {
    model.attributions.push({ ...ARTIFICIAL_ANALYSIS, fields: credited });
  }
  return { model, offers, reference: reference?.pricing ?? null };
}

/** The records without anything that Artificial Analysis said, whichever source brought it. */
export function withoutArtificialAnalysis(records: SourceRecord[]): SourceRecord[] {
  return records
    .filter(({ type }) => type !== 'measurement')
    .map((record) =>
      record.facts.benchmarks.some(isArtificialAnalysis)
        ? {
            ...record,
            facts: {
              ...record.facts,
              benchmarks: record.facts.benchmarks.filter((row) => !isArtificialAnalysis(row)),
            },
          }
        : record,
    );
}

/** Fields of a published model that move at most daily: popularity and speed. */
export function steadyPart(model: MergedModel | ModelDetail): unknown {
  const speeds = new Set(['tokens per second', 'seconds']);
  return {
    ...model,
    popularity: null,
    benchmarks: model.benchmarks.filter(({ unit }) => unit === null || !speeds.has(unit)),
  };
}
