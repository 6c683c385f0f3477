import { nanoFromDecimal } from '../../sync/units.ts';
import { readPayload } from '../support/payloads.ts';
import { GENAI_PROVIDERS, LITELLM_PROVIDERS, type ProviderName } from './price-providers.ts';

/** The prices that are compared. */
export const FIELDS = ['input', 'output'] as const;
export type Field = (typeof FIELDS)[number];

/** An entry of a price file: prices in nano-dollars per 1,000,000 tokens, null where it has none. */
export interface TheirEntry extends Record<Field, number | null> {
  /** Providers of the catalogue that it is about; none where the catalogue does not have its provider. */
  providers: readonly string[];
  /** Ids under which the provider serves the model, in lower case. */
  modelIds: string[];
}

/** A price file that is made independently of every source of the catalogue. */
export interface PriceFile {
  name: string;
  read: () => TheirEntry[];
}

/** The moment at which prices are compared: that of the recorded set, at noon. */
const MOMENT = { date: '2026-07-02', time: '12:00:00Z' };

/** The independent price files of the day of the recorded set. */
export const PRICE_FILES: PriceFile[] = [
  { name: 'litellm', read: readLiteLlm },
  { name: 'genai-prices', read: readGenaiPrices },
];

function nano(value: unknown, shift: number): number | null {
  return typeof value === 'number' || typeof value === 'string' ? nanoFromDecimal(value, shift) : null;
}

const byTheirs = (names: readonly ProviderName[]) => new Map(names.map((name) => [name.theirs, name]));

interface LiteLlmEntry {
  litellm_provider?: string;
  input_cost_per_token?: unknown;
  output_cost_per_token?: unknown;
  /** Prices by the length of the prompt, the shortest first, in place of the two above. */
  tiered_pricing?: LiteLlmEntry[];
}

/** Keys are `<model>` or `<route>/<model>`, prices USD per token. */
function readLiteLlm(): TheirEntry[] {
  const file = readPayload('litellm/2026-07-02.model_prices_and_context_window.json.gz');
  const providers = byTheirs(LITELLM_PROVIDERS);
  return Object.entries(file as Record<string, LiteLlmEntry>)
    .filter(([key]) => key !== 'sample_spec')
    .map(([key, entry]) => {
      const provider = providers.get(entry.litellm_provider ?? '');
      const routes = provider?.routes ?? [provider?.theirs];
      const route = routes.find((route) => key.startsWith(`${route}/`));
      const id = route === undefined ? key : key.slice(route.length + 1);
      return {
        providers: provider?.ours ?? [],
        modelIds: [id.toLowerCase()],
        input: nano(entry.input_cost_per_token ?? entry.tiered_pricing?.[0]?.input_cost_per_token, 6),
        output: nano(entry.output_cost_per_token ?? entry.tiered_pricing?.[0]?.output_cost_per_token, 6),
      };
    });
}

type Match = { or?: Match[]; and?: Match[] } & Record<string, unknown>;
type GenaiPrices = Record<string, unknown>;
interface Conditional {
  constraint?: { start_date?: string; start_time?: string; end_time?: string };
  prices: GenaiPrices;
}
interface GenaiModel {
  id: string;
  match: Match;
  prices: GenaiPrices | Conditional[];
}

/** Models say in clauses which ids they are about, and have prices in USD per 1,000,000 tokens. */
function readGenaiPrices(): TheirEntry[] {
  const file = readPayload('prices/genai-prices.2026-07-02.data.json.gz');
  const providers = byTheirs(GENAI_PROVIDERS);
  return (file as { id: string; models: GenaiModel[] }[]).flatMap(({ id: theirs, models }) =>
    models.map(({ id, match, prices }) => {
      const { input_mtok: input, output_mtok: output } = pricesNow(prices);
      return {
        providers: providers.get(theirs)?.ours ?? [],
        modelIds: [...new Set([id, ...spelledIds(match)].map((text) => text.toLowerCase()))],
        input: nano(basePrice(input), 0),
        output: nano(basePrice(output), 0),
      };
    }),
  );
}

/** The ids that clauses spell out; that longer ids may match as well is not used. */
function spelledIds({ or = [], equals, starts_with: start, contains }: Match): string[] {
  const own = [equals, start, contains].filter((text) => typeof text === 'string');
  return [...own, ...or.flatMap(spelledIds)];
}

/** The last set whose condition holds, else the first. */
function pricesNow(prices: GenaiModel['prices']): GenaiPrices {
  if (!Array.isArray(prices)) return prices;
  const holds = ({ constraint }: Conditional): boolean => {
    const { start_date: date = '', start_time: start = '', end_time: end = '24' } = constraint ?? {};
    return date <= MOMENT.date && start <= MOMENT.time && MOMENT.time < end;
  };
  return (prices.findLast(holds) ?? prices[0])?.prices ?? {};
}

/** The price of short prompts, where it depends on their length. */
function basePrice(price: unknown): unknown {
  return typeof price === 'object' && price !== null && 'base' in price ? price.base : price;
}
