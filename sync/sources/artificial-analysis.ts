import { z } from 'zod';
import type { Benchmark } from '../../contracts/models.ts';
import { ARTIFICIAL_ANALYSIS } from '../attribution.ts';
import { gatherPages, readEnvelope } from '../envelope.ts';
import {
  isPlainText,
  JsonObject,
  lenient,
  makeItems,
  NameText,
  OptionalPastDate,
  OptionalText,
  PlainText,
  readItem,
} from '../fields.ts';
import { unknownFacts, type SourceRecord } from '../record.ts';
import { defineSource } from '../source.ts';
import { RejectedItem } from '../item.ts';

const SOURCE = 'artificialanalysis';
const MAX_PAGES = 100;

const about = {
  pagination: z.looseObject({ has_more: z.boolean() }).nullish(),
  intelligence_index_version: lenient(z.union([PlainText, z.number()])),
};
/** What is about all rows is at the root, or below `meta`. */
const Page = z.looseObject({ ...about, data: z.array(z.unknown()), meta: z.looseObject(about).nullish() });

/** Artificial Analysis: indices, speeds and prices that it measured, a row each reasoning effort. https://artificialanalysis.ai/data-api/docs */
export const artificialAnalysis = defineSource({
  id: SOURCE,
  name: 'Artificial Analysis',
  baseUrl: { variable: 'ARTIFICIAL_ANALYSIS_URL', default: 'https://artificialanalysis.ai/api/v2' },
  apiKey: { variable: 'ARTIFICIAL_ANALYSIS_API_KEY', required: true },
  maxItems: null,
  attribution: ARTIFICIAL_ANALYSIS,
  async fetch(upstream) {
    const headers: Record<string, string> = upstream.apiKey === null ? {} : { 'x-api-key': upstream.apiKey };
    const { entries, add } = gatherPages();
    let indexVersion: string | null = null;
    let hasMore = true;
    let brokeOff = false;
    for (let number = 1; hasMore && number <= MAX_PAGES; number++) {
      const url = `${upstream.baseUrl}/language/models/free?page=${number}`;
      const page = readEnvelope(Page, (await upstream.getJson(url, { headers })).body, url);
      const pagination = page.pagination ?? page.meta?.pagination;
      const version = page.intelligence_index_version ?? page.meta?.intelligence_index_version;
      indexVersion ??= version == null ? null : String(version);
      // The shape that was retired in November 2026 is one page, without pagination.
      const retired = pagination == null;
      const added = add(page.data.map((row) => ({ id: idOf(row), value: { row, indexVersion, retired } })));
      if (added === 0 && page.data.length > 0) {
        upstream.warn(`Stopped at page ${number}, which brings nothing new.`);
        brokeOff = true;
      }
      hasMore = pagination?.has_more === true && added > 0;
    }
    if (hasMore) upstream.warn(`Stopped after ${MAX_PAGES} pages, though there are more.`);
    brokeOff ||= hasMore;
    return { notModified: false, items: makeItems(entries), providers: [], asOf: null, brokeOff };
  },
  raw: {
    measurement: {
      inside: 'row',
      fields: {
        name: 'name',
        creatorName: 'model_creator.name',
        releaseDate: 'release_date',
        benchmarks: [
          { path: 'evaluations' },
          { path: 'artificial_analysis_intelligence_index_cost', unit: 'USD' },
          { path: 'performance' },
          { path: 'median_output_tokens_per_second', unit: 'tokens per second' },
          { path: 'median_time_to_first_token_seconds', unit: 'seconds' },
          { path: 'median_time_to_first_answer_token', unit: 'seconds' },
          { path: 'pricing', unit: 'USD per 1M tokens' },
        ],
      },
    },
  },
  parse(item) {
    return readRow(item.id, readItem(item, Value));
  },
});

function idOf(row: unknown): unknown {
  const said = JsonObject.safeParse(row).data;
  return [said?.id, said?.slug].find(isPlainText);
}

const Value = z.object({
  indexVersion: z.string().nullable(),
  retired: z.boolean(),
  row: z.looseObject({
    id: lenient(PlainText),
    slug: lenient(PlainText),
    name: NameText,
    release_date: OptionalPastDate,
    model_creator: lenient(z.object({ name: OptionalText, slug: OptionalText })),
    evaluations: lenient(JsonObject),
    artificial_analysis_intelligence_index_cost: lenient(JsonObject),
    pricing: lenient(JsonObject),
    performance: lenient(JsonObject),
  }),
});

type Values = Record<string, unknown> | null;

function readRow(itemId: string, { row, indexVersion, retired }: z.infer<typeof Value>): SourceRecord {
  if (row.id === null && row.slug === null) throw new RejectedItem('neither id nor slug');
  const { named, effort } = splitName(row.name);
  // Names leave out what the slug says: Gemini 3.1 Flash-Lite is gemini-3-1-flash-lite-preview, and previews come in series.
  const isPreview = /-preview\b/.test(row.slug ?? '') && !/preview/i.test(named);
  const series =
    /preview/i.test(named) && !/\d{2}\)/.test(row.name)
      ? /-\d\d-20\d\d$/.exec(row.slug ?? '')?.[0]
      : undefined;
  const added = `${isPreview ? ' Preview' : ''}${series === undefined ? '' : ` (${series.slice(1)})`}`;
  const bare = { effort, variant: null, date: null, source: SOURCE, attribution: ARTIFICIAL_ANALYSIS };
  const measured = (values: Values, unitOf: (name: string) => string | null, zeroIsUnknown: boolean) =>
    Object.entries(values ?? {}).flatMap(([name, value]): Benchmark[] => {
      if (
        typeof value !== 'number' ||
        !Number.isFinite(value) ||
        (zeroIsUnknown && value === 0) ||
        !isPlainText(name)
      )
        return [];
      const isIndex = /_index(_cost.*)?$/.test(name);
      return [{ ...bare, name, value, unit: unitOf(name), indexVersion: isIndex ? indexVersion : null }];
    });
  // The retired shape has the speeds among the row's own fields.
  const ownSpeeds = Object.entries(row).filter(([name]) => name.startsWith('median_'));
  return {
    source: SOURCE,
    id: itemId,
    type: 'measurement',
    naming: {
      creator: row.model_creator?.slug ?? row.model_creator?.name ?? null,
      model: `${row.name}${added}`,
      canonical: row.slug,
      provider: null,
      family: null,
    },
    kind: 'model',
    target: null,
    facts: {
      ...unknownFacts(`${named}${isPreview ? ' Preview' : ''}`),
      creatorName: row.model_creator?.name ?? null,
      releaseDate: row.release_date,
      benchmarks: [
        ...measured(row.evaluations, () => null, false),
        ...measured(costsOf(row.artificial_analysis_intelligence_index_cost), () => 'USD', false),
        ...measured(row.performance ?? Object.fromEntries(ownSpeeds), speedUnit, retired),
        ...measured(row.pricing, () => 'USD per 1M tokens', retired),
      ],
    },
    offer: null,
  };
}

function costsOf(cost: Values): Values {
  return {
    artificial_analysis_intelligence_index_cost: cost?.total_cost,
    artificial_analysis_intelligence_index_cost_per_task: JsonObject.safeParse(cost?.cost_per_task).data
      ?.total_cost,
  };
}

function speedUnit(name: string): string | null {
  if (name.endsWith('_per_second')) return 'tokens per second';
  return /_seconds$|^median_time_to_/.test(name) ? 'seconds' : null;
}

const LEVEL = /^(minimal|low|medium|high|xhigh|max)( effort)?$/;
const MODE = /^(?:adaptive )?((?:non-)?reasoning)$/;

/** `GPT-5 (high)` is GPT-5 measured at high effort, and so is `(Adaptive Reasoning, High Effort)`; other brackets stay. */
function splitName(name: string): { named: string; effort: string | null } {
  const [, before = '', words = ''] = /^(.+\S)\s*\(([^()]*)\)$/.exec(name) ?? [];
  const parts = words.toLowerCase().split(/,\s*/);
  const level = parts.map((part) => LEVEL.exec(part)?.[1]).find((found) => found !== undefined);
  const mode = parts.map((part) => MODE.exec(part)?.[1]).find((found) => found !== undefined);
  const effort =
    mode === 'non-reasoning' && level !== undefined ? `${mode}, ${level}` : (level ?? mode ?? null);
  return { named: effort === null ? name : before, effort };
}
