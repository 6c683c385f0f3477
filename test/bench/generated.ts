import { fixtureContent } from '../support/fixtures.ts';
import type { UpstreamContent } from '../support/upstream.ts';

/** How many entries the recorded set has. */
const COUNTS = {
  providers: 140,
  offers: 5_276,
  models: 231,
  openrouter: 338,
  huggingface: 1_000,
  artificialAnalysis: 550,
};

type Provider = { id: string; models: Record<string, object> };

/** `count` copies of the fixtures in turn, each with a name of its own. */
function copies<Item extends object>(
  items: Item[],
  count: number,
  rename: (item: Item, number: number) => Item,
): Item[] {
  return Array.from({ length: count }, (_, number) => rename(items[number % items.length] as Item, number));
}

/** Invented answers with as many entries as the recorded ones, or a part of them; most models are offered by many providers. */
export function generatedContent(scale = 1): UpstreamContent {
  const fixtures = fixtureContent();
  const providers = Object.values(fixtures.modelsDevApi) as Provider[];
  const models = providers.flatMap((provider) => Object.values(provider.models)) as { id: string }[];
  const perProvider = Math.ceil(COUNTS.offers / COUNTS.providers);
  const modelsDevApi = Object.fromEntries(
    copies(providers, Math.ceil(COUNTS.providers * scale), (provider, number) => {
      const offered = copies(models, perProvider, (model, at) => ({
        ...model,
        id: `${model.id}-${(number * 7 + at) % 400}`,
      }));
      return {
        ...provider,
        id: `host-${number}`,
        models: Object.fromEntries(offered.map((model) => [model.id, model])),
      };
    }).map((provider) => [provider.id, provider]),
  );
  const described = Object.entries(fixtures.modelsDevModels ?? {}) as [string, object][];
  const modelsDevModels = Object.fromEntries(
    copies(described, Math.ceil(COUNTS.models * scale), ([id, model], number) => [
      `${id}-${number}`,
      { ...model, id: `${id}-${number}` },
    ]),
  );
  return {
    ...fixtures,
    modelsDevApi,
    modelsDevModels,
    openrouter: copies(
      fixtures.openrouter as { id: string }[],
      Math.ceil(COUNTS.openrouter * scale),
      (row, number) => ({
        ...row,
        id: `${row.id}-${number}`,
        canonical_slug: `${row.id}-${number}`,
      }),
    ),
    huggingface: copies(
      fixtures.huggingface as { id: string }[],
      Math.ceil(COUNTS.huggingface * scale),
      (row, number) => ({
        ...row,
        _id: `6b00000000000000${number.toString(16).padStart(8, '0')}`,
        id: `${row.id}-${number}`,
        modelId: `${row.id}-${number}`,
        downloads: 40_000_000 - number,
      }),
    ),
    artificialAnalysis: copies(
      fixtures.artificialAnalysis as { id: string; slug: string }[],
      Math.ceil(COUNTS.artificialAnalysis * scale),
      (row, number) => ({
        ...row,
        id: `00000000-0000-4000-9000-${String(number).padStart(12, '0')}`,
        slug: `${row.slug}-${number}`,
      }),
    ),
  };
}
