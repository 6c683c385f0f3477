import { expect, test } from 'vitest';
import { SOURCES } from '../../../sync/sources/index.ts';

test('the sources, where they are, and the variables they declare', () => {
  const declared = SOURCES.map(({ id, baseUrl, apiKey, maxItems }) => [
    id,
    baseUrl?.variable,
    baseUrl?.default,
    apiKey && `${apiKey.variable}${apiKey.required ? ' (required)' : ''}`,
    maxItems && `${maxItems.variable}=${maxItems.default}`,
  ]);
  expect(declared).toEqual([
    ['models.dev', 'MODELS_DEV_URL', 'https://models.dev', null, null],
    ['openrouter', 'OPENROUTER_URL', 'https://openrouter.ai/api/v1', 'OPENROUTER_API_KEY', null],
    ['huggingface', 'HUGGINGFACE_URL', 'https://huggingface.co', 'HF_TOKEN', 'HUGGINGFACE_MAX_MODELS=1000'],
    [
      'artificialanalysis',
      'ARTIFICIAL_ANALYSIS_URL',
      'https://artificialanalysis.ai/api/v2',
      'ARTIFICIAL_ANALYSIS_API_KEY (required)',
      null,
    ],
  ]);
});
