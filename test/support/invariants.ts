import { Model } from '../../contracts/models.ts';
import { Offer, PRICE_NAMES, type Pricing } from '../../contracts/offers.ts';
import type { Catalog } from '../../sync/catalog.ts';

const AT = '2026-07-02T10:00:00.000Z';
const MAX_PRICE = 10_000;
const FIRST_DATE = '1990';
const LAST_DATE = '2041';

/** Throws an error that shows what was found. */
function demand(holds: boolean, what: string, found: unknown): void {
  if (!holds) throw new Error(`${what}: ${JSON.stringify(found)?.slice(0, 500)}`);
}

function checkTexts(value: unknown, where: string): void {
  if (typeof value === 'string') {
    demand(value.isWellFormed(), `${where} has half a character`, value);
    demand(!value.includes('\0'), `${where} has a NUL`, value);
    demand(value.length <= 20_001, `${where} is overlong`, value.length);
  } else if (typeof value === 'number') demand(Number.isFinite(value), `${where} is no number`, value);
  else if (typeof value === 'object' && value !== null) {
    for (const [key, held] of Object.entries(value)) {
      demand(key !== '__proto__', `${where} has a prototype`, value);
      checkTexts(key, where);
      checkTexts(held, `${where}.${key.slice(0, 40)}`);
    }
  }
}

function checkPricing(pricing: Pricing, where: string): void {
  for (const set of [pricing, ...pricing.tiers]) {
    for (const name of PRICE_NAMES) {
      const price = set[name];
      if (price === null) continue;
      demand(price >= 0 && price <= MAX_PRICE, `${where}: ${name} is out of bounds`, price);
      demand(Number.isSafeInteger(Math.round(price * 1e9)), `${where}: ${name} is not exact`, price);
    }
  }
  const charges = [pricing, ...pricing.tiers].flatMap((set) => PRICE_NAMES.map((name) => set[name] ?? 0));
  if (pricing.status === 'known')
    demand(
      charges.some((price) => price > 0),
      `${where} is not known`,
      pricing,
    );
  else
    demand(
      charges.every((price, at) => price === 0 || PRICE_NAMES[at] === 'perSearch'),
      where,
      pricing,
    );
}

function checkDates(dates: (string | null)[], where: string): void {
  for (const date of dates) {
    if (date !== null) demand(date >= FIRST_DATE && date < LAST_DATE, `${where} has an absurd date`, date);
  }
}

/** Checks one published model, as anybody reads it. Throws where something is wrong with it. */
export function checkModel(model: Model): void {
  const where = `model ${model.id}`;
  const read = Model.safeParse(model);
  demand(read.success, `${where} breaks its contract`, read.error?.issues);
  const [creator = '', slug = ''] = model.id.split('/');
  demand(creator.length <= 100 && slug.length <= 300, `${where} can not be asked for`, model.id);
  demand(model.name.trim() !== '', `${where} has no name`, model.name);
  checkTexts(model, where);
  checkPricing(model.pricing, where);
  checkDates([model.releaseDate, model.lastUpdated, model.knowledgeCutoff], where);
  const { downloads, downloadsAllTime, likes } = model.popularity;
  const counts = [...Object.values(model.limits), model.parameterCount, downloads, downloadsAllTime, likes];
  for (const count of counts)
    demand(count === null || (Number.isSafeInteger(count) && count >= 0), `${where} has no count`, count);
}

/** Checks one published offer. Throws where something is wrong with it. */
export function checkOffer(offer: Offer): void {
  const where = `offer ${offer.provider} ${offer.providerModelId}`;
  const read = Offer.safeParse(offer);
  demand(read.success, `${where} breaks its contract`, read.error?.issues);
  demand(offer.provider.length <= 100, `${where}: the provider can not be asked for`, offer.provider);
  checkTexts(offer, where);
  for (const { pricing } of [offer, ...offer.modes]) checkPricing(pricing, where);
  checkDates([offer.listedAt], where);
}

/** A document read from its text, which has to be the text that it is written as. */
function documentOf<Document>(text: string, where: string): Document {
  const document = JSON.parse(text) as Document;
  demand(JSON.stringify(document) === text, `${where} is not the same text twice`, text);
  return document;
}

function checkUnique(keys: string[], what: string): void {
  const seen = new Set<string>();
  for (const key of keys) {
    demand(!seen.has(key), `${what} twice`, key);
    seen.add(key);
  }
}

/** Checks everything that is to be published. Throws where something is wrong with it. */
export function checkCatalog(catalog: Catalog): void {
  for (const row of catalog.models) {
    const texts = row.openDocument === null ? [row.document] : [row.document, row.openDocument];
    const [model, open = model] = texts.map((text) => ({
      ...documentOf<Model>(text, row.id),
      since: null,
      firstSeenAt: AT,
      updatedAt: AT,
    })) as [Model, Model?];
    for (const document of [model, open]) checkModel(document);
    // An id that was published before is kept, whoever is found to have made the model; these have none.
    demand(model.id.startsWith(`${model.creator}/`), `model ${model.id} has another creator`, model.creator);
    const columns = [row.id, row.creator, row.nameKey, row.releaseDate, row.openReleaseDate, row.context];
    const said = [model.id, model.creator, model.name.toLowerCase(), model.releaseDate, open.releaseDate];
    demand(JSON.stringify(columns) === JSON.stringify([...said, model.limits.context]), row.id, columns);
    demand(row.downloads === model.popularity.downloads && row.target === model.target, row.id, row);
    const usd = [row.inputPrice, row.outputPrice].map((nano) => nano && nano / 1e9);
    demand(usd[0] === model.pricing.input && usd[1] === model.pricing.output, `${row.id} prices`, usd);
    checkTexts(row.searchText, `searchText of ${row.id}`.slice(0, 100));
  }
  const ids = new Set(catalog.models.map(({ id }) => id));
  for (const row of catalog.offers) {
    const offer = documentOf<Offer>(row.document, row.providerModelId);
    checkOffer(offer);
    demand(ids.has(row.modelId), 'an offer of no model', row);
    const stated = [row.provider, row.providerModelId, row.priceStatus];
    demand(
      JSON.stringify(stated) ===
        JSON.stringify([offer.provider, offer.providerModelId, offer.pricing.status]),
      'columns of an offer',
      stated,
    );
    for (const name of PRICE_NAMES) {
      const nano = (row as unknown as Record<string, number | null>)[`${name}Price`] ?? null;
      demand(nano === null || Number.isSafeInteger(nano), 'a price that is not whole', nano);
      demand((nano === null ? null : nano / 1e9) === offer.pricing[name], `the price ${name}`, offer);
    }
  }
  for (const { alias, namespace, modelId } of catalog.aliases) {
    checkTexts([alias, namespace], `alias of ${modelId}`);
    demand(ids.has(modelId), 'an alias of no model', alias);
  }
  for (const { document, modelId } of catalog.conflicts)
    checkTexts(documentOf(document, modelId), `conflict of ${modelId}`);
  checkUnique(
    catalog.models.map(({ id }) => id),
    'a model',
  );
  checkUnique(
    catalog.offers.map(({ provider, providerModelId }) => JSON.stringify([provider, providerModelId])),
    'an offer',
  );
  checkUnique(
    catalog.aliases.map(({ alias, namespace }) => JSON.stringify([alias, namespace])),
    'an alias',
  );
  checkUnique(
    catalog.conflicts.map(({ modelId, field, provider, providerModelId, view }) =>
      JSON.stringify([modelId, field, provider, providerModelId, view]),
    ),
    'a conflict',
  );
}
