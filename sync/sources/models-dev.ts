import { z } from 'zod';
import type { Attribution } from '../../contracts/common.ts';
import type { Benchmark } from '../../contracts/models.ts';
import { ARTIFICIAL_ANALYSIS } from '../attribution.ts';
import { readEnvelope } from '../envelope.ts';
import {
  JsonObject,
  lenientList,
  linkTo,
  makeItems,
  NameText,
  OptionalPastDate,
  OptionalText,
  readItem,
  webUrl,
} from '../fields.ts';
import { kindOfId } from '../kinds.ts';
import { factsOf, ModelEntry, readOffer, takeCatalogApart } from '../models-dev-entry.ts';
import { MODELS_DEV_METADATA, MODELS_DEV_OFFER } from '../models-dev-raw.ts';
import type { SourceRecord } from '../record.ts';
import { defineSource, type Upstream, type UpstreamAnswer } from '../source.ts';
import type { Item } from '../item.ts';

const SOURCE = 'models.dev';
const METADATA = 'models.json/';

const Catalog = JsonObject.refine(
  (providers) => Object.values(providers).some((provider) => hasObject(provider, 'models')),
  'no provider with models',
);

const Metadata = JsonObject.refine(
  (models) => Object.values(models).some((model) => JsonObject.safeParse(model).data?.id !== undefined),
  'no model with an id',
);

function hasObject(value: unknown, key: string): boolean {
  return JsonObject.safeParse(JsonObject.safeParse(value).data?.[key]).success;
}

/** models.dev: offers of many providers (`api.json`), and facts about models themselves (`models.json`). */
export const modelsDev = defineSource({
  id: SOURCE,
  name: 'models.dev',
  baseUrl: { variable: 'MODELS_DEV_URL', default: 'https://models.dev' },
  apiKey: null,
  maxItems: null,
  attribution: null,
  async fetch(upstream) {
    const catalogUrl = `${upstream.baseUrl}/api.json`;
    const metadataUrl = `${upstream.baseUrl}/models.json`;
    const catalog = await upstream.getJson(catalogUrl, { conditional: true });
    const metadata = await orWarn(upstream, () => upstream.getJson(metadataUrl, { conditional: true }));
    // Without an answer about the metadata, an unchanged catalogue brings nothing new either.
    if (catalog.notModified && metadata === null) return { notModified: true, keeps: METADATA };
    if (catalog.notModified && metadata?.notModified) return { notModified: true };

    const { entries, providers } = takeCatalogApart(
      readEnvelope(Catalog, await bodyOf(upstream, catalogUrl, catalog), catalogUrl),
    );
    const models =
      metadata &&
      (await orWarn(upstream, async () =>
        readEnvelope(Metadata, await bodyOf(upstream, metadataUrl, metadata), metadataUrl),
      ));
    const described = Object.entries(models ?? {}).map(([id, value]) => ({ id: `${METADATA}${id}`, value }));
    const items = makeItems([...entries, ...described]);
    const fetched = { notModified: false as const, items, providers, asOf: null };
    return models === null ? { ...fetched, keeps: METADATA } : fetched;
  },
  raw: { offer: MODELS_DEV_OFFER, metadata: MODELS_DEV_METADATA },
  parse(item) {
    return item.id.startsWith(METADATA) ? readMetadata(item) : readOffer(SOURCE, item);
  },
});

/** The body of an answer; where it was not modified, it is asked for again. */
async function bodyOf(upstream: Upstream, url: string, answer: UpstreamAnswer): Promise<unknown> {
  return answer.notModified ? (await upstream.getJson(url)).body : answer.body;
}

async function orWarn<Result>(upstream: Upstream, work: () => Promise<Result>): Promise<Result | null> {
  try {
    return await work();
  } catch (error) {
    // What was not read must not be vouched for: the next run asks for all of it again.
    upstream.forget(`${upstream.baseUrl}/models.json`);
    upstream.warn(`Went on without models.json: ${error instanceof Error ? error.message : String(error)}`);
    return null;
  }
}

const MetadataEntry = ModelEntry.extend({
  license: OptionalText,
  links: lenientList(z.object({ label: NameText, url: z.string(), type: OptionalText })),
  weights: lenientList(z.object({ label: NameText, url: z.string() })),
  benchmarks: lenientList(
    z.object({
      name: NameText,
      score: z.number(),
      metric: OptionalText,
      version: OptionalText,
      dataset: OptionalText,
      harness: OptionalText,
      variant: OptionalText,
      source: OptionalText,
      date: OptionalPastDate,
    }),
  ),
});

function readMetadata(item: Item): SourceRecord {
  const entry = readItem(item, MetadataEntry);
  const slash = entry.id.indexOf('/');
  return {
    source: SOURCE,
    id: item.id,
    type: 'metadata',
    naming: {
      creator: slash > 0 ? entry.id.slice(0, slash) : null,
      model: entry.id.slice(slash + 1),
      canonical: null,
      provider: null,
      family: entry.family,
    },
    kind: kindOfId(entry.id),
    target: null,
    facts: {
      ...factsOf(entry),
      license: entry.license,
      links: [
        ...entry.links.flatMap(({ label, url, type }) => linkTo(url, label, type)),
        ...entry.weights.flatMap(({ label, url }) => linkTo(url, label, 'weights')),
      ],
      benchmarks: entry.benchmarks.map(readBenchmark),
    },
    offer: null,
  };
}

const EFFORTS = new Set(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']);

/** A variant is mostly a reasoning effort, sometimes a harness. */
function readBenchmark(entry: z.infer<typeof MetadataEntry>['benchmarks'][number]): Benchmark {
  const effort = entry.variant !== null && EFFORTS.has(entry.variant) ? entry.variant : null;
  const setting = [entry.version, entry.dataset, entry.harness, effort === null ? entry.variant : null];
  const url = webUrl(entry.source);
  return {
    name: entry.name,
    value: entry.score,
    unit: entry.metric,
    indexVersion: null,
    effort,
    variant: setting.filter((part) => part !== null).join(', ') || null,
    date: entry.date,
    source: SOURCE,
    attribution: creditFor(entry.name, url),
  };
}

/** Scores are credited to the page that they stand on; those of Artificial Analysis to it, on whichever page. */
function creditFor(benchmark: string, url: string | null): Attribution | null {
  const site = url === null ? null : new URL(url).hostname;
  if (site === 'artificialanalysis.ai' || /artificial analysis/i.test(benchmark)) return ARTIFICIAL_ANALYSIS;
  return site === null ? null : { name: site, url };
}
