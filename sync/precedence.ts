import type { StatedField, Trust } from '../contracts/provenance.ts';

/** How the published value of a field is made of what entries say. */
type How =
  /** From the first class in the order that knows it: the value that most of its entries state, else the first entry's. */
  | 'first'
  /** The same, all its parts from one entry. */
  | 'whole'
  /** Put together from all of them. */
  | 'all'
  /** Those of the reference offer, in the words of the provider's own catalogue before another's. */
  | 'offer';

/** Who is believed about a field, and why. */
export interface Precedence {
  how: How;
  /** The classes that it may be taken from, the most trusted first. */
  order: readonly Trust[];
  because: string;
}

/** Curated metadata, the maker, the sellers, the weights, and last who measured it. */
const GENERAL = ['metadata', 'own', 'openrouter', 'host', 'repository', 'measurement'] as const;

/** Who is believed about every field: the one table that merging goes by. A row holds for the parts of its field, but for those with a row of their own. */
export const PRECEDENCE = {
  target: { how: 'first', order: GENERAL, because: 'Only who moves a rolling name knows where it points.' },
  name: {
    how: 'first',
    order: GENERAL,
    because: 'Sellers and repositories decorate names; curated ones are plain.',
  },
  creatorName: {
    how: 'first',
    order: GENERAL,
    because: 'Taken only where no reviewed table names the creator.',
  },
  family: { how: 'first', order: GENERAL, because: 'Families are a curated notion; sellers copy them.' },
  description: {
    how: 'first',
    order: GENERAL,
    because: 'The nearer to the maker, the less it is an advertisement.',
  },
  modalities: {
    how: 'first',
    order: GENERAL,
    because: 'A seller may pass on less than the model takes; a repository names one task of it.',
  },
  capabilities: {
    how: 'first',
    order: GENERAL,
    because: 'What one seller does not pass on, the model can do all the same.',
  },
  parameters: {
    how: 'all',
    order: GENERAL,
    because: 'A parameter is worth listing where any offer supports it.',
  },
  reasoning: {
    how: 'whole',
    order: GENERAL,
    because: 'Its parts make sense together only, so they come from one entry.',
  },
  limits: {
    how: 'whole',
    order: GENERAL,
    because: 'Limits of one entry belong together; a seller may serve a shorter context than the model has.',
  },
  'limits.input': {
    how: 'first',
    order: ['metadata', 'own', 'openrouter'],
    because:
      'Where the entry that gives the context leaves it open, an official one with the same context fills it in; a lower limit of another seller is its own.',
  },
  'limits.output': {
    how: 'first',
    order: ['metadata', 'own', 'openrouter'],
    because:
      'Where the entry that gives the context leaves it open, an official one with the same context fills it in; a lower limit of another seller is its own.',
  },
  pricing: {
    how: 'offer',
    order: ['own', 'openrouter', 'host'],
    because:
      "A price belongs to an offer: the creator's own, else the cheapest known; of two catalogues that state one offer, the provider's own is believed.",
  },
  openWeights: {
    how: 'first',
    order: ['metadata', 'repository', 'own', 'host'],
    because: 'The repository is the fact itself; a host of open weights often does not mark them as open.',
  },
  parameterCount: { how: 'first', order: GENERAL, because: 'Counted in the published checkpoint.' },
  tokenizer: { how: 'first', order: GENERAL, because: 'Stated by OpenRouter alone.' },
  task: { how: 'first', order: GENERAL, because: 'Stated by the repository alone.' },
  baseModels: { how: 'all', order: GENERAL, because: 'A model can be made from several others.' },
  languages: { how: 'all', order: GENERAL, because: 'Each repository names those it was made for.' },
  library: { how: 'first', order: GENERAL, because: 'Stated by the repository alone.' },
  gated: { how: 'first', order: GENERAL, because: 'Stated by the repository alone.' },
  license: {
    how: 'first',
    order: GENERAL,
    because: 'A curated name beats the tag of a repository, which is often `other`.',
  },
  links: { how: 'all', order: GENERAL, because: 'Every page about the model is of use, each address once.' },
  releaseDate: {
    how: 'first',
    order: ['metadata', 'own', 'measurement', 'host'],
    because:
      'Hosts copy release dates by hand or state their own; OpenRouter has listing dates only, and repositories when they were created.',
  },
  lastUpdated: {
    how: 'first',
    order: ['metadata', 'own', 'host', 'repository'],
    because: 'A repository also changes when its readme does.',
  },
  knowledgeCutoff: {
    how: 'first',
    order: GENERAL,
    because: 'The maker announces it; sellers copy or round it.',
  },
  stage: {
    how: 'first',
    order: ['metadata', 'own'],
    because: 'How finished a model is, only its maker can tell.',
  },
  lifecycle: {
    how: 'whole',
    order: ['metadata', 'own', 'openrouter'],
    because:
      "One seller's end of sale is not the model's; OpenRouter's descriptions repeat what makers announce.",
  },
  'lifecycle.successor': {
    how: 'first',
    order: ['metadata', 'own', 'openrouter'],
    because: 'Who says that a model is deprecated seldom says what replaces it.',
  },
  popularity: { how: 'whole', order: GENERAL, because: 'Counted by the repository alone.' },
  benchmarks: {
    how: 'all',
    order: GENERAL,
    because: 'Each score is credited to who measured it; scores are not averaged.',
  },
} as const satisfies Record<string, Precedence>;

/** The names of the rows of the table. */
export type PrecedenceRow = keyof typeof PRECEDENCE;

/** The row that holds for a field. */
export function precedenceOf(field: StatedField): Precedence {
  const row = field in PRECEDENCE ? field : (field.split('.')[0] ?? field);
  return PRECEDENCE[row as PrecedenceRow];
}
