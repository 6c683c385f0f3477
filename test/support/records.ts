import { unknownPricing } from '../../sync/prices.ts';
import { unknownFacts, type ModelFacts, type OfferFacts, type SourceRecord } from '../../sync/record.ts';

/** A record with what a test says, and nothing known otherwise. */
export function record(
  over: Partial<Omit<SourceRecord, 'facts' | 'naming'>> & {
    facts?: Partial<ModelFacts>;
    naming?: Partial<SourceRecord['naming']>;
  },
): SourceRecord {
  const { facts, naming, ...rest } = over;
  const model = naming?.model ?? rest.id ?? 'a-model';
  return {
    source: 'models.dev',
    id: model,
    type: 'metadata',
    kind: 'model',
    target: null,
    offer: null,
    ...rest,
    naming: { creator: null, model, canonical: null, provider: null, family: null, ...naming },
    facts: { ...unknownFacts(facts?.name ?? model), ...facts },
  };
}

/** What models.dev says of an offer. */
export function offered(
  provider: string,
  model: string,
  {
    family = null,
    offer = {},
    facts = {},
  }: { family?: string | null; offer?: Partial<OfferFacts>; facts?: Partial<ModelFacts> } = {},
): SourceRecord {
  return record({
    id: `${provider}/${model}`,
    type: 'offer',
    naming: { model, provider, family },
    facts,
    offer: offerFacts(provider, model, offer),
  });
}

/** An offer with what a test says, and nothing known otherwise. */
export function offerFacts(
  provider: string,
  providerModelId: string,
  over: Partial<OfferFacts> = {},
): OfferFacts {
  return {
    provider,
    providerModelId,
    pricing: unknownPricing(),
    modes: [],
    limits: { context: null, input: null, output: null },
    parameters: [],
    defaultParameters: {},
    voices: [],
    moderated: null,
    apiUrl: null,
    npmPackage: null,
    apiShape: null,
    listedAt: null,
    stage: null,
    lifecycle: null,
    ...over,
  };
}
