import type { Offer } from '../../contracts/offers.ts';
import { nanoFromDecimal } from '../../sync/units.ts';
import { readPayload } from '../support/payloads.ts';
import { FIELDS, type Field } from './price-files.ts';

type Stated = Partial<Record<Field, string | number>>;

/** Stated prices in USD; `shift` moves their point to a price per 1,000,000 tokens. */
interface Statement {
  stated: Stated;
  shift: number;
}

/** A price of an offer that is not what its source states. */
export interface Corruption {
  provider: string;
  modelId: string;
  field: Field;
  ours: number | null;
  upstream: string | number | null;
}

const offerKey = (provider: string, modelId: string) => `${provider} ${modelId}`;

/** What the recorded sources state about every offer; OpenRouter's own list is about its offers before models.dev's. */
function statedPrices(): Map<string, Statement> {
  const catalog = readPayload('modelsdev/2026-07-02.api.json.gz') as Record<
    string,
    { models: Record<string, { id: string; cost?: Stated }> }
  >;
  const { data: listed } = readPayload('openrouter/2026-07-02.models.json.gz') as {
    data: { id: string; pricing: { prompt: string; completion: string } }[];
  };
  const statements = new Map<string, Statement>();
  for (const [provider, { models }] of Object.entries(catalog)) {
    for (const { id, cost = {} } of Object.values(models))
      statements.set(offerKey(provider, id), { stated: cost, shift: 0 });
  }
  for (const { id, pricing } of listed) {
    const stated = { input: pricing.prompt, output: pricing.completion };
    statements.set(offerKey('openrouter', id), { stated, shift: 6 });
  }
  return statements;
}

/** Offers whose price differs from what their source states, beyond zeros and signs that are no prices. */
export function corruptedPrices(offers: Offer[]): Corruption[] {
  const statements = statedPrices();
  return offers.flatMap(({ provider, providerModelId: modelId, pricing }) =>
    FIELDS.flatMap((field) => {
      const { stated = {}, shift = 0 } = statements.get(offerKey(provider, modelId)) ?? {};
      const upstream = stated[field] ?? null;
      const ours = pricing[field];
      const isSame =
        ours === null
          ? upstream === null || Number(upstream) <= 0
          : upstream !== null && nanoFromDecimal(ours, 0) === nanoFromDecimal(upstream, shift);
      return isSame ? [] : [{ provider, modelId, field, ours, upstream }];
    }),
  );
}
