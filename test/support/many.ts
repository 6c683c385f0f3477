import type { UpstreamContent } from './upstream.ts';

/** Ids of the sources whose answers tests enlarge. */
export type SourceId = 'models.dev' | 'openrouter' | 'huggingface' | 'artificialanalysis';

const first = (rows: object[]) => structuredClone(rows[0]) as Record<string, unknown>;
const number = (index: number) => String(index).padStart(4, '0');

/** One item of a source's list, as the upstream has it: the `index`th of a maker that no fixture names. */
export function rowOf(content: UpstreamContent, source: SourceId, index: number): Record<string, unknown> {
  const name = `Fern ${index + 2}`;
  const slug = `fern-${index + 2}`;
  switch (source) {
    case 'models.dev':
      return { id: slug, name, limit: { context: 8192, output: 1024 }, cost: { input: 1, output: 2 } };
    case 'openrouter': {
      const row = first(content.openrouter);
      const id = `fern-lab/${slug}`;
      return { ...row, id, canonical_slug: id, name: `Fern Lab: ${name}`, hugging_face_id: null };
    }
    case 'huggingface': {
      const id = `fern-lab/Fern-${index + 2}`;
      const row = { ...first(content.huggingface), _id: `7f00000000000000000${number(index)}` };
      return { ...row, id, modelId: id, downloads: 90_000 - index, tags: [] };
    }
    case 'artificialanalysis': {
      const id = `00000000-0000-4000-8001-abcdef00${number(index)}`;
      const creator = { id: 'fern', name: 'Fern Lab', slug: 'fern-lab' };
      return { ...first(content.artificialAnalysis), id, slug, name, model_creator: creator };
    }
  }
}

/** Makes a source hold `rows` and nothing else; models.dev at one provider, with facts about no model. */
export function holdRows(content: UpstreamContent, source: SourceId, rows: unknown[]): void {
  if (source === 'openrouter') content.openrouter = rows as object[];
  else if (source === 'huggingface') content.huggingface = rows as object[];
  else if (source === 'artificialanalysis') content.artificialAnalysis = rows as object[];
  else {
    const keyed = rows.map((row, index) => [(row as { id?: unknown } | null)?.id ?? `row-${index}`, row]);
    content.modelsDevApi = {
      'fern-lab': { id: 'fern-lab', name: 'Fern Lab', models: Object.fromEntries(keyed) },
    };
    content.modelsDevModels = { 'fern-lab/about': { id: 'fern-lab/about', name: 'Fern About' } };
  }
}

/** The first `count` items of a source; of models.dev one less, since `holdRows` adds one. */
export function rowsOf(content: UpstreamContent, source: SourceId, count: number): Record<string, unknown>[] {
  const length = source === 'models.dev' ? count - 1 : count;
  return Array.from({ length }, (_, index) => rowOf(content, source, index));
}
