import { z } from 'zod';

/** How a name came to mean a model. */
export const Match = z
  .object({
    kind: z
      .enum(['exact', 'link', 'rule', 'alias'])
      .describe(
        'exact: it is the id, or the same name. link: a source links the entry to the model. rule: a reviewed rule reads it so. ' +
          'alias: a former id, or a name known by review or from an earlier sync.',
      ),
    rule: z
      .string()
      .nullable()
      .describe('Name of the deciding rule; null: the names are equal')
      .meta({ example: 'region-prefix' }),
    evidence: z
      .array(z.string())
      .describe('What was found, one sentence each')
      .meta({ example: ['us. before anthropic.claude-sonnet-4-5'] }),
  })
  .meta({ id: 'Match' });
export type Match = z.infer<typeof Match>;

/** One of several models that a name means, and where it does. */
export const Candidate = z
  .object({
    id: z.string().describe('Id of the model').meta({ example: 'deepseek/deepseek-v3.2' }),
    name: z.string().meta({ example: 'DeepSeek V3.2' }),
    usages: z
      .array(
        z
          .object({
            namespace: z
              .string()
              .nullable()
              .describe(
                'The source or provider that calls the model so: pass it as `source`. Null: read by the rules alone',
              )
              .meta({ example: 'zenmux' }),
            match: Match,
          })
          .meta({ id: 'NameUsage' }),
      )
      .describe('Where the name means this model, and how'),
  })
  .meta({ id: 'Candidate' });
export type Candidate = z.infer<typeof Candidate>;

/** A model whose name is near to one that is not known. It need not be what was meant. */
export const Hint = z
  .object({
    id: z.string().describe('Id of the model').meta({ example: 'openai/gpt-5-mini' }),
    name: z.string().meta({ example: 'GPT-5 Mini' }),
    isGuess: z.literal(true).describe('Always true: a hint is no match'),
    because: z
      .string()
      .describe('What the names share, and what sets them apart')
      .meta({ example: 'the same family; version 9 is not 5' }),
  })
  .meta({ id: 'Hint' });
export type Hint = z.infer<typeof Hint>;
