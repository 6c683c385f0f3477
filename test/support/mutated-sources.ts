import { artificialAnalysis } from '../../sync/sources/artificial-analysis.ts';
import { huggingFace } from '../../sync/sources/huggingface.ts';
import { modelsDev } from '../../sync/sources/models-dev.ts';
import { openRouter } from '../../sync/sources/openrouter.ts';
import type { SourceDefinition } from '../../sync/source.ts';
import { fixtureContent } from './fixtures.ts';
import type { UpstreamContent } from './upstream.ts';
import { hasPayloads, readPayload, recordedContent } from './payloads.ts';

/** A source with payloads to mutate, and what its upstream answers when it holds some of them. */
export interface MutatedSource {
  name: string;
  source: SourceDefinition;
  /** Path of its base URL. */
  base: string;
  /** Payloads of one item each, as they came. */
  payloads: unknown[];
  /** What its upstream answers when it holds these payloads, by the end of the path. */
  answers: (payloads: unknown[]) => Record<string, unknown>;
}

type Objects = Record<string, unknown>;

function isObject(value: unknown): value is Objects {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A catalogue of one model at one provider each. */
function singleOffers(catalog: Objects): Objects[] {
  return Object.entries(catalog).flatMap(([id, provider]) => {
    const { models, ...rest } = provider as { models: Objects };
    return Object.entries(models).map(([key, model]) => ({ [id]: { ...rest, models: { [key]: model } } }));
  });
}

/** Puts catalogues together; models of one provider come together where they have that shape. */
function together(catalogs: unknown[]): Objects {
  const whole: Objects = {};
  for (const catalog of catalogs.filter(isObject)) {
    for (const [id, provider] of Object.entries(catalog)) {
      const before = Object.hasOwn(whole, id) ? whole[id] : undefined;
      const merges =
        isObject(before) && isObject(before.models) && isObject(provider) && isObject(provider.models);
      const next = merges
        ? { ...before, models: { ...(before.models as Objects), ...(provider.models as Objects) } }
        : provider;
      Object.defineProperty(whole, id, { value: next, enumerable: true, writable: true, configurable: true });
    }
  }
  return whole;
}

/** About as many as asked for, evenly out of all. */
function spread<Item>(items: Item[], count: number): Item[] {
  const step = Math.max(1, Math.floor(items.length / count));
  return items.filter((_, index) => index % step === 0);
}

/** A row as another one, so that not every second one repeats an id. */
function renamed(row: object, number: number): object {
  const { id, slug, name } = row as { id: string; slug: string; name: string };
  return { ...row, id: `${id}-${number}`, slug: `${slug}-${number}`, name: `${name} ${number}` };
}

const COPIES = 40;

/** Every item under as many other names, so that a batch of mutations seldom repeats an id. */
function copied(content: UpstreamContent): UpstreamContent {
  // Letters alone: numbers would be taken for versions and sizes.
  const words = Array.from({ length: COPIES }, (_, index) =>
    String.fromCharCode(113 + (index % 8), 120 + Math.floor(index / 8)),
  );
  const rows = (all: object[], fields: string[]): object[] =>
    (all as Record<string, string>[]).flatMap((row) =>
      words.map((word) => ({
        ...row,
        ...Object.fromEntries(fields.map((field) => [field, `${row[field]}-${word}`])),
      })),
    );
  const keyed = (models: Objects): Objects =>
    Object.fromEntries(
      words.flatMap((word) =>
        Object.entries(models).map(([key, model]) => {
          const id = `${key}-${word}`;
          return [id, { ...(model as object), id }];
        }),
      ),
    );
  const providers = Object.entries(content.modelsDevApi as Record<string, { models: Objects }>);
  return {
    ...content,
    modelsDevApi: Object.fromEntries(
      providers.map(([id, provider]) => [id, { ...provider, models: keyed(provider.models) }]),
    ),
    modelsDevModels: keyed(content.modelsDevModels as Objects),
    openrouter: rows(content.openrouter, ['id', 'canonical_slug']),
    huggingface: rows(content.huggingface, ['id']),
  };
}

const fixtures = fixtureContent();
const recorded = hasPayloads ? recordedContent({ huggingface: 200 }) : copied(fixtures);
const PER_SOURCE = 300;
const measured = Array.from({ length: 30 }, (_, number) =>
  fixtures.artificialAnalysis.map((row) => renamed(row, number)),
).flat();
const retired = hasPayloads
  ? (readPayload('artificialanalysis/2026-07-03.models.json.gz') as { data: object[] }).data
  : fixtures.artificialAnalysis.flatMap((row) =>
      Array.from({ length: 30 }, (_, number) => renamed(row, 100 + number)),
    );

/** What an envelope needs to be taken for one. */
const NO_OFFERS = { sound: { name: 'Sound', models: {} } };
const NO_METADATA = { 'sound/sound-1': { id: 'sound/sound-1', name: 'Sound 1' } };

/** The sources, each in every shape that it answers in. */
export const MUTATED_SOURCES: MutatedSource[] = [
  {
    name: 'models.dev',
    source: modelsDev,
    base: 'modelsdev',
    payloads: [
      ...singleOffers(fixtures.modelsDevApi as Objects),
      ...spread(singleOffers(recorded.modelsDevApi as Objects), PER_SOURCE),
    ],
    answers: (payloads) => ({
      'modelsdev/api.json': { ...together(payloads), ...NO_OFFERS },
      'modelsdev/models.json': NO_METADATA,
    }),
  },
  {
    name: 'models.dev/models.json',
    source: modelsDev,
    base: 'modelsdev',
    payloads: [
      ...Object.entries(fixtures.modelsDevModels as Objects),
      ...Object.entries(recorded.modelsDevModels as Objects),
    ].map(([id, model]) => ({ [id]: model })),
    answers: (payloads) => ({
      'modelsdev/api.json': NO_OFFERS,
      'modelsdev/models.json': { ...together(payloads), ...NO_METADATA },
    }),
  },
  {
    name: 'openrouter',
    source: openRouter,
    base: 'openrouter/api/v1',
    payloads: [...fixtures.openrouter, ...spread(recorded.openrouter, PER_SOURCE)],
    answers: (data) => ({ 'openrouter/api/v1/models': { data, links: { next: null } } }),
  },
  {
    name: 'huggingface',
    source: huggingFace,
    base: 'huggingface',
    payloads: [...fixtures.huggingface, ...recorded.huggingface],
    answers: (repositories) => ({ 'huggingface/api/models': repositories }),
  },
  {
    name: 'artificialanalysis',
    source: artificialAnalysis,
    base: 'artificialanalysis/api/v2',
    payloads: measured,
    answers: (data) => ({
      'artificialanalysis/api/v2/language/models/free': {
        intelligence_index_version: '4.1',
        pagination: { page: 1, has_more: false },
        data,
      },
    }),
  },
  {
    name: 'artificialanalysis, retired shape',
    source: artificialAnalysis,
    base: 'artificialanalysis/api/v2',
    payloads: spread(retired, PER_SOURCE),
    answers: (data) => ({ 'artificialanalysis/api/v2/language/models/free': { status: 200, data } }),
  },
];
