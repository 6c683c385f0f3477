import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import type { UpstreamContent } from './upstream.ts';

/** Where the recorded answers of the four services are, on machines that have them. */
export const payloadsDir = fileURLToPath(new URL('../../../shared/payloads/', import.meta.url));

/** Whether this machine has the recorded answers. */
export const hasPayloads = existsSync(payloadsDir);

/** A recorded answer, by its path below `payloadsDir`, gzipped or not. */
export function readPayload(path: string): unknown {
  const bytes = readFileSync(join(payloadsDir, path));
  return JSON.parse((path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')) as unknown;
}

/**
 * What the services held on 2026-07-02 (Artificial Analysis: a day later, in its retired shape), with `huggingface`
 * repositories, most downloaded first: those that the recordings name, then invented ones.
 */
export function recordedContent({ huggingface = 1000 }: { huggingface?: number } = {}): UpstreamContent {
  return {
    modelsDevApi: readPayload('modelsdev/2026-07-02.api.json.gz') as object,
    modelsDevModels: readPayload('modelsdev/2026-07-02.models.json.gz') as object,
    openrouter: (readPayload('openrouter/2026-07-02.models.json.gz') as { data: object[] }).data,
    huggingface: repositories(huggingface),
    artificialAnalysis: [],
    artificialAnalysisRetired: readPayload('artificialanalysis/2026-07-03.models.json.gz') as object,
    indexVersion: '4.1',
    pageSize: { openrouter: null, artificialAnalysis: 200 },
  };
}

function repositories(count: number): object[] {
  const named = readPayload('huggingface/2026-07-02.known-repo-ids.json.gz') as string[];
  const page = readPayload('huggingface/2026-04-13.page1.limit20.json.gz') as { id: string }[];
  const recorded = new Map(page.map((item) => [item.id, item]));
  const ids = [...new Set([...named, ...recorded.keys()])];
  return Array.from({ length: count }, (_, index) => {
    const known = ids[index];
    const id = known ?? inventedId(index);
    const task = known ? 'text-generation' : pickFrom(TASKS, index);
    return { ...generated(id, index, task), ...recorded.get(id), downloads: downloadsOf(index) };
  });
}

const MAKERS = ['meadow-lab', 'northwind-ai', 'Halcyon-Research', 'quiet-river', 'tinkerbench'];
const FAMILIES = ['brook', 'Lantern', 'ferrite', 'Marrow', 'heron', 'Quartz', 'sedge'];
const SUFFIXES = [
  '',
  '-Instruct',
  '-GGUF',
  '-v2',
  '-it',
  '-AWQ',
  '-base',
  '-FP8',
  '-sft',
  '-4bit',
  '-vision',
];
const TASKS = ['text-generation', 'image-text-to-text', 'feature-extraction', 'text-to-image'];

function inventedId(index: number): string {
  const size = [1, 3, 7, 13, 32, 70][index % 6];
  const family = `${pickFrom(FAMILIES, index)}-${Math.floor(index / 7)}-${size}b${pickFrom(SUFFIXES, index)}`;
  return `${pickFrom(MAKERS, index)}/${family}`;
}

/** An item in the recorded shape. */
function generated(id: string, index: number, task: string): object {
  return {
    _id: `6a00000000000000${index.toString(16).padStart(8, '0')}`,
    id,
    likes: Math.floor(9_000 / (index + 1)),
    trendingScore: index % 40,
    private: false,
    downloads: 0,
    tags: ['transformers', 'safetensors', task, 'endpoints_compatible', 'region:us'],
    pipeline_tag: task,
    library_name: 'transformers',
    createdAt: new Date(Date.UTC(2024, 0, 1) + (index % 900) * 86_400_000).toISOString(),
    modelId: id,
  };
}

function downloadsOf(index: number): number {
  return Math.floor(40_000_000 / (index + 1) ** 0.9);
}

function pickFrom(list: string[], index: number): string {
  return list[index % list.length] ?? '';
}
