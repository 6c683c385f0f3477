import type { PRICE_FIELDS, StatedField } from '../contracts/provenance.ts';
import type { SourceRecord } from './record.ts';

/** The fields that are about the model itself; the others are about its reference offer. */
export type ModelField = Exclude<StatedField, OfferField>;

/** The fields that are those of an offer. */
export type OfferField =
  | 'pricing.status'
  | 'pricing.provider'
  | 'pricing.discount'
  | 'pricing.tiers'
  | (typeof PRICE_FIELDS)[number];

type Reader = (record: SourceRecord) => unknown;

/** The repository of the weights that a name stands for at the moment. */
function weightsOf(links: SourceRecord['facts']['links']): string | null {
  const link = links.find(({ type, url }) => type === 'weights' && url.startsWith('https://huggingface.co/'));
  return link?.url.slice('https://huggingface.co/'.length) ?? null;
}

/** What one record says about each field of a model; null and undefined: nothing. */
export const MODEL_FIELDS = {
  target: ({ target, type, facts }) => target ?? (type === 'metadata' ? weightsOf(facts.links) : null),
  name: ({ facts }) => facts.name,
  creatorName: ({ facts }) => facts.creatorName,
  family: ({ facts }) => facts.family,
  description: ({ facts }) => facts.description,
  'modalities.input': ({ facts }) => facts.inputModalities,
  'modalities.output': ({ facts }) => facts.outputModalities,
  'capabilities.attachments': ({ facts }) => facts.capabilities.attachments,
  'capabilities.interleaved_reasoning': ({ facts }) => facts.capabilities.interleaved_reasoning,
  'capabilities.reasoning': ({ facts }) => facts.capabilities.reasoning,
  'capabilities.structured_outputs': ({ facts }) => facts.capabilities.structured_outputs,
  'capabilities.tools': ({ facts }) => facts.capabilities.tools,
  parameters: ({ facts }) => facts.parameters,
  'reasoning.mandatory': ({ facts }) => facts.reasoning?.mandatory,
  'reasoning.efforts': ({ facts }) => facts.reasoning?.efforts,
  'reasoning.enabledByDefault': ({ facts }) => facts.reasoning?.enabledByDefault,
  'reasoning.defaultEffort': ({ facts }) => facts.reasoning?.defaultEffort,
  'reasoning.interleavedField': ({ facts }) => facts.reasoning?.interleavedField,
  'reasoning.budgetTokens': ({ facts }) => facts.reasoning?.budgetTokens,
  'limits.context': ({ facts }) => facts.limits.context,
  'limits.input': ({ facts }) => facts.limits.input,
  'limits.output': ({ facts }) => facts.limits.output,
  openWeights: ({ facts }) => facts.openWeights,
  parameterCount: ({ facts }) => facts.parameterCount,
  tokenizer: ({ facts }) => facts.tokenizer,
  task: ({ facts }) => facts.task,
  baseModels: ({ facts }) => facts.baseModels,
  languages: ({ facts }) => facts.languages,
  library: ({ facts }) => facts.library,
  gated: ({ facts }) => facts.gated,
  license: ({ facts }) => facts.license,
  links: ({ facts }) => facts.links,
  releaseDate: ({ facts }) => facts.releaseDate,
  lastUpdated: ({ facts }) => facts.lastUpdated,
  knowledgeCutoff: ({ facts }) => facts.knowledgeCutoff,
  stage: ({ facts }) => facts.stage,
  'lifecycle.status': ({ facts }) => facts.lifecycle?.status,
  'lifecycle.date': ({ facts }) => facts.lifecycle?.date,
  'lifecycle.successor': ({ facts }) => facts.lifecycle?.successor,
  'popularity.downloads': ({ facts }) => facts.popularity?.downloads,
  'popularity.downloadsAllTime': ({ facts }) => facts.popularity?.downloadsAllTime,
  'popularity.likes': ({ facts }) => facts.popularity?.likes,
  benchmarks: ({ facts }) => facts.benchmarks,
} as const satisfies Record<ModelField, Reader>;

/** What a field is when some record states it. */
export type ModelFieldValue<Field extends ModelField> = NonNullable<ReturnType<(typeof MODEL_FIELDS)[Field]>>;

/** Whether a field is one of the model itself. */
export function isModelField(field: string): field is ModelField {
  return Object.hasOwn(MODEL_FIELDS, field);
}

/** Whether a value says anything: null and empty lists do not. */
export function says(value: unknown): boolean {
  return value !== null && value !== undefined && !(Array.isArray(value) && value.length === 0);
}
