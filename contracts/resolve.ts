import { z } from 'zod';
import { oneOf, Text } from './common.ts';
import { Model } from './models.ts';
import { Candidate, Hint, Match } from './names.ts';
import { operation } from './operation.ts';

/** The most names that one request may ask for. */
export const MAX_NAMES = 100;

const name = {
  id: Text.trim()
    .min(1)
    .max(500)
    .describe(
      'Any id or name of a model: of this catalogue, a source, a provider or Hugging Face; case does not matter',
    )
    .meta({ example: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0' }),
  source: Text.min(1)
    .max(100)
    .optional()
    .describe(
      'Id of the source or provider that the name is from, where the same name means different models in different places',
    )
    .meta({ example: 'amazon-bedrock' }),
};

/** What was asked for. */
export const NameQuery = z
  .object({ id: z.string(), source: z.string().nullable() })
  .meta({ id: 'NameQuery', example: { id: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0', source: null } });
export type NameQuery = z.infer<typeof NameQuery>;

/** What a name means, in short: `GET /v1/models/{creator}/{slug}` has the rest. */
export const NamedModel = Model.pick({
  id: true,
  kind: true,
  target: true,
  since: true,
  name: true,
  creator: true,
  creatorName: true,
  family: true,
  releaseDate: true,
  lifecycle: true,
}).meta({ id: 'NamedModel' });
export type NamedModel = z.infer<typeof NamedModel>;

/** A name and the model that it means. */
export const Resolved = z
  .object({
    query: NameQuery,
    model: NamedModel.describe(
      'The model; a name that its owner moves is an entry of its own, with its `target`',
    ),
    match: Match,
  })
  .meta({ id: 'Resolved' });
export type Resolved = z.infer<typeof Resolved>;

/** What became of one of several names. */
export const Resolution = z
  .object({
    status: z
      .enum(['resolved', 'ambiguous', 'not_found'])
      .describe(
        'resolved: `model` and `match` say what it means. ambiguous: `candidates` are what it means in different places. ' +
          'not_found: `hints` are near.',
      ),
    query: NameQuery,
    model: NamedModel.nullable(),
    match: Match.nullable(),
    candidates: z.array(Candidate),
    hints: z.array(Hint),
  })
  .meta({ id: 'Resolution' });
export type Resolution = z.infer<typeof Resolution>;

const HOW =
  'Ids of this catalogue come first, former ones included. Then names that a source or provider uses: models.dev has `provider/model`, ' +
  'Artificial Analysis a slug or UUID, OpenRouter and Hugging Face their ids, a provider its own. A name that nobody is known to use is ' +
  'read by the rules that the catalogue itself is made with, never by how alike names look.';

/** `GET /v1/resolve`: which model a name means. */
export const resolveName = operation({
  method: 'GET',
  path: '/v1/resolve',
  summary: 'Resolve a name',
  description:
    `Which model any id or name means, and why. ${HOW} Where it means several models the answer is 409 with \`candidates\`; ` +
    'where it means none, 404 with `hints`: up to five models of the same family, those that share most parts of the name first, then the newest.',
  tags: ['Models'],
  cache: 'item',
  input: z.strictObject(name),
  output: oneOf(Resolved).meta({ id: 'ResolveAnswer' }),
  errors: ['BAD_REQUEST', 'NOT_FOUND', 'CONFLICT'],
});

/** `POST /v1/resolve`: the same for many names. */
export const resolveNames = operation({
  method: 'POST',
  path: '/v1/resolve',
  summary: 'Resolve names',
  description: `Which models up to ${MAX_NAMES} ids or names mean, in the order of the request, each with what became of it. ${HOW}`,
  tags: ['Models'],
  input: z.strictObject({
    ids: z
      .array(z.strictObject(name).meta({ id: 'Name' }))
      .min(1)
      .max(MAX_NAMES)
      .describe('The names'),
  }),
  output: oneOf(z.array(Resolution)).meta({ id: 'ResolveManyAnswer' }),
  errors: ['BAD_REQUEST', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'],
});
