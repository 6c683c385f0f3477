import { z } from 'zod';
import { listOf, paging, SourceRef } from './common.ts';
import { operation } from './operation.ts';

/** Who serves models. */
export const Provider = z
  .object({
    id: z.string().meta({ example: 'openai' }),
    name: z.string().meta({ example: 'OpenAI' }),
    docUrl: z.string().nullable().describe('Its documentation of models'),
    apiUrl: z.string().nullable().describe('Base URL of its API, where it is not built into a library'),
    npmPackage: z.string().nullable().describe('AI SDK package that talks to it'),
    environment: z
      .array(z.string())
      .describe('Environment variables in which its credentials are customarily kept'),
    models: z.number().int().describe('Models it serves'),
    offers: z.number().int().describe('Offers it makes; one model may be offered several times'),
    sources: z.array(SourceRef),
  })
  .meta({ id: 'Provider' });
export type Provider = z.infer<typeof Provider>;

/** `GET /v1/providers`: everyone who serves models. */
export const listProviders = operation({
  method: 'GET',
  path: '/v1/providers',
  summary: 'List providers',
  description: 'Everyone who serves models, by id.',
  tags: ['Providers'],
  cache: 'list',
  input: z.strictObject(paging),
  output: listOf(Provider).meta({ id: 'ProviderList' }),
  errors: ['BAD_REQUEST'],
});
