import { z } from 'zod';
import { gatherPages, nextPageUrl, readEnvelope } from '../envelope.ts';
import {
  JsonObject,
  lenient,
  lenientList,
  linkTo,
  makeItems,
  OptionalPastDate,
  OptionalText,
  PlainText,
  readItem,
} from '../fields.ts';
import { unknownFacts, type SourceRecord } from '../record.ts';
import { defineSource } from '../source.ts';
import { RejectedItem } from '../item.ts';

const SOURCE = 'huggingface';
const PAGE_SIZE = 500;
/** Twice what the whole Hub takes. */
const MAX_PAGES = 10_000;
const PROPERTIES = [
  'downloads',
  'downloadsAllTime',
  'likes',
  'tags',
  'pipeline_tag',
  'library_name',
  'createdAt',
  'lastModified',
  'gated',
  'private',
  'safetensors',
];

/** Tags that say more than themselves. */
const BASE_MODEL = /^base_model:([^:]+\/[^:]+)$/;
const LANGUAGE = /^([a-z]{2})$/;

const Page = z.array(z.unknown());

/** The Hugging Face Hub: repositories of weights, most downloaded first. https://huggingface.co/docs/hub/api */
export const huggingFace = defineSource({
  id: SOURCE,
  name: 'Hugging Face',
  baseUrl: { variable: 'HUGGINGFACE_URL', default: 'https://huggingface.co' },
  apiKey: { variable: 'HF_TOKEN', required: false },
  maxItems: { variable: 'HUGGINGFACE_MAX_MODELS', default: 1000 },
  attribution: null,
  async fetch(upstream) {
    const most = upstream.maxItems ?? Infinity;
    const headers: Record<string, string> =
      upstream.apiKey === null ? {} : { authorization: `Bearer ${upstream.apiKey}` };
    const { entries, add } = gatherPages();
    const seen = new Set<string>();
    let url: string | null = firstPageUrl(upstream.baseUrl, most);
    while (url !== null && !seen.has(url) && entries.length < most && seen.size < MAX_PAGES) {
      seen.add(url);
      const { body, headers: answered } = await upstream.getJson(url, { headers });
      const page = readEnvelope(Page, body, url);
      if (add(page.map((value) => ({ id: idOf(value), value }))) === 0) {
        if (page.length === 0) url = null;
        break;
      }
      const next = /<([^>]*)>\s*;[^<]*\brel="?next"?/i.exec(answered.get('link') ?? '')?.[1];
      url = next === undefined ? null : withLimit(nextPageUrl(next, url), most - entries.length);
    }
    const items = makeItems(entries.slice(0, most));
    const brokeOff = url !== null && entries.length < most;
    return { notModified: false, items, providers: [], asOf: null, brokeOff };
  },
  raw: {
    repository: {
      inside: null,
      fields: {
        name: { path: 'id', or: 'modelId' },
        'modalities.input': 'pipeline_tag',
        'modalities.output': 'pipeline_tag',
        parameterCount: { path: 'safetensors.total', unit: 'parameters' },
        task: 'pipeline_tag',
        baseModels: { path: 'tags', only: BASE_MODEL },
        languages: { path: 'tags', only: LANGUAGE },
        library: 'library_name',
        gated: 'gated',
        license: { path: 'tags', only: /^license:/ },
        links: { path: 'id', or: 'modelId' },
        lastUpdated: 'lastModified',
        'popularity.downloads': { path: 'downloads', unit: 'downloads in 30 days' },
        'popularity.downloadsAllTime': { path: 'downloadsAllTime', unit: 'downloads' },
        'popularity.likes': { path: 'likes', unit: 'likes' },
      },
    },
  },
  parse(item) {
    const repository = readItem(item, Repository);
    const id = repository.id ?? repository.modelId;
    if (id === null) throw new RejectedItem('not a repository id');
    if (repository.private) throw new RejectedItem('private repository');
    return readRepository(item.id, id, repository);
  },
});

function firstPageUrl(baseUrl: string, most: number): string {
  const query = new URLSearchParams({ sort: 'downloads', limit: '' });
  for (const property of PROPERTIES) query.append('expand', property);
  return withLimit(`${baseUrl}/api/models?${query.toString()}`, most);
}

function withLimit(address: string, left: number): string {
  const url = new URL(address);
  url.searchParams.set('limit', String(Math.max(1, Math.min(PAGE_SIZE, left))));
  return url.href;
}

function idOf(value: unknown): unknown {
  const entry = JsonObject.safeParse(value).data;
  return entry?.id ?? entry?.modelId;
}

const RepositoryId = z.string().regex(/^[\w.-]{1,200}(\/[\w.-]{1,200})?$/, 'not a repository id');
const Count = z.int().nonnegative();

const Repository = z.object({
  id: RepositoryId.nullable().default(null),
  modelId: RepositoryId.nullable().default(null),
  private: lenient(z.boolean()),
  gated: lenient(z.union([z.boolean(), z.enum(['auto', 'manual'])])),
  downloads: lenient(Count),
  downloadsAllTime: lenient(Count),
  likes: lenient(Count),
  tags: lenientList(PlainText),
  pipeline_tag: OptionalText,
  library_name: OptionalText,
  lastModified: OptionalPastDate,
  safetensors: lenient(z.object({ total: lenient(z.int().positive()) })),
});

/** Input and output of the tasks that leave no doubt. https://huggingface.co/tasks */
const MODALITIES = new Map<string, [input: string[], output: string[]]>([
  ['audio-text-to-text', [['audio', 'text'], ['text']]],
  ['automatic-speech-recognition', [['audio'], ['text']]],
  ['image-text-to-text', [['text', 'image'], ['text']]],
  ['image-text-to-video', [['text', 'image'], ['video']]],
  ['image-to-image', [['image'], ['image']]],
  ['image-to-text', [['image'], ['text']]],
  ['image-to-video', [['image'], ['video']]],
  ['summarization', [['text'], ['text']]],
  ['text-generation', [['text'], ['text']]],
  ['text-to-audio', [['text'], ['audio']]],
  ['text-to-image', [['text'], ['image']]],
  ['text-to-speech', [['text'], ['audio']]],
  ['text-to-video', [['text'], ['video']]],
  ['translation', [['text'], ['text']]],
  ['video-text-to-text', [['text', 'video'], ['text']]],
  ['visual-question-answering', [['text', 'image'], ['text']]],
]);

function taggedWith(tags: string[], form: RegExp): string[] {
  return tags.map((tag) => form.exec(tag)?.[1]).filter((found) => found !== undefined);
}

const LANGUAGES = new Intl.DisplayNames('en', { type: 'language', fallback: 'none' });

/** Tags of two letters are languages, but for a few such as `tf`. */
function isLanguage(code: string): boolean {
  return LANGUAGES.of(code) !== undefined;
}

function readRepository(itemId: string, id: string, said: z.infer<typeof Repository>): SourceRecord {
  const slash = id.indexOf('/');
  const model = id.slice(slash + 1);
  const [inputModalities, outputModalities] = MODALITIES.get(said.pipeline_tag ?? '') ?? [null, null];
  return {
    source: SOURCE,
    id: itemId,
    type: 'repository',
    naming: {
      creator: slash > 0 ? id.slice(0, slash) : null,
      model,
      canonical: null,
      provider: null,
      family: null,
    },
    kind: 'model',
    target: null,
    facts: {
      ...unknownFacts(model),
      inputModalities,
      outputModalities,
      openWeights: true,
      parameterCount: said.safetensors?.total ?? null,
      task: said.pipeline_tag,
      baseModels: taggedWith(said.tags, BASE_MODEL),
      languages: taggedWith(said.tags, LANGUAGE).filter(isLanguage),
      library: said.library_name,
      gated: said.gated === null ? null : said.gated !== false,
      license: said.tags.find((tag) => tag.startsWith('license:'))?.slice('license:'.length) || null,
      links: linkTo(`https://huggingface.co/${id}`, 'Hugging Face', 'weights'),
      // `createdAt` is when the repository was made, and never before March 2022, so it is no release date.
      lastUpdated: said.lastModified,
      popularity: {
        downloads: said.downloads,
        downloadsAllTime: said.downloadsAllTime,
        likes: said.likes,
      },
    },
    offer: null,
  };
}
