import type { Benchmark, Model, ModelDetail } from '../contracts/models.ts';
import { ARTIFICIAL_ANALYSIS, isArtificialAnalysis } from './attribution.ts';
import { Chooser, inOrder } from './choose.ts';
import { knownCreator, UNKNOWN_CREATOR, type Group } from './identity.ts';
import { publishedLifecycle } from './lifecycle.ts';
import type { ModelField, ModelFieldValue } from './model-fields.ts';
import { mergeOffers, publishedPricing, referenceOffer, sourceRefs, type PricedOffer } from './offers.ts';
import { byText, unique } from './order.ts';
import { unknownPricing } from './prices.ts';
import { CAPABILITIES, type NanoPricing, type SourceRecord } from './record.ts';

/** A model as it is published, but for the times that storage knows. */
export type MergedModel = Omit<Model, 'firstSeenAt' | 'updatedAt' | 'since'>;

/** A merged model with its offers and the columns that lists sort by. */
export interface Merged {
  model: MergedModel;
  offers: PricedOffer[];
  /** Prices of the reference offer, in nano-dollars; null: no offer. */
  reference: NanoPricing | null;
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

function kindOf({ records, rolling }: Group): Model['kind'] {
  if (records.some(({ kind }) => kind === 'router')) return 'router';
  return rolling ? 'rolling' : 'model';
}

/** What merging knows beside the records. */
export interface MergeContext {
  /** Dates of the sources that are dated copies. */
  asOf: ReadonlyMap<string, string | null>;
  /** YYYY-MM-DD: what was to end by then has ended. */
  today: string;
  /** Finds the id of a model by another source's id, for what records point to. */
  resolve: (sourceId: string) => string | null;
}

/** Merges the records of one model. */
export function mergeGroup(group: Group, context: MergeContext): Merged {
  const creator = knownCreator(group.creator);
  const ownProviders = creator?.providers ?? [];
  const records = inOrder(group.records);
  const chooser = new Chooser(records, ownProviders);
  const measured: string[] = [];
  const take = <Field extends ModelField>(field: Field): ModelFieldValue<Field> | null => {
    const choice = chooser.choose(field);
    if (choice?.trust === 'measurement') measured.push(field);
    return choice?.value ?? null;
  };

  const successorOf = (named: string | null): string | null => {
    const id = named === null ? null : context.resolve(named);
    return id === group.id ? null : id;
  };
  const offers = mergeOffers(records, { ...context, successorOf });
  const reference = referenceOffer(offers, ownProviders);
  const kind = kindOf(group);
  const end = chooser.whole('lifecycle');
  const target = kind === 'rolling' ? take('target') : null;
  const benchmarks = mergeBenchmarks(records);
  const { status, ...pricing } = reference?.offer.pricing ?? publishedPricing(unknownPricing());
  const links = new Map(records.flatMap(({ facts }) => facts.links).map((link) => [link.url, link]));

  const model: MergedModel = {
    id: group.id,
    kind,
    target: target === null ? null : context.resolve(target),
    name: take('name') ?? group.id,
    creator: group.creator,
    creatorName: creator?.name ?? (group.creator === UNKNOWN_CREATOR ? null : take('creatorName')),
    family: take('family'),
    description: take('description'),
    modalities: {
      input: take('modalities.input') ?? [],
      output: take('modalities.output') ?? [],
    },
    capabilities: CAPABILITIES.filter((name) => take(`capabilities.${name}`) === true),
    parameters: unique(records.flatMap(({ facts }) => facts.parameters)),
    reasoning: chooser.whole('reasoning')?.value ?? null,
    limits: {
      context: take('limits.context'),
      input: take('limits.input'),
      output: take('limits.output'),
    },
    pricing: { status, provider: reference?.offer.provider ?? null, ...pricing },
    openWeights: take('openWeights'),
    parameterCount: take('parameterCount'),
    tokenizer: take('tokenizer'),
    task: take('task'),
    baseModels: unique(records.flatMap(({ facts }) => facts.baseModels)),
    languages: unique(records.flatMap(({ facts }) => facts.languages)),
    library: take('library'),
    gated: take('gated'),
    license: take('license'),
    links: [...links.values()].toSorted((a, b) => byText(a.url, b.url)),
    releaseDate: take('releaseDate'),
    lastUpdated: take('lastUpdated'),
    knowledgeCutoff: take('knowledgeCutoff'),
    stage: take('stage'),
    lifecycle: publishedLifecycle(
      end === null
        ? null
        : {
            end: end.value,
            source: end.records[0]?.source ?? '',
            successor: successorOf(take('lifecycle.successor')),
          },
      context.today,
    ),
    popularity: chooser.whole('popularity')?.value ?? {
      downloads: null,
      downloadsAllTime: null,
      likes: null,
    },
    benchmarks,
    attributions: [],
    providers: unique(offers.map(({ offer }) => offer.provider)),
    sources: sourceRefs(unique(records.map(({ source }) => source)), context.asOf),
  };
  const credited = unique([...measured, ...(benchmarks.some(isArtificialAnalysis) ? ['benchmarks'] : [])]);
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

const SPEEDS = new Set(['tokens per second', 'seconds']);

/** Whether a measured value is a speed, which moves daily. */
export function isSpeed({ unit }: Benchmark): boolean {
  return unit !== null && SPEEDS.has(unit);
}

/** A model without the figures that move daily: of the past they are not kept. */
export function withoutFigures(model: MergedModel): MergedModel {
  return {
    ...model,
    popularity: { downloads: null, downloadsAllTime: null, likes: null },
    benchmarks: model.benchmarks.filter((row) => !isSpeed(row)),
  };
}

/** Fields of a published model that move at most daily: popularity and speed. */
export function steadyPart(model: MergedModel | ModelDetail): unknown {
  return {
    ...model,
    popularity: null,
    benchmarks: model.benchmarks.filter((row) => !isSpeed(row)),
  };
}
